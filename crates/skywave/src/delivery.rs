//! A frame on its way from the thread that encodes to the thread that sends.

use std::time::Instant;

use skywave_audio::EncodedFrame;
use skywave_peer::{StreamFrame, StreamKey};
use skywave_rtp::Frame;

/// One frame of one encoding of one track.
pub(crate) struct Delivery {
    pub(crate) stream: StreamKey,
    pub(crate) frame: EncodedFrame,
    /// When the frame was due.
    pub(crate) captured: Instant,
    pub(crate) clock_rate: u32,
}

impl Delivery {
    /// The same as the hub takes it.
    pub(crate) fn frame(&self) -> StreamFrame<'_> {
        StreamFrame {
            stream: self.stream,
            frame: Frame {
                payload: &self.frame.payload,
                timestamp: self.frame.timestamp,
                marker: self.frame.marker,
                audio_level: self.frame.audio_level,
                voice: self.frame.voice,
            },
            captured: self.captured,
            clock_rate: self.clock_rate,
        }
    }
}
