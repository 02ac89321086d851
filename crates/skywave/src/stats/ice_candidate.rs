//! `local-candidate` and `remote-candidate`: one end of the path.

use std::net::IpAddr;

use serde::Serialize;

/// The W3C's `RTCIceCandidateStats`.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct IceCandidateStats {
    /// One for each address.
    pub id: String,
    /// When this was so, in milliseconds since 1970.
    pub timestamp: f64,
    /// See [`TransportStats`](super::TransportStats).
    pub transport_id: String,
    /// Where it is.
    pub address: IpAddr,
    /// Its UDP port.
    pub port: u16,
    /// `udp`.
    pub protocol: &'static str,
    /// `host` here; `prflx` there, as the peer's address is learned from its checks alone.
    pub candidate_type: &'static str,
    /// Of our candidates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<u32>,
    /// Of our candidates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub foundation: Option<String>,
    /// As in the description of that end, or its last ICE restart that came to a nomination.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username_fragment: Option<String>,
}
