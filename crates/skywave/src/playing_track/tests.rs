mod hub;
mod long_run;
mod silence;
mod swap;

use std::collections::HashMap;

use skywave_audio::{AudioSource, Encoding, audio_level};
use skywave_peer::StreamKey;
use tokio::sync::mpsc;

use super::*;
use crate::audio_track::TrackId;
use crate::config::TrackConfig;
use crate::delivery::Delivery;
use crate::waker::waker;

/// Every 10 ms another level, which tells where in the source they come from.
struct Staircase(u64);

impl AudioSource for Staircase {
    fn read(&mut self, pcm: &mut [[f32; 2]]) -> usize {
        for sample in pcm.iter_mut() {
            *sample = [stair(self.0); 2];
            self.0 += 1;
        }
        pcm.len()
    }
}

fn stair(sample: u64) -> f32 {
    let step = sample / 480;
    0.5_f32.powi((step * step % 13) as i32)
}

/// A track on a virtual clock.
struct Stage {
    shared: Arc<TrackShared>,
    track: PlayingTrack,
    start: Instant,
    output: FrameOutput,
    frames: mpsc::Receiver<Delivery>,
    sent: Vec<Delivery>,
    streams: HashMap<StreamKey, Packetization>,
}

impl Stage {
    fn new(ptime: Ptime) -> Self {
        Self::with(TrackConfig {
            ptime,
            ..TrackConfig::default()
        })
    }

    fn with(config: TrackConfig) -> Self {
        Self::starting(config, Instant::now())
    }

    fn starting(config: TrackConfig, start: Instant) -> Self {
        let id = TrackId {
            engine: 0,
            number: 0,
        };
        let shared = Arc::new(TrackShared::new(id, config, 1));
        shared.mailbox.put(Some(Box::new(Staircase(0))));
        let (frames, receiver) = mpsc::channel(1_000);
        Self {
            track: PlayingTrack::new(Arc::clone(&shared), start),
            shared,
            start,
            output: FrameOutput {
                frames,
                waker: Arc::new(waker().unwrap().0),
            },
            frames: receiver,
            sent: Vec::new(),
            streams: HashMap::new(),
        }
    }

    /// Plays every step that is due until then, each as late as that.
    fn play_until(&mut self, milliseconds: u64, lateness: Duration) {
        let end = self.start + Duration::from_millis(milliseconds);
        while self.track.deadline() <= end {
            let now = self.track.deadline() + lateness;
            let heard = self.shared.encodings.heard();
            self.streams
                .extend(heard.map(|place| (place.stream, place.packetization)));
            self.track.play(std::slice::from_ref(&self.output));
            self.track.advance(now);
            while let Ok(delivery) = self.frames.try_recv() {
                self.sent.push(delivery);
            }
        }
    }

    fn sent(&self, packetization: Packetization) -> Vec<&Delivery> {
        let ours =
            |delivery: &&Delivery| self.streams.get(&delivery.stream) == Some(&packetization);
        self.sent.iter().filter(ours).collect()
    }

    /// Unbroken packets from `first` to `end`, in milliseconds, each with exactly the samples
    /// of its time, sent when the last of them was over.
    fn assert_sent(&self, packetization: Packetization, first: u64, end: u64) {
        let ptime = packetization.ptime;
        let len = u64::from(ptime.milliseconds());
        let sent = self.sent(packetization);
        assert_eq!(sent.len() as u64, (end - first) / len, "{packetization:?}");
        for (delivery, begin) in sent.into_iter().zip((first..).step_by(len as usize)) {
            let rate = u64::from(packetization.encoding.codec().clock_rate());
            assert_eq!(u64::from(delivery.frame.timestamp), begin * rate / 1_000);
            assert_eq!(delivery.captured, self.start + Duration::from_millis(begin));
            assert_eq!(delivery.due, delivery.captured + ptime.duration());
            assert_eq!(delivery.interval, ptime.duration());
            // The source fades in over 5 ms.
            if begin > 0 {
                let samples: Vec<f32> = (begin * 48..(begin + len) * 48).map(stair).collect();
                assert_eq!(
                    delivery.frame.audio_level,
                    audio_level(&samples),
                    "at {begin}"
                );
            }
        }
    }
}

fn of(encoding: Encoding, ptime: Ptime) -> Packetization {
    Packetization::new(encoding, ptime)
}

const PUNCTUAL: Duration = Duration::ZERO;

#[test]
fn streams_of_all_lengths_are_whole_while_listeners_come_and_go() {
    let mut stage = Stage::new(Ptime::Ms60);
    let [long, middle, short, shortest] = [
        of(Encoding::OPUS_STEREO, Ptime::Ms60),
        of(Encoding::OPUS_MONO, Ptime::Ms40),
        of(Encoding::Pcmu, Ptime::Ms20),
        of(Encoding::Pcma, Ptime::Ms10),
    ];
    stage.shared.join(0, long);
    stage.play_until(600, PUNCTUAL);
    // In the middle of a packet of 60 ms: the next boundary is at 660.
    stage.play_until(620, PUNCTUAL);
    stage.shared.join(0, middle);
    stage.play_until(700, PUNCTUAL);
    stage.shared.join(0, shortest);
    stage.shared.join(0, short);
    stage.play_until(1_010, PUNCTUAL);
    stage.shared.leave(0, middle);
    stage.play_until(1_300, PUNCTUAL);
    stage.shared.leave(0, shortest);
    stage.play_until(1_500, PUNCTUAL);
    stage.shared.leave(0, short);
    stage.play_until(1_980, PUNCTUAL);

    stage.assert_sent(long, 0, 1_980);
    stage.assert_sent(middle, 680, 1_000);
    // The step from 680 to 720 was under way.
    stage.assert_sent(short, 720, 1_500);
    stage.assert_sent(shortest, 720, 1_300);
    let counters = &stage.shared.counters;
    assert_eq!(counters.frames_skipped.load(Relaxed), 0);
    assert_eq!(counters.encodings.load(Relaxed), 1);
}

#[test]
fn packets_leave_when_they_did_whoever_else_listens() {
    let long = of(Encoding::Pcmu, Ptime::Ms60);
    let due = |others: bool| {
        let mut stage = Stage::new(Ptime::Ms60);
        stage.shared.join(0, long);
        if others {
            stage.shared.join(0, of(Encoding::Pcmu, Ptime::Ms10));
        }
        stage.play_until(600, PUNCTUAL);
        let start = stage.start;
        let due = stage.sent(long).into_iter().map(|sent| sent.due - start);
        due.collect::<Vec<_>>()
    };
    assert_eq!(due(false), due(true));
}

#[test]
fn late_steps_lose_nothing_as_long_as_the_next_is_not_over() {
    let mut stage = Stage::new(Ptime::Ms40);
    let [long, short] = [Ptime::Ms40, Ptime::Ms20].map(|ptime| of(Encoding::OPUS_MONO, ptime));
    stage.shared.join(0, long);
    stage.shared.join(0, short);
    stage.play_until(2_000, Duration::from_millis(19));
    let lateness = stage.shared.counters.lateness.snapshot();
    assert_eq!(
        (lateness.count(), lateness.max()),
        (99, Duration::from_millis(19))
    );
    stage.assert_sent(long, 0, 2_000);
    // The first step was planned before anybody listened.
    stage.assert_sent(short, 40, 2_000);
}

#[test]
fn stall_leaves_whole_packets_out_of_every_stream() {
    let mut stage = Stage::new(Ptime::Ms20);
    let [long, short] = [Ptime::Ms60, Ptime::Ms20].map(|ptime| of(Encoding::Pcmu, ptime));
    stage.shared.join(0, long);
    stage.shared.join(0, short);
    stage.play_until(140, PUNCTUAL);
    // The step due at 160 ms is done at 305: the one due at 300 is the last that is over.
    stage.track.play(std::slice::from_ref(&stage.output));
    stage
        .track
        .advance(stage.start + Duration::from_millis(305));
    stage.play_until(600, PUNCTUAL);
    while let Ok(delivery) = stage.frames.try_recv() {
        stage.sent.push(delivery);
    }

    let begins = |packetization| {
        let sent = stage.sent(packetization).into_iter();
        sent.map(|sent| sent.frame.timestamp / 8)
            .collect::<Vec<_>>()
    };
    // Of the packet of 120 to 180 ms two thirds were there.
    assert_eq!(begins(long), [0, 60, 300, 360, 420, 480, 540]);
    let before = (0..160).step_by(20);
    assert_eq!(
        begins(short),
        before.chain((280..600).step_by(20)).collect::<Vec<_>>()
    );
    // 160 to 280 ms.
    assert_eq!(stage.shared.counters.frames_skipped.load(Relaxed), 6);
}

#[test]
fn source_that_waited_is_heard_from_its_first_sample_by_whoever_comes() {
    for ptime in Ptime::ALL {
        let mut stage = Stage::with(TrackConfig {
            ptime: Ptime::Ms60,
            wait_for_listener: true,
            ..TrackConfig::default()
        });
        stage.play_until(600, PUNCTUAL);
        let listener = of(Encoding::Pcmu, ptime);
        stage.shared.join(0, listener);
        stage.play_until(1_200, PUNCTUAL);
        let sent = stage.sent(listener);
        assert!(sent.len() >= 480 * 48 / ptime.samples(), "{ptime:?}");
        // The first 5 ms are faded in.
        let faded = 240_usize.div_ceil(ptime.samples());
        for (delivery, packet) in sent.iter().zip(0..).skip(faded) {
            let begin = packet * ptime.samples() as u64;
            let samples: Vec<f32> = (begin..).take(ptime.samples()).map(stair).collect();
            assert_eq!(
                delivery.frame.audio_level,
                audio_level(&samples),
                "{ptime:?}"
            );
        }
    }
}

#[test]
fn source_waits_no_longer_than_it_may() {
    let mut stage = Stage::with(TrackConfig {
        wait_for_listener: true,
        max_wait_for_listener: Some(Duration::from_millis(500)),
        ..TrackConfig::default()
    });
    stage.play_until(500, PUNCTUAL);
    assert_eq!(stage.shared.counters.frames.load(Relaxed), 0);
    stage.play_until(1_000, PUNCTUAL);
    assert_eq!(stage.shared.counters.frames.load(Relaxed), 25);
}

#[test]
fn nobody_is_encoded_for_and_time_runs_on() {
    let mut stage = Stage::new(Ptime::Ms20);
    stage.play_until(1_000, PUNCTUAL);
    assert!(stage.sent.is_empty());
    let stereo = of(Encoding::OPUS_STEREO, Ptime::Ms20);
    stage.shared.join(0, stereo);
    stage.play_until(2_000, PUNCTUAL);
    stage.assert_sent(stereo, 1_000, 2_000);
}

#[test]
fn frame_goes_to_every_shard_where_it_is_heard_and_is_encoded_once() {
    let shared = TrackShared::new(
        TrackId {
            engine: 0,
            number: 0,
        },
        TrackConfig::default(),
        3,
    );
    shared.mailbox.put(Some(Box::new(Staircase(0))));
    let shared = Arc::new(shared);
    let heard = of(Encoding::Pcmu, Ptime::Ms20);
    shared.join(0, heard);
    shared.join(2, heard);
    let (outputs, mut queues): (Vec<_>, Vec<_>) = (0..3)
        .map(|_| {
            let (frames, queue) = mpsc::channel(10);
            let waker = Arc::new(waker().unwrap().0);
            (FrameOutput { frames, waker }, queue)
        })
        .unzip();
    PlayingTrack::new(Arc::clone(&shared), Instant::now()).play(&outputs);
    let [first, none, last] = [0, 1, 2].map(|shard| queues[shard].try_recv().ok());
    assert!(none.is_none());
    let payloads = [first, last].map(|delivery| delivery.unwrap().frame.payload);
    assert!(Arc::ptr_eq(&payloads[0], &payloads[1]));
    assert_eq!(shared.counters.encodings.load(Relaxed), 1);
}
