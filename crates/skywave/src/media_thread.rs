//! The thread that sends and receives: it owns the media port, the hub and all peers.
//!
//! It waits in `poll` until a datagram, a frame, a command or the next slot. Frames that are due
//! go first, so that neither handshakes nor commands delay audio.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use skywave_peer::{CloseReason, Hub, Io, Outbox, Peer, PeerEvent, PeerId, Remote};
use tokio::sync::watch;

use crate::addresses::MAX_ADDRESSES;
use crate::counter::add;
use crate::delivery::Delivery;
use crate::fan_out::FanOut;
use crate::precise_timers::precise_timers;
use crate::seat::{Audience, Seat};
use crate::status::Status;
use crate::udp::UdpPort;
use crate::waker::Wakeups;
use crate::wall_clock::WallClock;

/// What handles ask of the thread.
pub(crate) enum Command {
    /// A handle was made; its status is told from now on.
    Register {
        id: PeerId,
        status: watch::Sender<Status>,
    },
    /// Takes a peer in.
    Add(Box<Peer>),
    /// Tells a peer its remote description.
    SetRemote {
        id: PeerId,
        remote: Box<Remote>,
        audience: Audience,
    },
    /// Repeats so many earlier frames in every packet to a peer.
    SetRedundancy { id: PeerId, frames: u8 },
    /// Sends digits, already checked, to a peer in place of audio.
    InsertDtmf {
        id: PeerId,
        digits: String,
        duration: Duration,
        gap: Duration,
    },
    /// Hangs a peer up.
    Close(PeerId),
    /// Hangs everybody up and ends the thread.
    Shutdown,
}

/// What happened on the media port so far. Written by the media thread.
#[derive(Debug, Default)]
pub(crate) struct PortCounters {
    /// Datagrams that the kernel did not take.
    pub(crate) sends_refused: AtomicU64,
    /// Frames left out for all listeners because the frame before was not through.
    pub(crate) frames_dropped: AtomicU64,
}

/// The thread's belongings.
pub(crate) struct MediaThread {
    port: UdpPort,
    hub: Hub,
    outbox: Outbox,
    events: Vec<(PeerId, PeerEvent)>,
    seats: HashMap<PeerId, Seat>,
    fan_out: FanOut,
    commands: Receiver<Command>,
    frames: Receiver<Delivery>,
    wakeups: Wakeups,
    counters: Arc<PortCounters>,
    clock: WallClock,
    next_sweep: Instant,
    /// Commands or timers are left from the last turn.
    backlog: bool,
}

impl MediaThread {
    pub(crate) fn new(
        port: UdpPort,
        hub: Hub,
        commands: Receiver<Command>,
        frames: Receiver<Delivery>,
        wakeups: Wakeups,
        counters: Arc<PortCounters>,
    ) -> Self {
        let clock = WallClock::start();
        Self {
            port,
            hub,
            outbox: Outbox::new(),
            events: Vec::new(),
            seats: HashMap::new(),
            fan_out: FanOut::default(),
            commands,
            frames,
            wakeups,
            counters,
            next_sweep: clock.started,
            clock,
            backlog: false,
        }
    }

    /// The thread's life.
    pub(crate) fn run(mut self) {
        precise_timers();
        let mut buffer = [0; RECEIVE_BUFFER];
        loop {
            let readable = self.wait();
            self.wakeups.drain();
            self.backlog = false;
            self.send_frames();
            if self.obey_commands().is_break() {
                break;
            }
            for base in 0..self.port.addresses().len() {
                if readable & (1 << base) != 0 {
                    self.send_frames();
                    self.receive(base, &mut buffer);
                }
            }
            self.sweep();
            self.flush();
        }
        self.hang_up_all();
    }

    /// Waits for something to do. Returns which sockets have datagrams, a bit each.
    fn wait(&self) -> u64 {
        let now = Instant::now();
        let timeout = self.next_due(now).map(|due| {
            let wait = due.saturating_duration_since(now);
            Timespec {
                tv_sec: wait.as_secs().try_into().unwrap_or(i64::MAX),
                tv_nsec: wait.subsec_nanos().into(),
            }
        });
        let wakeups = self.wakeups.as_fd();
        let mut fds: arrayvec::ArrayVec<PollFd<'_>, { MAX_ADDRESSES + 1 }> = self
            .port
            .fds()
            .map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN))
            .collect();
        fds.push(PollFd::from_borrowed_fd(wakeups, PollFlags::IN));
        if poll(&mut fds, timeout.as_ref()).is_err() {
            // A signal: look at everything.
            return u64::MAX;
        }
        let sockets = fds.iter().take(self.port.addresses().len()).enumerate();
        sockets.fold(0, |readable, (base, fd)| {
            readable | u64::from(!fd.revents().is_empty()) << base
        })
    }

    fn next_due(&self, now: Instant) -> Option<Instant> {
        if self.backlog {
            return Some(now);
        }
        match self.fan_out.next_slot(now) {
            Some(slot) => Some(slot.min(self.next_sweep)),
            None if self.hub.is_empty() => None,
            None => Some(self.next_sweep),
        }
    }

    /// Takes the frames that arrived, and sends what is due of all that are on their way.
    fn send_frames(&mut self) {
        while let Ok(delivery) = self.frames.try_recv() {
            let captured = self.clock.ntp(delivery.captured);
            let pace = (delivery.due, delivery.interval);
            let frame = delivery.into_frame(captured);
            if !self.fan_out.start(frame, pace, &mut self.hub) {
                add(&self.counters.frames_dropped, 1);
            }
            // After a pause several frames of a stream wait here: where few listen, each goes out
            // before the next begins, and none is left out.
            if self.fill() {
                self.flush();
            }
        }
        while self.fill() {
            self.flush();
        }
        self.flush();
    }

    /// Fills the outbox with packets that are due. True if more are.
    fn fill(&mut self) -> bool {
        let now = Instant::now();
        let mut io = Io {
            now,
            ntp: self.clock.ntp(now),
            outbox: &mut self.outbox,
            events: &mut self.events,
        };
        self.fan_out.fill(&mut self.hub, &mut io)
    }

    fn obey_commands(&mut self) -> ControlFlow<()> {
        for _ in 0..COMMAND_BUDGET {
            let command = match self.commands.try_recv() {
                Ok(Command::Shutdown) | Err(TryRecvError::Disconnected) => {
                    return ControlFlow::Break(());
                }
                Ok(command) => command,
                Err(TryRecvError::Empty) => return ControlFlow::Continue(()),
            };
            self.make_room();
            self.obey(command);
            self.tell_events();
        }
        self.backlog = true;
        ControlFlow::Continue(())
    }

    fn obey(&mut self, command: Command) {
        let (hub, mut io) = self.hub();
        match command {
            Command::Register { id, status } => {
                self.seats.insert(id, Seat::new(status));
            }
            Command::Add(peer) => hub.add(*peer, &mut io),
            Command::SetRemote {
                id,
                remote,
                audience,
            } => {
                hub.set_remote(id, *remote, &mut io);
                if let Some(seat) = self.seats.get_mut(&id) {
                    seat.set_audience(audience);
                }
            }
            Command::SetRedundancy { id, frames } => hub.set_redundancy(id, frames),
            Command::InsertDtmf {
                id,
                digits,
                duration,
                gap,
            } => hub.insert_dtmf(id, &digits, duration, gap),
            Command::Close(id) => {
                if !hub.close(id, &mut io) {
                    // It had not come to a peer.
                    io.events.push((id, PeerEvent::Closed(CloseReason::Local)));
                }
            }
            // The loop above ends before.
            Command::Shutdown => {}
        }
    }

    /// Handles what waits on one socket, up to a limit, so that frames that fall due meanwhile
    /// are not late.
    fn receive(&mut self, base: usize, buffer: &mut [u8]) {
        for _ in 0..RECEIVE_BUDGET {
            let Some((len, path)) = self.port.receive(base, buffer) else {
                return;
            };
            self.make_room();
            let (hub, mut io) = self.hub();
            hub.handle_datagram(path, &mut buffer[..len], &mut io);
            self.tell_events();
        }
    }

    /// Looks after every peer's timers.
    fn sweep(&mut self) {
        let now = Instant::now();
        if now < self.next_sweep || self.hub.is_empty() {
            return;
        }
        self.make_room();
        let (hub, mut io) = self.hub();
        let done = hub.handle_timeouts(&mut io);
        self.tell_events();
        if done {
            self.next_sweep = now + SWEEP_INTERVAL;
        } else {
            self.backlog = true;
        }
    }

    fn hang_up_all(&mut self) {
        while let Some(id) = self.hub.any_peer() {
            self.make_room();
            let (hub, mut io) = self.hub();
            hub.close(id, &mut io);
            self.tell_events();
        }
        self.flush();
    }

    fn hub(&mut self) -> (&mut Hub, Io<'_>) {
        let now = Instant::now();
        let io = Io {
            now,
            ntp: self.clock.ntp(now),
            outbox: &mut self.outbox,
            events: &mut self.events,
        };
        (&mut self.hub, io)
    }

    /// Tells the handles what happened.
    fn tell_events(&mut self) {
        for (id, event) in self.events.drain(..) {
            tracing::debug!(peer = id.0, ?event);
            if self.seats.get_mut(&id).is_some_and(|seat| seat.tell(event)) {
                self.seats.remove(&id);
            }
        }
    }

    fn make_room(&mut self) {
        if self.outbox.free() < Outbox::RESERVE {
            self.flush();
        }
    }

    fn flush(&mut self) {
        if !self.outbox.is_empty() {
            self.port.flush(&mut self.outbox);
            self.counters
                .sends_refused
                .store(self.port.refused, Relaxed);
        }
    }
}

/// Above any datagram that a peer sends: ClientHellos come in pieces of up to 1,408 bytes.
const RECEIVE_BUFFER: usize = 2048;

/// Commands obeyed before due frames are looked at again.
const COMMAND_BUDGET: usize = 32;

/// Datagrams taken from one socket before due frames are looked at again.
const RECEIVE_BUDGET: usize = 32;

/// How often the timers of all peers are looked at.
const SWEEP_INTERVAL: Duration = Duration::from_millis(10);
