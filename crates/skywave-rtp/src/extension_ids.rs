//! Which header extensions were negotiated, under which ids (RFC 8285 §5).

use crate::Mid;

/// The `a=extmap` ids of the header extensions that packets of one listener carry.
///
/// Elements stand in the order of [`audio_level`](Self::audio_level),
/// [`abs_send_time`](Self::abs_send_time), [`transport_cc`](Self::transport_cc),
/// [`mid`](Self::mid), [`abs_capture_time`](Self::abs_capture_time). If one id is above 14, all
/// elements of all packets have the two-byte form: the forms are never mixed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExtensionIds {
    /// Media identification, `urn:ietf:params:rtp-hdrext:sdes:mid` (RFC 9143 §15). It goes into
    /// every packet: a short one fits where padding would stand.
    pub mid: Option<Mid>,
    /// Client-to-mixer audio level, `urn:ietf:params:rtp-hdrext:ssrc-audio-level` (RFC 6464).
    pub audio_level: Option<u8>,
    /// `http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time`: when the packet was sent,
    /// 24 bits, 6.18 fixed point seconds.
    pub abs_send_time: Option<u8>,
    /// `http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time`: when the frame was
    /// captured, 64 bits of NTP time. In a listener's first packet and in every 50th frame.
    pub abs_capture_time: Option<u8>,
    /// `http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01`: the 16-bit
    /// number of the packet on its transport.
    pub transport_cc: Option<u8>,
}
