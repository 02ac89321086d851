//! The engine's cryptography: aws-lc by dimpl's own provider, which keeps little of what it needed
//! for the handshake, and RSA signatures beside.
//!
//! RSA is for the certificates of DTLS 1.2 clients only (PKCS #1, 2,048 to 8,192 bits);
//! the own certificate and the cipher suites stay those of ECDSA.

use aws_lc_rs::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512,
    UnparsedPublicKey,
};
use dimpl::crypto::{Buf, aws_lc_rs::default_provider};
use dimpl::crypto::{
    CryptoProvider, HashAlgorithm, HashContext, HashProvider, SignatureAlgorithm, SignatureVerifier,
};
use dimpl::{CryptoError, CryptoOperation};
use x509_cert::Certificate;
use x509_cert::der::{Decode, oid::ObjectIdentifier};

use crate::certificate_request::widen_transcript;
use crate::cold_cipher::{dtls12_suites, dtls13_suites};
use crate::handshake_key::HandshakeKeys;

/// What a client needs.
pub(crate) fn of_client() -> CryptoProvider {
    CryptoProvider {
        cipher_suites: dtls12_suites(),
        dtls13_cipher_suites: dtls13_suites(),
        key_provider: &HandshakeKeys,
        ..default_provider()
    }
}

/// What a server needs whose datagrams
/// [`widen_datagram`](crate::certificate_request::widen_datagram) changes.
pub(crate) fn of_server() -> CryptoProvider {
    CryptoProvider {
        hash_provider: &ServerHash,
        signature_verification: &ClientSignature,
        ..of_client()
    }
}

/// Hashes transcripts as the client has them.
#[derive(Debug)]
struct ServerHash;

#[derive(Debug)]
struct ServerHashContext(Box<dyn HashContext>);

/// Verifies what a client signed.
#[derive(Debug)]
struct ClientSignature;

impl HashProvider for ServerHash {
    fn create_hash(&self, algorithm: HashAlgorithm) -> Box<dyn HashContext> {
        let context = default_provider().hash_provider.create_hash(algorithm);
        Box::new(ServerHashContext(context))
    }
}

impl HashContext for ServerHashContext {
    // DTLS 1.2 hashes a transcript in one piece.
    fn update(&mut self, data: &[u8]) {
        self.0.update(&widen_transcript(data));
    }

    fn clone_and_finalize(&self, out: &mut Buf) {
        self.0.clone_and_finalize(out);
    }
}

impl SignatureVerifier for ClientSignature {
    fn verify_signature(
        &self,
        certificate: &[u8],
        data: &[u8],
        signature: &[u8],
        hash: HashAlgorithm,
        algorithm: SignatureAlgorithm,
    ) -> Result<(), CryptoError> {
        let data = widen_transcript(data);
        if algorithm == SignatureAlgorithm::RSA {
            return verify_rsa(certificate, &data, signature, hash);
        }
        let ecdsa = default_provider().signature_verification;
        ecdsa.verify_signature(certificate, &data, signature, hash, algorithm)
    }
}

fn verify_rsa(
    certificate: &[u8],
    data: &[u8],
    signature: &[u8],
    hash: HashAlgorithm,
) -> Result<(), CryptoError> {
    let parameters = match hash {
        HashAlgorithm::SHA256 => &RSA_PKCS1_2048_8192_SHA256,
        HashAlgorithm::SHA384 => &RSA_PKCS1_2048_8192_SHA384,
        HashAlgorithm::SHA512 => &RSA_PKCS1_2048_8192_SHA512,
        _ => {
            return Err(CryptoError::UnsupportedSignaturePair {
                signature: SignatureAlgorithm::RSA,
                hash,
            });
        }
    };
    let certificate =
        Certificate::from_der(certificate).map_err(|_| CryptoError::CertificateParseFailed)?;
    let key = certificate.tbs_certificate().subject_public_key_info();
    if key.algorithm.oid != RSA_ENCRYPTION {
        return Err(CryptoError::UnsupportedPublicKeyAlgorithm);
    }
    let key = key.subject_public_key.as_bytes();
    UnparsedPublicKey::new(parameters, key.ok_or(CryptoError::InvalidSubjectPublicKey)?)
        .verify(data, signature)
        .map_err(|_| CryptoError::OperationFailed(CryptoOperation::VerifySignature))
}

/// RFC 8017 appendix C
const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &[u8] = include_bytes!("../testdata/rsa/2048-certificate.der");
    const SIGNATURE: &[u8] = include_bytes!("../testdata/rsa/2048-sha256.bin");
    const DATA: &[u8] = b"what was signed";

    fn verify(
        certificate: &[u8],
        data: &[u8],
        signature: &[u8],
        hash: HashAlgorithm,
    ) -> Result<(), CryptoError> {
        let rsa = SignatureAlgorithm::RSA;
        ClientSignature.verify_signature(certificate, data, signature, hash, rsa)
    }

    #[test]
    fn rsa_signatures_of_the_algorithms_asked_for_are_verified() {
        for (hash, signature) in [
            (HashAlgorithm::SHA256, SIGNATURE),
            (
                HashAlgorithm::SHA384,
                include_bytes!("../testdata/rsa/2048-sha384.bin"),
            ),
            (
                HashAlgorithm::SHA512,
                include_bytes!("../testdata/rsa/2048-sha512.bin"),
            ),
        ] {
            assert_eq!(verify(KEY, DATA, signature, hash), Ok(()), "{hash:?}");
        }
    }

    #[test]
    fn wrong_rsa_signature_is_refused() {
        let sha256 = HashAlgorithm::SHA256;
        let refused = Err(CryptoError::OperationFailed(
            CryptoOperation::VerifySignature,
        ));
        let mut damaged = SIGNATURE.to_vec();
        damaged[9] ^= 1;
        assert_eq!(verify(KEY, DATA, &damaged, sha256), refused);
        assert_eq!(verify(KEY, b"something else", SIGNATURE, sha256), refused);
        assert_eq!(verify(KEY, DATA, SIGNATURE, HashAlgorithm::SHA384), refused);
        assert_eq!(verify(KEY, DATA, &[], sha256), refused);
    }

    #[test]
    fn rsa_key_of_1024_bits_is_refused() {
        let certificate = include_bytes!("../testdata/rsa/1024-certificate.der");
        let signature = include_bytes!("../testdata/rsa/1024-sha256.bin");
        let verified = verify(certificate, DATA, signature, HashAlgorithm::SHA256);
        let refused = CryptoError::OperationFailed(CryptoOperation::VerifySignature);
        assert_eq!(verified, Err(refused));
    }

    #[test]
    fn rsa_signature_with_sha_1_is_refused() {
        let signature = include_bytes!("../testdata/rsa/2048-sha1.bin");
        let verified = verify(KEY, DATA, signature, HashAlgorithm::SHA1);
        assert!(matches!(
            verified,
            Err(CryptoError::UnsupportedSignaturePair { .. })
        ));
    }

    #[test]
    fn certificate_that_is_none_or_has_another_key_is_refused() {
        let sha256 = HashAlgorithm::SHA256;
        let verified = verify(&KEY[..300], DATA, SIGNATURE, sha256);
        assert_eq!(verified, Err(CryptoError::CertificateParseFailed));
        let ecdsa = crate::Identity::generate(std::time::SystemTime::now()).unwrap();
        let verified = verify(ecdsa.certificate(), DATA, SIGNATURE, sha256);
        assert_eq!(verified, Err(CryptoError::UnsupportedPublicKeyAlgorithm));
    }
}
