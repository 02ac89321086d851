//! What a peer said about itself, as far as its transport needs it.

use skywave_dtls::{Fingerprint, HashAlgorithm, Role};
use skywave_ice::Credentials;
use skywave_sdp::Negotiated;

use crate::rtp_terms::{MediaFormat, RtpTerms};
use crate::stream::StreamKey;

/// The remote description, as far as the peer needs it.
#[derive(Clone, Debug)]
pub struct Remote {
    /// Which stream the peer receives.
    pub stream: StreamKey,
    /// How that stream is encoded.
    pub format: MediaFormat,
    /// The peer's ICE user name fragment and password.
    pub ice: Credentials,
    /// Digests of the certificate that the peer must show.
    pub fingerprints: Vec<Fingerprint>,
    /// Our part in the handshake.
    pub role: Role,
    /// The `mid` of the section, as RTCP names it.
    pub mid: Option<String>,
    /// What was agreed about packets.
    pub rtp: RtpTerms,
    /// Earlier frames that each packet repeats from the beginning, 0 to 2; nothing without RED.
    pub redundancy: u8,
    /// Packets repeat up to two earlier frames while the peer reports loss.
    pub adaptive_redundancy: bool,
}

impl Remote {
    /// Takes over what was negotiated, for a peer that is to receive `stream`.
    pub fn new(negotiated: &Negotiated, stream: StreamKey, format: MediaFormat) -> Self {
        let fingerprints = negotiated.remote_fingerprints.iter();
        Self {
            stream,
            format,
            ice: Credentials::new(&negotiated.remote_ice.ufrag, &negotiated.remote_ice.pwd),
            fingerprints: fingerprints.filter_map(understood).collect(),
            role: if negotiated.dtls_client {
                Role::Client
            } else {
                Role::Server
            },
            mid: negotiated.mid.clone(),
            rtp: RtpTerms::new(negotiated),
            redundancy: 0,
            adaptive_redundancy: false,
        }
    }
}

/// Digests by an algorithm that we do not know are left out (RFC 8122 §5); negotiation saw to it
/// that one is known.
fn understood(fingerprint: &skywave_sdp::Fingerprint) -> Option<Fingerprint> {
    Some(Fingerprint {
        algorithm: HashAlgorithm::from_name(&fingerprint.algorithm)?,
        value: fingerprint.value.clone(),
    })
}
