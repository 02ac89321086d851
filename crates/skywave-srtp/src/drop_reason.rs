//! Why a received packet was not let through.

/// Why a received packet was dropped. Nothing here ends an association.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[non_exhaustive]
pub enum DropReason {
    /// It ends before its header, its tag or its index does.
    TooShort,
    /// It is not of version 2 of RTP.
    BadVersion,
    /// It is SRTCP without the E bit: not encrypted.
    Unencrypted,
    /// Its tag is not that of the key: forged, damaged or of another association.
    Authentication,
    /// A packet with this index was let through before.
    Replayed,
    /// It is too far behind the newest packet to tell whether it was seen before.
    TooOld,
    /// It is genuine but of one SSRC more than an association may have.
    TooManySources,
}

impl DropReason {
    /// A name for counters and logs, in snake case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TooShort => "too_short",
            Self::BadVersion => "bad_version",
            Self::Unencrypted => "unencrypted",
            Self::Authentication => "authentication",
            Self::Replayed => "replayed",
            Self::TooOld => "too_old",
            Self::TooManySources => "too_many_sources",
        }
    }
}
