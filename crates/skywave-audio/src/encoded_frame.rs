//! One encoded frame with what the RTP header and its extensions say of it.

use std::sync::Arc;

/// What all listeners of one encoding share of one frame.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EncodedFrame {
    /// The RTP payload: exactly one packet of the codec.
    pub payload: Arc<[u8]>,
    /// The sampling instant in the codec's clock, counted from the track's start; wraps.
    pub timestamp: u32,
    /// True on the first frame after a pause (RFC 3551 §4.1).
    pub marker: bool,
    /// The level of this frame in -dBov, 0..=127 (RFC 6464 §3).
    pub audio_level: u8,
    /// True when the frame is thought to carry voice (the V bit of RFC 6464 §3).
    pub voice: bool,
}
