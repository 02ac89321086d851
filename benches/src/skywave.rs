//! Ours: the one place of the benches that calls this project's crates.

use std::hint::black_box;
use std::sync::Arc;

use skywave_prefetch::{ahead, prefetch, prefetch_first_line};
use skywave_rtp::{Counters, Departure, ExtensionIds, Mid, Packetizer, PacketizerConfig, Packing};
use skywave_srtp::{MasterKey, SrtpSender};

use crate::listener::{AUDIO_LEVEL_ID, FIRST_SEQUENCE_NUMBER, MID, MID_ID, PAYLOAD_TYPE};
use crate::{Frame, Listener, Session};

/// A listener's packetizer and SRTP, laid out as the hub's.
#[repr(align(64))]
pub struct Skywave {
    packetizer: Packetizer,
    sender: SrtpSender,
}

impl Skywave {
    /// Writes header and payload to the front of `packet`; the lengths of the header and of all.
    pub fn packetize(&mut self, frame: &Frame, packet: &mut [u8]) -> (usize, usize) {
        let (history, departure) = (&frame.history, Departure::default());
        let written =
            self.packetizer
                .write(history, frame.number, Packing::Plain, departure, packet);
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
            comfort_noise: None,
            first_sequence_number: FIRST_SEQUENCE_NUMBER,
            timestamp_offset: 0,
            extensions: ExtensionIds {
                mid: Some(Mid::new(MID_ID, MID).expect("so short a mid is carried")),
                audio_level: Some(AUDIO_LEVEL_ID),
                ..ExtensionIds::default()
            },
        };
        let packetizer = Packetizer::new(config, Arc::new(Counters::default()));
        let master = MasterKey::new(listener.profile, listener.key(), listener.salt());
        Skywave {
            packetizer: packetizer.expect("the configuration is valid"),
            sender: SrtpSender::new(&master.expect("the lengths are the profile's")),
        }
    }

    fn send(&mut self, frame: &Frame, buffer: &mut Vec<u8>) -> impl AsRef<[u8]> {
        let (header_len, len) = self.packetize(frame, buffer);
        let len = self.protect(buffer, header_len, len);
        &buffer[..len]
    }

    /// As the hub does: what a packet needs is fetched while others are made.
    fn send_batch(sessions: &mut [Self], batch: &[usize], frame: &Frame, buffer: &mut Vec<u8>) {
        for (position, &index) in batch.iter().enumerate() {
            ahead(batch, position, STATES_AHEAD, |later| {
                prefetch(&sessions[later]);
            });
            ahead(batch, position, COUNTERS_AHEAD, |later| {
                prefetch_first_line(&**sessions[later].packetizer.counters());
            });
            black_box(sessions[index].send(black_box(frame), buffer));
        }
    }
}

/// How many packets before its own a session is fetched, as the hub does.
pub const STATES_AHEAD: usize = 16;

/// The same for its counters.
pub const COUNTERS_AHEAD: usize = 8;
