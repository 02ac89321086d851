//! SRTP master keys from the exporter of RFC 5764 §4.2.

use std::fmt;

use zeroize::Zeroizing;

use crate::Role;

/// The master keys and salts of both directions, wiped from memory when dropped.
///
/// No key identifier (MKI) and no key derivation rate are ever negotiated.
pub struct SrtpKeys {
    /// The protection profile's IANA number (RFC 5764 §4.1.2, RFC 7714 §14.2):
    /// `0x0001` for `SRTP_AES128_CM_HMAC_SHA1_80`, `0x0007` for
    /// `SRTP_AEAD_AES_128_GCM`, `0x0008` for `SRTP_AEAD_AES_256_GCM`.
    pub profile: u16,
    role: Role,
    key_len: usize,
    /// Client key, server key, client salt, server salt.
    material: Zeroizing<Vec<u8>>,
}

impl SrtpKeys {
    /// Splits the exporter's output. `None` if the profile is unknown or the
    /// length is not the profile's.
    pub(crate) fn split(profile: u16, role: Role, material: &[u8]) -> Option<Self> {
        let (key_len, salt_len) = match profile {
            SRTP_AES128_CM_HMAC_SHA1_80 => (16, 14),
            SRTP_AEAD_AES_128_GCM => (16, 12),
            SRTP_AEAD_AES_256_GCM => (32, 12),
            _ => return None,
        };
        (material.len() == 2 * (key_len + salt_len)).then(|| Self {
            profile,
            role,
            key_len,
            material: Zeroizing::new(material.to_vec()),
        })
    }

    /// The master key of what this side sends: 16 or 32 bytes.
    #[must_use]
    pub fn local_key(&self) -> &[u8] {
        self.key(self.role)
    }

    /// The master salt of what this side sends: 12 or 14 bytes.
    #[must_use]
    pub fn local_salt(&self) -> &[u8] {
        self.salt(self.role)
    }

    /// The master key of what the peer sends: 16 or 32 bytes.
    #[must_use]
    pub fn remote_key(&self) -> &[u8] {
        self.key(self.role.peer())
    }

    /// The master salt of what the peer sends: 12 or 14 bytes.
    #[must_use]
    pub fn remote_salt(&self) -> &[u8] {
        self.salt(self.role.peer())
    }

    fn key(&self, writer: Role) -> &[u8] {
        let (keys, _) = self.material.split_at(2 * self.key_len);
        half(keys, writer)
    }

    fn salt(&self, writer: Role) -> &[u8] {
        let (_, salts) = self.material.split_at(2 * self.key_len);
        half(salts, writer)
    }
}

impl fmt::Debug for SrtpKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SrtpKeys")
            .field("profile", &self.profile)
            .finish_non_exhaustive()
    }
}

fn half(pair: &[u8], writer: Role) -> &[u8] {
    let (client, server) = pair.split_at(pair.len() / 2);
    match writer {
        Role::Client => client,
        Role::Server => server,
    }
}

pub(crate) const SRTP_AES128_CM_HMAC_SHA1_80: u16 = 0x0001;
pub(crate) const SRTP_AEAD_AES_128_GCM: u16 = 0x0007;
pub(crate) const SRTP_AEAD_AES_256_GCM: u16 = 0x0008;

#[cfg(test)]
mod tests {
    use super::*;

    fn counting(len: u8) -> Vec<u8> {
        (0..len).collect()
    }

    #[test]
    fn client_sends_with_the_first_key_and_the_first_salt() {
        let keys =
            SrtpKeys::split(SRTP_AES128_CM_HMAC_SHA1_80, Role::Client, &counting(60)).unwrap();
        assert_eq!(keys.local_key(), (0..16).collect::<Vec<u8>>());
        assert_eq!(keys.remote_key(), (16..32).collect::<Vec<u8>>());
        assert_eq!(keys.local_salt(), (32..46).collect::<Vec<u8>>());
        assert_eq!(keys.remote_salt(), (46..60).collect::<Vec<u8>>());
    }

    #[test]
    fn server_sends_with_the_second_ones() {
        let keys = SrtpKeys::split(SRTP_AEAD_AES_256_GCM, Role::Server, &counting(88)).unwrap();
        assert_eq!(keys.remote_key(), (0..32).collect::<Vec<u8>>());
        assert_eq!(keys.local_key(), (32..64).collect::<Vec<u8>>());
        assert_eq!(keys.remote_salt(), (64..76).collect::<Vec<u8>>());
        assert_eq!(keys.local_salt(), (76..88).collect::<Vec<u8>>());
    }

    #[test]
    fn wrong_length_and_unknown_profile_give_nothing() {
        assert!(SrtpKeys::split(SRTP_AEAD_AES_128_GCM, Role::Client, &counting(57)).is_none());
        assert!(SrtpKeys::split(SRTP_AEAD_AES_128_GCM, Role::Client, &[]).is_none());
        assert!(SrtpKeys::split(0x0005, Role::Client, &counting(60)).is_none());
    }

    #[test]
    fn debug_output_shows_no_key() {
        let keys = SrtpKeys::split(SRTP_AEAD_AES_128_GCM, Role::Client, &[0xAB; 56]).unwrap();
        assert_eq!(format!("{keys:?}"), "SrtpKeys { profile: 7, .. }");
    }
}
