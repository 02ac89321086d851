//! Why received bytes were dropped.

/// Why a received packet, or the rest of a compound, was dropped.
///
/// A reason to count, not an error: it ends nothing but the reading of that datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    /// Shorter than its header, or than the length its header gives.
    #[error("truncated")]
    Truncated,
    /// Not version 2.
    #[error("version is not 2")]
    Version,
    /// The padding count is zero or exceeds the packet (RFC 3550 §5.1), or padding stands in a
    /// packet that is not the last of its compound (§6.4.1).
    #[error("wrong padding")]
    Padding,
    /// The packet is shorter than the number of blocks, sources or items it announces.
    #[error("shorter than its count")]
    Count,
    /// A field holds what no such field can: a bit rate beyond 64 bits.
    #[error("value out of range")]
    Value,
}
