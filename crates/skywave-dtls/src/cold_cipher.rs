//! Ciphers that are set up for each record, for associations that hardly have any.
//!
//! After its handshake an association for SRTP says nothing but close_notify, and keeps four keys
//! of DTLS 1.3 for that. Set up they are some 600 bytes each, as they are 32.

use std::fmt;
use std::sync::LazyLock;

use dimpl::CryptoError;
use dimpl::crypto::aws_lc_rs::default_provider;
use dimpl::crypto::{
    Aad, Buf, Cipher, Dtls12CipherSuite, Dtls13CipherSuite, HashAlgorithm, Nonce,
    SupportedDtls12CipherSuite, SupportedDtls13CipherSuite, TmpBuf,
};
use zeroize::Zeroizing;

/// The suites of DTLS 1.2 that aws-lc has.
pub(crate) fn dtls12_suites() -> &'static [&'static dyn SupportedDtls12CipherSuite] {
    static COLD: LazyLock<Vec<Cold12>> = LazyLock::new(|| {
        let suites = default_provider().cipher_suites.iter();
        suites.copied().map(Cold12).collect()
    });
    static SUITES: LazyLock<Vec<&'static dyn SupportedDtls12CipherSuite>> =
        LazyLock::new(|| COLD.iter().map(|suite| suite as _).collect());
    &SUITES
}

/// The suites of DTLS 1.3 that aws-lc has.
pub(crate) fn dtls13_suites() -> &'static [&'static dyn SupportedDtls13CipherSuite] {
    static COLD: LazyLock<Vec<Cold13>> = LazyLock::new(|| {
        let suites = default_provider().dtls13_cipher_suites.iter();
        suites.copied().map(Cold13).collect()
    });
    static SUITES: LazyLock<Vec<&'static dyn SupportedDtls13CipherSuite>> =
        LazyLock::new(|| COLD.iter().map(|suite| suite as _).collect());
    &SUITES
}

/// The key of one direction and epoch.
struct ColdCipher {
    suite: Suite,
    key: Zeroizing<Box<[u8]>>,
}

#[derive(Clone, Copy)]
enum Suite {
    Dtls12(&'static dyn SupportedDtls12CipherSuite),
    Dtls13(&'static dyn SupportedDtls13CipherSuite),
}

#[derive(Debug)]
struct Cold12(&'static dyn SupportedDtls12CipherSuite);

#[derive(Debug)]
struct Cold13(&'static dyn SupportedDtls13CipherSuite);

impl ColdCipher {
    /// A key that the suite does not take is refused now, not when it is needed.
    fn boxed(suite: Suite, key: &[u8]) -> Result<Box<dyn Cipher>, CryptoError> {
        suite.set_up(key)?;
        let key = Zeroizing::new(Box::from(key));
        Ok(Box::new(Self { suite, key }))
    }

    fn set_up(&self) -> Result<Box<dyn Cipher>, CryptoError> {
        self.suite.set_up(&self.key)
    }
}

impl Suite {
    fn set_up(self, key: &[u8]) -> Result<Box<dyn Cipher>, CryptoError> {
        match self {
            Self::Dtls12(suite) => suite.create_cipher(key),
            Self::Dtls13(suite) => suite.create_cipher(key),
        }
    }
}

impl Cipher for ColdCipher {
    fn encrypt(&mut self, plaintext: &mut Buf, aad: Aad, nonce: Nonce) -> Result<(), CryptoError> {
        self.set_up()?.encrypt(plaintext, aad, nonce)
    }

    fn decrypt(
        &mut self,
        ciphertext: &mut TmpBuf,
        aad: Aad,
        nonce: Nonce,
    ) -> Result<(), CryptoError> {
        self.set_up()?.decrypt(ciphertext, aad, nonce)
    }
}

impl fmt::Debug for ColdCipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ColdCipher").finish_non_exhaustive()
    }
}

impl SupportedDtls12CipherSuite for Cold12 {
    fn suite(&self) -> Dtls12CipherSuite {
        self.0.suite()
    }

    fn hash_algorithm(&self) -> HashAlgorithm {
        self.0.hash_algorithm()
    }

    fn key_lengths(&self) -> (usize, usize, usize) {
        self.0.key_lengths()
    }

    fn explicit_nonce_len(&self) -> usize {
        self.0.explicit_nonce_len()
    }

    fn tag_len(&self) -> usize {
        self.0.tag_len()
    }

    fn min_protected_fragment_len(&self) -> usize {
        self.0.min_protected_fragment_len()
    }

    fn create_cipher(&self, key: &[u8]) -> Result<Box<dyn Cipher>, CryptoError> {
        ColdCipher::boxed(Suite::Dtls12(self.0), key)
    }
}

impl SupportedDtls13CipherSuite for Cold13 {
    fn suite(&self) -> Dtls13CipherSuite {
        self.0.suite()
    }

    fn hash_algorithm(&self) -> HashAlgorithm {
        self.0.hash_algorithm()
    }

    fn key_len(&self) -> usize {
        self.0.key_len()
    }

    fn iv_len(&self) -> usize {
        self.0.iv_len()
    }

    fn tag_len(&self) -> usize {
        self.0.tag_len()
    }

    fn min_protected_fragment_len(&self) -> usize {
        self.0.min_protected_fragment_len()
    }

    fn create_cipher(&self, key: &[u8]) -> Result<Box<dyn Cipher>, CryptoError> {
        ColdCipher::boxed(Suite::Dtls13(self.0), key)
    }

    fn encrypt_sn(&self, sn_key: &[u8], sample: &[u8; 16]) -> [u8; 16] {
        self.0.encrypt_sn(sn_key, sample)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_suites_of_the_library_are_there_in_its_order() {
        let theirs = default_provider();
        let names12 = |suites: &[&'static dyn SupportedDtls12CipherSuite]| -> Vec<_> {
            suites.iter().map(|suite| suite.suite()).collect()
        };
        let names13 = |suites: &[&'static dyn SupportedDtls13CipherSuite]| -> Vec<_> {
            suites.iter().map(|suite| suite.suite()).collect()
        };
        assert_eq!(names12(dtls12_suites()), names12(theirs.cipher_suites));
        assert_eq!(
            names13(dtls13_suites()),
            names13(theirs.dtls13_cipher_suites)
        );
    }

    #[test]
    fn key_of_a_wrong_length_is_refused_at_once() {
        for suite in dtls12_suites() {
            let (_, len, _) = suite.key_lengths();
            assert!(suite.create_cipher(&vec![7; len]).is_ok());
            assert!(suite.create_cipher(&vec![7; len + 1]).is_err());
        }
        for suite in dtls13_suites() {
            let len = suite.key_len();
            assert!(suite.create_cipher(&vec![7; len]).is_ok());
            assert!(suite.create_cipher(&vec![7; len + 1]).is_err());
        }
    }

    #[test]
    fn key_does_not_show_in_debug_output() {
        let cipher = dtls13_suites()[0].create_cipher(&[7; 16]).unwrap();
        assert_eq!(format!("{cipher:?}"), "ColdCipher { .. }");
    }
}
