//! One DTLS-SRTP association (RFC 5764), without socket and clock.
//!
//! It refuses a handshake without an SRTP profile, hands out no key before the
//! peer's certificate was compared, and ignores what only a forger would send.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::cipher_suite::CipherSuite;
use crate::engine::{Engine, MAX_DATAGRAM, Progress};
use crate::fingerprint::any_strongest_matches;
use crate::record::{CHANGE, Record, Records, TO_CLIENT, TO_IDLE_SERVER, TO_SERVER};
use crate::{Error, Fingerprint, Identity, SrtpKeys};

/// One association, from the first flight to close_notify.
///
/// After an `Err` and after [`Event::Closed`] it is over: later calls do nothing.
/// A handshake may take 30 seconds; a server waits for the call that begins it as long
/// as it is let, so something else must bound its life (ICE consent does).
///
/// Until there are keys, nothing a datagram says is authenticated. Malformed and
/// misplaced records are dropped; a fatal alert, and a first hello that cannot be
/// answered, end the handshake only if the peer is silent for 3 seconds after.
pub struct Dtls {
    identity: Identity,
    role: Role,
    only: Option<Version>,
    phase: Phase,
    /// Made when the first flight goes out or comes in.
    engine: Option<Engine>,
    /// When a server's engine, not yet answering, was made.
    listening_since: Option<Instant>,
    doubt: Option<Doubt>,
    due: Option<Instant>,
    /// Of a handshake that does not come to an end.
    patience: Option<Instant>,
    version: Option<Version>,
    cipher_suite: Option<CipherSuite>,
    peer_certificate: Option<Arc<[u8]>>,
    keys: Option<SrtpKeys>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// A client not started, a server that has answered nobody.
    Idle,
    Handshake,
    Connected,
    Over,
}

/// An unauthenticated reason to give up: it counts if the peer then stays silent.
struct Doubt {
    error: Error,
    until: Instant,
}

/// Which side of the handshake; the client speaks first (`a=setup:active`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Sends the ClientHello.
    Client,
    /// Waits for it.
    Server,
}

/// The protocol version in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Version {
    /// RFC 6347
    Dtls12,
    /// RFC 9147
    Dtls13,
}

/// A change of state the caller must act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// The handshake is complete; call [`Dtls::verify`].
    Connected,
    /// The peer ended the association with close_notify or a fatal alert.
    Closed,
}

impl Dtls {
    /// An association that speaks whichever version the peer does.
    ///
    /// It holds no engine, and needs no time, before its first flight.
    #[must_use]
    pub fn new(identity: &Identity, role: Role, _now: Instant) -> Self {
        Self {
            identity: identity.clone(),
            role,
            only: None,
            phase: Phase::Idle,
            engine: None,
            listening_since: None,
            doubt: None,
            due: None,
            patience: None,
            version: None,
            cipher_suite: None,
            peer_certificate: None,
            keys: None,
        }
    }

    /// Restricts an association that has not started to one version.
    #[must_use]
    pub fn with_version(mut self, version: Version) -> Self {
        self.only = Some(version);
        self
    }

    /// Starts a client's handshake; does nothing for a server or a second time.
    ///
    /// # Errors
    /// [`Error::Handshake`] if the crypto library fails.
    pub fn start(&mut self, now: Instant, emit: &mut dyn FnMut(&[u8])) -> Result<(), Error> {
        if self.role == Role::Server || self.phase != Phase::Idle {
            return Ok(());
        }
        self.begin(now);
        let mut engine = Engine::new(&self.identity, self.role, self.only, now);
        let outcome = engine.handle_timeout(now);
        self.engine = Some(engine);
        self.settle(now, outcome, false, emit).map(|_| ())
    }

    /// Feeds one datagram; every datagram to send is handed to `emit` before
    /// the call returns.
    ///
    /// Datagrams longer than 2,048 bytes are ignored, and so is application data.
    /// If the handshake completes and ends in one datagram, only the end is told.
    ///
    /// # Errors
    /// The association failed and is over.
    pub fn handle_datagram(
        &mut self,
        now: Instant,
        datagram: &[u8],
        emit: &mut dyn FnMut(&[u8]),
    ) -> Result<Option<Event>, Error> {
        let expected = match (self.role, self.phase) {
            (_, Phase::Over) | (Role::Client, Phase::Idle) => return Ok(None),
            (Role::Server, Phase::Idle) => TO_IDLE_SERVER,
            (Role::Server, _) => TO_SERVER,
            (Role::Client, _) => TO_CLIENT,
        };
        if datagram.len() > MAX_DATAGRAM {
            return Ok(None);
        }
        let (mut event, mut first) = (None, true);
        for record in Records::new(datagram, expected) {
            let bytes = match record {
                _ if self.phase == Phase::Over => break,
                Record::Handshake(bytes) => bytes,
                // Nothing else comes before an answer.
                _ if self.phase == Phase::Idle => continue,
                Record::FatalAlert(description) => {
                    self.suspect(now, Error::PeerAlert(description));
                    continue;
                }
                Record::ChangeCipherSpec => CHANGE,
                Record::Protected(bytes) => bytes,
                Record::Refused => continue,
            };
            let outcome = self.feed(now, bytes, first);
            first = false;
            event = self.settle(now, outcome, true, emit)?.or(event);
        }
        Ok(event)
    }

    /// Retransmits what is due, or gives up.
    ///
    /// # Errors
    /// The association failed and is over.
    pub fn handle_timeout(
        &mut self,
        now: Instant,
        emit: &mut dyn FnMut(&[u8]),
    ) -> Result<Option<Event>, Error> {
        if self.next_timeout().is_none_or(|due| now < due) {
            return Ok(None);
        }
        if let Some(doubt) = self.doubt.take_if(|doubt| doubt.until <= now) {
            return Err(self.fail(doubt.error));
        }
        if self.patience.is_some_and(|end| end <= now) {
            return Err(self.fail(Error::TimedOut));
        }
        let Some(engine) = &mut self.engine else {
            return Ok(None);
        };
        let outcome = engine.handle_timeout(now);
        self.settle(now, outcome, false, emit)
    }

    /// When to call [`handle_timeout`](Self::handle_timeout): never sooner than
    /// 10 ms after the last call that moved the association.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Instant> {
        let doubt = self.doubt.as_ref().map(|doubt| doubt.until);
        let due = self.due.into_iter().chain(self.patience);
        due.chain(doubt).min()
    }

    /// Hands out the keys, once, if the peer's certificate matches one of the
    /// `expected` fingerprints.
    ///
    /// RFC 8122 §5.1: only those made with the strongest hash function among
    /// them count. Leave out lines whose function [`HashAlgorithm`] does not know.
    ///
    /// [`HashAlgorithm`]: crate::HashAlgorithm
    ///
    /// # Errors
    /// [`Error::NotConnected`] if there is no completed handshake with keys left;
    /// [`Error::FingerprintMismatch`]: the keys are gone, call [`close`](Self::close).
    pub fn verify(&mut self, expected: &[Fingerprint]) -> Result<SrtpKeys, Error> {
        if self.phase != Phase::Connected {
            return Err(Error::NotConnected);
        }
        let keys = self.keys.take().ok_or(Error::NotConnected)?;
        let der = self.peer_certificate.as_deref().unwrap_or_default();
        if any_strongest_matches(expected, der) {
            Ok(keys)
        } else {
            Err(Error::FingerprintMismatch)
        }
    }

    /// Ends the association, with close_notify if the handshake was complete.
    pub fn close(&mut self, now: Instant, emit: &mut dyn FnMut(&[u8])) {
        if self.phase == Phase::Connected
            && let Some(engine) = &mut self.engine
        {
            // What fails now is not worth a word to anyone.
            let _ = engine.handle_timeout(now);
            engine.drain(self.role, emit);
            engine.close();
            engine.drain(self.role, emit);
        }
        self.end();
    }

    /// The version negotiated; `None` before [`Event::Connected`].
    #[must_use]
    pub fn version(&self) -> Option<Version> {
        self.version
    }

    /// The cipher suite negotiated; `None` before [`Event::Connected`], and where a forged
    /// ServerHello came beside the true one with another.
    #[must_use]
    pub fn cipher_suite(&self) -> Option<CipherSuite> {
        self.cipher_suite
    }

    /// The peer's certificate in DER, compared or not; `None` before
    /// [`Event::Connected`].
    #[must_use]
    pub fn peer_certificate(&self) -> Option<&Arc<[u8]>> {
        self.version.and(self.peer_certificate.as_ref())
    }

    /// Gives the engine one record; `first` of its datagram, the time as well.
    fn feed(&mut self, now: Instant, record: &[u8], first: bool) -> Result<(), Error> {
        let stale = |since: Instant| now.saturating_duration_since(since) >= REASSEMBLY_TIME;
        if self.phase == Phase::Idle && self.listening_since.is_none_or(stale) {
            self.listening_since = Some(now);
            self.engine = None;
        }
        let unaware = first || self.engine.is_none();
        let engine = self
            .engine
            .get_or_insert_with(|| Engine::new(&self.identity, self.role, self.only, now));
        if unaware {
            engine.handle_timeout(now)?;
        }
        engine.handle_record(record)
    }

    /// Sends what the engine wants sent and judges how things stand; `heard`
    /// says that the peer, not time, moved the engine.
    fn settle(
        &mut self,
        now: Instant,
        outcome: Result<(), Error>,
        heard: bool,
        emit: &mut dyn FnMut(&[u8]),
    ) -> Result<Option<Event>, Error> {
        let Some(engine) = &mut self.engine else {
            return Ok(None);
        };
        let progress = engine.drain(self.role, emit);
        let answered = progress.emitted || progress.connected;
        let (connected, closed) = (progress.connected, progress.closed);
        self.note(now, progress);
        if let Err(error) = outcome {
            return self.judge(now, error, answered);
        }
        if answered && self.phase == Phase::Idle {
            self.begin(now);
        }
        if answered && heard {
            self.doubt = None;
        }
        if connected {
            self.phase = Phase::Connected;
            self.patience = None;
            if self.keys.is_none() {
                self.close(now, emit);
                return Err(Error::NoSrtpProfile);
            }
            self.version = self.engine.as_ref().and_then(Engine::version);
            self.cipher_suite = self.engine.as_ref().and_then(Engine::cipher_suite);
        }
        if closed {
            self.end();
            return Ok(Some(Event::Closed));
        }
        Ok(connected.then_some(Event::Connected))
    }

    /// What an error of the engine means now.
    fn judge(
        &mut self,
        now: Instant,
        error: Error,
        answered: bool,
    ) -> Result<Option<Event>, Error> {
        match (self.phase, error) {
            (Phase::Idle, error) if !answered => {
                // Nobody has had an answer, so start again with the next hello.
                self.engine = None;
                self.listening_since = None;
                self.due = None;
                if error != Error::TimedOut {
                    self.suspect(now, error);
                }
                Ok(None)
            }
            (Phase::Connected, Error::PeerAlert(_)) => {
                self.end();
                Ok(Some(Event::Closed))
            }
            (_, error) => Err(self.fail(error)),
        }
    }

    fn note(&mut self, now: Instant, progress: Progress) {
        if progress.peer_certificate.is_some() {
            self.peer_certificate = progress.peer_certificate;
        }
        if progress.keys.is_some() {
            self.keys = progress.keys;
        }
        self.due = progress.due.map(|due| due.max(now + MIN_INTERVAL));
    }

    /// Notes a reason to give up that anyone could have sent.
    fn suspect(&mut self, now: Instant, error: Error) {
        if self.phase != Phase::Connected {
            self.doubt.get_or_insert(Doubt {
                error,
                until: now + DOUBT_TIME,
            });
        }
    }

    fn begin(&mut self, now: Instant) {
        self.phase = Phase::Handshake;
        self.patience = Some(now + HANDSHAKE_TIME);
    }

    fn fail(&mut self, error: Error) -> Error {
        let doubted = self.doubt.take().map(|doubt| doubt.error);
        self.end();
        match error {
            Error::TimedOut => doubted.unwrap_or(Error::TimedOut),
            error => error,
        }
    }

    fn end(&mut self) {
        self.phase = Phase::Over;
        self.engine = None;
        self.doubt = None;
        self.due = None;
        self.patience = None;
        self.keys = None;
    }
}

impl Role {
    pub(crate) fn peer(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// The engine in the client role can ask for a time already past, again and again.
const MIN_INTERVAL: Duration = Duration::from_millis(10);
/// From the first flight to the end of the handshake.
const HANDSHAKE_TIME: Duration = Duration::from_secs(30);
/// How long fragments of one ClientHello may be apart.
const REASSEMBLY_TIME: Duration = Duration::from_secs(2);
/// How long a living peer has to prove an alert or a hello forged.
const DOUBT_TIME: Duration = Duration::from_secs(3);
