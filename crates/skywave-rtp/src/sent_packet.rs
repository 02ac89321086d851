//! What a packet was made of.

use crate::TonePacket;
use crate::red_payload::Repeated;

/// What a packet was made of, as far as it cannot be computed again from the stream's history: what
/// [`Packetizer::rebuild`](crate::Packetizer::rebuild) needs for the same octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SentPacket {
    pub(crate) sequence_number: u16,
    pub(crate) transport_number: u16,
    /// As abs-send-time has it.
    pub(crate) send_time: u32,
    pub(crate) content: Content,
}

impl SentPacket {
    /// The packet's sequence number.
    pub fn sequence_number(&self) -> u16 {
        self.sequence_number
    }

    /// The packet's payload type.
    pub fn payload_type(&self) -> u8 {
        match self.content {
            Content::Frame { payload_type, .. } | Content::Tone { payload_type, .. } => {
                payload_type
            }
        }
    }
}

/// What is behind the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    Frame {
        number: u32,
        payload_type: u8,
        /// Which frames are repeated, if the payload is that of RFC 2198.
        red: Option<Repeated>,
        capture_time: bool,
    },
    Tone {
        tone: TonePacket,
        payload_type: u8,
    },
}

const _: () = assert!(size_of::<SentPacket>() <= 24);
