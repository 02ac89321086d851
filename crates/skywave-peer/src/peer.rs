//! One peer from its first connectivity check to its farewell, except for the sending of media,
//! whose state lies with that of all others (see [`crate::hub`]).

mod association;
mod feedback;
mod handshake_path;
mod ice_restart;
mod life_signs;
mod path_checks;
mod sending;
mod timers;

use std::sync::Arc;
use std::time::Instant;

use skywave_dtls::{Dtls, Identity, Role};
use skywave_ice::{IceLite, MAX_VALID_PATHS, Path, StunMessage};
use skywave_prefetch::prefetch;
use skywave_rtp::{Counters, CountersSnapshot};

use self::association::send_dtls;
use self::ice_restart::agent_of;
use crate::demands::Demands;
use crate::drop_reason::DropReason;
use crate::event::{FailureReason, Io, PeerEvent, PeerId};
use crate::limits::Limits;
use crate::local::LocalParameters;
use crate::remote::Remote;
use crate::reporter::Reporter;
use crate::send_state::SendState;
use crate::totals::Totals;
use crate::transport_counters::TransportCounters;

use handshake_path::HandshakePath;
use life_signs::LifeSigns;

/// What a peer is made of.
pub struct PeerConfig {
    /// Its name.
    pub id: PeerId,
    /// What our description said.
    pub local: LocalParameters,
    /// Our certificate.
    pub identity: Identity,
    /// Where its packets are counted.
    pub counters: Arc<Counters>,
    /// Where everything else of it is counted.
    pub transport: Arc<TransportCounters>,
    /// Our patience.
    pub limits: Limits,
}

/// One peer.
pub struct Peer {
    config: PeerConfig,
    ice: IceLite,
    /// Takes over from `ice` as soon as the peer nominates a path with its credentials.
    restarting: Option<Box<IceLite>>,
    /// The fragment of an agent that was replaced, until the hub knows.
    retired_ufrag: Option<Box<str>>,
    remote: Option<Remote>,
    /// When our description was made.
    created: Instant,
    /// Since when the current phase lasts, or the remote description is known: the later.
    waiting_since: Instant,
    /// When the current handshake began.
    handshake_began: Instant,
    /// Paths that passed a check and are known to the hub.
    paths: Vec<Path>,
    phase: Phase,
    signs: LifeSigns,
    disconnected: bool,
    /// Since when its reports have come over another path than the selected one.
    elsewhere_since: Option<Instant>,
    /// What is in the totals already.
    settled: Box<CountersSnapshot>,
    next_due: Instant,
}

/// The life of a peer, in order.
enum Phase {
    /// No connectivity check has passed.
    Checking,
    /// DTLS runs, or is done and waits for the remote description, a nomination, or the answer of
    /// the nominated path.
    Handshaking {
        dtls: Dtls,
        role: Role,
        path: HandshakePath,
        complete: bool,
    },
    /// Media flows.
    Sending { dtls: Dtls, reporter: Box<Reporter> },
}

/// What a peer asks of the hub.
pub(crate) enum Step {
    /// Nothing.
    Stay,
    /// Media may flow there.
    Send(Box<SendState>, Path),
    /// Media goes on otherwise, or some of it is missed.
    Obey(Demands),
    /// Media has to follow the peer to another address.
    Move(Path),
    /// It is over.
    End(PeerEvent),
}

impl Peer {
    /// A peer that answers checks from now on; media must wait for [`crate::Hub::set_remote`].
    pub fn new(config: PeerConfig, now: Instant) -> Self {
        Self {
            ice: IceLite::new(&config.local.credentials, config.local.ice_secret),
            restarting: None,
            retired_ufrag: None,
            config,
            remote: None,
            created: now,
            waiting_since: now,
            handshake_began: now,
            paths: Vec::new(),
            phase: Phase::Checking,
            signs: LifeSigns::default(),
            elsewhere_since: None,
            disconnected: false,
            settled: Box::default(),
            next_due: now,
        }
    }

    pub(crate) fn id(&self) -> PeerId {
        self.config.id
    }

    pub(crate) fn ufrag(&self) -> &str {
        self.ice.local_ufrag()
    }

    pub(crate) fn paths(&self) -> &[Path] {
        &self.paths
    }

    /// Whether no other peer may be at this address, one of its own: it is there itself, and not
    /// silent.
    pub(crate) fn holds(&self, path: Path, now: Instant) -> bool {
        let uses = self.ice.selected().is_none_or(|selected| selected == path);
        uses && self.signs.silence(now) < self.config.limits.disconnected_timeout
    }

    pub(crate) fn next_due(&self) -> Instant {
        self.next_due
    }

    pub(crate) fn remote(&self) -> Option<&Remote> {
        self.remote.as_ref()
    }

    /// Takes over the remote description. There is one; another is ignored.
    pub(crate) fn set_remote(&mut self, remote: Remote, io: &mut Io<'_>) -> Step {
        if self.remote.is_some() {
            return Step::Stay;
        }
        self.ice.set_remote(remote.ice.clone());
        // Checks came before the answer and we got ready to be the server, but the answer says
        // passive, as those of Pion's line do to a lite offerer: we are to speak first.
        if matches!(self.phase, Phase::Handshaking { role, .. } if role != remote.role) {
            self.phase = Phase::Checking;
        }
        self.remote = Some(remote);
        self.waiting_since = io.now;
        self.next_due = io.now;
        self.advance(io)
    }

    /// How many earlier frames each packet repeats once media begins.
    pub(crate) fn set_redundancy(&mut self, frames: u8) {
        if let Some(remote) = &mut self.remote {
            remote.redundancy = frames;
        }
    }

    /// Answers a connectivity check (RFC 8445 §7.3). On success the path is one of ours.
    pub(crate) fn handle_check(
        &mut self,
        path: Path,
        request: &StunMessage<'_>,
        io: &mut Io<'_>,
    ) -> Result<Step, DropReason> {
        let slot = io.outbox.slot().ok_or(DropReason::OutboxFull)?;
        let agent = agent_of(&mut self.ice, &mut self.restarting, request);
        let check = match agent.handle_request(io.now, path, request, slot) {
            Ok(check) => check,
            Err(rejected) => {
                if rejected.reply_len > 0 {
                    io.outbox.commit(rejected.reply_len, path);
                }
                return Err(rejected.reason.into());
            }
        };
        io.outbox.commit(check.reply_len, path);
        self.config.transport.record_check();
        self.signs.record(io.now);
        self.remember(path);
        self.next_due = io.now;
        // At once: the peer may have left the old address already.
        self.send_own_checks(io);
        if check.nominated {
            self.finish_restart(io);
        }
        if check.nominated && matches!(self.phase, Phase::Sending { .. }) {
            return Ok(Step::Move(path));
        }
        Ok(self.advance(io))
    }

    /// Does what is due. `timestamp` is the stream's RTP time of this moment.
    pub(crate) fn handle_timeout(&mut self, timestamp: Option<u32>, io: &mut Io<'_>) -> Step {
        if let Some(reason) = self.overdue(io.now) {
            // Without consent nothing may be sent, not even a farewell (RFC 7675 §5.1).
            if reason != FailureReason::ConsentExpired {
                self.close_dtls(io);
            }
            return Step::End(PeerEvent::Failed(reason));
        }
        self.send_own_checks(io);
        let Some(path) = self.path() else {
            self.schedule(io.now);
            return Step::Stay;
        };
        let now = io.now;
        let (outbox, transport) = (&mut *io.outbox, &self.config.transport);
        let mut repeated = false;
        let mut emit = |bytes: &[u8]| {
            repeated = true;
            send_dtls(bytes, path, outbox, transport);
        };
        let event = match &mut self.phase {
            Phase::Handshaking { dtls, .. } | Phase::Sending { dtls, .. }
                if dtls.next_timeout().is_some_and(|due| due <= now) =>
            {
                dtls.handle_timeout(now, &mut emit)
            }
            _ => Ok(None),
        };
        if repeated {
            self.record_flight(path);
        }
        if let Phase::Sending { reporter, .. } = &mut self.phase {
            reporter.work(path, timestamp, io);
            self.watch_signs_of_life(io);
        }
        if let Some(trip) = self.tripped(io.now) {
            self.hang_up(timestamp, io);
            return Step::End(PeerEvent::Failed(trip.into()));
        }
        let step = self.handle_dtls_event(event, io);
        self.schedule(io.now);
        step
    }

    /// Has the processor fetch what a timeout looks at beyond this.
    pub(crate) fn prefetch_parts(&self) {
        prefetch(&*self.settled);
        prefetch(&*self.config.counters);
        if let Phase::Sending { reporter, .. } = &self.phase {
            prefetch(&**reporter);
        }
    }

    /// Adds what its counters gained to those of all.
    pub(crate) fn settle(&mut self, totals: &Totals) {
        let Some(remote) = &self.remote else {
            return;
        };
        let counters = self.config.counters.snapshot();
        totals.add(&self.settled, &counters, remote.format.clock_rate);
        *self.settled = counters;
    }

    /// Hangs up: BYE first, then close_notify, as some peers look at one and some at the other.
    pub(crate) fn hang_up(&mut self, timestamp: Option<u32>, io: &mut Io<'_>) {
        let path = self.path();
        if let (Phase::Sending { reporter, .. }, Some(path)) = (&mut self.phase, path) {
            reporter.bye(path, timestamp, io);
        }
        self.close_dtls(io);
    }

    /// Where to send what answers nothing: the nominated path, before that any that passed. A
    /// server that was spoken to repeats itself where it was, as a nomination alone may name
    /// anybody's address.
    fn path(&self) -> Option<Path> {
        let nominated = || self.ice.selected().or_else(|| self.paths.last().copied());
        match &self.phase {
            Phase::Handshaking {
                role: Role::Server,
                path,
                ..
            } => path.last().or_else(nominated),
            _ => nominated(),
        }
    }

    /// Keeps no more paths than the ICE agent does.
    fn remember(&mut self, path: Path) {
        if !self.paths.contains(&path) {
            self.paths.push(path);
        }
    }

    /// A path that the ICE agent no longer knows, if there is one too many.
    pub(crate) fn forget_path(&mut self) -> Option<Path> {
        if self.paths.len() <= MAX_VALID_PATHS + 1 {
            return None;
        }
        let stale = self.paths.iter().position(|&path| !self.validated(path))?;
        Some(self.paths.remove(stale))
    }

    /// Goes on to the next phase if everything for it is there.
    fn advance(&mut self, io: &mut Io<'_>) -> Step {
        if let Phase::Checking = self.phase
            && let Err(error) = self.start_handshake(io)
        {
            return Step::End(PeerEvent::Failed(error.into()));
        }
        match self.start_sending(io) {
            Ok(Some((state, path))) => Step::Send(Box::new(state), path),
            Ok(None) => Step::Stay,
            Err(reason) => {
                self.close_dtls(io);
                Step::End(PeerEvent::Failed(reason))
            }
        }
    }
}
