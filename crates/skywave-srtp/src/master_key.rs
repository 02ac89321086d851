//! The master key and master salt of one direction: RFC 3711 §3.2.1, RFC 7714 §11.

use std::fmt;

use zeroize::Zeroize;

use crate::{Error, Profile};

/// Master key and master salt of one direction of an association.
///
/// Its bytes are wiped when it is dropped, and its `Debug` output shows only the profile.
#[derive(Clone)]
pub struct MasterKey {
    profile: Profile,
    key: [u8; 32],
    salt: [u8; 14],
}

impl MasterKey {
    /// Takes the key and salt as a DTLS-SRTP handshake exports them.
    ///
    /// # Errors
    /// [`Error::KeyLength`] and [`Error::SaltLength`] if they have not the profile's lengths.
    pub fn new(profile: Profile, key: &[u8], salt: &[u8]) -> Result<Self, Error> {
        if key.len() != profile.key_len() {
            return Err(Error::KeyLength {
                profile,
                actual: key.len(),
            });
        }
        if salt.len() != profile.salt_len() {
            return Err(Error::SaltLength {
                profile,
                actual: salt.len(),
            });
        }
        let mut master = Self {
            profile,
            key: [0; 32],
            salt: [0; 14],
        };
        master.key[..key.len()].copy_from_slice(key);
        master.salt[..salt.len()].copy_from_slice(salt);
        Ok(master)
    }

    /// The profile the key is for.
    #[must_use]
    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// The key, as long as the profile says.
    pub(crate) fn key(&self) -> &[u8] {
        &self.key[..self.profile.key_len()]
    }

    /// The salt, padded with zeros at its end to 112 bits as RFC 7714 §11 wants it.
    pub(crate) fn salt(&self) -> &[u8; 14] {
        &self.salt
    }

    #[cfg(test)]
    pub(crate) fn salt_mut(&mut self) -> &mut [u8; 14] {
        &mut self.salt
    }
}

impl Drop for MasterKey {
    fn drop(&mut self) {
        self.key.zeroize();
        self.salt.zeroize();
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MasterKey")
            .field("profile", &self.profile)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_other_than_the_profiles_are_refused() {
        let profile = Profile::AeadAes256Gcm;
        assert_eq!(
            MasterKey::new(profile, &[0; 16], &[0; 12]).unwrap_err(),
            Error::KeyLength {
                profile,
                actual: 16
            }
        );
        assert_eq!(
            MasterKey::new(profile, &[0; 32], &[0; 14]).unwrap_err(),
            Error::SaltLength {
                profile,
                actual: 14
            }
        );
    }

    #[test]
    fn debug_output_shows_no_key() {
        let master = MasterKey::new(Profile::AeadAes128Gcm, &[0xab; 16], &[0xcd; 12]).unwrap();
        assert_eq!(
            format!("{master:?}"),
            "MasterKey { profile: AeadAes128Gcm, .. }"
        );
    }
}
