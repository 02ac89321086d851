//! The engine: media ports, their threads, and the tracks and transmitters on them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Instant, SystemTime};

use skywave_dtls::Identity;
use skywave_peer::{Limits, PeerId};

use crate::admission::Admission;
use crate::audio_track::{AudioTrack, TrackId, TrackShared};
use crate::config::{EngineConfig, TrackConfig};
use crate::encoded_track::{EncodedTrack, EncodedTrackConfig};
use crate::encoder_deadlines::EncoderDeadlines;
use crate::error::Error;
use crate::patience::{PATIENCE, within};
use crate::shard::Shard;
use crate::stats::{EngineStats, ShardStats};
use crate::track_workers::TrackWorkers;
use crate::transmitter::AudioTransmitter;

/// Media ports with their threads, for any number of tracks and listeners.
///
/// A cheap handle: clones are the same engine. When the last clone and the last transmitter are
/// dropped, everybody is hung up and the threads end; that drop waits until the farewells are
/// sent, a few milliseconds, and no longer than a second, from a [close](Self::close) before it on,
/// for threads that are held up.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

struct Inner {
    shards: Vec<Shard>,
    /// Tells the tracks of this engine from those of others.
    id: u64,
    /// Dropped with this, which ends them. They are not waited for: they own nothing that others
    /// need, and a source that blocks would block this.
    workers: TrackWorkers,
    identity: Identity,
    limits: Limits,
    admission: Arc<Admission>,
    next_track: AtomicU64,
    next_peer: AtomicU64,
}

impl Drop for Inner {
    fn drop(&mut self) {
        // All at once, before the first of them is waited for.
        for shard in &self.shards {
            shard.shut_down();
        }
    }
}

impl Engine {
    /// Opens the media ports, makes a certificate and starts the threads.
    ///
    /// # Errors
    /// [`Error::Bind`], [`Error::PortRange`], [`Error::Certificate`], [`Error::Thread`].
    pub fn bind(config: EngineConfig) -> Result<Self, Error> {
        let identity = Identity::generate(SystemTime::now()).map_err(Error::Certificate)?;
        let encoders = Arc::new(EncoderDeadlines::new(config.encoder_threads.max(1)));
        let (mut shards, mut outputs) = (Vec::new(), Vec::new());
        for number in 0..config.shards.max(1) {
            let (shard, output) = Shard::start(&config, number, &encoders)?;
            shards.push(shard);
            outputs.push(output);
        }
        let failed = |source| Error::Thread {
            thread: "encoder",
            source,
        };
        let workers = TrackWorkers::start(&config, &outputs, &encoders).map_err(failed)?;
        Ok(Self {
            inner: Arc::new(Inner {
                shards,
                id: NEXT_ENGINE.fetch_add(1, Relaxed),
                workers,
                identity,
                limits: config.limits,
                admission: Arc::new(Admission::new(&config, Instant::now())),
                next_track: AtomicU64::new(0),
                next_peer: AtomicU64::new(0),
            }),
        })
    }

    /// A new track. It is silent until it gets a source.
    pub fn audio_track(&self, config: TrackConfig) -> AudioTrack {
        let shards = self.inner.shards.len();
        self.play(TrackShared::new(self.new_track(), config, shards))
    }

    /// A new track whose packets come encoded. It sends nothing until it gets a source.
    pub fn encoded_track(&self, config: EncodedTrackConfig) -> EncodedTrack {
        let shards = self.inner.shards.len();
        let shared = TrackShared::encoded(self.new_track(), config, shards);
        EncodedTrack::new(self.play(shared))
    }

    fn new_track(&self) -> TrackId {
        TrackId {
            engine: self.inner.id,
            number: self.inner.next_track.fetch_add(1, Relaxed),
        }
    }

    fn play(&self, shared: TrackShared) -> AudioTrack {
        let shared = Arc::new(shared);
        self.inner.workers.play(Arc::clone(&shared));
        AudioTrack { shared }
    }

    /// A transmitter for one listener of a track.
    ///
    /// # Errors
    /// [`Error::Full`] when [`EngineConfig::max_listeners`] are there; [`Error::ForeignTrack`];
    /// [`Error::NoCodec`] if the track allows none; [`Error::Closed`].
    pub fn transmitter(&self, track: &AudioTrack) -> Result<AudioTransmitter, Error> {
        if track.shared.id.engine != self.inner.id {
            return Err(Error::ForeignTrack);
        }
        if track.shared.config.codecs.is_empty() {
            return Err(Error::NoCodec);
        }
        AudioTransmitter::on_track(self.clone(), track.clone())
    }

    /// The addresses that peers are told, shard by shard, the preferred first.
    pub fn candidates(&self) -> Vec<SocketAddr> {
        let shards = self.inner.shards.iter();
        shards
            .flat_map(|shard| shard.candidates.iter().copied())
            .collect()
    }

    /// Numbers of the whole engine.
    pub fn stats(&self) -> EngineStats {
        let inner = &self.inner;
        let mut stats = EngineStats {
            transmitters: inner.admission.listeners(),
            handshakes: inner.admission.handshakes(),
            ..EngineStats::default()
        };
        for shard in &inner.shards {
            let counters = &shard.counters;
            let lateness = counters.lateness.snapshot();
            stats.sends_refused += counters.sends_refused.load(Relaxed);
            stats.frames_dropped += counters.frames_dropped.load(Relaxed);
            stats.slots_late += counters.slots_late.load(Relaxed);
            stats.lateness.merge(&lateness);
            stats.connected += counters.sessions.connected();
            counters.sessions.add_ended_to(&mut stats.ended);
            stats.totals.merge(&shard.totals.snapshot());
            for (reason, count) in shard.drops.iter() {
                *stats.dropped.entry(reason.name()).or_default() += count;
            }
            stats.shards.push(ShardStats {
                transmitters: shard.transmitters(),
                scheduling: counters.scheduling(),
                receive_buffer: shard.buffers.0,
                send_buffer: shard.buffers.1,
                lateness,
            });
        }
        stats
    }

    /// Hangs everybody up, with RTCP BYE and DTLS close_notify, and ends the media threads; waits for
    /// that no longer than a second. From then on everything answers [`Error::Closed`]. Calling it
    /// again does nothing but wait again. Needs no particular runtime.
    ///
    /// Returns the names of the threads that are left behind, none as a rule. Such a thread is held
    /// up by the system, or by what of the application runs on it: the wakers of those who wait for
    /// a transmitter, a subscriber of `tracing`. It ends when it is let go; until then the states of
    /// its transmitters stay what they are.
    pub async fn close(&self) -> Vec<String> {
        let shards = &self.inner.shards;
        for shard in shards {
            shard.shut_down();
        }
        let all_ended = async {
            for shard in shards {
                shard.ended().await;
            }
        };
        if within(PATIENCE, all_ended).await.is_some() {
            return Vec::new();
        }
        let left = shards.iter().filter(|shard| !shard.has_ended());
        left.map(|shard| shard.thread_name().to_owned()).collect()
    }

    /// Whether it was [closed](Self::close), or a media thread has ended by a defect of ours. What
    /// then is left is of no use to new listeners.
    pub fn is_closed(&self) -> bool {
        self.inner.shards.iter().any(Shard::is_closed)
    }

    /// The shard that a handle belongs to.
    pub(crate) fn shard(&self, number: usize) -> &Shard {
        &self.inner.shards[number]
    }

    /// The shard with the fewest transmitters.
    pub(crate) fn emptiest_shard(&self) -> usize {
        let shards = self.inner.shards.iter().enumerate();
        let emptiest = shards.min_by_key(|(_, shard)| shard.transmitters());
        emptiest.map_or(0, |(number, _)| number)
    }

    pub(crate) fn identity(&self) -> &Identity {
        &self.inner.identity
    }

    pub(crate) fn limits(&self) -> Limits {
        self.inner.limits
    }

    pub(crate) fn admission(&self) -> &Arc<Admission> {
        &self.inner.admission
    }

    /// A name that no other peer has or had.
    pub(crate) fn new_peer(&self) -> PeerId {
        PeerId(self.inner.next_peer.fetch_add(1, Relaxed))
    }
}

static NEXT_ENGINE: AtomicU64 = AtomicU64::new(0);
