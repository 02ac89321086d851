//! What the layouts of SRTP and SRTCP packets have in common.

use crate::Error;

/// The first `needed` bytes of the caller's buffer, for a packet to be protected.
pub(crate) fn lend(buffer: &mut [u8], needed: usize) -> Result<&mut [u8], Error> {
    if needed > MAX_PACKET_LEN {
        return Err(Error::PacketTooLong { needed });
    }
    let available = buffer.len();
    buffer
        .get_mut(..needed)
        .ok_or(Error::BufferTooSmall { needed, available })
}

/// A big-endian word, of the first four `bytes`; 0 if there are fewer.
#[inline]
pub(crate) fn read_u32(bytes: &[u8]) -> u32 {
    bytes
        .first_chunk()
        .map_or(0, |word| u32::from_be_bytes(*word))
}

/// The version of RTP and RTCP, in the two highest bits of the first byte.
pub(crate) const VERSION: u8 = 2;

/// Bytes of the fixed RTP header.
pub(crate) const RTP_HEADER_LEN: usize = 12;

/// Bytes of the first word of an RTP header extension: what it is and how long.
pub(crate) const EXTENSION_HEADER_LEN: usize = 4;

/// Bytes of an RTCP packet that stay in clear: the first header and its SSRC.
pub(crate) const RTCP_HEADER_LEN: usize = 8;

/// Bytes of the word with E bit and index that SRTCP adds.
pub(crate) const INDEX_LEN: usize = 4;

/// The E bit: the packet is encrypted (RFC 3711 §3.4).
pub(crate) const E_BIT: u32 = 1 << 31;

/// No UDP datagram is longer. AES-CM has key stream for 2^20 bytes of a packet; beyond them lies
/// that of the next.
const MAX_PACKET_LEN: usize = 65_535;
