//! A track being played: its source is read step by step, and each step goes into the packets of
//! all who listen.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use skywave_audio::{
    EncodedFrame, FrameClock, PacketEncoder, PacketGrid, Packetization, Ptime, SourcePlayer,
};

use crate::audio_track::TrackShared;
use crate::counter::add;
use crate::delivery::Delivery;
use crate::track_worker::FrameOutput;

/// A track with everything that its samples pass through.
pub(crate) struct PlayingTrack {
    shared: Arc<TrackShared>,
    clock: FrameClock,
    player: SourcePlayer,
    /// By [`Packetization::index`]; absent while nobody listens.
    encoders: [Option<PacketEncoder>; Packetization::COUNT],
    /// A source was put in, and if a listener was waited for, its first packet began.
    started: bool,
    source_waits: bool,
    /// Since where in the track it waits.
    waits_since: u64,
    /// Room for the longest step.
    pcm: Box<[[f32; 2]; Ptime::MAX.samples()]>,
}

impl PlayingTrack {
    pub(crate) fn new(shared: Arc<TrackShared>, now: Instant) -> Self {
        let ptime = shared.config.ptime;
        let start = now + spread(shared.id.number, ptime.duration());
        Self {
            clock: FrameClock::new(start, PacketGrid::new([], ptime)),
            player: SourcePlayer::new(),
            encoders: Default::default(),
            started: false,
            source_waits: false,
            waits_since: 0,
            pcm: Box::new([[0.0; 2]; Ptime::MAX.samples()]),
            shared,
        }
    }

    /// When the next step is due.
    pub(crate) fn deadline(&self) -> Instant {
        self.clock.deadline()
    }

    /// True once all handles of the track are gone.
    pub(crate) fn is_over(&self) -> bool {
        Arc::strong_count(&self.shared) == 1
    }

    /// Reads the step now due and encodes it for those who listen. If an encoder panics, this
    /// track begins anew with the next step, and the others on the thread do not notice.
    pub(crate) fn play(&mut self, outputs: &[FrameOutput]) {
        let step = AssertUnwindSafe(|| self.play_step(outputs));
        if catch_unwind(step).is_err() {
            self.encoders = Default::default();
            add(&self.shared.counters.encoder_errors, 1);
        }
    }

    /// Goes on to the next step, having played one at `now`. It ends at the next boundary between
    /// packets of any length that is listened to.
    pub(crate) fn advance(&mut self, now: Instant) {
        let counters = &self.shared.counters;
        if self.started {
            let lateness = now.saturating_duration_since(self.deadline());
            counters.lateness.record(lateness);
        }
        let own = self.shared.config.ptime;
        let in_use = self
            .shared
            .in_use()
            .map(|packetization| packetization.ptime);
        let skipped = self.clock.advance(PacketGrid::new(in_use, own), now);
        let frames = skipped.div_ceil(own.samples() as u64);
        add(&counters.frames_skipped, frames);
    }

    fn play_step(&mut self, outputs: &[FrameOutput]) {
        if let Some(replacement) = self.shared.mailbox.take() {
            self.player.replace(replacement.into_source());
            if !self.source_waits {
                self.waits_since = self.clock.position();
            }
            self.source_waits = true;
        }
        let may_wait = self.shared.config.wait_for_listener && !self.has_waited_enough();
        let waits = may_wait && !self.begins_packet();
        self.started |= self.source_waits && !waits;
        if self.started {
            let step = self.clock.step_samples();
            let supply = self.player.read(&mut self.pcm[..step]);
            self.encode_all(outputs);
            self.count(supply.ended);
        }
    }

    /// True if the source has waited for a listener for as long as it may.
    fn has_waited_enough(&self) -> bool {
        let waited =
            self.clock.instant(self.clock.position()) - self.clock.instant(self.waits_since);
        let limit = self.shared.config.max_wait_for_listener;
        self.source_waits && limit.is_some_and(|limit| waited >= limit)
    }

    /// True if a packet that somebody listens to begins with this step.
    fn begins_packet(&self) -> bool {
        let begins = |packetization: Packetization| self.clock.begins_packet(packetization.ptime);
        self.shared.in_use().any(begins)
    }

    fn encode_all(&mut self, outputs: &[FrameOutput]) {
        let mut encodings = 0;
        for packetization in Packetization::all() {
            if !self.shared.is_heard(packetization) {
                self.encoders[packetization.index()] = None;
                continue;
            }
            encodings += 1;
            match self.encode(packetization) {
                Ok(Some(frame)) => self.deliver(packetization, frame, outputs),
                // The packet goes on.
                Ok(None) => {}
                Err(_) => add(&self.shared.counters.encoder_errors, 1),
            }
        }
        self.shared.counters.encodings.store(encodings, Relaxed);
    }

    /// Hands a frame to all shards where somebody listens.
    fn deliver(&self, packetization: Packetization, frame: EncodedFrame, outputs: &[FrameOutput]) {
        let delivery = self.delivery(packetization, frame);
        for (shard, output) in outputs.iter().enumerate() {
            if !self.shared.is_heard_on(shard, packetization) {
                continue;
            }
            match output.frames.try_send(delivery.clone()) {
                Ok(()) => output.waker.wake(),
                Err(_) => add(&self.shared.counters.frames_dropped, 1),
            }
        }
    }

    /// Encodes the step; gives a frame if a packet is full with it.
    fn encode(
        &mut self,
        packetization: Packetization,
    ) -> Result<Option<EncodedFrame>, skywave_audio::Error> {
        let slot = &mut self.encoders[packetization.index()];
        let encoder = match slot {
            Some(encoder) => encoder,
            None => {
                let complexity = self.shared.config.opus_complexity;
                slot.insert(PacketEncoder::new(packetization, complexity)?)
            }
        };
        let step = self.clock.step_samples();
        encoder.push(self.clock.position(), &self.pcm[..step])
    }

    fn delivery(&self, packetization: Packetization, frame: EncodedFrame) -> Delivery {
        Delivery {
            stream: self.shared.stream(packetization),
            captured: self.clock.instant(frame.begin),
            due: self.clock.deadline(),
            interval: packetization.ptime.duration(),
            clock_rate: packetization.encoding.codec().clock_rate(),
            frame,
        }
    }

    fn count(&self, ended: bool) {
        let counters = &self.shared.counters;
        if ended && !counters.ended.load(Relaxed) {
            tracing::warn!(
                track = self.shared.id.number,
                "the source has ended; silence is sent"
            );
        }
        counters.ended.store(ended, Relaxed);
        add(&counters.frames, 1);
        counters
            .underrun_samples
            .store(self.player.underrun_samples(), Relaxed);
        counters.source_panics.store(self.player.panics(), Relaxed);
    }
}

/// Where in its period a track has its deadlines: multiples of the golden ratio never crowd.
fn spread(track: u64, period: Duration) -> Duration {
    period.mul_f64((track as f64 * 0.618_033_988_749_895).fract())
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use skywave_audio::{AudioSource, Encoding, audio_level};

    use super::*;
    use crate::audio_track::TrackId;
    use crate::config::TrackConfig;
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
    }

    impl Stage {
        fn new(ptime: Ptime) -> Self {
            Self::with(TrackConfig {
                ptime,
                ..TrackConfig::default()
            })
        }

        fn with(config: TrackConfig) -> Self {
            let id = TrackId {
                engine: 0,
                number: 0,
            };
            let shared = Arc::new(TrackShared::new(id, config, 1));
            shared.mailbox.put(Some(Box::new(Staircase(0))));
            let (frames, receiver) = mpsc::channel(1_000);
            let start = Instant::now();
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
            }
        }

        /// Plays every step that is due until then, each as late as that.
        fn play_until(&mut self, milliseconds: u64, lateness: Duration) {
            let end = self.start + Duration::from_millis(milliseconds);
            while self.track.deadline() <= end {
                let now = self.track.deadline() + lateness;
                self.track.play(std::slice::from_ref(&self.output));
                self.track.advance(now);
                while let Ok(delivery) = self.frames.try_recv() {
                    self.sent.push(delivery);
                }
            }
        }

        fn sent(&self, packetization: Packetization) -> Vec<&Delivery> {
            let stream = self.shared.stream(packetization);
            let ours = |delivery: &&Delivery| delivery.stream == stream;
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
        Packetization { encoding, ptime }
    }

    const PUNCTUAL: Duration = Duration::ZERO;

    #[test]
    fn streams_of_all_lengths_are_whole_while_listeners_come_and_go() {
        let mut stage = Stage::new(Ptime::Ms60);
        let [long, middle, short, shortest] = [
            of(Encoding::OpusStereo, Ptime::Ms60),
            of(Encoding::OpusMono, Ptime::Ms40),
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
        let [long, short] = [Ptime::Ms40, Ptime::Ms20].map(|ptime| of(Encoding::OpusMono, ptime));
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
            assert!(
                sent.len() >= 480 / ptime.milliseconds() as usize,
                "{ptime:?}"
            );
            // The first is faded in.
            for (delivery, packet) in sent.iter().zip(0..).skip(1) {
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
        let stereo = of(Encoding::OpusStereo, Ptime::Ms20);
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
}
