use std::collections::VecDeque;

use skywave_audio::{AudioCodec, Encoding, Packetization, Ptime};
use tokio::sync::mpsc;

use super::*;
use crate::audio_track::TrackId;
use crate::encoded_track::EncodedTrackConfig;
use crate::waker::waker;

struct Script(VecDeque<EncodedSupply>);

impl EncodedSource for Script {
    fn next(&mut self) -> EncodedSupply {
        self.0.pop_front().expect("the end of the script")
    }
}

/// A packet of Opus with that configuration (RFC 6716 §3.1).
fn opus(configuration: u8) -> EncodedSupply {
    let packet = EncodedPacket::new(AudioCodec::Opus, vec![configuration << 3, 7]);
    EncodedSupply::Packet(packet.unwrap())
}

/// Without what the load of the host makes of it.
fn quiet(config: EncodedTrackConfig) -> EncodedTrackConfig {
    EncodedTrackConfig {
        slow_read: Duration::MAX,
        ..config
    }
}

struct Stage {
    track: PlayingEncodedTrack,
    output: FrameOutput,
    frames: mpsc::Receiver<Delivery>,
}

impl Stage {
    fn new(config: EncodedTrackConfig) -> Self {
        let id = TrackId {
            engine: 0,
            number: 0,
        };
        let shared = TrackShared::encoded(id, config, 1);
        let (frames, receiver) = mpsc::channel(1_000);
        Self {
            track: PlayingEncodedTrack::new(Arc::new(shared), Instant::now()),
            output: FrameOutput {
                frames,
                waker: Arc::new(waker().unwrap().0),
            },
            frames: receiver,
        }
    }

    fn put(&self, supplies: impl IntoIterator<Item = EncodedSupply>) {
        let script = Script(supplies.into_iter().collect());
        self.inlet().put(Some(Box::new(script)));
    }

    fn inlet(&self) -> &EncodedInlet {
        self.track.shared.inlet.as_ref().unwrap()
    }

    fn join(&self) {
        let packetization = Packetization::new(Encoding::OPUS_STEREO, Ptime::Ms20);
        self.track.shared.join(0, packetization);
    }

    /// Plays so many steps, each in time: when packets began in milliseconds, and their
    /// markers.
    fn play(&mut self, steps: usize) -> Vec<(u64, bool)> {
        for _ in 0..steps {
            let now = self.track.deadline();
            self.track.play(std::slice::from_ref(&self.output));
            self.track.advance(now);
        }
        let sent = std::iter::from_fn(|| self.frames.try_recv().ok());
        sent.map(|delivery| {
            let begin = delivery.frame.begin / 48;
            assert_eq!(u64::from(delivery.frame.timestamp), delivery.frame.begin);
            let due = self.track.start + Duration::from_millis(begin);
            assert_eq!((delivery.captured, delivery.due), (due, due));
            (begin, delivery.frame.marker)
        })
        .collect()
    }
}

#[test]
fn rfc7587_4_1_timestamps_advance_by_what_each_packet_lasts() {
    let mut stage = Stage::new(EncodedTrackConfig::default());
    stage.join();
    // 10, 20, 60, 20, 10 ms.
    stage.put([0, 1, 3, 31, 30].map(opus));
    let begins = [0, 10, 30, 90, 110].map(|begin| (begin, false));
    assert_eq!(stage.play(5), begins);
}

#[test]
fn time_runs_on_while_the_source_has_nothing_and_what_follows_is_marked() {
    let mut stage = Stage::new(EncodedTrackConfig::default());
    stage.join();
    stage.put([opus(1), EncodedSupply::Starved, opus(1), opus(1)]);
    assert_eq!(stage.play(4), [(0, false), (40, true), (60, false)]);
}

#[test]
fn end_is_told_with_its_reason_and_another_source_goes_on() {
    let mut stage = Stage::new(EncodedTrackConfig::default());
    stage.join();
    let fault = Some("cut".to_owned());
    stage.put([
        opus(1),
        EncodedSupply::Ended {
            fault: fault.clone(),
        },
    ]);
    assert_eq!(stage.play(4), [(0, false)]);
    assert_eq!(*stage.inlet().fault.borrow(), fault);
    let ended = |stage: &Stage| stage.track.shared.counters.ended.load(Relaxed);
    assert!(ended(&stage));
    stage.put([opus(1)]);
    assert_eq!(stage.play(1), [(80, true)]);
    assert!(!ended(&stage));
    assert_eq!(*stage.inlet().fault.borrow(), None);
}

#[test]
fn what_happens_to_the_source_is_told_in_order() {
    let mut stage = Stage::new(quiet(EncodedTrackConfig::default()));
    stage.join();
    let mut events = crate::TrackEvents::new(stage.track.shared.subscribe());
    let mut told = || std::iter::from_fn(|| events.try_next()).collect::<Vec<_>>();
    let starved = EncodedSupply::Starved;
    stage.put([opus(1), starved.clone(), starved.clone(), opus(1)]);
    stage.play(4);
    let underrun = TrackEvent::UnderrunEnded { samples: 1_920 };
    let started = [TrackEvent::SourceStarted, TrackEvent::UnderrunStarted];
    assert_eq!(told(), [&started[..], &[underrun]].concat());

    let reason = Some("cut".to_owned());
    let fault = reason.clone();
    stage.put([starved, EncodedSupply::Ended { fault }]);
    stage.play(2);
    let ended = TrackEvent::SourceEnded { reason };
    let underrun = TrackEvent::UnderrunEnded { samples: 960 };
    assert_eq!(told(), [&started[..], &[underrun, ended]].concat());

    stage.put([]);
    stage.play(1);
    stage.inlet().put(None);
    stage.play(1);
    let message = "the end of the script".to_owned();
    let panicked = TrackEvent::SourcePanicked { message };
    let removed = TrackEvent::SourceRemoved;
    assert_eq!(told(), [TrackEvent::SourceStarted, panicked, removed]);
    let counters = &stage.track.shared.counters;
    assert_eq!(counters.underrun_samples.load(Relaxed), 3 * 960);
    assert_eq!(counters.swaps.load(Relaxed), 4);
    assert_eq!(counters.source_panics.load(Relaxed), 1);
    assert!(!counters.playing.load(Relaxed) && !counters.ended.load(Relaxed));
}

#[test]
fn slow_source_is_told() {
    let mut stage = Stage::new(EncodedTrackConfig {
        slow_read: Duration::ZERO,
        ..EncodedTrackConfig::default()
    });
    stage.put([opus(1), opus(1)]);
    let mut events = crate::TrackEvents::new(stage.track.shared.subscribe());
    stage.play(2);
    assert_eq!(events.try_next(), Some(TrackEvent::SourceStarted));
    let slow = |event: TrackEvent| matches!(event, TrackEvent::SlowRead { .. });
    assert!(std::iter::from_fn(|| events.try_next()).all(slow));
    assert_eq!(stage.track.shared.counters.slow_reads.load(Relaxed), 2);
}

#[test]
fn starved_source_is_asked_as_often_as_is_wanted() {
    for (wanted, held) in [(0, 2_500), (5_000, 5_000), (60_000_000, 1_000_000)] {
        let mut stage = Stage::new(EncodedTrackConfig {
            poll_interval: Duration::from_micros(wanted),
            max_catch_up: Duration::MAX,
            ..EncodedTrackConfig::default()
        });
        stage.put([EncodedSupply::Starved, opus(1)]);
        stage.play(1);
        let next = stage.track.deadline() - stage.track.start;
        assert_eq!(next, Duration::from_micros(held));
    }
}

#[test]
fn packets_of_another_codec_are_left_out_and_counted() {
    let mut stage = Stage::new(EncodedTrackConfig::default());
    stage.join();
    let other = EncodedPacket::new(AudioCodec::Pcmu, vec![0xff; 160]).unwrap();
    stage.put([EncodedSupply::Packet(other), opus(1)]);
    assert_eq!(stage.play(2), [(20, true)]);
    assert_eq!(stage.inlet().refused.load(Relaxed), 1);
}

#[test]
fn source_waits_for_its_listener_where_it_shall() {
    let mut stage = Stage::new(EncodedTrackConfig {
        wait_for_listener: true,
        ..EncodedTrackConfig::default()
    });
    stage.put([1, 31].map(opus));
    assert!(stage.play(10).is_empty());
    stage.join();
    assert_eq!(stage.play(2), [(200, true), (220, false)]);
}

#[test]
fn stall_within_the_time_to_catch_up_moves_nothing() {
    for (catch_up, third) in [(50, (110, true)), (100, (40, false))] {
        let mut stage = Stage::new(EncodedTrackConfig {
            max_catch_up: Duration::from_millis(catch_up),
            ..EncodedTrackConfig::default()
        });
        stage.join();
        stage.put([opus(1), opus(1), opus(1)]);
        stage.play(1);
        stage.track.play(std::slice::from_ref(&stage.output));
        let late = stage.track.start + Duration::from_millis(110);
        stage.track.advance(late);
        assert_eq!(stage.play(1), [(20, false), third]);
    }
}

#[test]
fn stall_moves_packets_and_drops_none() {
    let mut stage = Stage::new(EncodedTrackConfig::default());
    stage.join();
    stage.put([1, 31, 1, 31].map(opus));
    assert_eq!(stage.play(1), [(0, false)]);
    stage.track.play(std::slice::from_ref(&stage.output));
    // The packet of 20 ms, done at 500.
    let late = stage.track.start + Duration::from_millis(500);
    stage.track.advance(late);
    assert_eq!(stage.play(2), [(20, false), (500, true), (520, false)]);
}
