//! The thread that sends and receives: it owns the media port, the hub and all peers.
//!
//! It waits in `poll` until a datagram, a frame, a command or the next slot. Frames that are due
//! go first, so that neither handshakes nor commands delay audio. Those of many tracks gather for
//! half a slot.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::Sender;
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};

use skywave_ice::Credentials;
use skywave_peer::{CloseReason, Hub, Io, Outbox, Peer, PeerEvent, PeerId, Remote};
use tokio::sync::{mpsc, watch};

use crate::admission::HandshakePlace;
use crate::audience::Audience;
use crate::breather::Breather;
use crate::coalescing::Coalescing;
use crate::counter::add;
use crate::delivery::Delivery;
use crate::encoder_deadlines::EncoderDeadlines;
use crate::fan_out::FanOut;
use crate::overload::Overload;
use crate::poll::poll_port;
use crate::port_counters::PortCounters;
use crate::queue;
use crate::scheduling::{self, Scheduling, precise_timers};
use crate::seat::Seat;
use crate::status::Status;
use crate::udp::{Inbox, UdpPort};
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
    Add {
        id: PeerId,
        peer: Box<Peer>,
        handshake: HandshakePlace,
    },
    /// Tells a peer its remote description.
    SetRemote {
        id: PeerId,
        remote: Box<Remote>,
        audience: Audience,
    },
    /// Gives a peer new ICE credentials.
    RestartIce {
        id: PeerId,
        local: Credentials,
        remote: Credentials,
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

/// The thread's belongings.
pub(crate) struct MediaThread {
    port: UdpPort,
    hub: Hub,
    outbox: Outbox,
    events: Vec<(PeerId, PeerEvent)>,
    seats: HashMap<PeerId, Seat>,
    fan_out: FanOut,
    coalescing: Coalescing,
    commands: mpsc::UnboundedReceiver<Command>,
    frames: mpsc::Receiver<Delivery>,
    wakeups: Wakeups,
    encoders: Arc<EncoderDeadlines>,
    counters: Arc<PortCounters>,
    overload: Overload,
    clock: WallClock,
    /// When due frames were last looked for.
    audio_checked: Instant,
    next_sweep: Instant,
    /// Something is left from the last turn.
    backlog: bool,
    breather: Breather,
}

impl MediaThread {
    pub(crate) fn new(
        port: UdpPort,
        hub: Hub,
        commands: mpsc::UnboundedReceiver<Command>,
        frames: mpsc::Receiver<Delivery>,
        wakeups: Wakeups,
        encoders: Arc<EncoderDeadlines>,
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
            coalescing: Coalescing::default(),
            commands,
            frames,
            wakeups,
            encoders,
            overload: Overload::new(clock.started),
            counters,
            audio_checked: clock.started,
            next_sweep: clock.started,
            breather: Breather::new(clock.started),
            clock,
            backlog: false,
        }
    }

    /// The thread's life.
    pub(crate) fn run(mut self, realtime: bool, started: &Sender<()>) {
        precise_timers();
        if realtime {
            self.counters.note_scheduling(scheduling::realtime());
        }
        let _ = started.send(());
        let mut inbox = Inbox::new(&self.port);
        loop {
            let readable = self.wait();
            self.backlog = false;
            self.send_frames();
            if self.obey_commands().is_break() || self.receive(readable, &mut inbox).is_break() {
                break;
            }
            self.sweep();
            self.flush();
        }
        self.hang_up_all();
    }

    /// Waits for something to do. Returns which sockets have datagrams, a bit each.
    fn wait(&mut self) -> u64 {
        self.breather.worked(self.audio_checked.elapsed());
        self.yield_to_others();
        let now = Instant::now();
        let readable = self.poll();
        self.breather.waited(now, Instant::now());
        readable
    }

    fn poll(&self) -> u64 {
        let now = Instant::now();
        let gathering = self.coalescing.until(now);
        let due = self.next_due(now).into_iter().chain(gathering).min();
        let timeout = due.map(|due| due.saturating_duration_since(now));
        let wakeups = gathering.is_none().then_some(&self.wakeups);
        let readable = poll_port(&self.port, wakeups, timeout);
        if gathering.is_some() {
            self.wakeups.drain();
        }
        readable
    }

    fn next_due(&self, now: Instant) -> Option<Instant> {
        if self.backlog {
            return Some(now);
        }
        let sweep = (!self.hub.is_empty()).then_some(self.next_sweep);
        sooner(self.fan_out.next_slot(), sweep)
    }

    /// Takes the frames that arrived, and sends what is due of all that are on their way; in
    /// distress, for no longer than [`AUDIO_TURN`].
    fn send_frames(&mut self) {
        let start = Instant::now();
        let end = start + AUDIO_TURN;
        let mut came = false;
        while let Poll::Ready(Some(delivery)) = queue::next(&mut self.frames) {
            came = true;
            let captured = self.clock.ntp(delivery.captured);
            let pace = (delivery.due, delivery.interval);
            let frame = delivery.into_frame(captured);
            let now = Instant::now();
            if !self.fan_out.start(frame, pace, now, &mut self.hub) {
                add(&self.counters.frames_dropped, 1);
            }
            // After a pause several frames of a stream wait here: where few listen, each goes out
            // before the next begins, and none is left out.
            if self.fill() {
                self.flush();
            }
        }
        if came {
            self.coalescing.frames_came(start);
        }
        while self.fill() {
            self.flush();
            if Instant::now() > end {
                // Others get their turn, though more is due.
                self.backlog = true;
                break;
            }
        }
        self.flush();
        self.audio_checked = Instant::now();
    }

    /// Sends frames that fell due while other work was done.
    fn yield_to_audio(&mut self) {
        let others = self.audio_checked.elapsed();
        if others >= OTHER_TURN {
            self.breather.worked(others);
            self.yield_to_others();
            self.send_frames();
        }
    }

    /// Waits a little if this thread goes before all others and they had no turn for too long.
    fn yield_to_others(&mut self) {
        if self.counters.scheduling() != Scheduling::Realtime {
            return;
        }
        let now = Instant::now();
        let for_encoders = || self.breather.is_due_to_encoders() && self.encoders.is_missed(now);
        if self.breather.is_due(now) || for_encoders() {
            thread::sleep(Breather::LENGTH);
            self.breather.waited(now, Instant::now());
        }
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
        self.fan_out.fill(&mut self.hub, &self.counters, &mut io)
    }

    fn obey_commands(&mut self) -> ControlFlow<()> {
        loop {
            let command = match queue::next_unbounded(&mut self.commands) {
                Poll::Ready(Some(Command::Shutdown) | None) => return ControlFlow::Break(()),
                Poll::Ready(Some(command)) => command,
                Poll::Pending => return ControlFlow::Continue(()),
            };
            self.make_room();
            self.obey(command);
            self.tell_events();
            self.yield_to_audio();
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Register { id, status } => {
                self.seats.insert(id, Seat::new(status));
            }
            Command::Add {
                id,
                peer,
                handshake,
            } => {
                if let Some(seat) = self.seats.get_mut(&id) {
                    seat.set_handshake(handshake);
                }
                let (hub, mut io) = self.hub();
                hub.add(*peer, &mut io);
            }
            Command::SetRemote {
                id,
                remote,
                audience,
            } => {
                let (hub, mut io) = self.hub();
                hub.set_remote(id, *remote, &mut io);
                if let Some(seat) = self.seats.get_mut(&id) {
                    seat.set_audience(audience);
                }
            }
            Command::RestartIce { id, local, remote } => self.hub.restart_ice(id, &local, remote),
            Command::SetRedundancy { id, frames } => self.hub.set_redundancy(id, frames),
            Command::InsertDtmf {
                id,
                digits,
                duration,
                gap,
            } => self.hub.insert_dtmf(id, &digits, duration, gap),
            Command::Close(id) => {
                let (hub, mut io) = self.hub();
                if !hub.close(id, &mut io) {
                    // It had not come to a peer.
                    io.events.push((id, PeerEvent::Closed(CloseReason::Local)));
                }
            }
            // The loop above ends before.
            Command::Shutdown => {}
        }
    }

    /// Handles a batch of what waits on each readable socket. Frames that fall due meanwhile go
    /// first.
    fn receive(&mut self, readable: u64, inbox: &mut Inbox) -> ControlFlow<()> {
        for base in 0..self.port.addresses().len() {
            if readable & (1 << base) == 0 {
                continue;
            }
            let received = inbox.receive(&self.port, base);
            // Who sent these may have been told of a peer that is only now on its way here.
            self.obey_commands()?;
            for index in 0..received {
                let Some((datagram, path)) = inbox.datagram(index) else {
                    continue;
                };
                self.make_room();
                let (hub, mut io) = self.hub();
                hub.handle_datagram(path, datagram, &mut io);
                self.tell_events();
                self.yield_to_audio();
            }
        }
        ControlFlow::Continue(())
    }

    /// Looks after every peer's timers.
    fn sweep(&mut self) {
        let now = Instant::now();
        if now < self.next_sweep || self.hub.is_empty() {
            return;
        }
        self.overload.report(now, &self.counters);
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
            let Some(seat) = self.seats.get_mut(&id) else {
                // Hung up a second time.
                continue;
            };
            self.counters.sessions.record(&event);
            if seat.tell(event) {
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

/// The sooner of the next slot and the next sweep, but that a slot which comes soon takes the sweep
/// along.
fn sooner(slot: Option<Instant>, sweep: Option<Instant>) -> Option<Instant> {
    match (slot, sweep) {
        (Some(slot), Some(sweep)) if slot > sweep + SWEEP_DELAY => Some(sweep),
        (slot, sweep) => slot.or(sweep),
    }
}

/// How long due packets go before everything else when there are more of them than the system
/// takes: those who listen must still be heard.
const AUDIO_TURN: Duration = Duration::from_millis(5);

/// How long everything else goes before due packets are looked for: half a slot. One step of it,
/// of a handshake say, may take longer.
const OTHER_TURN: Duration = Duration::from_micros(500);

/// How often the timers of all peers are looked at.
const SWEEP_INTERVAL: Duration = Duration::from_millis(10);

/// How much later they may be looked at to save a wait, which costs as much as several packets.
const SWEEP_DELAY: Duration = Duration::from_millis(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sweep_waits_for_a_slot_that_comes_soon_and_for_no_other() {
        let sweep = Instant::now();
        let slot = |micros| Some(sweep + Duration::from_micros(micros));
        assert_eq!(sooner(slot(1_000), Some(sweep)), slot(1_000));
        assert_eq!(sooner(slot(1_001), Some(sweep)), Some(sweep));
        assert_eq!(sooner(Some(sweep), slot(20)), Some(sweep));
        assert_eq!(sooner(slot(1_001), None), slot(1_001));
        assert_eq!(sooner(None, Some(sweep)), Some(sweep));
        assert_eq!(sooner(None, None), None);
    }
}
