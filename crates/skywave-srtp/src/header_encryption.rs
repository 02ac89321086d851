//! How much of the header of RTP packets is encrypted: nothing (RFC 3711), some elements of its
//! extension (RFC 6904), or extension and CSRCs as a whole (RFC 9335).

use crate::Error;

/// What is encrypted of an RTP header, as both ends negotiated it.
///
/// A packet is encrypted by one mechanism at most, as RFC 9335 §5 wants it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum HeaderEncryption {
    /// Nothing: header extensions and CSRCs are readable on the way.
    #[default]
    None,
    /// Header extensions and CSRCs, completely: Cryptex, `a=cryptex` (RFC 9335).
    ///
    /// A sender encrypts every packet that has any of them. A receiver takes packets either way.
    Cryptex,
    /// The data of header extension elements with these identifiers, `a=extmap` with
    /// `urn:ietf:params:rtp-hdrext:encrypt` (RFC 6904). Their identifiers and lengths stay
    /// readable.
    Elements(ExtensionIds),
}

/// A set of local identifiers of header extension elements (RFC 8285): 1 to 14 in the one-byte
/// form, 1 to 255 in the two-byte form.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ExtensionIds([u64; 4]);

impl ExtensionIds {
    /// The set of these identifiers.
    ///
    /// # Errors
    /// [`Error::ExtensionId`] if one of them is 0, which is padding.
    pub fn new(ids: &[u8]) -> Result<Self, Error> {
        let mut set = Self::default();
        for &id in ids {
            if id == 0 {
                return Err(Error::ExtensionId { id });
            }
            set.0[usize::from(id / 64)] |= 1 << (id % 64);
        }
        Ok(set)
    }

    /// Whether elements with this identifier are in the set.
    #[must_use]
    pub fn contains(&self, id: u8) -> bool {
        self.0[usize::from(id / 64)] & 1 << (id % 64) != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn set_holds_what_it_was_given() {
        let set = ExtensionIds::new(&[1, 14, 63, 64, 255]).unwrap();
        let held: Vec<u8> = (0..=255).filter(|id| set.contains(*id)).collect();
        assert_eq!(held, [1, 14, 63, 64, 255]);
    }

    #[test]
    fn identifier_0_is_refused() {
        assert_eq!(
            ExtensionIds::new(&[1, 0]),
            Err(Error::ExtensionId { id: 0 })
        );
    }
}
