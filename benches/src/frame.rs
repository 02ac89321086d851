//! The frame that all listeners are sent.

use std::sync::Arc;

use skywave_rtp::{History, NtpTime, OwnedFrame};

use crate::listener::AUDIO_LEVEL;

/// One frame of a stream.
pub struct Frame {
    /// As all but ours take it.
    pub payload: Arc<[u8]>,
    /// On the media clock, without an offset.
    pub timestamp: u32,
    pub(crate) history: History,
    pub(crate) number: u32,
}

impl Frame {
    /// A frame of so many octets.
    #[must_use]
    pub fn new(octets: usize, timestamp: u32) -> Frame {
        let payload: Arc<[u8]> = vec![0x55; octets].into();
        let mut history = History::default();
        let number = history.push(OwnedFrame {
            payload: Arc::clone(&payload),
            comfort_noise: false,
            timestamp,
            duration: 960,
            marker: false,
            audio_level: AUDIO_LEVEL,
            voice: true,
            captured: NtpTime(0),
        });
        Frame {
            payload,
            timestamp,
            history,
            number,
        }
    }
}
