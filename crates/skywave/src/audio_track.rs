//! One audio track: a live source, encoded once for all who listen to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use skywave_audio::{AudioSource, OpusOptions, Packetization};

use crate::config::TrackConfig;
use crate::encoded_inlet::EncodedInlet;
use crate::encoded_track::EncodedTrackConfig;
use crate::encoding_table::EncodingTable;
use crate::lateness::LatenessHistogram;
use crate::mailbox::Mailbox;
use crate::stats::{EncodingStats, TrackStats};

/// A live source that any number of listeners hear. Made by
/// [`Engine::audio_track`](crate::Engine::audio_track); clones are the same track.
///
/// Until a source is put in (or taken out) for the first time nothing is sent. From then on the
/// track never pauses: a source that is starved, at its end or taken out leaves silence, and time
/// runs on. Keep a clone of the [`Engine`](crate::Engine) as long: a track alone does not.
#[derive(Clone)]
pub struct AudioTrack {
    pub(crate) shared: Arc<TrackShared>,
}

impl AudioTrack {
    /// Plays another source from the next frame on, with a crossfade of 5 ms. Never blocks, needs
    /// no negotiation, and leaves SSRC, sequence numbers and timestamps as they run.
    pub fn replace_audio_source(&self, source: impl AudioSource + 'static) {
        self.shared.mailbox.put(Some(Box::new(source)));
    }

    /// Plays silence from the next frame on.
    pub fn remove_audio_source(&self) {
        self.shared.mailbox.put(None);
    }

    /// Encodes Opus with other options from the next packet on, for all listeners. Never blocks,
    /// needs no negotiation. What a listener declared of itself still bounds what it gets.
    pub fn set_opus_options(&self, options: OpusOptions) {
        self.shared.set_opus_options(options);
    }

    /// How Opus is encoded now.
    pub fn opus_options(&self) -> OpusOptions {
        self.shared.opus_options()
    }

    /// The encodings that listeners have agreed on, connected or about to be. Listeners that get
    /// the same count together, whatever they asked for.
    pub fn encodings(&self) -> Vec<EncodingStats> {
        let options = self.opus_options();
        let mut all: Vec<(_, EncodingStats)> = Vec::new();
        for (place, _) in self.shared.encodings.held() {
            let settings = place.packetization.settings(options);
            let listeners = self.shared.encodings.listeners(place).into();
            match all.iter_mut().find(|(own, _)| *own == settings) {
                Some((_, stats)) => stats.listeners += listeners,
                None => {
                    let mut stats = EncodingStats::new(&settings, listeners);
                    stats.bitrate = stats.bitrate.filter(|_| self.shared.inlet.is_none());
                    all.push((settings, stats));
                }
            }
        }
        all.into_iter().map(|(_, stats)| stats).collect()
    }

    /// What happened to the track so far.
    pub fn stats(&self) -> TrackStats {
        let counters = &self.shared.counters;
        TrackStats {
            frames: counters.frames.load(Relaxed),
            frames_skipped: counters.frames_skipped.load(Relaxed),
            frames_dropped: counters.frames_dropped.load(Relaxed),
            underrun_samples: counters.underrun_samples.load(Relaxed),
            source_panics: counters.source_panics.load(Relaxed),
            encoder_errors: counters.encoder_errors.load(Relaxed),
            encodings: counters.encodings.load(Relaxed),
            ended: counters.ended.load(Relaxed),
            lateness: counters.lateness.snapshot(),
        }
    }
}

/// What the handles of a track, the thread that encodes it and the thread that sends it share.
pub(crate) struct TrackShared {
    pub(crate) id: TrackId,
    pub(crate) config: TrackConfig,
    pub(crate) mailbox: Mailbox,
    pub(crate) counters: TrackCounters,
    /// Where packets come in, if they come encoded.
    pub(crate) inlet: Option<EncodedInlet>,
    /// What its listeners need.
    pub(crate) encodings: EncodingTable,
    /// [`OpusOptions::to_bits`] of those that hold now.
    opus: AtomicU64,
}

impl TrackShared {
    pub(crate) fn new(id: TrackId, mut config: TrackConfig, shards: usize) -> Self {
        let mut seen = Vec::new();
        config.codecs.retain(|codec| {
            let first = !seen.contains(codec);
            seen.push(*codec);
            first
        });
        Self {
            id,
            mailbox: Mailbox::default(),
            counters: TrackCounters::default(),
            inlet: None,
            encodings: EncodingTable::new(id.number, config.max_encodings, shards),
            opus: AtomicU64::new(config.opus.to_bits()),
            config,
        }
    }

    /// A track whose packets come encoded.
    pub(crate) fn encoded(id: TrackId, config: EncodedTrackConfig, shards: usize) -> Self {
        Self {
            inlet: Some(EncodedInlet::new(config.codec)),
            ..Self::new(id, config.into(), shards)
        }
    }

    pub(crate) fn set_opus_options(&self, options: OpusOptions) {
        self.opus.store(options.to_bits(), Relaxed);
    }

    pub(crate) fn opus_options(&self) -> OpusOptions {
        OpusOptions::from_bits(self.opus.load(Relaxed))
    }

    /// The packetizations that somebody listens to.
    pub(crate) fn in_use(&self) -> impl Iterator<Item = Packetization> {
        self.encodings.heard().map(|place| place.packetization)
    }
}

/// Listeners without a connection.
#[cfg(test)]
impl TrackShared {
    pub(crate) fn join(&self, shard: usize, packetization: Packetization) {
        let place = self.encodings.reserve(packetization).unwrap();
        self.encodings.join(shard, place);
    }

    pub(crate) fn leave(&self, shard: usize, packetization: Packetization) {
        let mut heard = self.encodings.heard();
        let place = heard
            .find(|place| place.packetization == packetization)
            .unwrap();
        self.encodings.leave(shard, place);
        self.encodings.release(place);
    }
}

/// Names a track.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct TrackId {
    pub(crate) engine: u64,
    /// Within the engine.
    pub(crate) number: u64,
}

/// [`TrackStats`] in the making. Written by the thread that encodes the track.
#[derive(Debug, Default)]
pub(crate) struct TrackCounters {
    pub(crate) frames: AtomicU64,
    pub(crate) frames_skipped: AtomicU64,
    pub(crate) frames_dropped: AtomicU64,
    pub(crate) underrun_samples: AtomicU64,
    pub(crate) source_panics: AtomicU64,
    pub(crate) encoder_errors: AtomicU64,
    pub(crate) encodings: AtomicU64,
    pub(crate) ended: AtomicBool,
    pub(crate) lateness: LatenessHistogram,
}
