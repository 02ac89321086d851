//! The finished RTP packet, for libraries that take no less.

use crate::Listener;
use crate::listener::{
    AUDIO_LEVEL, AUDIO_LEVEL_ID, FIRST_SEQUENCE_NUMBER, HEADER_OCTETS, MID, MID_ID, PAYLOAD_TYPE,
};

/// A header laid out once, of which two fields are patched in each packet.
pub(crate) struct RtpTemplate {
    header: [u8; HEADER_OCTETS],
    sequence_number: u16,
}

impl RtpTemplate {
    pub(crate) fn new(listener: &Listener) -> RtpTemplate {
        let mut header = [0; HEADER_OCTETS];
        header[..2].copy_from_slice(&[0x90, PAYLOAD_TYPE]);
        header[8..12].copy_from_slice(&listener.ssrc.to_be_bytes());
        header[12..16].copy_from_slice(&[0xbe, 0xde, 0, 1]);
        header[16..18].copy_from_slice(&[AUDIO_LEVEL_ID << 4, 0x80 | AUDIO_LEVEL]);
        header[18..].copy_from_slice(&[MID_ID << 4, MID.as_bytes()[0]]);
        RtpTemplate {
            header,
            sequence_number: FIRST_SEQUENCE_NUMBER,
        }
    }

    /// Makes the next packet all that is in `buffer`.
    pub(crate) fn write(&mut self, payload: &[u8], timestamp: u32, buffer: &mut Vec<u8>) {
        self.header[2..4].copy_from_slice(&self.sequence_number.to_be_bytes());
        self.header[4..8].copy_from_slice(&timestamp.to_be_bytes());
        self.sequence_number = self.sequence_number.wrapping_add(1);
        buffer.clear();
        buffer.extend_from_slice(&self.header);
        buffer.extend_from_slice(payload);
    }
}
