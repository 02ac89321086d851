//! How the packets of one listener are numbered and labelled.

use crate::{Error, ExtensionIds};

/// How the packets of one listener are numbered and labelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PacketizerConfig {
    /// The stream, drawn at random for each listener.
    pub ssrc: u32,
    /// The negotiated payload type: 0..=63 or 96..=127.
    pub payload_type: u8,
    /// The negotiated payload type of comfort noise (RFC 3389 §5), from the same ranges.
    pub comfort_noise: Option<u8>,
    /// Number of the first packet, drawn at random below 2^15: a loss before the first wrap then
    /// cannot make a receiver's SRTP roll-over counter disagree (RFC 3711 §3.3.1).
    pub first_sequence_number: u16,
    /// Added to every media time, drawn at random.
    pub timestamp_offset: u32,
    /// The negotiated header extensions.
    pub extensions: ExtensionIds,
}

/// As the first octets of a packet, 64 to 95 look like RTCP (RFC 5761 §4).
pub(crate) fn checked_payload_type(payload_type: u8) -> Result<u8, Error> {
    match payload_type {
        0..=63 | 96..=127 => Ok(payload_type),
        _ => Err(Error::PayloadType(payload_type)),
    }
}
