//! `outbound-rtp`: the stream as it was sent.

use serde::Serialize;

/// The W3C's `RTCOutboundRtpStreamStats` of the audio stream.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct OutboundRtpStats {
    /// Stays the same, whatever is sent.
    pub id: String,
    /// When this was so, in milliseconds since 1970.
    pub timestamp: f64,
    /// The SSRC of the stream.
    pub ssrc: u32,
    /// `audio`.
    pub kind: &'static str,
    /// See [`TransportStats`](super::TransportStats).
    pub transport_id: String,
    /// See [`CodecStats`](super::CodecStats); once negotiated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub codec_id: Option<String>,
    /// The `mid` of the section, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mid: Option<String>,
    /// See [`MediaSourceStats`](super::MediaSourceStats).
    pub media_source_id: String,
    /// See [`RemoteInboundRtpStats`](super::RemoteInboundRtpStats); once the peer has reported.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote_id: Option<String>,
    /// RTP packets sent, retransmissions included.
    pub packets_sent: u64,
    /// Payload octets in them, without padding.
    pub bytes_sent: u64,
    /// Header octets in them, header extensions included.
    pub header_bytes_sent: u64,
    /// Packets of these that were sent once more.
    pub retransmitted_packets_sent: u64,
    /// Payload octets in them.
    pub retransmitted_bytes_sent: u64,
    /// The SSRC of retransmissions, if they have their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rtx_ssrc: Option<u32>,
    /// What the encoder aims at, in bit/s; once negotiated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_bitrate: Option<f64>,
    /// Generic NACK messages received.
    pub nack_count: u64,
    /// Whether the stream is sent: from the connection until its end.
    pub active: bool,
}
