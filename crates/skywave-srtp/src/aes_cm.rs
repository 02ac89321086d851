//! AES in counter mode with HMAC-SHA1: RFC 3711 §4.1.1 and §4.2.1.
//!
//! ```text
//! SRTP   header | encrypted payload | tag
//! SRTCP  header | encrypted payload | E, index | tag
//! ```

use aes::Aes128Enc;
use aes::cipher::KeyInit;
use zeroize::Zeroize;

use crate::counter_mode::{apply_key_stream, counter_block};
use crate::encrypted_portion::EncryptedPortion;
use crate::hmac_sha1::HmacSha1;
use crate::key_derivation::SessionKeys;
use crate::packet::{E_BIT, INDEX_LEN, RTCP_HEADER_LEN};
use crate::{DropReason, Profile};

/// The key schedule of AES and the two half-done hashes of HMAC, so that a packet pays for
/// neither.
pub(crate) struct AesCm {
    aes: Aes128Enc,
    hmac: HmacSha1,
    salt: [u8; 14],
    /// Bytes of the tag of SRTP.
    rtp_tag_len: usize,
}

impl AesCm {
    /// Bytes of the tag of SRTCP: 80 bits with either profile (RFC 5764 §4.1.2).
    pub(crate) const RTCP_TAG_LEN: usize = 10;

    pub(crate) fn new(profile: Profile, keys: &SessionKeys) -> Self {
        Self {
            aes: Aes128Enc::new_from_slice(keys.key())
                .expect("the session key has the length of its profile"),
            hmac: HmacSha1::new(&keys.auth_key),
            salt: keys.salt,
            rtp_tag_len: profile.rtp_overhead(),
        }
    }

    pub(crate) fn rtp_tag_len(&self) -> usize {
        self.rtp_tag_len
    }

    pub(crate) fn seal_rtp(
        &self,
        packet: &mut [u8],
        portion: EncryptedPortion,
        ssrc: u32,
        index: u64,
    ) {
        let (plain, tag) = packet.split_at_mut(packet.len() - self.rtp_tag_len);
        self.apply_to_portion(plain, portion, ssrc, index);
        let mac = self.hmac.tag(plain, &roc(index));
        tag.copy_from_slice(&mac[..tag.len()]);
    }

    pub(crate) fn open_rtp(
        &self,
        packet: &mut [u8],
        portion: EncryptedPortion,
        ssrc: u32,
        index: u64,
    ) -> Result<(), DropReason> {
        let (sealed, tag) = packet.split_at_mut(packet.len() - self.rtp_tag_len);
        if !self.hmac.verify(sealed, &roc(index), tag) {
            return Err(DropReason::Authentication);
        }
        self.apply_to_portion(sealed, portion, ssrc, index);
        Ok(())
    }

    pub(crate) fn seal_rtcp(&self, packet: &mut [u8], ssrc: u32, index: u32) {
        let (authenticated, tag) = packet.split_at_mut(packet.len() - Self::RTCP_TAG_LEN);
        let (plain, word) = authenticated.split_at_mut(authenticated.len() - INDEX_LEN);
        self.apply_key_stream(&mut plain[RTCP_HEADER_LEN..], ssrc, u64::from(index));
        word.copy_from_slice(&(E_BIT | index).to_be_bytes());
        let mac = self.hmac.tag(authenticated, &[]);
        tag.copy_from_slice(&mac[..tag.len()]);
    }

    pub(crate) fn open_rtcp(
        &self,
        packet: &mut [u8],
        ssrc: u32,
        index: u32,
    ) -> Result<(), DropReason> {
        let (authenticated, tag) = packet.split_at_mut(packet.len() - Self::RTCP_TAG_LEN);
        if !self.hmac.verify(authenticated, &[], tag) {
            return Err(DropReason::Authentication);
        }
        let plain_len = authenticated.len() - INDEX_LEN;
        let payload = &mut authenticated[RTCP_HEADER_LEN..plain_len];
        self.apply_key_stream(payload, ssrc, u64::from(index));
        Ok(())
    }

    fn apply_to_portion(
        &self,
        packet: &mut [u8],
        portion: EncryptedPortion,
        ssrc: u32,
        index: u64,
    ) {
        portion.gather(packet);
        self.apply_key_stream(&mut packet[portion.start()..], ssrc, index);
        portion.scatter(packet);
    }

    fn apply_key_stream(&self, payload: &mut [u8], ssrc: u32, index: u64) {
        let iv = counter_block(&self.salt, ssrc, index);
        apply_key_stream(&self.aes, &iv, payload);
    }
}

impl Drop for AesCm {
    fn drop(&mut self) {
        // The rest wipes itself.
        self.salt.zeroize();
    }
}

/// What the tag of SRTP covers behind the packet (RFC 3711 §4.2).
fn roc(index: u64) -> [u8; 4] {
    ((index >> 16) as u32).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::hex;

    #[test]
    fn rfc3711_b_2_key_stream_is_that_published() {
        let cm = AesCm::new(
            Profile::Aes128CmHmacSha1_80,
            &SessionKeys::from_parts(
                &hex("2B7E151628AED2A6ABF7158809CF4F3C"),
                [0; 20],
                &hex("F0F1F2F3F4F5F6F7F8F9FAFBFCFD"),
            ),
        );
        let mut stream = [0; 48];
        cm.apply_key_stream(&mut stream, 0, 0);
        assert_eq!(
            stream[..],
            hex("E03EAD0935C95E80E166B16DD92B4EB4
                 D23513162B02D0F72A43A2FE4A5F97AB
                 41E95B3BB0A2E8DD477901E4FCA894C0")
        );
        // The three last blocks that the RFC lists.
        let mut iv = counter_block(&cm.salt, 0, 0);
        iv[14..].copy_from_slice(&[0xfe, 0xff]);
        let mut stream = [0; 48];
        apply_key_stream(&cm.aes, &iv, &mut stream);
        assert_eq!(
            stream[..],
            hex("EC8CDF7398607CB0F2D21675EA9EA1E4
                 362B7C3C6773516318A077D7FC5073AE
                 6A2CC3787889374FBEB4C81B17BA6C44")
        );
    }
}
