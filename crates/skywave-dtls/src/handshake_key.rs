//! The own private key, for as long as a handshake needs it.

use dimpl::crypto::aws_lc_rs::default_provider;
use dimpl::crypto::{Buf, HashAlgorithm, KeyProvider, SignatureAlgorithm, SigningKey};
use dimpl::{CryptoError, CryptoOperation};

/// Loads keys of which nothing is left once they have signed.
#[derive(Debug)]
pub(crate) struct HandshakeKeys;

/// A key that signs once: a handshake has one CertificateVerify, or one ServerKeyExchange, and an
/// association one handshake.
#[derive(Debug)]
struct HandshakeKey {
    key: Option<Box<dyn SigningKey>>,
    algorithm: SignatureAlgorithm,
    hash: [HashAlgorithm; 1],
}

impl KeyProvider for HandshakeKeys {
    fn load_private_key(&self, der: &[u8]) -> Result<Box<dyn SigningKey>, CryptoError> {
        let key = default_provider().key_provider.load_private_key(der)?;
        Ok(Box::new(HandshakeKey {
            algorithm: key.algorithm(),
            hash: [key.hash_algorithm()],
            key: Some(key),
        }))
    }
}

impl SigningKey for HandshakeKey {
    fn sign(&mut self, data: &[u8], hash: HashAlgorithm, out: &mut Buf) -> Result<(), CryptoError> {
        let spent = CryptoError::OperationFailed(CryptoOperation::Sign);
        self.key.take().ok_or(spent)?.sign(data, hash, out)
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    fn hash_algorithm(&self) -> HashAlgorithm {
        self.hash[0]
    }

    fn supported_hash_algorithms(&self) -> &[HashAlgorithm] {
        &self.hash
    }
}
