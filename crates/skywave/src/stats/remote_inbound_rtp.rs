//! `remote-inbound-rtp`: the stream as the peer reports to have received it.

use serde::Serialize;

/// The W3C's `RTCRemoteInboundRtpStreamStats`, of the last RTCP report about the stream.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct RemoteInboundRtpStats {
    /// Stays the same.
    pub id: String,
    /// When the report arrived, in milliseconds since 1970.
    pub timestamp: f64,
    /// The SSRC of the stream: ours.
    pub ssrc: u32,
    /// `audio`.
    pub kind: &'static str,
    /// See [`TransportStats`](super::TransportStats).
    pub transport_id: String,
    /// See [`CodecStats`](super::CodecStats).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub codec_id: Option<String>,
    /// See [`OutboundRtpStats`](super::OutboundRtpStats).
    pub local_id: String,
    /// Packets received: by sequence numbers, less those lost. Not told under another SSRC than
    /// the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub packets_received: Option<u64>,
    /// Packets lost; negative if duplicates outnumber them.
    pub packets_lost: i64,
    /// Interarrival jitter in seconds.
    pub jitter: f64,
    /// Share of packets lost since the report before, 0 to 1.
    pub fraction_lost: f64,
    /// The last measured, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub round_trip_time: Option<f64>,
    /// The sum of all measured, in seconds.
    pub total_round_trip_time: f64,
    /// How many were measured.
    pub round_trip_time_measurements: u64,
}
