//! What sending one packet to one peer needs, and nothing else: these lie side by side in a slab.

use skywave_ice::Path;
use skywave_rtp::{Frame, Packetizer};
use skywave_srtp::SrtpSender;

use crate::outbox::Outbox;

/// The hot state of one peer.
pub(crate) struct SendState {
    packetizer: Packetizer,
    srtp: SrtpSender,
    path: Path,
    /// The number of the stream's last frame that was sent.
    last_frame: u64,
}

impl SendState {
    pub(crate) fn new(packetizer: Packetizer, srtp: SrtpSender, path: Path) -> Self {
        Self {
            packetizer,
            srtp,
            path,
            last_frame: 0,
        }
    }

    pub(crate) fn follow(&mut self, path: Path) {
        self.path = path;
    }

    /// The wire timestamp of a media time.
    pub(crate) fn timestamp(&self, media: u32) -> u32 {
        self.packetizer.timestamp(media)
    }

    /// Writes and protects one packet in place. False if it could not be sent: the outbox is full,
    /// the frame too long, or the key used up.
    pub(crate) fn send(&mut self, number: u64, frame: &Frame<'_>, outbox: &mut Outbox) -> bool {
        if self.last_frame == number {
            return true;
        }
        self.last_frame = number;
        let Some(slot) = outbox.slot() else {
            return false;
        };
        let Ok(written) = self.packetizer.write(frame, slot) else {
            return false;
        };
        match self.srtp.protect(slot, written.header_len, written.len) {
            Ok(len) => {
                outbox.commit(len, self.path);
                true
            }
            Err(_) => false,
        }
    }
}
