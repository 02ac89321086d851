//! Ours: the one place of the benches that calls this project's crates.

use std::sync::Arc;

use skywave_rtp::{Counters, Frame, Mid, Packetizer, PacketizerConfig};
use skywave_srtp::{MasterKey, SrtpSender};

use crate::listener::{
    AUDIO_LEVEL, AUDIO_LEVEL_ID, FIRST_SEQUENCE_NUMBER, MID, MID_ID, PAYLOAD_TYPE,
};
use crate::{Listener, Session};

/// A listener's packetizer and SRTP.
pub struct Skywave {
    packetizer: Packetizer,
    sender: SrtpSender,
}

impl Skywave {
    /// Writes header and payload to the front of `packet`; the lengths of the header and of all.
    pub fn packetize(
        &mut self,
        payload: &[u8],
        timestamp: u32,
        packet: &mut [u8],
    ) -> (usize, usize) {
        let frame = Frame {
            payload,
            timestamp,
            marker: false,
            audio_level: AUDIO_LEVEL,
            voice: true,
        };
        let written = self.packetizer.write(&frame, packet);
        let written = written.expect("the buffer holds the packet");
        (written.header_len, written.len)
    }

    /// Makes SRTP of the RTP in `packet[..len]`; the new length.
    pub fn protect(&mut self, packet: &mut [u8], header_len: usize, len: usize) -> usize {
        let protected = self.sender.protect(packet, header_len, len);
        protected.expect("a stream in order is protected")
    }
}

impl Session for Skywave {
    const NAME: &'static str = "skywave";

    fn new(listener: &Listener) -> Skywave {
        let config = PacketizerConfig {
            ssrc: listener.ssrc,
            payload_type: PAYLOAD_TYPE,
            first_sequence_number: FIRST_SEQUENCE_NUMBER,
            timestamp_offset: 0,
            mid: Some(Mid::new(MID_ID, MID).expect("so short a mid is carried")),
            audio_level: Some(AUDIO_LEVEL_ID),
        };
        let packetizer = Packetizer::new(config, Arc::new(Counters::default()));
        let master = MasterKey::new(listener.profile, listener.key(), listener.salt());
        Skywave {
            packetizer: packetizer.expect("the configuration is valid"),
            sender: SrtpSender::new(&master.expect("the lengths are the profile's")),
        }
    }

    fn send(&mut self, payload: &[u8], timestamp: u32, buffer: &mut Vec<u8>) -> impl AsRef<[u8]> {
        let (header_len, len) = self.packetize(payload, timestamp, buffer);
        let len = self.protect(buffer, header_len, len);
        &buffer[..len]
    }
}
