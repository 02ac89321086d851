//! Encrypts the data of chosen header extension elements: RFC 6904, for the AEAD profiles as
//! RFC 7714 §8.3 has it, with AES in counter mode too.

use std::ops::Range;

use zeroize::Zeroize;

use crate::counter_mode::{CounterMode, counter_block};
use crate::key_derivation::SessionKeys;
use crate::{ExtensionIds, MasterKey};

/// The keys of RFC 6904 §3 and what they are for.
pub(crate) struct ElementCipher {
    aes: CounterMode,
    salt: [u8; 14],
    ids: ExtensionIds,
}

impl ElementCipher {
    pub(crate) fn new(master: &MasterKey, ids: ExtensionIds) -> Self {
        let keys = SessionKeys::header_extensions(master);
        Self {
            aes: CounterMode::new(keys.key()),
            salt: keys.salt,
            ids,
        }
    }

    /// Encrypts or decrypts elements in `body`, an extension behind its first word.
    ///
    /// The key stream runs along the whole body; identifiers, lengths, padding and elements that
    /// are not encrypted are masked out (RFC 6904 §3). What follows a malformed element stays as
    /// it is.
    pub(crate) fn apply(&self, form: ElementForm, body: &mut [u8], ssrc: u32, index: u64) {
        let iv = counter_block(&self.salt, ssrc, index);
        let mut at = 0;
        while let Ok(Some(element)) = form.element_from(body, at) {
            at = element.data.end;
            if self.ids.contains(element.id) {
                self.aes
                    .apply(&iv, element.data.start, &mut body[element.data]);
            }
        }
    }
}

impl Drop for ElementCipher {
    fn drop(&mut self) {
        // The rest wipes itself.
        self.salt.zeroize();
    }
}

/// How the elements of an extension are framed: RFC 8285 §4.2 and §4.3.
#[derive(Clone, Copy)]
pub(crate) enum ElementForm {
    OneByte,
    TwoByte,
}

impl ElementForm {
    /// The form of an extension "defined by profile" with this number.
    pub(crate) fn of(profile: u16) -> Option<Self> {
        match profile {
            0xbede => Some(Self::OneByte),
            // The lowest four bits are the application's.
            0x1000..=0x100f => Some(Self::TwoByte),
            _ => None,
        }
    }

    /// Whether every element of `body` ends within it.
    pub(crate) fn is_well_formed(self, body: &[u8]) -> bool {
        let mut at = 0;
        loop {
            match self.element_from(body, at) {
                Ok(Some(element)) => at = element.data.end,
                Ok(None) => return true,
                Err(Malformed) => return false,
            }
        }
    }

    /// The first element that begins at `at` or behind padding there.
    fn element_from(self, body: &[u8], at: usize) -> Result<Option<Element>, Malformed> {
        let padding = body[at..].iter().take_while(|byte| **byte == 0).count();
        let at = at + padding;
        let Some(&first) = body.get(at) else {
            return Ok(None);
        };
        let (id, start, len) = match self {
            // 15 ends the extension, and so does 0 with a length (RFC 8285 §4.2).
            Self::OneByte if matches!(first >> 4, 0 | 15) => return Ok(None),
            Self::OneByte => (first >> 4, at + 1, 1 + usize::from(first & 0x0f)),
            Self::TwoByte => {
                let len = body.get(at + 1).ok_or(Malformed)?;
                (first, at + 2, usize::from(*len))
            }
        };
        let data = start..start + len;
        if data.end > body.len() {
            return Err(Malformed);
        }
        Ok(Some(Element { id, data }))
    }
}

/// Identifier of an element, and where its data lie in the body.
struct Element {
    id: u8,
    data: Range<usize>,
}

/// An element runs over the end of its extension.
struct Malformed;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{PROFILES, hex, master};

    #[test]
    fn rfc6904_a_elements_are_those_published() {
        // The key and salt of the RFC are those behind the master key of RFC 3711 B.3.
        let master = MasterKey::new(
            PROFILES[0],
            &hex("E1F97A0D3E018BE0D64FA32C06DE4139"),
            &hex("0EC675AD498AFEEBB6960B3AABE6"),
        )
        .unwrap();
        let cipher = ElementCipher::new(&master, ExtensionIds::new(&[1, 3, 4]).unwrap());
        let mut body = hex("17414273A475262748220000C8308E4655996386B395FB00");
        cipher.apply(ElementForm::OneByte, &mut body, 0xcafe_babe, 0x1234);
        assert_eq!(
            body,
            hex("17588A9270F4E15E1C220000C8309546A994F0BC54789700")
        );
    }

    /// Which bytes of a body are encrypted with every identifier but 2.
    fn encrypted(form: ElementForm, body: &str) -> Vec<usize> {
        let ids: Vec<u8> = (1..=255).filter(|id| *id != 2).collect();
        let cipher = ElementCipher::new(&master(PROFILES[0]), ExtensionIds::new(&ids).unwrap());
        let plain = hex(body);
        // Some index for which a byte changes.
        let mut changed: Vec<usize> = (0..8)
            .flat_map(|index| {
                let mut body = plain.clone();
                cipher.apply(form, &mut body, 1, index);
                let differs = |i: &usize| body[*i] != plain[*i];
                (0..plain.len()).filter(differs).collect::<Vec<_>>()
            })
            .collect();
        changed.sort_unstable();
        changed.dedup();
        changed
    }

    #[test]
    fn rfc6904_3_only_data_of_chosen_elements_are_encrypted() {
        let one_byte = encrypted(ElementForm::OneByte, "11aabb 00 00 20cc 32ddeeff 00 00");
        assert_eq!(one_byte, [1, 2, 8, 9, 10]);
        let two_byte = encrypted(
            ElementForm::TwoByte,
            "0102aabb 00 0201cc 0300 ff03ddeeff 00",
        );
        assert_eq!(two_byte, [2, 3, 12, 13, 14]);
    }

    #[test]
    fn rfc8285_4_2_identifiers_15_and_0_with_a_length_end_the_extension() {
        assert_eq!(encrypted(ElementForm::OneByte, "10aa f0bb 10cc 0000"), [1]);
        assert_eq!(encrypted(ElementForm::OneByte, "10aa 01bb 10cc 0000"), [1]);
        // In the two-byte form 15 is an identifier like others.
        assert_eq!(encrypted(ElementForm::TwoByte, "0f01aa 00"), [2]);
    }

    #[test]
    fn elements_over_the_end_are_malformed_and_stay_as_they_are() {
        for (form, body) in [
            (ElementForm::OneByte, "11aabb 11"),
            (ElementForm::OneByte, "11aabb 11cc"),
            (ElementForm::TwoByte, "01 02 aabb 01"),
            (ElementForm::TwoByte, "01 02 aabb 01 01"),
        ] {
            assert!(!form.is_well_formed(&hex(body)), "{body}");
            assert_eq!(encrypted(form, body).len(), 2, "{body}");
        }
        for (form, body) in [
            (ElementForm::OneByte, ""),
            (ElementForm::OneByte, "11aabb 00"),
            (ElementForm::TwoByte, "01 02 aabb 01 00"),
        ] {
            assert!(form.is_well_formed(&hex(body)), "{body}");
        }
    }
}
