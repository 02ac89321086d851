//! Applies a [`HeaderEncryption`] to packets on their way out and in.

use crate::cryptex;
use crate::element_cipher::{ElementCipher, ElementForm};
use crate::encrypted_portion::EncryptedPortion;
use crate::packet::{EXTENSION_HEADER_LEN, RTP_HEADER_LEN};
use crate::rtp_header::RtpHeader;
use crate::{Error, HeaderEncryption, MasterKey};

/// The mechanism by which headers are encrypted, with its keys.
///
/// It is boxed where it is held: few sessions have one, and it is half as large as a sender.
#[expect(
    clippy::large_enum_variant,
    reason = "it is boxed as a whole, which leaves its owner one word"
)]
pub(crate) enum HeaderProtection {
    Cryptex,
    Elements(ElementCipher),
}

impl HeaderProtection {
    /// `None` if headers are not encrypted.
    pub(crate) fn new(master: &MasterKey, encryption: HeaderEncryption) -> Option<Box<Self>> {
        let protection = match encryption {
            HeaderEncryption::None => return None,
            HeaderEncryption::Cryptex => Self::Cryptex,
            HeaderEncryption::Elements(ids) => Self::Elements(ElementCipher::new(master, ids)),
        };
        Some(Box::new(protection))
    }

    /// Checks that the header of a packet to be sent can be encrypted, and says by how many
    /// bytes the packet grows.
    pub(crate) fn growth(&self, packet: &[u8], header: &RtpHeader) -> Result<usize, Error> {
        let Some(profile) = header.extension else {
            return Ok(match self {
                Self::Cryptex => cryptex::growth(header),
                Self::Elements(_) => 0,
            });
        };
        let possible = match self {
            Self::Cryptex => cryptex::encrypted_profile(profile).is_some(),
            // An extension of another kind has no elements, none of which is to be encrypted.
            Self::Elements(_) => ElementForm::of(profile)
                .is_none_or(|form| form.is_well_formed(&packet[body_start(header)..header.len])),
        };
        if possible {
            Ok(0)
        } else {
            Err(Error::HeaderExtension { profile })
        }
    }

    /// Encrypts elements, or marks the packet for Cryptex; says what is still to be encrypted.
    pub(crate) fn seal(
        &self,
        packet: &mut [u8],
        header: &RtpHeader,
        plain_len: usize,
        index: u64,
    ) -> EncryptedPortion {
        match self {
            Self::Cryptex => cryptex::mark(packet, header, plain_len),
            Self::Elements(cipher) => {
                apply_to_elements(cipher, packet, header, index);
                EncryptedPortion::payload(header.len)
            }
        }
    }

    /// What the cipher has to decrypt of a received packet.
    pub(crate) fn portion(&self, header: &RtpHeader) -> EncryptedPortion {
        match self {
            Self::Cryptex => cryptex::portion(header),
            Self::Elements(_) => EncryptedPortion::payload(header.len),
        }
    }

    /// Restores the header of a packet that was found genuine and decrypted.
    pub(crate) fn open(&self, packet: &mut [u8], header: &RtpHeader, index: u64) {
        match self {
            Self::Cryptex => cryptex::unmark(packet, header),
            Self::Elements(cipher) => apply_to_elements(cipher, packet, header, index),
        }
    }
}

fn apply_to_elements(cipher: &ElementCipher, packet: &mut [u8], header: &RtpHeader, index: u64) {
    if let Some(form) = header.extension.and_then(ElementForm::of) {
        let body = &mut packet[body_start(header)..header.len];
        cipher.apply(form, body, header.ssrc, index);
    }
}

/// Where an extension's elements begin; the header has an extension.
fn body_start(header: &RtpHeader) -> usize {
    RTP_HEADER_LEN + header.csrc_len + EXTENSION_HEADER_LEN
}
