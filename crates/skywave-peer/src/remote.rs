//! What the other end's description says, in the words of the leaf crates.

use skywave_dtls::{Fingerprint, HashAlgorithm, Role};
use skywave_rtp::Mid;
use skywave_sdp::Negotiated;

use crate::stream::StreamKey;

/// The remote description, reduced to what a peer acts on.
#[derive(Clone, Debug)]
pub struct Remote {
    /// The stream that this peer is to receive.
    pub stream: StreamKey,
    /// The peer's ICE user name fragment.
    pub ufrag: String,
    /// Digests of the certificate that the peer must show.
    pub fingerprints: Vec<Fingerprint>,
    /// Our part in the handshake.
    pub role: Role,
    /// Payload type agreed for the codec.
    pub payload_type: u8,
    /// The `mid` of the section, as RTCP names it.
    pub mid: Option<String>,
    /// The `mid` as every packet carries it, if that was agreed and it is short enough.
    pub mid_extension: Option<Mid>,
    /// Header extension id of the audio level.
    pub audio_level_extension: Option<u8>,
}

impl Remote {
    /// Takes over what was negotiated, for a peer that is to receive `stream`.
    pub fn new(negotiated: &Negotiated, stream: StreamKey) -> Self {
        let fingerprints = negotiated.remote_fingerprints.iter();
        let mid_extension = match (negotiated.mid_extension, &negotiated.mid) {
            (Some(id), Some(mid)) => Mid::new(id, mid).ok(),
            _ => None,
        };
        Self {
            stream,
            ufrag: negotiated.remote_ice.ufrag.clone(),
            fingerprints: fingerprints.filter_map(understood).collect(),
            role: if negotiated.dtls_client {
                Role::Client
            } else {
                Role::Server
            },
            payload_type: negotiated.payload_type,
            mid: negotiated.mid.clone(),
            mid_extension,
            audio_level_extension: negotiated.audio_level_extension,
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
