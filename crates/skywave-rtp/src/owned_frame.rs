//! One encoded frame.

use std::sync::Arc;

use crate::NtpTime;

/// One encoded frame as all listeners of a stream share it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedFrame {
    /// What the encoder gave: exactly one packet of the codec, or a description of
    /// [`ComfortNoise`](crate::ComfortNoise).
    pub payload: Arc<[u8]>,
    /// The payload is comfort noise (RFC 3389), for listeners that agreed to it only.
    pub comfort_noise: bool,
    /// Start of the frame on the codec's RTP clock, counted from the start of the track; wraps.
    pub timestamp: u32,
    /// How long it lasts, in ticks of the same clock.
    pub duration: u32,
    /// First frame after a silence in which nothing was sent (RFC 3551 §4.1).
    pub marker: bool,
    /// Loudness of this frame's samples in -dBov: 0 is the loudest, 127 digital silence
    /// (RFC 6464 §3). Greater values are sent as 127.
    pub audio_level: u8,
    /// Whether the frame holds speech (the V bit of RFC 6464 §3).
    pub voice: bool,
    /// When the first sample was captured.
    pub captured: NtpTime,
}

#[cfg(test)]
impl OwnedFrame {
    /// A frame of speech, captured when its timestamp says.
    pub(crate) fn of(payload: &[u8], timestamp: u32) -> Self {
        Self {
            payload: payload.into(),
            comfort_noise: false,
            timestamp,
            duration: 960,
            marker: false,
            audio_level: 30,
            voice: true,
            captured: NtpTime(timestamp.into()),
        }
    }
}
