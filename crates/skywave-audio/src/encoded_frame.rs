//! One encoded packet with what the RTP header and its extensions say of it.

use std::sync::Arc;

/// What all listeners of one stream share of one packet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EncodedFrame {
    /// The RTP payload: exactly one packet of the codec, or a description of comfort noise.
    pub payload: Arc<[u8]>,
    /// The payload describes noise (RFC 3389 §3). Frames follow it only to tell of it again.
    pub comfort_noise: bool,
    /// Its first sample, of 48 kHz, counted from the track's start.
    pub begin: u64,
    /// The same in the codec's clock, as RTP wants it; wraps.
    pub timestamp: u32,
    /// True on the first frame after a pause (RFC 3551 §4.1).
    pub marker: bool,
    /// The level of this frame in -dBov, 0..=127 (RFC 6464 §3).
    pub audio_level: u8,
    /// True when the frame is thought to carry voice (the V bit of RFC 6464 §3).
    pub voice: bool,
}
