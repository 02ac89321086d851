mod ten_hours;

use super::*;

fn grid(ptimes: &[Ptime]) -> PacketGrid {
    PacketGrid::new(ptimes.iter().copied(), Ptime::Ms20)
}

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

#[test]
fn a_year_of_steps_is_exact() {
    let (start, grid) = (Instant::now(), grid(&[]));
    let mut clock = FrameClock::new(start, grid);
    let year = 365 * 24 * 3_600;
    clock.end = year * 48_000;
    assert_eq!(clock.advance(grid, start), 0);
    let (begin, end) = (clock.instant(clock.position()), clock.deadline());
    assert_eq!(begin, start + Duration::from_secs(year));
    assert_eq!(end, begin + ms(20));
    assert_eq!(
        rtp_timestamp(clock.position(), 48_000),
        (year * 48_000) as u32
    );
    assert_eq!(
        rtp_timestamp(clock.position(), 8_000),
        (year * 8_000) as u32
    );
}

#[test]
fn timestamp_wraps_and_still_steps_by_one_packet() {
    for (rate, step) in [(48_000, 960), (8_000, 160)] {
        let wrap = (1 << 32) * 48_000 / u64::from(rate) / 960 * 960;
        let at = |packet: u64| rtp_timestamp(wrap + packet * 960, rate);
        for packet in 0_u64..3 {
            assert_eq!(at(packet + 1).wrapping_sub(at(packet)), step);
        }
        assert!(at(3) < 10_000);
    }
}

#[test]
fn late_wake_ups_do_not_accumulate() {
    let (start, grid) = (Instant::now(), grid(&[]));
    let mut clock = FrameClock::new(start, grid);
    for step in 0..1_000 {
        assert_eq!((clock.position(), clock.step_samples()), (step * 960, 960));
        let woken = clock.deadline() + Duration::from_micros(1_600);
        assert_eq!(clock.advance(grid, woken), 0);
    }
    assert_eq!(clock.deadline(), start + ms(20) * 1_001);
}

#[test]
fn steps_reach_to_the_nearest_boundary_of_what_is_in_use() {
    let start = Instant::now();
    let mut clock = FrameClock::new(start, grid(&[Ptime::Ms60]));
    assert_eq!(
        (clock.step_samples(), clock.deadline()),
        (2_880, start + ms(60))
    );
    // A listener of 40 ms comes: its packets end at 80, 120 ...
    let both = grid(&[Ptime::Ms40, Ptime::Ms60]);
    for (samples, end) in [(960, 80), (1_920, 120), (1_920, 160), (960, 180)] {
        let now = clock.deadline();
        assert_eq!(clock.advance(both, now), 0);
        assert_eq!(
            (clock.step_samples(), clock.deadline()),
            (samples, start + ms(end))
        );
    }
    // ... and goes.
    let now = clock.deadline();
    clock.advance(grid(&[Ptime::Ms60]), now);
    assert_eq!(
        (clock.step_samples(), clock.deadline()),
        (2_880, start + ms(240))
    );
}

#[test]
fn packet_begins_at_a_multiple_of_its_length_unless_the_step_is_longer() {
    let start = Instant::now();
    let mut clock = FrameClock::new(start, grid(&[Ptime::Ms40]));
    let begins = |clock: &FrameClock| Ptime::ALL.map(|ptime| clock.begins_packet(ptime));
    assert_eq!(
        begins(&clock),
        [false, false, false, false, true, true, true, true, true]
    );
    clock.advance(grid(&[Ptime::Ms10, Ptime::Ms60]), start);
    assert_eq!(
        begins(&clock),
        [false, false, true, true, true, false, false, false, false]
    );
    clock.advance(grid(&[Ptime::Ms20]), start);
    assert_eq!(
        begins(&clock),
        [false, false, true, false, false, false, false, false, false]
    );
}

#[test]
fn step_less_than_a_period_late_is_made_up() {
    let (start, grid) = (Instant::now(), grid(&[]));
    let mut clock = FrameClock::new(start, grid);
    // The second step is due at 40 ms, the third at 60.
    assert_eq!(
        clock.advance(grid, start + Duration::from_micros(59_999)),
        0
    );
    assert_eq!(clock.position(), 960);
}

#[test]
fn stall_skips_the_missed_steps_and_moves_the_position() {
    let (start, grid) = (Instant::now(), grid(&[]));
    let mut clock = FrameClock::new(start, grid);
    // Step 0 done at 1.025 s: step 50 ended last.
    assert_eq!(clock.advance(grid, start + ms(1_025)), 49 * 960);
    assert_eq!(clock.position(), 50 * 960);
    assert_eq!(clock.deadline(), start + ms(1_020));
    assert_eq!(clock.advance(grid, start + ms(1_025)), 0);
}

#[test]
fn stall_among_several_lengths_ends_at_a_boundary() {
    let (start, grid) = (Instant::now(), grid(&[Ptime::Ms40, Ptime::Ms60]));
    let mut clock = FrameClock::new(start, grid);
    // Boundaries: 40, 60, 80, 120, 160, 180 ms.
    assert_eq!(clock.advance(grid, start + ms(159)), 40 * 48);
    assert_eq!(
        (clock.position(), clock.deadline()),
        (80 * 48, start + ms(120))
    );
}

#[test]
fn early_wake_up_is_harmless() {
    let (start, grid) = (Instant::now(), grid(&[]));
    let mut clock = FrameClock::new(start + ms(20), grid);
    assert_eq!(clock.advance(grid, start), 0);
}

#[test]
fn stall_within_the_time_to_catch_up_skips_nothing() {
    let (start, grid) = (Instant::now(), grid(&[]));
    let mut clock = FrameClock::new(start, grid);
    clock.set_max_catch_up(ms(100));
    // Step 1 is due at 40 ms. Steps 1 to 5 are made up for at once.
    for step in 1..6 {
        assert_eq!(clock.advance(grid, start + ms(139)), 0);
        assert_eq!(clock.position(), step * 960);
    }
    assert_eq!(clock.deadline(), start + ms(120));
    // Step 6 is due at 140 ms.
    assert_eq!(clock.advance(grid, start + ms(240)), 5 * 960);
    assert_eq!(clock.deadline(), start + ms(240));
    clock.set_max_catch_up(ms(5_000));
    assert_eq!(clock.max_catch_up, FrameClock::MAX_CATCH_UP);
}
