//! What a caller can do wrong. Received bytes never cause one of these; see [`Malformed`](crate::Malformed).

use std::time::Duration;

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
    /// The frame of this number is not, or no longer, in the history. Nothing was written or
    /// counted.
    #[error("frame {0} is not in the history")]
    UnknownFrame(u32),
    /// More redundant blocks than [`Packing::MAX_REDUNDANCY`](crate::Packing::MAX_REDUNDANCY).
    #[error("{0} redundant blocks in a packet")]
    Redundancy(u8),
    /// Not a digit that can be sent as a telephone-event, or one that the receiver does not take.
    #[error("{0:?} cannot be sent as a telephone-event")]
    Digit(char),
    /// A tone shorter than 40 ms or longer than 8 s (RFC 7874 §3).
    #[error("tone of {0:?}")]
    ToneDuration(Duration),
    /// A gap between tones shorter than 30 ms (RFC 7874 §3) or longer than 60 s.
    #[error("gap of {0:?} between tones")]
    ToneGap(Duration),
    /// A level of comfort noise below -127 dBov (RFC 3389 §3.1).
    #[error("comfort noise of -{0} dBov")]
    NoiseLevel(u8),
    /// A frame of comfort noise for a listener that has no payload type for it. Nothing was written
    /// or counted.
    #[error("comfort noise was not agreed to")]
    ComfortNoise,
    /// More than [`Replies::MAX_COUNT`](crate::Replies::MAX_COUNT) answers of one kind.
    #[error("{0} answers in one packet")]
    ReplyCount(usize),
    /// A packet overhead of more than 511 octets (RFC 5104 §4.2.2.1).
    #[error("packet overhead of {0} octets")]
    Overhead(u16),
}
