//! What listeners get while sources come and go.

use std::sync::atomic::{AtomicU64, Ordering};

use skywave_rtp::{
    Counters, Departure, ExtensionIds, History, NtpTime, OwnedFrame, Packetizer, PacketizerConfig,
    Packing, RtpPacket,
};

use super::*;

/// A constant, which is counted when it is dropped.
struct Counted {
    value: f32,
    dropped: Arc<AtomicU64>,
}

impl AudioSource for Counted {
    fn read(&mut self, pcm: &mut [[f32; 2]]) -> usize {
        pcm.fill([self.value; 2]);
        pcm.len()
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
    }
}

/// Gives so many samples, and then panics.
struct Faulty(usize);

impl AudioSource for Faulty {
    fn read(&mut self, pcm: &mut [[f32; 2]]) -> usize {
        assert!(self.0 >= pcm.len(), "the fault under test");
        self.0 -= pcm.len();
        pcm.fill([0.5; 2]);
        pcm.len()
    }
}

/// The headers of the packets that a listener gets of these frames.
fn packets(sent: &[&Delivery]) -> Vec<(u16, u32, bool)> {
    let config = PacketizerConfig {
        ssrc: 1,
        payload_type: 0,
        comfort_noise: None,
        first_sequence_number: 60_000,
        timestamp_offset: 0xffff_0000,
        extensions: ExtensionIds::default(),
    };
    let mut packetizer = Packetizer::new(config, Arc::new(Counters::default())).unwrap();
    let mut history = History::default();
    let departure = Departure {
        time: NtpTime(0),
        transport_number: 0,
    };
    let headers = sent.iter().map(|delivery| {
        let frame: OwnedFrame = (*delivery).clone().into_frame(NtpTime(0)).frame;
        let number = history.push(frame);
        let mut buffer = [0; 1_500];
        let written = packetizer
            .write(&history, number, Packing::Plain, departure, &mut buffer)
            .unwrap();
        let packet = RtpPacket::parse(&buffer[..written.len]).unwrap();
        (
            packet.sequence_number(),
            packet.timestamp(),
            packet.marker(),
        )
    });
    headers.collect()
}

/// Without what the load of the host makes of them.
fn quiet(config: TrackConfig) -> TrackConfig {
    TrackConfig {
        slow_read: Duration::MAX,
        ..config
    }
}

fn events(events: &mut crate::TrackEvents) -> Vec<TrackEvent> {
    std::iter::from_fn(|| events.try_next()).collect()
}

#[test]
fn ten_thousand_swaps_leave_no_gap_and_no_jump_in_what_is_sent() {
    for crossfade in [0, 5, 50] {
        let mut stage = Stage::with(quiet(TrackConfig {
            crossfade: Duration::from_millis(crossfade),
            ..TrackConfig::default()
        }));
        let listener = of(Encoding::Pcmu, Ptime::Ms20);
        stage.shared.join(0, listener);
        let dropped = Arc::new(AtomicU64::new(0));
        let mut random = 1_u32;
        let mut put = 0;
        let mut steps = 0;
        while put < 10_000 {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            for _ in 0..(random >> 16) % 8 {
                let dropped = Arc::clone(&dropped);
                let source = Counted {
                    value: 0.5,
                    dropped,
                };
                stage.shared.mailbox.put(Some(Box::new(source)));
                put += 1;
            }
            steps += 1;
            stage.play_until(steps * 20, Duration::from_millis(u64::from(random % 20)));
        }
        let sent = stage.sent(listener);
        assert_eq!(sent.len() as u64, steps);
        for (packet, header) in (0..).zip(packets(&sent)) {
            let sequence = 60_000_u16.wrapping_add(packet);
            let timestamp = 0xffff_0000_u32.wrapping_add(u32::from(packet) * 160);
            assert_eq!(header, (sequence, timestamp, false));
        }
        // 6 dB below full scale; between equal sounds a crossfade adds up to 3 dB, and fades
        // within fades do up to 2 dB more or less.
        let levels = if crossfade > 20 { 1..=9 } else { 3..=6 };
        for delivery in &sent[10..] {
            let level = delivery.frame.audio_level;
            assert!(levels.contains(&level), "{level} with {crossfade} ms");
        }
        let counters = &stage.shared.counters;
        assert_eq!(counters.underrun_samples.load(Relaxed), 0);
        assert!(counters.swaps.load(Relaxed) > steps * 3 / 4);
        drop(stage);
        assert_eq!(dropped.load(Ordering::Relaxed), put);
    }
}

#[test]
fn swaps_from_many_threads_while_it_plays_end_with_the_last() {
    let mut stage = Stage::with(quiet(TrackConfig::default()));
    let listener = of(Encoding::Pcmu, Ptime::Ms20);
    stage.shared.join(0, listener);
    let dropped = Arc::new(AtomicU64::new(0));
    let source = |value| {
        let dropped = Arc::clone(&dropped);
        Box::new(Counted { value, dropped })
    };
    let shared = Arc::clone(&stage.shared);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let (shared, source) = (&shared, &source);
            scope.spawn(move || {
                for _ in 0..1_000 {
                    shared.mailbox.put(Some(source(0.5)));
                    shared.mailbox.put(None);
                    shared.fallback.put(Some(source(0.5)));
                }
            });
        }
        for step in 1..200 {
            stage.play_until(step * 20, PUNCTUAL);
        }
    });
    stage.shared.mailbox.put(Some(source(0.125)));
    stage.play_until(8_000, PUNCTUAL);
    let sent = stage.sent(listener);
    assert_eq!(sent.len(), 400);
    assert_eq!(sent[399].frame.audio_level, 18);
    drop((stage, shared));
    assert_eq!(dropped.load(Ordering::Relaxed), 8_001);
}

#[test]
fn source_that_panics_ends_nothing_and_whoever_wants_to_know_hears_why() {
    let mut stage = Stage::with(quiet(TrackConfig::default()));
    let listener = of(Encoding::Pcmu, Ptime::Ms20);
    stage.shared.join(0, listener);
    let mut heard = crate::TrackEvents::new(stage.shared.subscribe());
    stage.shared.mailbox.put(Some(Box::new(Faulty(9_600))));
    let dropped = Arc::default();
    let value = 0.125;
    stage
        .shared
        .fallback
        .put(Some(Box::new(Counted { value, dropped })));
    stage.play_until(400, PUNCTUAL);
    stage.shared.mailbox.put(Some(Box::new(Faulty(usize::MAX))));
    stage.play_until(600, PUNCTUAL);

    let sent = stage.sent(listener);
    let level = |packet: usize| sent[packet].frame.audio_level;
    assert_eq!((sent.len(), level(5), level(15), level(25)), (30, 6, 18, 6));
    let message = "the fault under test".to_owned();
    let expected = [
        TrackEvent::SourceStarted,
        TrackEvent::SourcePanicked { message },
        TrackEvent::FallbackStarted,
        TrackEvent::SourceStarted,
    ];
    assert_eq!(events(&mut heard), expected);
    assert_eq!(stage.shared.counters.source_panics.load(Relaxed), 1);
}

#[test]
fn slow_reads_are_counted_and_told() {
    let mut stage = Stage::with(TrackConfig {
        slow_read: Duration::ZERO,
        ..TrackConfig::default()
    });
    let mut heard = crate::TrackEvents::new(stage.shared.subscribe());
    stage.play_until(200, PUNCTUAL);
    assert_eq!(stage.shared.counters.slow_reads.load(Relaxed), 10);
    let slow = |event: &TrackEvent| matches!(event, TrackEvent::SlowRead { .. });
    let slow = events(&mut heard).into_iter().filter(slow).count();
    assert_eq!(slow, 10);
}

#[test]
fn whoever_is_slow_misses_the_oldest_events_and_is_told_how_many() {
    let mut stage = Stage::with(quiet(TrackConfig::default()));
    let mut heard = crate::TrackEvents::new(stage.shared.subscribe());
    for step in 1..=100 {
        stage.shared.mailbox.put(None);
        stage.play_until(step * 20, PUNCTUAL);
    }
    let heard = events(&mut heard);
    assert_eq!(heard[0], TrackEvent::Missed { events: 36 });
    assert_eq!(heard[1..], vec![TrackEvent::SourceRemoved; 64]);
}

#[test]
fn stall_within_the_time_to_catch_up_loses_nothing() {
    let mut stage = Stage::with(TrackConfig {
        max_catch_up: Duration::from_millis(100),
        ..TrackConfig::default()
    });
    let listener = of(Encoding::Pcmu, Ptime::Ms20);
    stage.shared.join(0, listener);
    stage.play_until(2_000, Duration::from_millis(99));
    stage.assert_sent(listener, 0, 2_000);
}
