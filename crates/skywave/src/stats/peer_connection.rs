//! `peer-connection`: the connection as a whole.

use serde::Serialize;

/// The W3C's `RTCPeerConnectionStats`. There are no data channels here.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct PeerConnectionStats {
    /// Stays the same.
    pub id: String,
    /// When this was so, in milliseconds since 1970.
    pub timestamp: f64,
    /// 0.
    pub data_channels_opened: u32,
    /// 0.
    pub data_channels_closed: u32,
}
