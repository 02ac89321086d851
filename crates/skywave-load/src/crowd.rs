//! All listeners of a test on one thread, with a socket each.
//!
//! Those who join wait in one epoll. Those who listen are visited in turn, once in the time of a
//! frame: to be told of each packet would cost the sender, on the same machine, a tenth of its
//! time, which no listener elsewhere does.

use std::thread;
use std::time::{Duration, Instant};

use rustix::event::Timespec;
use rustix::event::epoll;
use rustix::fd::OwnedFd;
use rustix::io::Errno;

use crate::figures::Figures;
use crate::group::{Group, Members};
use crate::inbox::{self, Inbox};
use crate::join_log::Joins;
use crate::seat::{self, Seat};
use crate::stream::Reception;
use crate::target::Target;
use crate::timers::Timers;
use crate::whep::{Reply, Request, Session, Ticket, Whep};
use crate::{Answer, Error, Failure, Listener, Phase, Settings};

/// The listeners and all they share.
pub(crate) struct Crowd {
    target: Target,
    settings: Settings,
    epoll: OwnedFd,
    events: Vec<epoll::Event>,
    /// The last look filled the room for events.
    more: bool,
    whep: Whep,
    timers: Timers,
    seats: Vec<Option<Seat>>,
    /// Whom the last visit was at, and when.
    visited: (usize, Instant),
    free: Vec<usize>,
    turns: u64,
    groups: [Members; 2],
    refused_farewells: u64,
    inbox: Inbox,
}

impl Crowd {
    /// Nobody yet. `connections` is how many offers are under way at a time.
    pub(crate) fn new(
        target: Target,
        settings: Settings,
        connections: usize,
    ) -> Result<Self, Error> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC).map_err(system)?;
        let whep = Whep::start(&target, connections)?;
        let wakeups = epoll::EventData::new_u64(WAKEUPS);
        epoll::add(&epoll, whep.wakeups(), wakeups, epoll::EventFlags::IN).map_err(system)?;
        let event = epoll::Event {
            flags: epoll::EventFlags::empty(),
            data: wakeups,
        };
        Ok(Self {
            target,
            settings,
            epoll,
            events: vec![event; BATCH],
            more: false,
            whep,
            timers: Timers::default(),
            seats: Vec::new(),
            visited: (0, Instant::now()),
            free: Vec::new(),
            turns: 0,
            groups: [Members::default(), Members::default()],
            refused_farewells: 0,
            inbox: Inbox::new(),
        })
    }

    /// Lets one more listener join.
    pub(crate) fn join(&mut self, group: Group) {
        let now = Instant::now();
        self.groups[group as usize].log.asked(now);
        if let Err(failure) = self.sit_down(group, now) {
            self.groups[group as usize].log.failed(failure.to_string());
        }
    }

    fn sit_down(&mut self, group: Group, now: Instant) -> Result<(), Failure> {
        let failed = |error: std::io::Error| Failure::Socket(error.to_string());
        let socket = seat::bind(self.target.local_ip).map_err(failed)?;
        let address = socket.local_addr().map_err(failed)?;
        let number = self.free.pop().unwrap_or_else(|| {
            self.seats.push(None);
            self.seats.len() - 1
        });
        let data = epoll::EventData::new_u64(number as u64);
        epoll::add(&self.epoll, &socket, data, epoll::EventFlags::IN)
            .map_err(|error| failed(error.into()))?;
        let mut listener = Listener::new(&self.settings, rand::random(), now);
        let sdp = listener.offer(address);
        self.turns += 1;
        let turn = self.turns;
        self.seats[number] = Some(Seat {
            listener,
            socket,
            group,
            turn,
            asked: now,
            sent: None,
            answered: None,
            session: None,
            counted: Phase::Offering,
            due: None,
        });
        self.groups[group as usize].joining += 1;
        let ticket = Ticket { seat: number, turn };
        self.whep.ask(Request::Offer { ticket, sdp });
        self.settle(number);
        Ok(())
    }

    /// Works until `until` or, sooner, until one batch of events is done.
    ///
    /// It sleeps for a moment and then looks, instead of being woken by whatever comes: on one
    /// machine each wake-up of another core is paid by the server that sends, some microseconds
    /// that no listener elsewhere would cost it.
    pub(crate) fn turn(&mut self, until: Instant) -> Result<(), Error> {
        if !self.more {
            let wake = self.timers.next().map_or(until, |due| due.min(until));
            thread::sleep(
                wake.saturating_duration_since(Instant::now())
                    .min(LOOK_INTERVAL),
            );
        }
        let mut events = std::mem::take(&mut self.events);
        let count = match epoll::wait(&self.epoll, &mut events[..], Some(&AT_ONCE)) {
            Ok(count) => count,
            Err(Errno::INTR) => 0,
            Err(error) => return Err(system(error)),
        };
        self.more = count == events.len();
        for event in &events[..count] {
            let data = event.data;
            match data.u64() {
                WAKEUPS => self.hear_from_http(),
                number => {
                    // A handshake takes its time.
                    let now = self.inbox.look();
                    self.receive(now, number as usize);
                }
            }
        }
        self.events = events;
        let now = self.inbox.look();
        self.visit(now);
        while let Some(number) = self.timers.expire(now) {
            self.expire(now, number);
        }
        Ok(())
    }

    /// Reads what has come to those who listen whose turn it is.
    fn visit(&mut self, now: Instant) {
        let (last, before) = self.visited;
        let part = now.saturating_duration_since(before).as_secs_f64() / ROUND.as_secs_f64();
        let visits = (self.seats.len() as f64 * part.min(1.0)) as usize;
        if visits == 0 {
            return;
        }
        for step in 1..=visits {
            let number = (last + step) % self.seats.len();
            let seat = self.seats.get(number).and_then(Option::as_ref);
            if seat.is_some_and(|seat| seat.counted == Phase::Listening) {
                while self.receive(now, number) == inbox::BATCH {}
            }
        }
        // Of a round that is not over, no more than the time of these visits is used up.
        let used = ROUND.mul_f64(visits as f64 / self.seats.len() as f64);
        let until = if part < 1.0 { before + used } else { now };
        self.visited = ((last + visits) % self.seats.len(), until);
    }

    /// Works for so long.
    pub(crate) fn turn_for(&mut self, time: Duration) -> Result<(), Error> {
        let end = Instant::now() + time;
        while Instant::now() < end {
            self.turn(end)?;
        }
        Ok(())
    }

    /// Works until nobody of the group is joining any more; each gives up in time.
    pub(crate) fn turn_until_joined(&mut self, group: Group) -> Result<(), Error> {
        while self.joining(group) > 0 {
            self.turn(Instant::now() + TICK)?;
        }
        Ok(())
    }

    /// Works until every request to the server has its answer.
    pub(crate) fn turn_until_answered(&mut self) -> Result<(), Error> {
        while self.whep.under_way() > 0 {
            self.turn(Instant::now() + TICK)?;
        }
        Ok(())
    }

    /// Reads some of what waits at a seat; returns how many datagrams these were.
    #[inline]
    fn receive(&mut self, now: Instant, number: usize) -> usize {
        // The seat may have been given up a moment ago, in the same batch.
        let Some(Some(seat)) = self.seats.get_mut(number) else {
            return 0;
        };
        let count = self.inbox.receive(&seat.socket);
        let figures = &mut self.groups[seat.group as usize].figures;
        let mut only_media = true;
        for index in 0..count {
            let Some((datagram, came)) = self.inbox.datagram(index) else {
                continue;
            };
            match (seat.handle(datagram, came, now), &mut *figures) {
                (Some(arrival), Some(figures)) => figures.record(arrival),
                (Some(_), None) => {}
                (None, _) => only_media = false,
            }
        }
        if !only_media {
            self.settle(number);
        }
        count
    }

    fn expire(&mut self, now: Instant, number: usize) {
        if let Some(Some(seat)) = self.seats.get_mut(number) {
            if seat.due.is_some_and(|due| due <= now) {
                seat.due = None;
                seat.handle_timeout(now);
            }
            self.settle(number);
        }
    }

    fn hear_from_http(&mut self) {
        self.whep.awake();
        while let Some(reply) = self.whep.take() {
            match reply {
                Reply::Answered {
                    ticket,
                    sent,
                    answered,
                    outcome,
                } => self.on_answer(ticket, (sent, answered), outcome),
                Reply::Left(outcome) => self.refused_farewells += u64::from(outcome.is_err()),
            }
        }
    }

    fn on_answer(
        &mut self,
        ticket: Ticket,
        (sent, answered): (Instant, Instant),
        outcome: Result<Session, Failure>,
    ) {
        let seat = self.seats.get_mut(ticket.seat).and_then(Option::as_mut);
        let Some(seat) = seat.filter(|seat| seat.turn == ticket.turn) else {
            // The listener has given up; the server shall not wait for it.
            if let Ok(Session { url: Some(url), .. }) = outcome {
                self.whep.ask(Request::Leave { session: url });
            }
            return;
        };
        (seat.sent, seat.answered) = (Some(sent), Some(answered));
        if let Err(failure) = outcome.and_then(|session| accept(seat, session, &self.target)) {
            seat.listener.fail(failure);
        }
        self.settle(ticket.seat);
    }

    /// Counts how far a seat has come and sets its time.
    fn settle(&mut self, number: usize) {
        let Some(Some(seat)) = self.seats.get_mut(number) else {
            return;
        };
        let phase = seat.listener.phase();
        if phase != seat.counted {
            let before = std::mem::replace(&mut seat.counted, phase);
            let ticket = Ticket {
                seat: number,
                turn: seat.turn,
            };
            self.groups[seat.group as usize].follow(before, seat, ticket);
            if phase == Phase::Listening {
                // From now on it is visited. It is there, so this does not fail.
                let _ = epoll::delete(&self.epoll, &seat.socket);
            }
        }
        if let Some(due) = seat.listener.next_due()
            && seat.due.is_none_or(|set| due < set)
        {
            seat.due = Some(due);
            self.timers.set(due, number);
        }
    }

    /// The listener leaves, and the server is told.
    pub(crate) fn leave(&mut self, ticket: Ticket) {
        let seat = self.seats.get_mut(ticket.seat).and_then(Option::as_mut);
        let Some(seat) = seat.filter(|seat| seat.turn == ticket.turn) else {
            return;
        };
        seat.leave(Instant::now());
        self.settle(ticket.seat);
        let seat = self.seats[ticket.seat].take();
        self.free.push(ticket.seat);
        if let Some(session) = seat.and_then(|seat| seat.session) {
            self.whep.ask(Request::Leave { session });
        }
    }

    /// All of a group leave, those too who have failed.
    pub(crate) fn leave_all(&mut self, group: Group) {
        let taken = self.seats.iter().enumerate();
        let own = taken.filter_map(|(number, seat)| {
            let seat = seat.as_ref().filter(|seat| seat.group == group)?;
            let turn = seat.turn;
            Some(Ticket { seat: number, turn })
        });
        for ticket in own.collect::<Vec<_>>() {
            self.leave(ticket);
        }
    }

    /// Frees the seats of those of a group who have failed since the last call.
    pub(crate) fn clear_failed(&mut self, group: Group) {
        for ticket in std::mem::take(&mut self.groups[group as usize].failed) {
            self.leave(ticket);
        }
    }

    /// Those of a group who have begun to listen since the last call.
    pub(crate) fn take_arrived(&mut self, group: Group) -> Vec<Ticket> {
        std::mem::take(&mut self.groups[group as usize].arrived)
    }

    /// Sessions that the server would not end.
    pub(crate) fn refused_farewells(&self) -> u64 {
        self.refused_farewells
    }

    /// How many of a group are on their way.
    pub(crate) fn joining(&self, group: Group) -> usize {
        self.groups[group as usize].joining
    }

    /// How many of a group listen.
    pub(crate) fn listening(&self, group: Group) -> usize {
        self.groups[group as usize].listening
    }

    /// How the joins of a group went since the last call.
    pub(crate) fn take_joins(&mut self, group: Group) -> Joins {
        std::mem::take(&mut self.groups[group as usize].log).summary()
    }

    /// Begins to measure anew what arrives at a group.
    pub(crate) fn measure(&mut self, group: Group) {
        self.groups[group as usize].figures = Some(Figures::default());
    }

    /// Ends it.
    pub(crate) fn take_figures(&mut self, group: Group) -> Figures {
        let figures = self.groups[group as usize].figures.take();
        figures.unwrap_or_default()
    }

    /// Microseconds of a frame, as most in a group hear it.
    pub(crate) fn frame(&self, group: Group) -> Option<u32> {
        let seats = self.seats.iter().flatten();
        let own = seats.filter(|seat| seat.group == group);
        let mut frames: Vec<_> = own.filter_map(|seat| seat.listener.frame()).collect();
        frames.sort_unstable();
        frames.get(frames.len() / 2).copied()
    }

    /// What came at all who sit in a group, together.
    pub(crate) fn reception(&self, group: Group) -> Reception {
        let seats = self.seats.iter().flatten();
        let own = seats.filter(|seat| seat.group == group);
        own.map(|seat| seat.listener.reception()).sum()
    }
}

fn accept(seat: &mut Seat, session: Session, target: &Target) -> Result<(), Failure> {
    seat.session = session.url;
    let answer = Answer::read(&session.answer)?;
    let remote = answer.address(target.via, target.ip);
    let remote = remote.ok_or(Failure::NoCandidate)?;
    // Not when the answer arrived: it may have waited for this thread.
    let now = Instant::now();
    seat.connect(now, &answer, remote)
        .map_err(|error| Failure::Socket(error.to_string()))
}

fn system(error: Errno) -> Error {
    Error::System(error.into())
}

/// Events taken at a time.
const BATCH: usize = 64;

const AT_ONCE: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 0,
};

/// How often it looks for what came to those who join.
const LOOK_INTERVAL: Duration = Duration::from_micros(250);

/// In which time everybody who listens is visited once.
const ROUND: Duration = Duration::from_millis(20);

/// Event data that is no seat.
const WAKEUPS: u64 = u64::MAX;

/// How long to wait at most before a condition is looked at again.
const TICK: Duration = Duration::from_millis(20);
