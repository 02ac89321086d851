//! Session keys from a master key: RFC 3711 §4.3 with AES-CM as the pseudo-random function
//! (§4.3.3), RFC 7714 §11 for the AEAD profiles. The key derivation rate is 0.

use aes::cipher::{KeyIvInit, StreamCipher};
use ctr::Ctr128BE;
use zeroize::Zeroize;

use crate::{MasterKey, Profile};

/// What is derived from a master key, for SRTP or for SRTCP.
pub(crate) struct SessionKeys {
    key: [u8; 32],
    key_len: usize,
    /// Used by AES-CM alone.
    pub(crate) auth_key: [u8; 20],
    /// Of 14 bytes for AES-CM; the AEAD profiles use the first 12.
    pub(crate) salt: [u8; 14],
}

impl SessionKeys {
    /// Derives the keys of SRTP.
    pub(crate) fn srtp(master: &MasterKey) -> Self {
        Self::derive(master, LABEL_SRTP)
    }

    /// Derives the keys of SRTCP.
    pub(crate) fn srtcp(master: &MasterKey) -> Self {
        Self::derive(master, LABEL_SRTCP)
    }

    /// The encryption key.
    pub(crate) fn key(&self) -> &[u8] {
        &self.key[..self.key_len]
    }

    fn derive(master: &MasterKey, first_label: u8) -> Self {
        let profile = master.profile();
        let key_stream = |label, out: &mut [u8]| {
            key_stream(profile, master.key(), master.salt(), label, out);
        };
        let mut keys = Self {
            key: [0; 32],
            key_len: profile.key_len(),
            auth_key: [0; 20],
            salt: [0; 14],
        };
        key_stream(first_label, &mut keys.key[..keys.key_len]);
        key_stream(first_label + 1, &mut keys.auth_key);
        key_stream(first_label + 2, &mut keys.salt[..profile.salt_len()]);
        keys
    }

    /// Keys as published test vectors give them.
    #[cfg(test)]
    pub(crate) fn from_parts(key: &[u8], auth_key: [u8; 20], salt: &[u8]) -> Self {
        let mut keys = Self {
            key: [0; 32],
            key_len: key.len(),
            auth_key,
            salt: [0; 14],
        };
        keys.key[..key.len()].copy_from_slice(key);
        keys.salt[..salt.len()].copy_from_slice(salt);
        keys
    }
}

impl Drop for SessionKeys {
    fn drop(&mut self) {
        self.key.zeroize();
        self.auth_key.zeroize();
        self.salt.zeroize();
    }
}

/// Fills `out`, which holds zeros, with the key stream for `label`.
fn key_stream(profile: Profile, key: &[u8], salt: &[u8; 14], label: u8, out: &mut [u8]) {
    // x = (label || r) XOR master_salt with r = 0 of 48 bits, and the IV is x * 2^16.
    let mut iv = [0; 16];
    iv[..14].copy_from_slice(salt);
    iv[7] ^= label;
    match profile {
        Profile::Aes128CmHmacSha1_80 | Profile::AeadAes128Gcm => {
            Ctr128BE::<aes::Aes128Enc>::new_from_slices(key, &iv)
                .expect("the master key has the length of its profile")
                .apply_keystream(out);
        }
        Profile::AeadAes256Gcm => {
            Ctr128BE::<aes::Aes256Enc>::new_from_slices(key, &iv)
                .expect("the master key has the length of its profile")
                .apply_keystream(out);
        }
    }
}

/// RFC 3711 §4.3.2: encryption, authentication and salting have successive labels.
const LABEL_SRTP: u8 = 0x00;
const LABEL_SRTCP: u8 = 0x03;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::hex;

    #[test]
    fn keys_are_those_of_rfc_3711_appendix_b3() {
        let master = MasterKey::new(
            Profile::Aes128CmHmacSha1_80,
            &hex("E1F97A0D3E018BE0D64FA32C06DE4139"),
            &hex("0EC675AD498AFEEBB6960B3AABE6"),
        )
        .unwrap();
        let keys = SessionKeys::srtp(&master);
        assert_eq!(keys.key(), hex("C61E7A93744F39EE10734AFE3FF7A087"));
        assert_eq!(keys.salt[..], hex("30CBBC08863D8C85D49DB34A9AE1"));
        assert_eq!(
            keys.auth_key[..],
            hex("CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4")
        );
    }

    #[test]
    fn keys_of_256_bits_are_those_of_rfc_6188_section_7_2() {
        let key = hex("f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b6");
        let salt = hex("3b04803de51ee7c96423ab5b78d2").try_into().unwrap();
        let stream = |label, len| {
            let mut out = vec![0; len];
            key_stream(Profile::AeadAes256Gcm, &key, &salt, label, &mut out);
            out
        };
        assert_eq!(
            stream(0, 32),
            hex("5ba1064e30ec51613cad926c5a28ef731ec7fb397f70a960653caf06554cd8c4")
        );
        assert_eq!(
            stream(1, 20),
            hex("fd9c32d39ed5fbb5a9dc96b30818454d1313dc05")
        );
        assert_eq!(stream(2, 14), hex("fa31791685ca444a9e07c6c64e93"));
    }

    #[test]
    fn srtcp_has_other_keys_than_srtp() {
        let master = crate::testing::master(Profile::Aes128CmHmacSha1_80);
        let (srtp, srtcp) = (SessionKeys::srtp(&master), SessionKeys::srtcp(&master));
        assert_ne!(srtp.key(), srtcp.key());
        assert_ne!(srtp.auth_key, srtcp.auth_key);
        assert_ne!(srtp.salt, srtcp.salt);
    }
}
