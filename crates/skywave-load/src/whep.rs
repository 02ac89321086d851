//! WHEP over HTTP (draft-ietf-wish-whep): offers posted and sessions deleted, on threads of its
//! own, so that no answer holds up the packets.
//!
//! Each thread has a connection of its own that is kept alive, and one request at a time; what
//! comes when all are busy waits in a queue on the side of the caller.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, eventfd};
use ureq::{Agent, Body, http::Response};

use crate::Failure;
use crate::target::Target;

/// The connections to one endpoint.
pub(crate) struct Whep {
    workers: Vec<Sender<Request>>,
    idle: Vec<usize>,
    waiting: VecDeque<Request>,
    replies: Receiver<(usize, Reply)>,
    wakeups: Arc<OwnedFd>,
    under_way: usize,
}

/// Something to ask of the server.
pub(crate) enum Request {
    /// Posts an offer; the ticket comes back with the answer.
    Offer { ticket: Ticket, sdp: String },
    /// Ends the session of this URL.
    Leave { session: String },
}

/// Who asks: a seat, and how many have had it before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ticket {
    pub(crate) seat: usize,
    pub(crate) turn: u64,
}

/// What became of a request.
pub(crate) enum Reply {
    Answered {
        ticket: Ticket,
        /// When the request began to be written.
        sent: Instant,
        /// When the whole answer was there.
        answered: Instant,
        outcome: Result<Session, Failure>,
    },
    /// The session is ended, or the server knows none.
    Left(Result<(), Failure>),
}

/// An accepted offer.
pub(crate) struct Session {
    pub(crate) answer: String,
    /// The URL to delete, if the server names one.
    pub(crate) url: Option<String>,
}

impl Whep {
    /// Starts as many threads.
    pub(crate) fn start(target: &Target, connections: usize) -> io::Result<Self> {
        let wakeups = eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)?;
        let wakeups = Arc::new(wakeups);
        let (reply, replies) = channel();
        let mut workers = Vec::new();
        for index in 0..connections.max(1) {
            let (requests, queue) = channel();
            let worker = Worker {
                index,
                target: target.clone(),
                agent: agent(),
                requests: queue,
                replies: reply.clone(),
                wakeups: Arc::clone(&wakeups),
            };
            thread::Builder::new()
                .name("load-http".to_owned())
                .stack_size(STACK)
                .spawn(move || worker.run())?;
            workers.push(requests);
        }
        Ok(Self {
            idle: (0..workers.len()).collect(),
            workers,
            waiting: VecDeque::new(),
            replies,
            wakeups,
            under_way: 0,
        })
    }

    /// Readable when there is something to [`take`](Self::take).
    pub(crate) fn wakeups(&self) -> BorrowedFd<'_> {
        self.wakeups.as_fd()
    }

    /// Asks, now or when a connection is free.
    pub(crate) fn ask(&mut self, request: Request) {
        self.under_way += 1;
        self.waiting.push_back(request);
        self.dispatch();
    }

    /// Requests without a reply taken.
    pub(crate) fn under_way(&self) -> usize {
        self.under_way
    }

    /// Empties the descriptor, so that it wakes anew.
    pub(crate) fn awake(&self) {
        // Nothing to read is as good.
        let _ = rustix::io::read(&self.wakeups, &mut [0; 8]);
    }

    /// The next reply, if there is one.
    pub(crate) fn take(&mut self) -> Option<Reply> {
        let (worker, reply) = self.replies.try_recv().ok()?;
        self.under_way -= 1;
        self.idle.push(worker);
        self.dispatch();
        Some(reply)
    }

    fn dispatch(&mut self) {
        while let Some(request) = self.waiting.pop_front() {
            let Some(worker) = self.idle.pop() else {
                return self.waiting.push_front(request);
            };
            // A thread ends only when this is dropped.
            let _ = self.workers[worker].send(request);
        }
    }
}

struct Worker {
    index: usize,
    target: Target,
    agent: Agent,
    requests: Receiver<Request>,
    replies: Sender<(usize, Reply)>,
    wakeups: Arc<OwnedFd>,
}

impl Worker {
    fn run(self) {
        while let Ok(request) = self.requests.recv() {
            let reply = match request {
                Request::Offer { ticket, sdp } => {
                    let sent = Instant::now();
                    let outcome = self.offer(&sdp);
                    Reply::Answered {
                        ticket,
                        sent,
                        answered: Instant::now(),
                        outcome,
                    }
                }
                Request::Leave { session } => Reply::Left(self.leave(&session)),
            };
            if self.replies.send((self.index, reply)).is_err() {
                return;
            }
            // Full is as good: it is readable then.
            let _ = rustix::io::write(&self.wakeups, &1_u64.to_ne_bytes());
        }
    }

    fn offer(&self, sdp: &str) -> Result<Session, Failure> {
        let post = || {
            let request = self.agent.post(&self.target.url);
            request.content_type("application/sdp").send(sdp)
        };
        let mut response = twice(post)?;
        let location = response.headers().get("location");
        let url = location
            .and_then(|location| location.to_str().ok())
            .map(|location| self.target.session(location));
        let answer = response.body_mut().read_to_string().map_err(failure)?;
        match response.status().as_u16() {
            200..=299 => Ok(Session { answer, url }),
            status => Err(Failure::Status(status)),
        }
    }

    fn leave(&self, session: &str) -> Result<(), Failure> {
        let mut response = twice(|| self.agent.delete(session).call())?;
        // So that the connection can be used again.
        let _ = response.body_mut().read_to_vec();
        match response.status().as_u16() {
            // Not found or gone: the farewell over RTCP and DTLS came first.
            200..=299 | 404 | 410 => Ok(()),
            status => Err(Failure::Status(status)),
        }
    }
}

/// Tries again once if the connection broke: the server may have closed one that was kept alive.
fn twice(
    call: impl Fn() -> Result<Response<Body>, ureq::Error>,
) -> Result<Response<Body>, Failure> {
    match call() {
        Err(ureq::Error::Io(error)) if error.kind() != io::ErrorKind::ConnectionRefused => {
            call().map_err(failure)
        }
        other => other.map_err(failure),
    }
}

fn failure(error: ureq::Error) -> Failure {
    Failure::Http(error.to_string())
}

fn agent() -> Agent {
    Agent::config_builder()
        .http_status_as_error(false)
        .proxy(None)
        .timeout_global(Some(TIMEOUT))
        .max_idle_age(IDLE)
        .build()
        .new_agent()
}

const TIMEOUT: Duration = Duration::from_secs(30);
/// Servers close what is idle for longer.
const IDLE: Duration = Duration::from_secs(4);
const STACK: usize = 256 * 1024;
