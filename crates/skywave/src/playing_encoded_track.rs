//! An encoded track being played: its packets go out as they are, each when the one before is
//! over.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use skywave_audio::{
    EncodedFrame, EncodedPacket, EncodedSource, EncodedSupply, FrameClock, SAMPLE_RATE, TrackEvent,
    contain, rtp_timestamp,
};

use crate::audio_track::TrackShared;
use crate::counter::add;
use crate::delivery::Delivery;
use crate::encoded_inlet::EncodedInlet;
use crate::slow_reads::SlowReads;
use crate::track_encodings::deliver;
use crate::track_worker::FrameOutput;

/// An encoded track with its source and its clock.
pub(crate) struct PlayingEncodedTrack {
    shared: Arc<TrackShared>,
    /// When the first sample was due.
    start: Instant,
    /// The first sample of the next packet, of 48 kHz, counted from the start.
    position: u64,
    /// Behind the last one of what was played.
    end: u64,
    source: Option<Box<dyn EncodedSource>>,
    /// Sources that are not played any more.
    retired: Vec<Box<dyn EncodedSource>>,
    /// The packet before is missing.
    pausing: bool,
    /// If a listener was waited for, it came.
    started: bool,
    /// For how many samples a living source has had nothing.
    underrun: Option<u64>,
    slow_reads: SlowReads,
}

impl PlayingEncodedTrack {
    pub(crate) fn new(shared: Arc<TrackShared>, now: Instant) -> Self {
        Self {
            shared,
            start: now,
            position: 0,
            end: 0,
            source: None,
            retired: Vec::new(),
            pausing: false,
            started: false,
            underrun: None,
            slow_reads: SlowReads::default(),
        }
    }

    /// When the next packet is due: when the one before is over.
    pub(crate) fn deadline(&self) -> Instant {
        self.instant(self.position)
    }

    /// True once all handles of the track are gone.
    pub(crate) fn is_over(&self) -> bool {
        Arc::strong_count(&self.shared) == 1
    }

    /// Sources that are not played any more, to be dropped where that may take its time.
    pub(crate) fn take_retired(&mut self) -> Vec<Box<dyn EncodedSource>> {
        std::mem::take(&mut self.retired)
    }

    /// Sends the packet now due to those who listen.
    pub(crate) fn play(&mut self, outputs: &[FrameOutput]) {
        let shared = Arc::clone(&self.shared);
        let Some(inlet) = &shared.inlet else {
            return;
        };
        let is_heard = || shared.encodings.heard().next().is_some();
        self.started = self.started || !shared.config.wait_for_listener || is_heard();
        let packet = if self.started { self.next(inlet) } else { None };
        shared
            .counters
            .playing
            .store(self.source.is_some(), Relaxed);
        let Some(packet) = packet else {
            self.pausing = true;
            self.end = self.position + samples(inlet.poll_interval);
            return;
        };
        self.end = self.position + u64::from(packet.samples());
        self.send(&packet, outputs);
        add(&shared.counters.frames, 1);
    }

    /// Goes on to the next packet, having played one at `now`. Packets are never dropped: if this
    /// comes far too late, their time is moved.
    pub(crate) fn advance(&mut self, now: Instant) {
        let counters = &self.shared.counters;
        if self.source.is_some() {
            let lateness = now.saturating_duration_since(self.deadline());
            counters.lateness.record(lateness);
        }
        self.position = self.end;
        let behind = now.saturating_duration_since(self.deadline());
        let config = &self.shared.config;
        if behind > config.max_catch_up.min(FrameClock::MAX_CATCH_UP) {
            let skipped = samples(behind);
            self.position += skipped;
            self.pausing = true;
            let frame = config.ptime.samples() as u64;
            add(&counters.frames_skipped, skipped.div_ceil(frame));
        }
        self.end = self.position;
    }

    /// The next packet of the source, if it has one. What happens to the source is told.
    fn next(&mut self, inlet: &EncodedInlet) -> Option<EncodedPacket> {
        if let Some(replacement) = inlet.take() {
            self.replace(replacement, inlet);
        }
        let source = self.source.as_mut()?;
        let begin = Instant::now();
        let supply = contain(|| source.next());
        self.slow_reads.note(begin.elapsed(), &self.shared);
        match supply {
            Ok(EncodedSupply::Packet(packet)) => {
                self.end_underrun();
                if packet.codec() == inlet.codec {
                    return Some(packet);
                }
                add(&inlet.refused, 1);
            }
            Ok(EncodedSupply::Starved) => self.starve(samples(inlet.poll_interval)),
            Ok(EncodedSupply::Ended { fault }) => {
                inlet.fault.send_replace(fault.clone());
                self.end(TrackEvent::SourceEnded { reason: fault });
            }
            Err(message) => {
                add(&self.shared.counters.source_panics, 1);
                let fault = format!("the source panicked: {message}");
                inlet.fault.send_replace(Some(fault));
                self.end(TrackEvent::SourcePanicked { message });
            }
        }
        None
    }

    fn replace(&mut self, source: Option<Box<dyn EncodedSource>>, inlet: &EncodedInlet) {
        self.end_underrun();
        self.retired.extend(self.source.take());
        self.source = source;
        self.slow_reads.renew();
        inlet.fault.send_replace(None);
        self.shared.counters.ended.store(false, Relaxed);
        add(&self.shared.counters.swaps, 1);
        self.shared.tell(match self.source {
            Some(_) => TrackEvent::SourceStarted,
            None => TrackEvent::SourceRemoved,
        });
    }

    fn end(&mut self, event: TrackEvent) {
        self.end_underrun();
        self.retired.extend(self.source.take());
        self.shared.counters.ended.store(true, Relaxed);
        self.shared.tell(event);
    }

    fn starve(&mut self, samples: u64) {
        if self.underrun.is_none() {
            self.shared.tell(TrackEvent::UnderrunStarted);
        }
        *self.underrun.get_or_insert(0) += samples;
        add(&self.shared.counters.underrun_samples, samples);
    }

    fn end_underrun(&mut self) {
        if let Some(samples) = self.underrun.take() {
            self.shared.tell(TrackEvent::UnderrunEnded { samples });
        }
    }

    fn send(&mut self, packet: &EncodedPacket, outputs: &[FrameOutput]) {
        let clock_rate = packet.codec().clock_rate();
        let frame = EncodedFrame {
            payload: Arc::clone(packet.payload()),
            comfort_noise: false,
            begin: self.position,
            timestamp: rtp_timestamp(self.position, clock_rate),
            marker: std::mem::take(&mut self.pausing),
            // Listeners of such tracks are told nothing of it.
            audio_level: 127,
            voice: false,
        };
        for place in self.shared.encodings.heard() {
            let delivery = Delivery {
                stream: place.stream,
                frame: frame.clone(),
                captured: self.deadline(),
                due: self.deadline(),
                interval: Duration::from_secs(1) * packet.samples() / SAMPLE_RATE,
                clock_rate,
            };
            deliver(&self.shared, place, &delivery, outputs);
        }
    }

    /// When a sample is due.
    fn instant(&self, position: u64) -> Instant {
        let rate = u64::from(SAMPLE_RATE);
        // Less than a second: the product is below 2^32 and the quotient below 10^9.
        let nanos = position % rate * 62_500 / 3;
        self.start + Duration::new(position / rate, nanos as u32)
    }
}

/// The whole samples in a time.
fn samples(time: Duration) -> u64 {
    u64::try_from(time.as_nanos() * 3 / 62_500).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
