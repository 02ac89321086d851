mod changes;

use super::*;
use crate::Tone;
use crate::level::Level;

const FRAME_SAMPLES: usize = 960;

/// Gives one frame, then panics.
struct Faulty {
    reads: usize,
    panics_on_drop: bool,
}

impl AudioSource for Faulty {
    fn read(&mut self, pcm: &mut [[f32; 2]]) -> usize {
        self.reads += 1;
        pcm.fill([0.5; 2]);
        assert!(self.reads == 1, "the fault under test");
        pcm.len()
    }
}

impl Drop for Faulty {
    fn drop(&mut self) {
        assert!(!self.panics_on_drop, "the fault under test");
    }
}

fn level(value: f32) -> Option<Box<dyn AudioSource>> {
    Some(Box::new(Level::endless(value)))
}

fn playing(source: Option<Box<dyn AudioSource>>) -> SourcePlayer {
    let mut player = SourcePlayer::new();
    player.set_crossfade(Duration::ZERO);
    player.replace(source);
    read(&mut player);
    player
}

fn read(player: &mut SourcePlayer) -> ([[f32; 2]; FRAME_SAMPLES], Supply) {
    let mut pcm = [[7.0; 2]; FRAME_SAMPLES];
    let supply = player.read(&mut pcm);
    (pcm, supply)
}

#[test]
fn player_without_source_is_silent_and_not_starved() {
    let mut player = SourcePlayer::new();
    let (pcm, supply) = read(&mut player);
    assert_eq!(pcm, [[0.0; 2]; FRAME_SAMPLES]);
    assert_eq!(
        supply,
        Supply {
            samples_supplied: 0,
            ended: false
        }
    );
    assert_eq!(player.underrun_samples(), 0);
}

#[test]
fn crossfade_between_tones_has_no_step_larger_than_the_tones() {
    let mut player = SourcePlayer::new();
    player.replace(Some(Box::new(Tone::new(440.0).unwrap())));
    let mut played = Vec::new();
    for _ in 0..5 {
        played.extend(read(&mut player).0);
    }
    player.replace(Some(Box::new(Tone::new(554.37).unwrap())));
    // A frame cut anywhere, and a second replacement in the middle of the fade.
    let mut part = [[0.0; 2]; 100];
    player.read(&mut part);
    played.extend(part);
    player.replace(Some(Box::new(Tone::new(659.26).unwrap())));
    played.extend(read(&mut player).0);
    player.replace(None);
    played.extend(read(&mut player).0);
    // 660 Hz at 0.25 moves 0.0216 a sample; the fades add up to 0.25 / 240 * pi/2 each.
    let step = played
        .windows(2)
        .map(|pair| (pair[1][0] - pair[0][0]).abs())
        .fold(0.0, f32::max);
    assert!((0.015..0.035).contains(&step), "{step}");
    assert!(
        played[played.len() - 700..]
            .iter()
            .all(|sample| *sample == [0.0; 2])
    );
}

#[test]
fn crossfade_lasts_5_ms_with_equal_power() {
    let mut player = SourcePlayer::new();
    player.replace(level(0.5));
    read(&mut player);
    player.replace(level(-0.5));
    let (pcm, _) = read(&mut player);
    assert!(pcm[0][0] > 0.49 && pcm[119][0].abs() < 0.01);
    assert!(pcm[238][0] > -0.5 && pcm[240] == [-0.5; 2]);
    // Against silence the power goes as the square of the sine.
    player.replace(None);
    let (pcm, _) = read(&mut player);
    assert!((pcm[119][0] / -0.5 - std::f32::consts::FRAC_1_SQRT_2).abs() < 0.01);
}

#[test]
fn replacing_twice_without_a_read_fades_from_what_was_heard() {
    let mut player = SourcePlayer::new();
    player.replace(level(0.5));
    read(&mut player);
    player.replace(level(-0.5));
    player.replace(level(0.25));
    let (pcm, _) = read(&mut player);
    assert!((pcm[0][0] - 0.5).abs() < 0.02);
    assert_eq!(pcm[240], [0.25; 2]);
}

#[test]
fn ended_source_leaves_silence_and_is_no_underrun() {
    let mut player = SourcePlayer::new();
    player.replace(Some(Box::new(Level::lasting(0.5, 1_000))));
    assert_eq!(
        read(&mut player).1,
        Supply {
            samples_supplied: 960,
            ended: false
        }
    );
    let (pcm, supply) = read(&mut player);
    assert_eq!(
        supply,
        Supply {
            samples_supplied: 40,
            ended: true
        }
    );
    assert_eq!((pcm[39], pcm[40], pcm[959]), ([0.5; 2], [0.0; 2], [0.0; 2]));
    assert_eq!(
        read(&mut player).1,
        Supply {
            samples_supplied: 0,
            ended: true
        }
    );
    assert_eq!(player.underrun_samples(), 0);
    player.replace(level(0.5));
    assert_eq!(
        read(&mut player).1,
        Supply {
            samples_supplied: 960,
            ended: false
        }
    );
}

#[test]
fn starved_source_is_counted_and_stays() {
    let mut player = SourcePlayer::new();
    player.replace(Some(Box::new(Level::endless(0.5).at_most(900))));
    for _ in 0..3 {
        let (pcm, supply) = read(&mut player);
        assert_eq!(
            supply,
            Supply {
                samples_supplied: 900,
                ended: false
            }
        );
        assert_eq!(pcm[900..], [[0.0; 2]; 60]);
    }
    assert_eq!(player.underrun_samples(), 180);
}

#[test]
fn panicking_source_is_dropped_and_counted() {
    let mut player = SourcePlayer::new();
    player.replace(Some(Box::new(Faulty {
        reads: 0,
        panics_on_drop: false,
    })));
    assert_eq!(read(&mut player).1.samples_supplied, 960);
    let (pcm, supply) = read(&mut player);
    assert_eq!(pcm, [[0.0; 2]; FRAME_SAMPLES]);
    assert_eq!(
        supply,
        Supply {
            samples_supplied: 0,
            ended: true
        }
    );
    assert_eq!(player.panics(), 1);
    player.replace(level(0.5));
    assert_eq!(
        read(&mut player).1,
        Supply {
            samples_supplied: 960,
            ended: false
        }
    );
    assert_eq!(player.panics(), 1);
}

#[test]
fn panic_on_drop_is_contained() {
    let mut player = SourcePlayer::new();
    let faulty = || Faulty {
        reads: 0,
        panics_on_drop: true,
    };
    player.replace(Some(Box::new(faulty())));
    read(&mut player);
    player.replace(None);
    assert_eq!(read(&mut player).0[959], [0.0; 2]);
    assert_eq!(player.take_retired().len(), 1);
    // By the next read, by the player's end.
    player.replace(Some(Box::new(faulty())));
    player.replace(Some(Box::new(faulty())));
    read(&mut player);
}

#[test]
fn nonsense_from_a_source_is_made_harmless() {
    struct Wild;
    impl AudioSource for Wild {
        fn read(&mut self, pcm: &mut [[f32; 2]]) -> usize {
            pcm.fill([f32::NAN, f32::INFINITY]);
            pcm[200..].fill([f32::NEG_INFINITY, f32::MIN_POSITIVE / 2.0]);
            pcm[300..].fill([5.0, f32::MIN]);
            usize::MAX
        }
    }
    let mut player = SourcePlayer::new();
    player.replace(Some(Box::new(Wild)));
    let (pcm, supply) = read(&mut player);
    assert_eq!(supply.samples_supplied, FRAME_SAMPLES);
    assert!(
        pcm[..300]
            .as_flattened()
            .iter()
            .all(|sample| sample.abs() < 1e-30)
    );
    assert_eq!(pcm[300..], [[1.0, -1.0]; 660]);
}

/// Counts its samples, so that each is told from every other.
struct Ramp {
    next: u32,
    step: f32,
}

impl AudioSource for Ramp {
    fn read(&mut self, pcm: &mut [[f32; 2]]) -> usize {
        for sample in pcm.iter_mut() {
            *sample = [self.next as f32 * self.step; 2];
            self.next += 1;
        }
        pcm.len()
    }
}

#[test]
fn ten_thousand_swaps_without_a_crossfade_lose_and_repeat_no_sample() {
    let mut player = SourcePlayer::new();
    player.set_crossfade(Duration::ZERO);
    let mut random = 1_u32;
    for _ in 0..10_000 {
        let step = 1.0 / 8_192.0;
        player.replace(Some(Box::new(Ramp { next: 0, step })));
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let frames = 1 + random % 3;
        let mut expected = 0;
        for _ in 0..frames {
            let mut pcm = [[9.0; 2]; 480];
            player.read(&mut pcm);
            for sample in pcm {
                assert_eq!(sample, [expected as f32 * step; 2]);
                expected += 1;
            }
        }
    }
    assert_eq!((player.swaps(), player.underrun_samples()), (10_000, 0));
}

#[test]
fn ten_thousand_crossfades_are_never_louder_or_fainter_than_what_they_join() {
    let mut player = playing(level(0.5));
    player.set_crossfade(Duration::from_millis(5));
    for _ in 0..10_000 {
        player.replace(level(0.5));
        let mut pcm = [[0.0; 2]; 480];
        player.read(&mut pcm);
        // Equal power: what is alike adds up to sine plus cosine of its amplitude.
        let in_bounds = |sample: &[f32; 2]| (0.4999..=0.7072).contains(&sample[0]);
        assert!(pcm.iter().all(in_bounds));
        assert_eq!(pcm[240], [0.5; 2]);
    }
}

#[test]
fn long_crossfade_reads_the_old_source_on() {
    let mut player = playing(Some(Box::new(Ramp {
        next: 0,
        step: 1e-4,
    })));
    player.set_crossfade(Duration::from_millis(100));
    player.replace(None);
    for frame in 1..5 {
        let (pcm, _) = read(&mut player);
        for (sample, place) in pcm.iter().zip(frame * 960..) {
            let position = (f64::from(place - 960) + 0.5) / 4_800.0;
            let gain = (position * std::f64::consts::FRAC_PI_2).cos();
            let expected = (f64::from(place) * 1e-4).min(1.0) * gain;
            assert!((f64::from(sample[0]) - expected).abs() < 1e-4, "{place}");
        }
        assert!(player.take_retired().is_empty());
    }
    read(&mut player);
    assert_eq!(player.take_retired().len(), 1);
    assert_eq!(read(&mut player).0, [[0.0; 2]; FRAME_SAMPLES]);
}

#[test]
fn swaps_within_a_crossfade_make_no_click_and_pile_up_no_sources() {
    let mut player = playing(level(0.5));
    player.set_crossfade(SourcePlayer::MAX_CROSSFADE * 2);
    assert_eq!(player.crossfade, 480_000);
    player.set_crossfade(Duration::from_secs(1));
    let mut last = 0.5;
    for swap in 0..200 {
        player.replace(level(if swap % 2 == 0 { 0.4 } else { 0.5 }));
        for sample in read(&mut player).0 {
            assert!(
                (sample[0] - last).abs() < 0.03,
                "{swap}: {last} {}",
                sample[0]
            );
            last = sample[0];
        }
        assert!(player.outgoing.len() <= MAX_OUTGOING);
    }
}
