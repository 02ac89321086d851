//! `codec`: what was negotiated.

use serde::Serialize;

/// The W3C's `RTCCodecStats`.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct CodecStats {
    /// One for each payload type.
    pub id: String,
    /// When this was so, in milliseconds since 1970.
    pub timestamp: f64,
    /// In RTP headers.
    pub payload_type: u8,
    /// See [`TransportStats`](super::TransportStats).
    pub transport_id: String,
    /// As `audio/opus`.
    pub mime_type: &'static str,
    /// RTP clock in Hz.
    pub clock_rate: u32,
    /// As in the `rtpmap`: 2 for Opus, whatever it carries (RFC 7587 §4.1).
    pub channels: u8,
    /// The format parameters by which the peer wants to receive it, if it named any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sdp_fmtp_line: Option<String>,
}
