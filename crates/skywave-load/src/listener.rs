//! One listener without socket and clock: offer, answer, ICE, DTLS, and then packets.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use skywave_dtls::{Dtls, Event, Fingerprint, Identity};
use skywave_ice::Credentials;
use skywave_rtp::{SplitMix, is_rtcp};
use skywave_srtp::Profile;

use crate::agent::{Agent, Progress};
use crate::contexts::Contexts;
use crate::reporter::Reporter;
use crate::stream::{Header, Stream};
use crate::{Answer, Arrival, Failure, Milestones, Offer, Phase, Protection, Reception};

/// What all listeners of a test have in common.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The certificate; to make one costs far more than a handshake.
    pub identity: Identity,
    /// One of so many packets is authenticated, beside the first three. 0 and 1: all.
    pub sample: u32,
    /// From the offer to the first packet; after that the listener has failed.
    pub patience: Duration,
}

/// One listener.
///
/// It is made, its [`offer`](Self::offer) is posted, the answer goes to
/// [`accept`](Self::accept), and then datagrams and time go in until it is
/// [over](Phase::Over) or [leaves](Self::leave). Datagrams to send are handed to `emit` before a
/// call returns. After the call that ends it, it does nothing more.
pub struct Listener {
    phase: Phase,
    clock_rate: u32,
    sample: u32,
    stream: Option<Stream>,
    contexts: Option<Box<Contexts>>,
    /// Not touched by media.
    link: Box<Link>,
}

struct Link {
    credentials: Credentials,
    identity: Identity,
    random: SplitMix,
    deadline: Instant,
    milestones: Milestones,
    failure: Option<Failure>,
    path: Option<Path>,
    protection: Option<Protection>,
    reporter: Option<Reporter>,
}

/// What there is once there is an answer.
struct Path {
    agent: Agent,
    dtls: Dtls,
    fingerprints: Vec<Fingerprint>,
}

impl Listener {
    /// A listener that makes its credentials of `random`, from a cryptographic source.
    #[must_use]
    pub fn new(settings: &Settings, random: [u8; 32], now: Instant) -> Self {
        let (mut seed, mut secret) = ([0; 8], [0; 24]);
        seed.copy_from_slice(&random[..8]);
        secret.copy_from_slice(&random[8..]);
        Self {
            phase: Phase::Offering,
            clock_rate: 0,
            sample: settings.sample,
            stream: None,
            contexts: None,
            link: Box::new(Link {
                credentials: Credentials::from_random(secret),
                identity: settings.identity.clone(),
                random: SplitMix::new(u64::from_be_bytes(seed)),
                deadline: now + settings.patience,
                milestones: Milestones::default(),
                failure: None,
                path: None,
                protection: None,
                reporter: None,
            }),
        }
    }

    /// The offer to post, for a listener that receives at `address`.
    #[must_use]
    pub fn offer(&mut self, address: SocketAddr) -> String {
        let offer = Offer {
            credentials: &self.link.credentials,
            fingerprint: &self.link.identity.fingerprint(),
            address,
            session_id: self.link.random.next_u32().into(),
        };
        offer.to_string()
    }

    /// Takes the answer and begins to check `remote`, one of its addresses. Does nothing a second
    /// time.
    pub fn accept(
        &mut self,
        now: Instant,
        answer: &Answer,
        remote: SocketAddr,
        emit: &mut dyn FnMut(&[u8]),
    ) {
        if self.phase != Phase::Offering {
            return;
        }
        self.phase = Phase::Checking;
        self.clock_rate = answer.clock_rate;
        let seed = self.link.seed();
        let mut agent = Agent::new(&self.link.credentials, answer, remote, seed, now);
        agent.handle_timeout(now, emit);
        self.link.path = Some(Path {
            agent,
            dtls: Dtls::new(&self.link.identity, answer.role, now),
            fingerprints: answer.fingerprints.clone(),
        });
    }

    /// Takes a datagram, whose bytes may be changed. What it returns is for statistics: when the
    /// newest packet of the stream came.
    #[inline]
    pub fn handle_datagram(
        &mut self,
        now: Instant,
        datagram: &mut [u8],
        emit: &mut dyn FnMut(&[u8]),
    ) -> Option<Arrival> {
        // RFC 7983 §7, RFC 5761 §4.
        match datagram.first()? {
            128..=191 if !is_rtcp(datagram) => return self.on_media(now, datagram),
            _ if self.phase == Phase::Over => {}
            128..=191 => self.on_rtcp(now, datagram),
            0..=3 => self.on_stun(now, datagram, emit),
            20..=63 => self.on_dtls(now, datagram, emit),
            _ => {}
        }
        None
    }

    /// Does what is due: checks, retransmissions, reports, giving up.
    pub fn handle_timeout(&mut self, now: Instant, emit: &mut dyn FnMut(&[u8])) {
        if self.phase == Phase::Over {
            return;
        }
        if self.phase < Phase::Listening && now >= self.link.deadline {
            let failure = self.what_is_missing();
            return self.fail(failure);
        }
        let Some(path) = &mut self.link.path else {
            return;
        };
        path.agent.handle_timeout(now, emit);
        let answered = path.agent.answered();
        if answered.is_some_and(|at| now.saturating_duration_since(at) > CONSENT_TIME) {
            return self.fail(Failure::ConsentLost);
        }
        let outcome = path.dtls.handle_timeout(now, emit);
        self.on_handshake(now, outcome);
        if let (Some(reporter), Some(contexts)) = (&mut self.link.reporter, &mut self.contexts) {
            reporter.handle_timeout(now, self.stream.as_mut(), contexts, emit);
        }
    }

    /// When to call [`handle_timeout`](Self::handle_timeout), unless a datagram other than media
    /// comes before. None once it is over.
    #[must_use]
    pub fn next_due(&self) -> Option<Instant> {
        if self.phase == Phase::Over {
            return None;
        }
        let deadline = (self.phase < Phase::Listening).then_some(self.link.deadline);
        let path = self.link.path.as_ref();
        let check = path.map(|path| path.agent.next_due());
        let retry = path.and_then(|path| path.dtls.next_timeout());
        let report = self.link.reporter.as_ref().map(Reporter::next_due);
        [deadline, check, retry, report].into_iter().flatten().min()
    }

    /// Hangs up, with BYE and close_notify.
    pub fn leave(&mut self, now: Instant, emit: &mut dyn FnMut(&[u8])) {
        if self.phase == Phase::Over {
            return;
        }
        self.phase = Phase::Over;
        if let (Some(reporter), Some(contexts)) = (&mut self.link.reporter, &mut self.contexts) {
            reporter.leave(now, self.stream.as_mut(), contexts, emit);
        }
        if let Some(path) = &mut self.link.path {
            path.dtls.close(now, emit);
        }
    }

    /// Ends it for a reason from outside: what HTTP said, or the system.
    pub fn fail(&mut self, failure: Failure) {
        if self.phase != Phase::Over {
            self.phase = Phase::Over;
            self.link.failure = Some(failure);
        }
    }

    /// How far it has come.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Why it is over, if it did not leave.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        self.link.failure.as_ref()
    }

    /// When it came how far.
    #[must_use]
    pub fn milestones(&self) -> Milestones {
        self.link.milestones
    }

    /// How its packets are protected, once the handshake is done.
    #[must_use]
    pub fn protection(&self) -> Option<Protection> {
        self.link.protection
    }

    /// What came of the stream until now.
    #[must_use]
    pub fn reception(&self) -> Reception {
        let stream = self.stream.as_ref();
        stream.map(Stream::reception).unwrap_or_default()
    }

    /// Microseconds of a frame of the stream, by its timestamps.
    #[must_use]
    pub fn frame(&self) -> Option<u32> {
        self.stream.as_ref().and_then(Stream::frame)
    }

    #[inline]
    fn on_media(&mut self, now: Instant, packet: &mut [u8]) -> Option<Arrival> {
        if self.phase == Phase::Over {
            return None;
        }
        let header = Header::of(packet)?;
        // Before there are keys nobody can say what the packet is.
        let receiver = &mut self.contexts.as_mut()?.rtp;
        if let Some(stream) = &mut self.stream {
            return stream.record(now, header, packet, receiver);
        }
        if receiver.unprotect(packet).is_ok() {
            self.stream = Some(Stream::new(header, self.clock_rate, self.sample, now));
            self.phase = Phase::Listening;
            self.link.milestones.heard = Some(now);
        }
        None
    }

    fn on_rtcp(&mut self, now: Instant, datagram: &mut [u8]) {
        if let (Some(reporter), Some(contexts)) = (&mut self.link.reporter, &mut self.contexts)
            && reporter.handle(now, datagram, self.stream.as_mut(), contexts)
        {
            self.fail(Failure::HungUp);
        }
    }

    fn on_stun(&mut self, now: Instant, datagram: &[u8], emit: &mut dyn FnMut(&[u8])) {
        let Some(path) = self.link.path.as_mut() else {
            return;
        };
        if path.agent.handle(now, datagram, emit) != Progress::Connected {
            return;
        }
        self.link.milestones.checked = Some(now);
        if self.phase == Phase::Checking {
            self.phase = Phase::Securing;
        }
        if let Err(error) = path.dtls.start(now, emit) {
            self.fail(Failure::Dtls(error.to_string()));
        }
    }

    fn on_dtls(&mut self, now: Instant, datagram: &[u8], emit: &mut dyn FnMut(&[u8])) {
        if let Some(path) = self.link.path.as_mut() {
            let outcome = path.dtls.handle_datagram(now, datagram, emit);
            self.on_handshake(now, outcome);
        }
    }

    fn on_handshake(&mut self, now: Instant, outcome: Result<Option<Event>, skywave_dtls::Error>) {
        match outcome {
            Ok(None) => {}
            Ok(Some(Event::Connected)) => {
                if let Err(failure) = self.secure(now) {
                    self.fail(failure);
                }
            }
            Ok(Some(Event::Closed)) => self.fail(Failure::HungUp),
            Err(error) => self.fail(Failure::Dtls(error.to_string())),
        }
    }

    fn secure(&mut self, now: Instant) -> Result<(), Failure> {
        let Some(path) = self.link.path.as_mut() else {
            return Ok(());
        };
        let keys = path.dtls.verify(&path.fingerprints);
        let keys = keys.map_err(|error| Failure::Dtls(error.to_string()))?;
        self.contexts = Some(Box::new(Contexts::new(&keys)?));
        let profile = Profile::from_iana(keys.profile);
        let agreed = path.dtls.version().zip(profile);
        self.link.protection = agreed.map(|(version, profile)| Protection { version, profile });
        self.link.reporter = Some(Reporter::new(self.link.seed(), now));
        self.link.milestones.secured = Some(now);
        self.phase = self.phase.max(Phase::Waiting);
        Ok(())
    }

    fn what_is_missing(&self) -> Failure {
        match self.phase {
            Phase::Offering => Failure::NoAnswer,
            Phase::Checking => {
                let path = self.link.path.as_ref();
                Failure::Unreachable(path.and_then(|path| path.agent.error_code()))
            }
            Phase::Securing => Failure::Unsecured,
            Phase::Waiting | Phase::Listening | Phase::Over => Failure::Silent,
        }
    }
}

impl Link {
    fn seed(&mut self) -> u64 {
        u64::from(self.random.next_u32()) << 32 | u64::from(self.random.next_u32())
    }
}

/// RFC 7675 §5.1.
const CONSENT_TIME: Duration = Duration::from_secs(30);
