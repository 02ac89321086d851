//! The DTLS engine behind [`Dtls`](crate::Dtls): `dimpl`, and what its errors mean.

use std::sync::Arc;
use std::time::{Duration, Instant};

use dimpl::{CertificateError, CryptoError, CryptoOperation, Output, SecurityError, SrtpProfile};

use crate::certificate_request::widen_datagram;
use crate::cipher_suite::{ChosenSuite, CipherSuite};
use crate::crypto_provider;
use crate::engine_clock::EngineClock;
use crate::last_flight::LastFlight;
use crate::srtp_keys::{SRTP_AEAD_AES_128_GCM, SRTP_AEAD_AES_256_GCM, SRTP_AES128_CM_HMAC_SHA1_80};
use crate::{Error, Identity, Role, SrtpKeys, Version};

/// One association's handshake and record layer.
///
/// `drain` must follow every record; after an error the engine may be drained
/// once more and is then dropped. A new engine must learn the time first.
pub(crate) struct Engine {
    dtls: Box<dimpl::Dtls>,
    has_certificate: bool,
    now: Instant,
    clock: EngineClock,
    /// Of a server in DTLS 1.2.
    last_flight: Option<LastFlight>,
    /// The client has just repeated a record of the handshake.
    is_asked_again: bool,
    chosen_suite: ChosenSuite,
}

/// What the engine had to say since the last time.
#[derive(Default)]
pub(crate) struct Progress {
    pub(crate) emitted: bool,
    pub(crate) connected: bool,
    pub(crate) closed: bool,
    pub(crate) peer_certificate: Option<Arc<[u8]>>,
    pub(crate) keys: Option<SrtpKeys>,
    pub(crate) due: Option<Instant>,
}

impl Engine {
    /// With a `version` speaks only that, else what the peer's hello allows.
    pub(crate) fn new(
        identity: &Identity,
        role: Role,
        version: Option<Version>,
        now: Instant,
    ) -> Self {
        let (config, certificate) = (identity.engine_config(role), identity.engine_certificate());
        let mut dtls = match version {
            None => dimpl::Dtls::new_auto(config, certificate, now),
            Some(Version::Dtls12) => dimpl::Dtls::new_12(config, certificate, now),
            Some(Version::Dtls13) => dimpl::Dtls::new_13(config, certificate, now),
        };
        dtls.set_active(role == Role::Client);
        Self {
            dtls: Box::new(dtls),
            has_certificate: false,
            now,
            clock: EngineClock::default(),
            last_flight: None,
            is_asked_again: false,
            chosen_suite: ChosenSuite::default(),
        }
    }

    /// Moves the engine's clock; the records of a datagram come after it.
    pub(crate) fn handle_timeout(&mut self, now: Instant) -> Result<(), Error> {
        self.now = now;
        let engine_time = self.clock.advance(now);
        self.dtls.handle_timeout(engine_time).map_err(|e| error(&e))
    }

    pub(crate) fn handle_record(&mut self, record: &[u8]) -> Result<(), Error> {
        self.is_asked_again = is_plain_handshake(record);
        self.chosen_suite.note(record);
        match self.dtls.handle_packet(record) {
            Err(e) if !is_noise(&e) => Err(error(&e)),
            _ => Ok(()),
        }
    }

    pub(crate) fn drain(&mut self, role: Role, emit: &mut dyn FnMut(&[u8])) -> Progress {
        let mut flight = Vec::new();
        let mut progress = self.poll(role, &mut |datagram| {
            flight.extend_from_slice(datagram);
            emit(datagram);
        });
        if progress.connected && role == Role::Server && self.version() == Some(Version::Dtls12) {
            self.last_flight = Some(LastFlight::new(flight, self.now));
        }
        let is_asked_again = std::mem::take(&mut self.is_asked_again);
        if let Some(last) = &mut self.last_flight {
            if progress.emitted {
                last.note_sent(self.now);
            } else if is_asked_again {
                last.repeat(self.now).into_iter().for_each(&mut *emit);
            }
            last.repeat_unasked(self.now).into_iter().for_each(emit);
            progress.due = progress.due.into_iter().chain(last.due()).min();
        }
        progress
    }

    /// What dimpl has to say, to the end.
    fn poll(&mut self, role: Role, emit: &mut dyn FnMut(&[u8])) -> Progress {
        let mut progress = Progress::default();
        let mut buffer = match self.has_certificate {
            false => vec![0; LONGEST_CERTIFICATE],
            true => vec![0; MAX_DATAGRAM],
        };
        loop {
            match self.dtls.poll_output(&mut buffer) {
                Output::Packet(packet) => {
                    progress.emitted = true;
                    self.chosen_suite.note(packet);
                    match role {
                        Role::Client => emit(packet),
                        Role::Server => emit(&widen_datagram(packet)),
                    }
                }
                Output::Connected => progress.connected = true,
                Output::PeerCert(der) => {
                    self.has_certificate = true;
                    progress.peer_certificate = Some(der.into());
                }
                Output::KeyingMaterial(material, profile) => {
                    progress.keys = SrtpKeys::split(iana_number(profile), role, &material);
                }
                Output::CloseNotify => progress.closed = true,
                Output::Timeout(due) => {
                    progress.due = self.clock.due(self.now, due);
                    return progress;
                }
                // Not used with media (RFC 5764 §4.1).
                Output::ApplicationData(_) => {}
                // Nothing else is longer than a datagram.
                Output::BufferTooSmall { .. } => return progress,
                _ => {}
            }
        }
    }

    /// Queues close_notify if the handshake is complete.
    pub(crate) fn close(&mut self) {
        // An association that cannot send its farewell is as closed.
        let _ = self.dtls.close();
    }

    pub(crate) fn version(&self) -> Option<Version> {
        match self.dtls.protocol_version()? {
            dimpl::ProtocolVersion::DTLS1_2 => Some(Version::Dtls12),
            dimpl::ProtocolVersion::DTLS1_3 => Some(Version::Dtls13),
            _ => None,
        }
    }

    pub(crate) fn cipher_suite(&self) -> Option<CipherSuite> {
        self.chosen_suite.get()
    }
}

/// The configuration all connections of a role share. Building it runs self-tests of
/// the crypto library, some milliseconds' worth.
pub(crate) fn config(role: Role) -> Result<Arc<dimpl::Config>, Error> {
    let provider = match role {
        Role::Client => crypto_provider::of_client(),
        Role::Server => crypto_provider::of_server(),
    };
    dimpl::Config::builder()
        .with_crypto_provider(provider)
        .mtu(MTU)
        .max_queue_rx(MAX_QUEUED_RECORDS)
        .flight_start_rto(FIRST_RETRY)
        .flight_retries(RETRIES)
        .handshake_timeout(HANDSHAKE_TIME)
        // ICE has proved the peer's address already.
        .use_server_cookie(false)
        .require_client_certificate(true)
        .build()
        .map(Arc::new)
        .map_err(|e| Error::Certificate(e.to_string()))
}

/// Errors that a forged record can provoke and that leave the engine as it was.
fn is_noise(error: &dimpl::Error) -> bool {
    use dimpl::{Error as E, UnexpectedMessageError as U};
    matches!(
        error,
        // A client's first answer is not a ServerHello: lost or out of order.
        E::UnexpectedMessage(U::UnrecognizedAutoServerResponse)
            | E::ReceiveQueueFull
            // RFC 5246 §7.4.1.1: a request to renegotiate may be ignored.
            | E::RenegotiationAttempt
            // DTLS 1.2 before the peer's Finished; later ones the engine drops itself.
            | E::CryptoError(
                CryptoError::OperationFailed(CryptoOperation::Decrypt)
                    | CryptoError::CiphertextTooShort { .. }
                    | CryptoError::InvalidNonce
            )
    )
}

fn is_plain_handshake(record: &[u8]) -> bool {
    matches!(record, [22, _, _, 0, 0, ..])
}

fn error(error: &dimpl::Error) -> Error {
    use dimpl::Error as E;
    match error {
        E::Timeout(_) => Error::TimedOut,
        E::SecurityError(SecurityError::FatalAlert { description }) => {
            Error::PeerAlert(*description)
        }
        E::CertificateError(
            CertificateError::NoClientCertificateReceived
            | CertificateError::NoServerCertificateReceived,
        ) => Error::NoPeerCertificate,
        E::CryptoError(CryptoError::UnsupportedPublicKeyAlgorithm) => {
            Error::UnsupportedCertificateKey
        }
        other => Error::Handshake(other.to_string()),
    }
}

fn iana_number(profile: SrtpProfile) -> u16 {
    match profile {
        SrtpProfile::AES128_CM_SHA1_80 => SRTP_AES128_CM_HMAC_SHA1_80,
        SrtpProfile::AEAD_AES_128_GCM => SRTP_AEAD_AES_128_GCM,
        SrtpProfile::AEAD_AES_256_GCM => SRTP_AEAD_AES_256_GCM,
        // Reserved; no keys are split for it.
        _ => 0,
    }
}

/// The longest datagram looked at; a path's are shorter.
pub(crate) const MAX_DATAGRAM: usize = 2048;
const MTU: usize = 1200;
/// Doubled with every retry. Far below RFC 9147 §5.8.2's second: a listener
/// waits for it, a flight is two packets long, and ICE has shown the path alive.
const FIRST_RETRY: Duration = Duration::from_millis(400);
/// More than there are within the time an association is given.
const RETRIES: usize = 24;
/// None: by the engine's clock it would be over soon.
const HANDSHAKE_TIME: Duration = Duration::from_secs(5 * 365 * 24 * 60 * 60);
const MAX_QUEUED_RECORDS: usize = 30;
/// The engine panics on a certificate longer than the output buffer. A message
/// must lie whole in its queue, so none is longer than this.
const LONGEST_CERTIFICATE: usize = (MAX_QUEUED_RECORDS + 1) * MAX_DATAGRAM;

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::time::SystemTime;

    use super::*;

    /// Passes records on until nothing moves; whether both ends connected.
    fn connect(client: &Identity, server: &Identity, version: Version) -> bool {
        let now = Instant::now();
        let mut ends = [
            Engine::new(client, Role::Client, Some(version), now),
            Engine::new(server, Role::Server, Some(version), now),
        ];
        let mut wire: VecDeque<(usize, Vec<u8>)> = VecDeque::new();
        let mut connected = [false; 2];
        for (index, role) in [Role::Client, Role::Server].into_iter().enumerate() {
            ends[index].handle_timeout(now).unwrap();
            ends[index].drain(role, &mut |d| wire.push_back((1 - index, d.to_vec())));
        }
        while let Some((to, datagram)) = wire.pop_front() {
            let role = [Role::Client, Role::Server][to];
            ends[to].handle_record(&datagram).unwrap();
            let progress = ends[to].drain(role, &mut |d| wire.push_back((1 - to, d.to_vec())));
            connected[to] |= progress.connected;
        }
        connected == [true; 2]
    }

    #[test]
    fn certificate_longer_than_a_datagram_is_no_panic() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 30);
        let long = Identity::with_name(&"x".repeat(3500), now).unwrap();
        assert!(long.certificate().len() > 3 * MAX_DATAGRAM);
        for version in [Version::Dtls12, Version::Dtls13] {
            assert!(connect(&long, &long, version), "{version:?}");
        }
    }

    #[test]
    fn unprovoked_errors_are_not_noise() {
        assert!(!is_noise(&dimpl::Error::SecurityError(
            SecurityError::ServerFinishedVerificationFailed
        )));
        assert!(is_noise(&dimpl::Error::ReceiveQueueFull));
    }

    #[test]
    fn errors_have_their_names() {
        let key = dimpl::Error::CryptoError(CryptoError::UnsupportedPublicKeyAlgorithm);
        assert_eq!(error(&key), Error::UnsupportedCertificateKey);
        let alert = dimpl::Error::SecurityError(SecurityError::FatalAlert { description: 40 });
        assert_eq!(error(&alert), Error::PeerAlert(40));
        let none = dimpl::Error::CertificateError(CertificateError::NoClientCertificateReceived);
        assert_eq!(error(&none), Error::NoPeerCertificate);
    }
}
