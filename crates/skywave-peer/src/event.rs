//! What happens to a peer, told to the owner of the hub as it happens.

use std::sync::Arc;
use std::time::Instant;

use skywave_dtls::{CipherSuite, Role, Version};
use skywave_ice::Path;
use skywave_rtp::{NtpTime, Trip};
use skywave_srtp::Profile;

use crate::outbox::Outbox;

/// Names a peer. The caller gives the numbers and never uses one twice.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct PeerId(pub u64);

/// Everything that a call into the hub needs from outside and leaves outside.
pub struct Io<'a> {
    /// The time of this call, monotonic.
    pub now: Instant,
    /// The same moment on the wall clock, for sender reports.
    pub ntp: NtpTime,
    /// Datagrams to send.
    pub outbox: &'a mut Outbox,
    /// What happened.
    pub events: &'a mut Vec<(PeerId, PeerEvent)>,
}

/// What happened to a peer.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum PeerEvent {
    /// Handshake done, certificate as announced, address nominated and proven: media flows.
    Connected(Connection),
    /// The peer nominated another address and answered there; media follows.
    Moved(Path),
    /// The peer used this end's SSRC; media goes on under this one (RFC 3550 §8.2).
    SsrcChanged(u32),
    /// The peer takes no more than so many bit/s (RFC 5104).
    BitrateLimited(u64),
    /// The peer reports another share of packets lost than before, in 1/256 (RFC 3550 §6.4.1);
    /// none at first.
    LossChanged(u8),
    /// The peer nominated a path with the credentials of an ICE restart; those before are void.
    IceRestarted {
        /// Our new user name fragment.
        local_ufrag: Box<str>,
        /// The peer's.
        remote_ufrag: Box<str>,
    },
    /// No sign of life for a while; media goes on.
    Disconnected,
    /// Signs of life again.
    Reconnected,
    /// The connection broke or never came about. The peer is forgotten.
    Failed(FailureReason),
    /// Hung up by either end. The peer is forgotten.
    Closed(CloseReason),
}

/// How a peer is connected.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Connection {
    /// Where media goes.
    pub path: Path,
    /// The protection of media.
    pub profile: Profile,
    /// The DTLS version of the handshake.
    pub dtls_version: Option<Version>,
    /// The cipher suite of the handshake, where it is known for certain.
    pub cipher_suite: Option<CipherSuite>,
    /// Our part in it.
    pub dtls_role: Role,
    /// The peer's certificate in DER.
    pub certificate: Arc<[u8]>,
}

/// Why a peer failed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FailureReason {
    /// Our offer was not answered in time.
    #[error("the offer was not answered in time")]
    NoAnswer,
    /// No connectivity check arrived in time.
    #[error("no connectivity check arrived: is UDP blocked between the peer and this host?")]
    NoConnectivity,
    /// The DTLS handshake did not end in time.
    #[error("the DTLS handshake did not complete in time")]
    HandshakeTimeout,
    /// The DTLS handshake failed, or the peer's certificate is not the announced one.
    #[error("DTLS: {0}")]
    Handshake(#[from] skywave_dtls::Error),
    /// What was negotiated cannot be put into packets.
    #[error("RTP: {0}")]
    Negotiation(#[from] skywave_rtp::Error),
    /// The circuit breaker ended the call (RFC 8083).
    #[error("circuit breaker: {0}")]
    CircuitBreaker(#[from] Trip),
    /// No check came for the consent time (RFC 7675).
    #[error("the peer stopped answering: no consent check for too long")]
    ConsentExpired,
    /// The caller gave a user name fragment that another peer has.
    #[error("the ICE user name fragment is already in use")]
    DuplicateUfrag,
}

/// Who hung up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum CloseReason {
    /// This end.
    Local,
    /// The peer, by a DTLS alert.
    DtlsClosed,
    /// The peer, by an RTCP BYE.
    Bye,
}
