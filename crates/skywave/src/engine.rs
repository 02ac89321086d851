//! The engine: one media port, its threads, and the tracks and transmitters on it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Sender, channel, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::SystemTime;

use skywave_dtls::Identity;
use skywave_peer::{DropCounters, Hub, Limits, PeerId};
use tokio::sync::watch;

use crate::audio_track::{AudioTrack, TrackId, TrackShared};
use crate::config::{EngineConfig, TrackConfig};
use crate::error::Error;
use crate::media_thread::{Command, MediaThread, PortCounters};
use crate::stats::EngineStats;
use crate::track_worker::FrameOutput;
use crate::track_workers::TrackWorkers;
use crate::transmitter::AudioTransmitter;
use crate::udp::UdpPort;
use crate::waker::{Waker, waker};

/// A media port with its threads, for any number of tracks and listeners.
///
/// A cheap handle: clones are the same engine. When the last clone and the last transmitter are
/// dropped, everybody is hung up and the threads end; that drop waits until the farewells are
/// sent, a few milliseconds.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

struct Inner {
    commands: Sender<Command>,
    waker: Arc<Waker>,
    /// Tells the tracks of this engine from those of others.
    id: u64,
    workers: TrackWorkers,
    media: Option<JoinHandle<()>>,
    /// Closed when the media thread has ended; nothing is ever sent.
    alive: watch::Receiver<()>,
    identity: Identity,
    candidates: Vec<SocketAddr>,
    limits: Limits,
    max_listeners: usize,
    transmitters: AtomicUsize,
    next_track: AtomicU64,
    next_peer: AtomicU64,
    drops: Arc<DropCounters>,
    port_counters: Arc<PortCounters>,
}

impl Engine {
    /// Opens the media port, makes a certificate and starts the threads.
    ///
    /// # Errors
    /// [`Error::Bind`], [`Error::Certificate`], [`Error::Thread`].
    pub fn bind(config: EngineConfig) -> Result<Self, Error> {
        let identity = Identity::generate(SystemTime::now()).map_err(Error::Certificate)?;
        let port = UdpPort::bind(config.udp)?;
        let candidates = candidates(&config, &port);
        let failed = |thread| move |source| Error::Thread { thread, source };
        let (waker, wakeups) = waker().map_err(failed("media"))?;
        let waker = Arc::new(waker);
        let (commands, command_queue) = channel();
        let (frames, frame_queue) = sync_channel(FRAME_QUEUE);
        let (alive_guard, alive) = watch::channel(());
        let port_counters = Arc::new(PortCounters::default());

        let hub = Hub::new();
        let drops = Arc::clone(hub.drops());
        let counters = Arc::clone(&port_counters);
        let media = MediaThread::new(port, hub, command_queue, frame_queue, wakeups, counters);
        let run_media = move || {
            media.run();
            drop(alive_guard);
        };
        let media = spawn("skywave-media", run_media).map_err(failed("media"))?;

        let output = FrameOutput {
            frames,
            waker: Arc::clone(&waker),
        };
        let workers =
            TrackWorkers::start(config.encoder_threads, &output).map_err(failed("encoder"))?;

        Ok(Self {
            inner: Arc::new(Inner {
                commands,
                waker,
                id: NEXT_ENGINE.fetch_add(1, Relaxed),
                workers,
                media: Some(media),
                alive,
                identity,
                candidates,
                limits: config.limits,
                max_listeners: config.max_listeners,
                transmitters: AtomicUsize::new(0),
                next_track: AtomicU64::new(0),
                next_peer: AtomicU64::new(0),
                drops,
                port_counters,
            }),
        })
    }

    /// A new track. It is silent until it gets a source.
    pub fn audio_track(&self, config: TrackConfig) -> AudioTrack {
        let id = TrackId {
            engine: self.inner.id,
            number: self.inner.next_track.fetch_add(1, Relaxed),
        };
        let shared = Arc::new(TrackShared::new(id, config));
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

    /// The addresses that peers are told, the preferred first.
    pub fn candidates(&self) -> &[SocketAddr] {
        &self.inner.candidates
    }

    /// Numbers of the whole engine.
    pub fn stats(&self) -> EngineStats {
        let counters = &self.inner.port_counters;
        EngineStats {
            transmitters: self.inner.transmitters.load(Relaxed),
            sends_refused: counters.sends_refused.load(Relaxed),
            frames_dropped: counters.frames_dropped.load(Relaxed),
            dropped: self
                .inner
                .drops
                .iter()
                .map(|(reason, count)| (reason.name(), count))
                .collect(),
        }
    }

    /// Hangs everybody up, with RTCP BYE and DTLS close_notify, and ends the media thread. From
    /// then on everything answers [`Error::Closed`]. Calling it again does nothing.
    pub async fn close(&self) {
        self.command(Command::Shutdown).ok();
        let mut alive = self.inner.alive.clone();
        // Nothing is ever sent: an error says that the thread is gone, which is what we wait for.
        while alive.changed().await.is_ok() {}
    }

    pub(crate) fn command(&self, command: Command) -> Result<(), Error> {
        self.inner
            .commands
            .send(command)
            .map_err(|_| Error::Closed)?;
        self.inner.waker.wake();
        Ok(())
    }

    pub(crate) fn identity(&self) -> &Identity {
        &self.inner.identity
    }

    pub(crate) fn limits(&self) -> Limits {
        self.inner.limits
    }

    /// Takes one of the places for transmitters.
    pub(crate) fn take_place(&self) -> Result<PeerId, Error> {
        let limit = self.inner.max_listeners;
        let take = |taken| (taken < limit).then_some(taken + 1);
        match self.inner.transmitters.fetch_update(Relaxed, Relaxed, take) {
            Ok(_) => Ok(PeerId(self.inner.next_peer.fetch_add(1, Relaxed))),
            Err(_) => Err(Error::Full { limit }),
        }
    }

    /// Gives the place back.
    pub(crate) fn leave_place(&self) {
        self.inner.transmitters.fetch_sub(1, Relaxed);
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // The thread may be gone already, which is as good.
        let _ = self.commands.send(Command::Shutdown);
        self.waker.wake();
        // The workers are not waited for: they own nothing that others need, and a source that
        // blocks would block this. A source may own a handle, which may then be dropped last, on
        // the media thread itself.
        if let Some(media) = self.media.take()
            && media.thread().id() != thread::current().id()
        {
            let _ = media.join();
        }
    }
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> std::io::Result<JoinHandle<()>> {
    thread::Builder::new().name(name.to_owned()).spawn(run)
}

/// Public addresses first: who is told them is likely outside.
fn candidates(config: &EngineConfig, port: &UdpPort) -> Vec<SocketAddr> {
    let own = port.addresses();
    let number = own.first().map_or(0, SocketAddr::port);
    let public = config
        .public_ips
        .iter()
        .map(|&ip| SocketAddr::new(ip, number));
    let mut all: Vec<SocketAddr> = Vec::new();
    for address in public.chain(own.iter().copied()) {
        if !all.contains(&address) {
            all.push(address);
        }
    }
    all
}

static NEXT_ENGINE: AtomicU64 = AtomicU64::new(0);

/// Frames that wait for the media thread at most; more are left out for everybody.
const FRAME_QUEUE: usize = 1024;
