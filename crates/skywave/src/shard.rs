//! One shard of an engine: a media port with its thread.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::channel;
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use skywave_peer::{DropCounters, Hub, Totals};
use tokio::sync::{mpsc, watch};

use crate::config::EngineConfig;
use crate::encoder_deadlines::EncoderDeadlines;
use crate::error::Error;
use crate::media_thread::{Command, MediaThread};
use crate::patience::PATIENCE;
use crate::port_counters::PortCounters;
use crate::track_worker::FrameOutput;
use crate::udp::{SocketOptions, UdpPort};
use crate::waker::{Waker, waker};

/// The end that handles hold.
pub(crate) struct Shard {
    commands: mpsc::UnboundedSender<Command>,
    waker: Arc<Waker>,
    thread: JoinHandle<()>,
    /// Closed when the thread has ended; nothing is ever sent.
    alive: watch::Receiver<()>,
    /// By when the thread is to have ended, which then takes no other command.
    end: OnceLock<Instant>,
    pub(crate) candidates: Vec<SocketAddr>,
    /// The addresses of its sockets, by [`Path::base`](skywave_ice::Path).
    pub(crate) bases: Vec<SocketAddr>,
    /// Bytes of the receive and the send buffer.
    pub(crate) buffers: (usize, usize),
    pub(crate) drops: Arc<DropCounters>,
    pub(crate) totals: Arc<Totals>,
    pub(crate) counters: Arc<PortCounters>,
    transmitters: AtomicUsize,
}

impl Shard {
    /// Opens the port and starts the thread; where frames for it go comes beside.
    pub(crate) fn start(
        config: &EngineConfig,
        number: u16,
        encoders: &Arc<EncoderDeadlines>,
    ) -> Result<(Self, FrameOutput), Error> {
        let port = bind(config, number)?;
        let (candidates, buffers) = (candidates(config, &port), port.buffers());
        let bases = port.addresses().to_vec();
        let failed = |source| Error::Thread {
            thread: "media",
            source,
        };
        let (waker, wakeups) = waker().map_err(failed)?;
        let waker = Arc::new(waker);
        let (commands, command_queue) = mpsc::unbounded_channel();
        let (frames, frame_queue) = mpsc::channel(FRAME_QUEUE);
        let (alive_guard, alive) = watch::channel(());
        let counters = Arc::new(PortCounters::default());
        let hub = Hub::new();
        let (drops, totals) = (Arc::clone(hub.drops()), Arc::clone(hub.totals()));
        let media = MediaThread::new(
            port,
            hub,
            command_queue,
            frame_queue,
            wakeups,
            Arc::clone(encoders),
            Arc::clone(&counters),
        );
        let realtime = config.realtime;
        let (started, has_started) = channel();
        let run = move || {
            media.run(realtime, &started);
            drop(alive_guard);
        };
        let name = format!("skywave-media{number}");
        let thread = thread::Builder::new().name(name).spawn(run);
        let thread = thread.map_err(failed)?;
        // From then on its statistics tell how it is scheduled.
        let _ = has_started.recv();
        let shard = Self {
            commands,
            waker: Arc::clone(&waker),
            thread,
            alive,
            end: OnceLock::new(),
            candidates,
            bases,
            buffers,
            drops,
            totals,
            counters,
            transmitters: AtomicUsize::new(0),
        };
        Ok((shard, FrameOutput { frames, waker }))
    }

    /// Has a command obeyed.
    pub(crate) fn command(&self, command: Command) -> Result<(), Error> {
        self.queue(command)?;
        self.waker.wake();
        Ok(())
    }

    /// Has a command obeyed together with the next.
    pub(crate) fn queue(&self, command: Command) -> Result<(), Error> {
        if self.end.get().is_some() {
            return Err(Error::Closed);
        }
        self.commands.send(command).map_err(|_| Error::Closed)
    }

    /// Has everybody hung up, and the thread end.
    pub(crate) fn shut_down(&self) {
        // It may have ended already, which is as good.
        let _ = self.command(Command::Shutdown);
        self.end.get_or_init(|| Instant::now() + PATIENCE);
    }

    /// Waits until the thread has ended.
    pub(crate) async fn ended(&self) {
        let mut alive = self.alive.clone();
        // Nothing is ever sent: an error says that the thread is gone, which is what we wait for.
        while alive.changed().await.is_ok() {}
    }

    /// Whether the thread has ended.
    pub(crate) fn has_ended(&self) -> bool {
        self.alive.has_changed().is_err()
    }

    /// Whether it serves nobody any more.
    pub(crate) fn is_closed(&self) -> bool {
        self.end.get().is_some() || self.has_ended()
    }

    /// The name of its thread.
    pub(crate) fn thread_name(&self) -> &str {
        self.thread.thread().name().unwrap_or_default()
    }

    /// How many transmitters belong to it.
    pub(crate) fn transmitters(&self) -> usize {
        self.transmitters.load(Relaxed)
    }

    /// Takes a transmitter in.
    pub(crate) fn enter(&self) {
        self.transmitters.fetch_add(1, Relaxed);
    }

    /// Lets a transmitter go.
    pub(crate) fn leave(&self) {
        self.transmitters.fetch_sub(1, Relaxed);
    }
}

impl Drop for Shard {
    fn drop(&mut self) {
        self.shut_down();
        // A source may own a handle, which may then be dropped last, on the media thread itself.
        if self.thread.thread().id() == thread::current().id() {
            return;
        }
        let end = self.end.get().copied().unwrap_or_else(Instant::now);
        while !self.thread.is_finished() && Instant::now() < end {
            thread::sleep(LOOK_INTERVAL);
        }
    }
}

/// How often a thread that is dropped is looked at: the farewells take some milliseconds.
const LOOK_INTERVAL: Duration = Duration::from_millis(1);

/// Opens the media port of the shard with this number.
fn bind(config: &EngineConfig, number: u16) -> Result<UdpPort, Error> {
    if config.dscp > EngineConfig::MAX_DSCP {
        return Err(Error::InvalidDscp { dscp: config.dscp });
    }
    let mut address = config.udp;
    if address.port() != 0 {
        let port = address.port().checked_add(number);
        address.set_port(port.ok_or(Error::PortRange {
            first: config.udp.port(),
        })?);
    }
    let options = SocketOptions {
        buffer: config.socket_buffer,
        dscp: config.dscp,
    };
    UdpPort::bind(address, options)
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

/// Frames that wait for the media thread at most; more are left out for everybody.
const FRAME_QUEUE: usize = 1024;
