//! One audio track: a live source, encoded once for all who listen to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};

use skywave_audio::{AudioSource, Packetization, TrackEvent};
use skywave_peer::StreamKey;
use tokio::sync::broadcast;

use crate::config::TrackConfig;
use crate::lateness::LatenessHistogram;
use crate::mailbox::Mailbox;
use crate::stats::TrackStats;
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
    /// Connected listeners of each shard: nothing is encoded for nobody.
    audiences: Box<[Audiences]>,
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
            config,
            mailbox: Mailbox::default(),
            fallback: Mailbox::default(),
            events: broadcast::Sender::new(BACKLOG),
            counters: TrackCounters::default(),
            audiences: (0..shards).map(|_| Audiences::default()).collect(),
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

    /// The stream of packets of one kind of this track, on the engine's hub.
    pub(crate) fn stream(&self, packetization: Packetization) -> StreamKey {
        let first = self.id.number * Packetization::COUNT as u64;
        StreamKey(first + packetization.index() as u64)
    }

    /// Whether anybody on a shard listens to one stream.
    pub(crate) fn is_heard_on(&self, shard: usize, packetization: Packetization) -> bool {
        self.audiences[shard][packetization.index()].load(Relaxed) > 0
    }

    /// Whether anybody listens to one stream.
    pub(crate) fn is_heard(&self, packetization: Packetization) -> bool {
        (0..self.audiences.len()).any(|shard| self.is_heard_on(shard, packetization))
    }

    /// The packetizations that somebody listens to.
    pub(crate) fn in_use(&self) -> impl Iterator<Item = Packetization> {
        Packetization::all().filter(|&packetization| self.is_heard(packetization))
    }

    pub(crate) fn join(&self, shard: usize, packetization: Packetization) {
        self.audiences[shard][packetization.index()].fetch_add(1, Relaxed);
    }

    pub(crate) fn leave(&self, shard: usize, packetization: Packetization) {
        self.audiences[shard][packetization.index()].fetch_sub(1, Relaxed);
    }
}

/// By [`Packetization::index`].
type Audiences = [AtomicU32; Packetization::COUNT];

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
    pub(crate) lateness: LatenessHistogram,
}
