//! The key of MESSAGE-INTEGRITY (RFC 8489 §14.5) with its schedule done.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use crate::attribute::{HEADER_LEN, MESSAGE_INTEGRITY_LEN};

/// The HMAC-SHA1 key of a short-term credential (RFC 8489 §9.1.1), with the key schedule done
/// once: a message costs a copy of it.
#[derive(Clone)]
pub struct IntegrityKey {
    keyed: Hmac<Sha1>,
}

impl IntegrityKey {
    /// The key of this password. ICE passwords are ASCII, so OpaqueString changes nothing.
    #[must_use]
    pub fn new(password: &str) -> Self {
        let keyed = Hmac::new_from_slice(password.as_bytes())
            .expect("HMAC takes keys of any length (RFC 2104 §2)");
        Self { keyed }
    }

    /// The HMAC of a message up to its MESSAGE-INTEGRITY attribute.
    pub(crate) fn sign(&self, covered: &[u8]) -> [u8; 20] {
        self.absorb(covered).finalize().into_bytes().into()
    }

    /// Whether `tag` is the HMAC of `covered`, in constant time.
    pub(crate) fn verify(&self, covered: &[u8], tag: &[u8; 20]) -> bool {
        self.absorb(covered).verify_slice(tag).is_ok()
    }

    /// The length field is taken as if MESSAGE-INTEGRITY were the last attribute (RFC 8489
    /// §14.5). `covered` begins with a whole header; if it is longer than a STUN message can be,
    /// the writer refuses the message after this.
    fn absorb(&self, covered: &[u8]) -> Hmac<Sha1> {
        let len = (covered.len() - HEADER_LEN + MESSAGE_INTEGRITY_LEN) as u16;
        let mut mac = self.keyed.clone();
        mac.update(&covered[..2]);
        mac.update(&len.to_be_bytes());
        mac.update(&covered[4..]);
        mac
    }
}

impl fmt::Debug for IntegrityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IntegrityKey").finish_non_exhaustive()
    }
}
