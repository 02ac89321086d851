//! Why a datagram was not served.

use std::fmt;

/// Why a datagram was not served. None of them ends a peer.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum DropReason {
    /// Shorter than the STUN header or than the length in it.
    Truncated,
    /// The first two bits or the magic cookie are not STUN's.
    NotStun,
    /// Longer than the length in the header, or that length is no multiple of four.
    BadLength,
    /// An attribute runs past the end, has a size or value its type does not allow, or follows
    /// FINGERPRINT.
    BadAttribute,
    /// Not a Binding request: a response, an indication or another method.
    NotARequest,
    /// A response to no request of ours, from another address than was asked, or of an error.
    UnknownTransaction,
    /// FINGERPRINT is missing or wrong; ICE requires it (RFC 8445 §7.1).
    BadFingerprint,
    /// MESSAGE-INTEGRITY is missing or wrong.
    BadIntegrity,
    /// More checks than [`MAX_CHECKS_PER_SECOND`](crate::MAX_CHECKS_PER_SECOND).
    TooManyChecks,
    /// There is no USERNAME. Answered with 400.
    NoUsername,
    /// USERNAME is not our fragment and the peer's. Answered with 401.
    UnknownUsername,
    /// An attribute that must be understood is not. Answered with 420.
    UnknownAttribute,
    /// The peer says that it is controlled; a lite agent always is. Answered with 487.
    RoleConflict,
    /// The lent buffer is shorter than the reply.
    ReplyTooLong,
}

impl DropReason {
    /// The name for counters, in snake case.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Truncated => "truncated",
            Self::NotStun => "not_stun",
            Self::BadLength => "bad_length",
            Self::BadAttribute => "bad_attribute",
            Self::NotARequest => "not_a_request",
            Self::UnknownTransaction => "unknown_transaction",
            Self::BadFingerprint => "bad_fingerprint",
            Self::BadIntegrity => "bad_integrity",
            Self::TooManyChecks => "too_many_checks",
            Self::NoUsername => "no_username",
            Self::UnknownUsername => "unknown_username",
            Self::UnknownAttribute => "unknown_attribute",
            Self::RoleConflict => "role_conflict",
            Self::ReplyTooLong => "reply_too_long",
        }
    }
}

impl fmt::Display for DropReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl std::error::Error for DropReason {}
