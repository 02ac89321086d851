//! `transport`: ICE, DTLS and what passed through them.

use serde::Serialize;

use crate::status::TransmitterState;

/// The W3C's `RTCTransportStats`.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct TransportStats {
    /// Stays the same.
    pub id: String,
    /// When this was so, in milliseconds since 1970.
    pub timestamp: f64,
    /// Datagrams of SRTP, SRTCP and DTLS sent; no connectivity checks, here and below.
    pub packets_sent: u64,
    /// Datagrams of authentic SRTCP, and of DTLS from an address that passed a check, received.
    pub packets_received: u64,
    /// Octets sent, as UDP carries them.
    pub bytes_sent: u64,
    /// Octets received, as UDP carries them.
    pub bytes_received: u64,
    /// An ICE-lite agent is always controlled.
    pub ice_role: IceRole,
    /// Of our description, or of the last ICE restart that came to a nomination.
    pub ice_local_username_fragment: String,
    /// How far DTLS is.
    pub dtls_state: DtlsState,
    /// How far ICE is.
    pub ice_state: IceState,
    /// See [`CandidatePairStats`](super::CandidatePairStats); once connected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selected_candidate_pair_id: Option<String>,
    /// See [`CertificateStats`](super::CertificateStats).
    pub local_certificate_id: String,
    /// See [`CertificateStats`](super::CertificateStats); once connected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote_certificate_id: Option<String>,
    /// `FEFD` for DTLS 1.2, `FEFC` for 1.3; once connected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_version: Option<&'static str>,
    /// As IANA describes it: `TLS_AES_128_GCM_SHA256`; once connected. Left out where it is not
    /// certain: a forged ServerHello was seen beside the true one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dtls_cipher: Option<&'static str>,
    /// Our part in the handshake; unknown before the connection stands.
    pub dtls_role: DtlsRole,
    /// As `AEAD_AES_128_GCM`; once connected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub srtp_cipher: Option<&'static str>,
    /// How often the peer chose another pair, the first included.
    pub selected_candidate_pair_changes: u32,
}

/// The W3C's `RTCIceRole`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum IceRole {
    /// The peer chooses the pair.
    Controlled,
}

/// The W3C's `RTCDtlsTransportState`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DtlsState {
    /// No check has passed yet.
    New,
    /// The handshake may go on.
    Connecting,
    /// It is done, and the certificate is the announced one.
    Connected,
    /// Over.
    Closed,
    /// The handshake failed.
    Failed,
}

/// The W3C's `RTCIceTransportState`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum IceState {
    /// Nothing is negotiated.
    New,
    /// Waits for checks, or for the handshake after them.
    Checking,
    /// Media flows.
    Connected,
    /// No sign of life for a while.
    Disconnected,
    /// There is no path, or no longer any.
    Failed,
    /// Hung up.
    Closed,
}

/// The W3C's `RTCDtlsRole`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DtlsRole {
    /// We spoke first.
    Client,
    /// The peer spoke first.
    Server,
    /// Not settled.
    Unknown,
}

impl From<TransmitterState> for IceState {
    fn from(state: TransmitterState) -> Self {
        match state {
            TransmitterState::New => Self::New,
            TransmitterState::Connecting => Self::Checking,
            TransmitterState::Connected => Self::Connected,
            TransmitterState::Disconnected => Self::Disconnected,
            TransmitterState::Failed => Self::Failed,
            TransmitterState::Closed => Self::Closed,
        }
    }
}
