//! One audio track: a live source, encoded once for all who listen to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering::Relaxed};

use skywave_audio::{
    AudioSource, ExpectedLoss, OpusOptions, Packetization, SilencePolicy, TrackEvent,
};
use tokio::sync::broadcast;

use crate::audio_energy::AudioEnergy;
use crate::config::TrackConfig;
use crate::encoded_inlet::EncodedInlet;
use crate::encoded_track::EncodedTrackConfig;
use crate::encoding_table::EncodingTable;
use crate::fec_response::FecResponse;
use crate::lateness::LatenessHistogram;
use crate::loss_distribution::LossDistribution;
use crate::mailbox::Mailbox;
use crate::stats::{EncodingStats, TrackStats};
use crate::track_events::{BACKLOG, TrackEvents, log};

/// A live source that any number of listeners hear. Made by
/// [`Engine::audio_track`](crate::Engine::audio_track); clones are the same track.
///
/// Until a source is put in (or taken out) for the first time nothing is sent. From then on time
/// never stops: a source that is starved, at its end or taken out leaves silence, of which is sent
/// what [`TrackConfig::silence`] says. Keep a clone of the [`Engine`](crate::Engine) as long: a
/// track alone does not.
#[derive(Clone)]
pub struct AudioTrack {
    pub(crate) shared: Arc<TrackShared>,
}

impl AudioTrack {
    /// Plays another source from the next packet on, or as soon as it is
    /// [`ready`](AudioSource::ready), with a crossfade ([`TrackConfig::crossfade`]). Of several put
    /// in between two packets the last one is played. Never blocks, needs no negotiation, and
    /// leaves SSRC, sequence numbers and timestamps as they run.
    ///
    /// The old source is dropped on a thread that has nothing else to do.
    pub fn replace_audio_source(&self, source: impl AudioSource + 'static) {
        self.shared.mailbox.put(Some(Box::new(source)));
    }

    /// Plays silence from the next packet on, also if there is a fallback.
    pub fn remove_audio_source(&self) {
        self.shared.mailbox.put(None);
    }

    /// Keeps a source in reserve for when one ends or panics: it plays then, from the very next
    /// sample, until another is put in, and goes back into reserve where it was. So one that never
    /// ends serves for good. It takes the place of the one before.
    pub fn set_fallback_source(&self, source: impl AudioSource + 'static) {
        self.shared.fallback.put(Some(Box::new(source)));
    }

    /// Keeps nothing in reserve any more: a source that ends leaves silence.
    pub fn remove_fallback_source(&self) {
        self.shared.fallback.put(None);
    }

    /// What happens to the track's source from now on: that it ended, say, and why.
    pub fn events(&self) -> TrackEvents {
        TrackEvents::new(self.shared.subscribe())
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
        let options = self.shared.encoding_options();
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
            swaps: counters.swaps.load(Relaxed),
            slow_reads: counters.slow_reads.load(Relaxed),
            encoder_errors: counters.encoder_errors.load(Relaxed),
            encodings: counters.encodings.load(Relaxed),
            ended: counters.ended.load(Relaxed),
            playing: counters.playing.load(Relaxed),
            worst_decile_loss: f64::from(self.shared.losses.worst_decile()) / 100.0,
            lateness: counters.lateness.snapshot(),
        }
    }
}

/// What the handles of a track, the thread that encodes it and the thread that sends it share.
pub(crate) struct TrackShared {
    pub(crate) id: TrackId,
    pub(crate) config: TrackConfig,
    pub(crate) mailbox: Mailbox,
    /// The way of the source in reserve.
    pub(crate) fallback: Mailbox,
    events: broadcast::Sender<TrackEvent>,
    pub(crate) counters: TrackCounters,
    /// What its listeners report.
    pub(crate) losses: LossDistribution,
    /// Of that, in per cent, what is corrected in-band. Written by the thread that encodes.
    corrected_loss: AtomicU8,
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
            fallback: Mailbox::default(),
            events: broadcast::Sender::new(BACKLOG),
            counters: TrackCounters::default(),
            losses: LossDistribution::default(),
            corrected_loss: AtomicU8::new(0),
            inlet: None,
            encodings: EncodingTable::new(id.number, config.max_encodings, shards),
            opus: AtomicU64::new(with_policy(config.opus, config.silence).to_bits()),
            config,
        }
    }

    pub(crate) fn subscribe(&self) -> broadcast::Receiver<TrackEvent> {
        self.events.subscribe()
    }

    /// Tells what happened to those who want to know, and the log.
    pub(crate) fn tell(&self, event: TrackEvent) {
        log(self.id.number, &event);
        // Fails if nobody wants to know.
        let _ = self.events.send(event);
    }

    /// A track whose packets come encoded.
    pub(crate) fn encoded(id: TrackId, config: EncodedTrackConfig, shards: usize) -> Self {
        Self {
            inlet: Some(EncodedInlet::new(&config)),
            ..Self::new(id, config.into(), shards)
        }
    }

    pub(crate) fn set_opus_options(&self, options: OpusOptions) {
        let options = with_policy(options, self.config.silence);
        self.opus.store(options.to_bits(), Relaxed);
    }

    pub(crate) fn opus_options(&self) -> OpusOptions {
        OpusOptions::from_bits(self.opus.load(Relaxed))
    }

    /// The options that encoders are set to: those of the owner, and for speech in-band error
    /// correction as the worst tenth of the listeners needs it.
    pub(crate) fn encoding_options(&self) -> OpusOptions {
        let mut options = self.opus_options();
        let lost = self.corrected_loss.load(Relaxed);
        if self.config.adaptive_fec && options.is_for_speech() && lost > 0 {
            options.in_band_fec = true;
            let expected = ExpectedLoss::new(lost).unwrap_or_default();
            options.expected_loss = options.expected_loss.max(expected);
        }
        options
    }

    /// Corrects what the worst tenth of the listeners lose, from that sample of the track on.
    pub(crate) fn follow_losses(&self, response: &mut FecResponse, position: u64) {
        let loss = response.follow(self.losses.worst_decile(), position);
        self.corrected_loss.store(loss, Relaxed);
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

/// Options with what the track's policy for silence asks of the encoder.
fn with_policy(options: OpusOptions, silence: SilencePolicy) -> OpusOptions {
    OpusOptions {
        dtx: options.dtx || silence == SilencePolicy::Dtx,
        ..options
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
    pub(crate) swaps: AtomicU64,
    pub(crate) slow_reads: AtomicU64,
    pub(crate) encoder_errors: AtomicU64,
    pub(crate) encodings: AtomicU64,
    pub(crate) ended: AtomicBool,
    pub(crate) playing: AtomicBool,
    pub(crate) lateness: LatenessHistogram,
    pub(crate) energy: AudioEnergy,
}
