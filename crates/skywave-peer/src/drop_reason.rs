//! Why a datagram was dropped, and how often.

use std::sync::atomic::{AtomicU64, Ordering};

/// Why a datagram was not used. Hostile or stray input ends here, never in an error.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum DropReason {
    /// Neither STUN, DTLS nor RTP by its first byte (RFC 7983).
    UnknownProtocol,
    /// STUN that cannot be read, or without a correct FINGERPRINT.
    MalformedStun,
    /// A STUN message that is no binding request, nor the answer to one of ours.
    UnexpectedStun,
    /// A check for a user name fragment that no listener has.
    UnknownUfrag,
    /// A check, or an answer to ours, whose MESSAGE-INTEGRITY is missing or wrong.
    StunIntegrity,
    /// A check that was answered with an error: role conflict, unknown attributes.
    StunRefused,
    /// DTLS from an address that passed no connectivity check.
    DtlsFromStranger,
    /// DTLS from a peer to which we are to speak first, before we did.
    UnexpectedDtls,
    /// RTP: this end only sends.
    UnexpectedRtp,
    /// RTCP from an address that passed no connectivity check.
    RtcpFromStranger,
    /// RTCP before the handshake is complete.
    RtcpBeforeKeys,
    /// RTCP whose authentication failed.
    RtcpAuthentication,
    /// RTCP that came twice or too late.
    RtcpReplayed,
    /// RTCP too short or otherwise unreadable.
    MalformedRtcp,
    /// A reply that found no free slot on its way out.
    OutboxFull,
    /// More checks of one peer in a second than are answered
    /// ([`MAX_CHECKS_PER_SECOND`](skywave_ice::MAX_CHECKS_PER_SECOND)).
    StunTooOften,
    /// A check from an address at which another peer is, and is not silent.
    PathTaken,
}

impl DropReason {
    /// All reasons, in the order of their counters.
    pub const ALL: [Self; 17] = [
        Self::UnknownProtocol,
        Self::MalformedStun,
        Self::UnexpectedStun,
        Self::UnknownUfrag,
        Self::StunIntegrity,
        Self::StunRefused,
        Self::DtlsFromStranger,
        Self::UnexpectedDtls,
        Self::UnexpectedRtp,
        Self::RtcpFromStranger,
        Self::RtcpBeforeKeys,
        Self::RtcpAuthentication,
        Self::RtcpReplayed,
        Self::MalformedRtcp,
        Self::OutboxFull,
        Self::StunTooOften,
        Self::PathTaken,
    ];

    /// The name under which statistics show it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::UnknownProtocol => "unknownProtocol",
            Self::MalformedStun => "malformedStun",
            Self::UnexpectedStun => "unexpectedStun",
            Self::UnknownUfrag => "unknownUfrag",
            Self::StunIntegrity => "stunIntegrity",
            Self::StunRefused => "stunRefused",
            Self::DtlsFromStranger => "dtlsFromStranger",
            Self::UnexpectedDtls => "unexpectedDtls",
            Self::UnexpectedRtp => "unexpectedRtp",
            Self::RtcpFromStranger => "rtcpFromStranger",
            Self::RtcpBeforeKeys => "rtcpBeforeKeys",
            Self::RtcpAuthentication => "rtcpAuthentication",
            Self::RtcpReplayed => "rtcpReplayed",
            Self::MalformedRtcp => "malformedRtcp",
            Self::OutboxFull => "outboxFull",
            Self::StunTooOften => "stunTooOften",
            Self::PathTaken => "pathTaken",
        }
    }
}

impl From<skywave_ice::DropReason> for DropReason {
    fn from(reason: skywave_ice::DropReason) -> Self {
        use skywave_ice::DropReason as Ice;
        match reason {
            Ice::NotARequest | Ice::UnknownTransaction => Self::UnexpectedStun,
            Ice::BadIntegrity => Self::StunIntegrity,
            Ice::UnknownUsername => Self::UnknownUfrag,
            Ice::NoUsername | Ice::UnknownAttribute | Ice::RoleConflict => Self::StunRefused,
            Ice::TooManyChecks => Self::StunTooOften,
            Ice::ReplyTooLong => Self::OutboxFull,
            _ => Self::MalformedStun,
        }
    }
}

impl From<skywave_srtp::DropReason> for DropReason {
    fn from(reason: skywave_srtp::DropReason) -> Self {
        use skywave_srtp::DropReason as Srtp;
        match reason {
            Srtp::Authentication | Srtp::Unencrypted => Self::RtcpAuthentication,
            Srtp::Replayed | Srtp::TooOld => Self::RtcpReplayed,
            _ => Self::MalformedRtcp,
        }
    }
}

/// Dropped datagrams by reason: one writer, any number of readers.
#[derive(Debug, Default)]
pub struct DropCounters([AtomicU64; DropReason::ALL.len()]);

impl DropCounters {
    /// Datagrams dropped for this reason so far.
    pub fn count(&self, reason: DropReason) -> u64 {
        self.0[reason as usize].load(Ordering::Relaxed)
    }

    /// Every reason with its count.
    pub fn iter(&self) -> impl Iterator<Item = (DropReason, u64)> {
        DropReason::ALL
            .into_iter()
            .map(|reason| (reason, self.count(reason)))
    }

    /// Only the thread that owns the hub counts, so a load and a store suffice.
    pub(crate) fn add(&self, reason: DropReason) {
        let counter = &self.0[reason as usize];
        counter.store(counter.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_its_own_counter_and_name() {
        let counters = DropCounters::default();
        for (index, reason) in DropReason::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, index);
            for _ in 0..=index {
                counters.add(reason);
            }
        }
        let names: std::collections::HashSet<_> =
            DropReason::ALL.iter().map(|r| r.name()).collect();
        assert_eq!(names.len(), DropReason::ALL.len());
        assert_eq!(counters.count(DropReason::StunIntegrity), 5);
    }
}
