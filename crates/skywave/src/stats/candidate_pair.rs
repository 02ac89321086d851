//! `candidate-pair`: the path that media takes.

use serde::Serialize;

/// The W3C's `RTCIceCandidatePairStats` of the selected pair. Packets and octets are those of the
/// whole transport: what went over an earlier pair is not told apart. An ICE-lite agent sends no
/// checks, so there are no round-trip times by STUN.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct CandidatePairStats {
    /// One for each pair of addresses.
    pub id: String,
    /// When this was so, in milliseconds since 1970.
    pub timestamp: f64,
    /// See [`TransportStats`](super::TransportStats).
    pub transport_id: String,
    /// See [`IceCandidateStats`](super::IceCandidateStats).
    pub local_candidate_id: String,
    /// See [`IceCandidateStats`](super::IceCandidateStats).
    pub remote_candidate_id: String,
    /// `succeeded`: only pairs that passed a check are used.
    pub state: &'static str,
    /// True.
    pub nominated: bool,
    /// As of the transport.
    pub packets_sent: u64,
    /// As of the transport.
    pub packets_received: u64,
    /// As of the transport.
    pub bytes_sent: u64,
    /// As of the transport.
    pub bytes_received: u64,
    /// In milliseconds since 1970; of SRTCP and DTLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_packet_received_timestamp: Option<f64>,
    /// By the peer's estimate (REMB), in bit/s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub available_outgoing_bitrate: Option<f64>,
    /// Connectivity checks received.
    pub requests_received: u64,
    /// 0.
    pub requests_sent: u64,
    /// 0.
    pub responses_received: u64,
    /// Connectivity checks answered.
    pub responses_sent: u64,
    /// 0.
    pub consent_requests_sent: u64,
}
