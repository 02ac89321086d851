//! The own certificate: self-signed, ECDSA on P-256 (RFC 8827 §6.5).

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_lc_rs::rand;
use rcgen::{CertificateParams, DnType, KeyPair, PKCS_ECDSA_P256_SHA256, SerialNumber};

use crate::{Error, Fingerprint, HashAlgorithm, Role, engine};

/// A certificate with its key. Cheap to clone; one serves any number of connections.
#[derive(Clone)]
pub struct Identity(Arc<Inner>);

struct Inner {
    certificate: dimpl::DtlsCertificate,
    fingerprint: Fingerprint,
    client_config: Arc<dimpl::Config>,
    server_config: Arc<dimpl::Config>,
}

impl Identity {
    /// Makes a new key and a certificate valid from one day before `now`, for
    /// peers whose clock is late, to 30 days after.
    ///
    /// Key, serial number and signature draw on the random generator of aws-lc.
    ///
    /// # Errors
    /// [`Error::Certificate`] if the crypto library fails.
    pub fn generate(now: SystemTime) -> Result<Self, Error> {
        Self::with_name("WebRTC", now)
    }

    pub(crate) fn with_name(common_name: &str, now: SystemTime) -> Result<Self, Error> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(certificate_error)?;
        let certificate = dimpl::DtlsCertificate {
            certificate: self_signed(&key, common_name, now)?,
            private_key: key.serialize_der(),
        };
        Ok(Self(Arc::new(Inner {
            fingerprint: Fingerprint::of(HashAlgorithm::Sha256, &certificate.certificate),
            certificate,
            client_config: engine::config(Role::Client)?,
            server_config: engine::config(Role::Server)?,
        })))
    }

    /// The SHA-256 fingerprint to signal.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.0.fingerprint.clone()
    }

    /// The certificate in DER.
    #[must_use]
    pub fn certificate(&self) -> &[u8] {
        &self.0.certificate.certificate
    }

    pub(crate) fn engine_certificate(&self) -> dimpl::DtlsCertificate {
        self.0.certificate.clone()
    }

    pub(crate) fn engine_config(&self, role: Role) -> Arc<dimpl::Config> {
        Arc::clone(match role {
            Role::Client => &self.0.client_config,
            Role::Server => &self.0.server_config,
        })
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("fingerprint", &self.0.fingerprint)
            .finish_non_exhaustive()
    }
}

fn self_signed(key: &KeyPair, common_name: &str, now: SystemTime) -> Result<Vec<u8>, Error> {
    let mut params = CertificateParams::default();
    params.not_before = (now - CLOCK_SKEW).into();
    params.not_after = (now + VALIDITY).into();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::CommonName, common_name);
    params.serial_number = Some(serial_number()?);
    let certificate = params.self_signed(key).map_err(certificate_error)?;
    Ok(certificate.der().to_vec())
}

/// Firefox refuses two certificates of one issuer name and serial number, even
/// if they come from different machines.
fn serial_number() -> Result<SerialNumber, Error> {
    let mut serial = [0; 16];
    rand::fill(&mut serial).map_err(|_| Error::Certificate("no randomness".to_owned()))?;
    serial[0] &= 0x7f; // RFC 5280 §4.1.2.2: positive
    Ok(SerialNumber::from_slice(&serial))
}

fn certificate_error(error: rcgen::Error) -> Error {
    Error::Certificate(error.to_string())
}

const CLOCK_SKEW: Duration = Duration::from_secs(24 * 60 * 60);
const VALIDITY: Duration = Duration::from_secs(30 * 24 * 60 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprint_is_that_of_the_certificate() {
        let identity = Identity::generate(SystemTime::UNIX_EPOCH + VALIDITY).unwrap();
        assert!(identity.fingerprint().matches(identity.certificate()));
        assert_eq!(identity.clone().fingerprint(), identity.fingerprint());
    }

    #[test]
    fn every_identity_has_its_own_serial_number() {
        let now = SystemTime::UNIX_EPOCH + VALIDITY;
        let serial = |identity: &Identity| {
            // Certificate, TBSCertificate, [0] version, then INTEGER serial number.
            let der = identity.certificate();
            let at = der
                .windows(5)
                .position(|w| w == [0xa0, 3, 2, 1, 2])
                .unwrap();
            assert_eq!(der[at + 5], 2);
            der[at + 7..at + 7 + usize::from(der[at + 6])].to_vec()
        };
        let (a, b) = (
            Identity::generate(now).unwrap(),
            Identity::generate(now).unwrap(),
        );
        assert_ne!(serial(&a), serial(&b));
        assert!(serial(&a).len() >= 15);
    }

    #[test]
    fn validity_is_thirty_days_from_the_given_time() {
        // 2026-01-31 12:00:00 UTC
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_769_860_800);
        let identity = Identity::generate(now).unwrap();
        let holds = |time: &[u8]| {
            identity
                .certificate()
                .windows(time.len())
                .any(|w| w == time)
        };
        assert!(holds(b"260130120000Z"));
        assert!(holds(b"260302120000Z"));
    }
}
