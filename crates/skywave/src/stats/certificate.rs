//! `certificate`: by which each end is known.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde::Serialize;
use skywave_dtls::{Fingerprint, HashAlgorithm};

/// The W3C's `RTCCertificateStats`. Certificates of WebRTC have no issuers.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct CertificateStats {
    /// One for each certificate.
    pub id: String,
    /// When this was so, in milliseconds since 1970.
    pub timestamp: f64,
    /// Upper-case hexadecimal octets with colons between, as in `a=fingerprint`.
    pub fingerprint: String,
    /// `sha-256`.
    pub fingerprint_algorithm: &'static str,
    /// The DER in base 64.
    pub base64_certificate: String,
}

impl CertificateStats {
    /// Of a certificate in DER.
    pub(crate) fn new(der: &[u8], timestamp: f64) -> Self {
        let fingerprint = Fingerprint::of(HashAlgorithm::Sha256, der);
        let octets = fingerprint.value.iter();
        let octets: Vec<String> = octets.map(|octet| format!("{octet:02X}")).collect();
        Self {
            id: format!("certificate-{}", octets[..8].concat()),
            timestamp,
            fingerprint: octets.join(":"),
            fingerprint_algorithm: fingerprint.algorithm.name(),
            base64_certificate: BASE64_STANDARD.encode(der),
        }
    }
}
