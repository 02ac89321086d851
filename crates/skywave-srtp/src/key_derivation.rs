//! Session keys from a master key: RFC 3711 §4.3 with AES-CM as the pseudo-random function
//! (§4.3.3), RFC 7714 §11 for the AEAD profiles, RFC 6904 §3 for header extensions. The key
//! derivation rate is 0.

use zeroize::Zeroize;

use crate::MasterKey;
use crate::aes_gcm::NonceSalt;
use crate::counter_mode::CounterMode;

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
        let mut keys = Self::derive(master, 0x00, 0x02);
        derive(master, 0x01, &mut keys.auth_key);
        keys
    }

    /// Derives the keys of SRTCP.
    pub(crate) fn srtcp(master: &MasterKey) -> Self {
        let mut keys = Self::derive(master, 0x03, 0x05);
        derive(master, 0x04, &mut keys.auth_key);
        keys
    }

    /// Derives the keys of encrypted header extension elements, which have no tag of their own.
    pub(crate) fn header_extensions(master: &MasterKey) -> Self {
        Self::derive(master, 0x06, 0x07)
    }

    /// The encryption key.
    pub(crate) fn key(&self) -> &[u8] {
        &self.key[..self.key_len]
    }

    /// The salt of AES-GCM.
    pub(crate) fn nonce_salt(&self) -> NonceSalt {
        let [salt @ .., _, _] = self.salt;
        NonceSalt::new(salt)
    }

    /// The labels are those of RFC 3711 §4.3.2 and RFC 6904 §3.
    fn derive(master: &MasterKey, key_label: u8, salt_label: u8) -> Self {
        let profile = master.profile();
        let mut keys = Self {
            key: [0; 32],
            key_len: profile.key_len(),
            auth_key: [0; 20],
            salt: [0; 14],
        };
        derive(master, key_label, &mut keys.key[..profile.key_len()]);
        derive(master, salt_label, &mut keys.salt[..profile.salt_len()]);
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
fn derive(master: &MasterKey, label: u8, out: &mut [u8]) {
    // x = (label || r) XOR master_salt with r = 0 of 48 bits, and the IV is x * 2^16.
    let mut iv = [0; 16];
    iv[..14].copy_from_slice(master.salt());
    iv[7] ^= label;
    CounterMode::new(master.key()).apply(&iv, 0, out);
    iv.zeroize();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Profile;
    use crate::testing::hex;

    #[test]
    fn rfc3711_b_3_keys_are_those_published() {
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
    fn rfc6188_7_2_keys_of_256_bits_are_those_published() {
        let mut master = MasterKey::new(
            Profile::AeadAes256Gcm,
            &hex("f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b6"),
            &hex("3b04803de51ee7c96423ab5b"),
        )
        .unwrap();
        // The salt of the RFC is that of AES-CM, of 14 bytes.
        master.salt_mut()[12..].copy_from_slice(&[0x78, 0xd2]);
        let stream = |label, len| {
            let mut out = vec![0; len];
            derive(&master, label, &mut out);
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
