//! What was written to the front of a buffer.

use crate::{Error, SentPacket};

/// What was written to the front of a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// Octets of header with extensions: what SRTP authenticates but leaves in the clear.
    pub header_len: usize,
    /// Octets of the whole packet.
    pub len: usize,
    /// What the packet was made of, for [`SentLog::record`](crate::SentLog::record). Of an RTX
    /// packet: the packet it repeats.
    pub packet: SentPacket,
}

/// The first `len` octets of a lent buffer.
pub(crate) fn lend(buffer: &mut [u8], len: usize) -> Result<&mut [u8], Error> {
    let available = buffer.len();
    buffer.get_mut(..len).ok_or(Error::BufferTooSmall {
        needed: len,
        available,
    })
}
