//! A frame on its way from the thread that encodes to the thread that sends.

use std::time::Instant;

use skywave_audio::EncodedFrame;
use skywave_peer::{StreamFrame, StreamKey};
use skywave_rtp::{NtpTime, OwnedFrame};

/// One frame of one encoding of one track.
pub(crate) struct Delivery {
    pub(crate) stream: StreamKey,
    pub(crate) frame: EncodedFrame,
    /// When the frame was due.
    pub(crate) captured: Instant,
    pub(crate) clock_rate: u32,
}

impl Delivery {
    /// The same as the hub takes it; `captured` is the wall clock's time of [`Self::captured`].
    pub(crate) fn into_frame(self, captured: NtpTime) -> StreamFrame {
        StreamFrame {
            stream: self.stream,
            frame: OwnedFrame {
                payload: self.frame.payload,
                timestamp: self.frame.timestamp,
                marker: self.frame.marker,
                audio_level: self.frame.audio_level,
                voice: self.frame.voice,
                captured,
            },
            captured: self.captured,
            clock_rate: self.clock_rate,
        }
    }
}
