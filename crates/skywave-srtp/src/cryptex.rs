//! Cryptex: header extensions and CSRCs encrypted as a whole (RFC 9335).

use crate::encrypted_portion::EncryptedPortion;
use crate::packet::{EXTENSION_HEADER_LEN, RTP_HEADER_LEN};
use crate::rtp_header::{EXTENSION_BIT, RtpHeader};

/// The number of an extension once it is encrypted, or `None` if Cryptex cannot encrypt it: it
/// knows those of RFC 8285, and has no room for application bits (RFC 9335 §5).
pub(crate) fn encrypted_profile(profile: u16) -> Option<u16> {
    match profile {
        0xbede => Some(0xc0de),
        0x1000 => Some(0xc2de),
        _ => None,
    }
}

/// The number an encrypted extension had before, or `None` if it is not encrypted.
pub(crate) fn plain_profile(profile: u16) -> Option<u16> {
    match profile {
        0xc0de => Some(0xbede),
        0xc2de => Some(0x1000),
        _ => None,
    }
}

/// Bytes by which a packet grows: CSRCs without an extension get an empty one, by which the
/// receiver sees that they are encrypted (RFC 9335 §5.1).
pub(crate) fn growth(header: &RtpHeader) -> usize {
    if header.csrc_len > 0 && header.extension.is_none() {
        EXTENSION_HEADER_LEN
    } else {
        0
    }
}

/// Marks the header as encrypted and says what is to be encrypted.
///
/// `packet` ends with the room that [`growth`] and the tag want.
pub(crate) fn mark(packet: &mut [u8], header: &RtpHeader, plain_len: usize) -> EncryptedPortion {
    let extension_at = RTP_HEADER_LEN + header.csrc_len;
    if growth(header) > 0 {
        packet.copy_within(extension_at..plain_len, extension_at + EXTENSION_HEADER_LEN);
        packet[0] |= EXTENSION_BIT;
        packet[extension_at..][..EXTENSION_HEADER_LEN].copy_from_slice(&[0xc0, 0xde, 0, 0]);
        return EncryptedPortion::cryptex(header.csrc_len);
    }
    match header.extension.and_then(encrypted_profile) {
        Some(profile) => {
            packet[extension_at..][..2].copy_from_slice(&profile.to_be_bytes());
            EncryptedPortion::cryptex(header.csrc_len)
        }
        None => EncryptedPortion::payload(header.len),
    }
}

/// What is encrypted of a received packet.
pub(crate) fn portion(header: &RtpHeader) -> EncryptedPortion {
    match header.extension.and_then(plain_profile) {
        Some(_) => EncryptedPortion::cryptex(header.csrc_len),
        None => EncryptedPortion::payload(header.len),
    }
}

/// Undoes the mark of a decrypted packet; an empty extension that was added stays (RFC 9335
/// §5.2).
pub(crate) fn unmark(packet: &mut [u8], header: &RtpHeader) {
    if let Some(profile) = header.extension.and_then(plain_profile) {
        let extension_at = RTP_HEADER_LEN + header.csrc_len;
        packet[extension_at..][..2].copy_from_slice(&profile.to_be_bytes());
    }
}
