//! A track being played: its source is read step by step, and each step goes into the packets of
//! all who listen.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use skywave_audio::{
    ContainedSource, FrameClock, PacketGrid, Packetization, Ptime, SourcePlayer, Supply,
    TrackEvent, contain,
};

use crate::audio_track::TrackShared;
use crate::counter::add;
use crate::slow_reads::SlowReads;
use crate::track_encodings::TrackEncodings;
use crate::track_worker::FrameOutput;

/// A track with everything that its samples pass through.
pub(crate) struct PlayingTrack {
    shared: Arc<TrackShared>,
    clock: FrameClock,
    player: SourcePlayer,
    encodings: TrackEncodings,
    /// A source was put in, and if a listener was waited for, its first packet began.
    started: bool,
    source_waits: bool,
    slow_reads: SlowReads,
    /// Since where in the track it waits.
    waits_since: u64,
    /// Room for the longest step.
    pcm: Box<[[f32; 2]; Ptime::MAX.samples()]>,
}

impl PlayingTrack {
    pub(crate) fn new(shared: Arc<TrackShared>, now: Instant) -> Self {
        let config = &shared.config;
        let start = now + spread(shared.id.number, config.ptime.duration());
        let mut clock = FrameClock::new(start, PacketGrid::new([], config.ptime));
        clock.set_max_catch_up(config.max_catch_up);
        let mut player = SourcePlayer::new();
        player.set_crossfade(config.crossfade);
        player.set_max_swap_delay(config.max_swap_delay);
        Self {
            clock,
            player,
            encodings: TrackEncodings::default(),
            started: false,
            source_waits: false,
            slow_reads: SlowReads::default(),
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

    /// Sources that are not played any more, to be dropped where that may take its time.
    pub(crate) fn take_retired(&mut self) -> Vec<ContainedSource> {
        self.player.take_retired()
    }

    /// Reads the step now due and encodes it for those who listen. If an encoder panics, this
    /// track begins anew with the next step, and the others on the thread do not notice.
    pub(crate) fn play(&mut self, outputs: &[FrameOutput]) {
        if contain(|| self.play_step(outputs)).is_err() {
            self.encodings.clear();
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
        if let Some(fallback) = self.shared.fallback.take() {
            self.player.set_fallback(fallback.into_source());
        }
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
            let supply = self.read_source();
            let step = &self.pcm[..self.clock.step_samples()];
            self.shared.counters.energy.record(step);
            let step = (&self.clock, step);
            self.encodings.encode_all(&self.shared, step, outputs);
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

    /// Reads the step, and tells what happened.
    fn read_source(&mut self) -> Supply {
        let step = self.clock.step_samples();
        let begin = Instant::now();
        let supply = self.player.read(&mut self.pcm[..step]);
        let took = begin.elapsed();
        for event in self.player.take_events() {
            if event == TrackEvent::SourceStarted {
                self.slow_reads.renew();
            }
            self.shared.tell(event);
        }
        self.slow_reads.note(took, &self.shared);
        supply
    }

    /// True if a packet that somebody listens to begins with this step.
    fn begins_packet(&self) -> bool {
        let begins = |packetization: Packetization| self.clock.begins_packet(packetization.ptime);
        self.shared.in_use().any(begins)
    }

    fn count(&self, ended: bool) {
        let counters = &self.shared.counters;
        counters.ended.store(ended, Relaxed);
        counters.playing.store(self.player.is_playing(), Relaxed);
        add(&counters.frames, 1);
        counters
            .underrun_samples
            .store(self.player.underrun_samples(), Relaxed);
        counters.source_panics.store(self.player.panics(), Relaxed);
        counters.swaps.store(self.player.swaps(), Relaxed);
    }
}

/// Where in its period a track has its deadlines: multiples of the golden ratio never crowd.
fn spread(track: u64, period: Duration) -> Duration {
    period.mul_f64((track as f64 * 0.618_033_988_749_895).fract())
}

#[cfg(test)]
mod tests;
