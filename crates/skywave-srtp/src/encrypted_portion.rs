//! Which part of an RTP packet is encrypted: all behind the header (RFC 3711 §3.1), or, with
//! Cryptex, the CSRCs and all behind the extension's first word as well (RFC 9335 §6.1).

use crate::packet::{EXTENSION_HEADER_LEN, RTP_HEADER_LEN};

/// The encrypted portion of a packet, once its parts lie together.
#[derive(Clone, Copy)]
pub(crate) struct EncryptedPortion {
    start: usize,
    /// Bytes of the CSRCs, if they are encrypted.
    csrc_len: usize,
}

impl EncryptedPortion {
    /// All behind a header of `header_len` bytes.
    pub(crate) fn payload(header_len: usize) -> Self {
        Self {
            start: header_len,
            csrc_len: 0,
        }
    }

    /// All but the fixed header and the first word of the extension, which lies behind CSRCs of
    /// `csrc_len` bytes.
    pub(crate) fn cryptex(csrc_len: usize) -> Self {
        Self {
            start: RTP_HEADER_LEN + EXTENSION_HEADER_LEN,
            csrc_len,
        }
    }

    /// Where it begins, between [`gather`](Self::gather) and [`scatter`](Self::scatter).
    pub(crate) fn start(self) -> usize {
        self.start
    }

    /// Moves the extension's first word before the CSRCs, so that what is encrypted lies
    /// together, and so does what is not (RFC 9335 §6.2).
    pub(crate) fn gather(self, packet: &mut [u8]) {
        if self.csrc_len > 0 {
            self.csrcs_and_word(packet)
                .rotate_right(EXTENSION_HEADER_LEN);
        }
    }

    /// Undoes [`gather`](Self::gather).
    pub(crate) fn scatter(self, packet: &mut [u8]) {
        if self.csrc_len > 0 {
            self.csrcs_and_word(packet)
                .rotate_left(EXTENSION_HEADER_LEN);
        }
    }

    fn csrcs_and_word(self, packet: &mut [u8]) -> &mut [u8] {
        &mut packet[RTP_HEADER_LEN..][..self.csrc_len + EXTENSION_HEADER_LEN]
    }
}
