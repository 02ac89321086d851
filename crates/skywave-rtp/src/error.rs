//! What a caller can do wrong. Received bytes never cause one of these; see [`Malformed`](crate::Malformed).

/// A mistake of the caller: a configuration that cannot be sent, or a buffer that does not hold it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The lent buffer does not hold what is to be written. Nothing was written or counted.
    #[error("buffer of {available} octets, {needed} needed")]
    BufferTooSmall {
        /// Octets the packet takes.
        needed: usize,
        /// Octets the buffer has.
        available: usize,
    },
    /// Not 0..=63 or 96..=127: more than seven bits, or taken for RTCP (RFC 5761 §4).
    #[error("payload type {0} cannot be sent beside RTCP")]
    PayloadType(u8),
    /// A header extension id of 0, which stands for padding (RFC 8285 §4.1.2).
    #[error("header extension id {0} is not allowed")]
    ExtensionId(u8),
    /// Two header extensions under one id.
    #[error("header extension id {0} is used twice")]
    DuplicateExtensionId(u8),
    /// A media identification of no octets, or of more than [`Mid::MAX_LEN`](crate::Mid::MAX_LEN)
    /// in a header extension, or of more than 255 in an SDES item.
    #[error("media identification of {0} octets")]
    MidLength(usize),
    /// A CNAME of no octets or of more than 255 (RFC 3550 §6.5).
    #[error("CNAME of {0} octets")]
    CnameLength(usize),
    /// A reason for leaving of more than 255 octets (RFC 3550 §6.6).
    #[error("reason for leaving of {0} octets")]
    ReasonLength(usize),
}
