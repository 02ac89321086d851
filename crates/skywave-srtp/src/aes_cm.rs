//! AES in counter mode with HMAC-SHA1: RFC 3711 §4.1.1 and §4.2.1.
//!
//! ```text
//! SRTP   header | encrypted payload | tag
//! SRTCP  header | encrypted payload | E, index | tag
//! ```

use aes::Aes128Enc;
use aes::cipher::{InnerIvInit, KeyInit, StreamCipherCore};
use ctr::{CtrCore, flavors};
use hmac::{Hmac, Mac};
use sha1::Sha1;

use crate::DropReason;
use crate::key_derivation::SessionKeys;
use crate::packet::{E_BIT, INDEX_LEN, RTCP_HEADER_LEN};

/// The key schedule of AES and the two half-done hashes of HMAC, so that a packet pays for
/// neither.
pub(crate) struct AesCm {
    aes: Aes128Enc,
    hmac: Hmac<Sha1>,
    salt: [u8; 14],
}

impl AesCm {
    /// Bytes of the tag: HMAC-SHA1 truncated to 80 bits.
    pub(crate) const TAG_LEN: usize = 10;

    pub(crate) fn new(keys: &SessionKeys) -> Self {
        Self {
            aes: Aes128Enc::new_from_slice(keys.key())
                .expect("the session key has the length of its profile"),
            hmac: <Hmac<Sha1> as KeyInit>::new_from_slice(&keys.auth_key)
                .expect("HMAC takes keys of any length"),
            salt: keys.salt,
        }
    }

    pub(crate) fn seal_rtp(&self, packet: &mut [u8], header_len: usize, ssrc: u32, index: u64) {
        let (plain, tag) = packet.split_at_mut(packet.len() - Self::TAG_LEN);
        self.apply_key_stream(&mut plain[header_len..], ssrc, index);
        let mac = self.rtp_mac(plain, index).finalize().into_bytes();
        tag.copy_from_slice(&mac[..Self::TAG_LEN]);
    }

    pub(crate) fn open_rtp(
        &self,
        packet: &mut [u8],
        header_len: usize,
        ssrc: u32,
        index: u64,
    ) -> Result<(), DropReason> {
        let (sealed, tag) = packet.split_at_mut(packet.len() - Self::TAG_LEN);
        self.rtp_mac(sealed, index)
            .verify_truncated_left(tag)
            .map_err(|_| DropReason::Authentication)?;
        self.apply_key_stream(&mut sealed[header_len..], ssrc, index);
        Ok(())
    }

    pub(crate) fn seal_rtcp(&self, packet: &mut [u8], ssrc: u32, index: u32) {
        let (authenticated, tag) = packet.split_at_mut(packet.len() - Self::TAG_LEN);
        let (plain, word) = authenticated.split_at_mut(authenticated.len() - INDEX_LEN);
        self.apply_key_stream(&mut plain[RTCP_HEADER_LEN..], ssrc, u64::from(index));
        word.copy_from_slice(&(E_BIT | index).to_be_bytes());
        let mac = self.mac(authenticated).finalize().into_bytes();
        tag.copy_from_slice(&mac[..Self::TAG_LEN]);
    }

    pub(crate) fn open_rtcp(
        &self,
        packet: &mut [u8],
        ssrc: u32,
        index: u32,
    ) -> Result<(), DropReason> {
        let (authenticated, tag) = packet.split_at_mut(packet.len() - Self::TAG_LEN);
        self.mac(authenticated)
            .verify_truncated_left(tag)
            .map_err(|_| DropReason::Authentication)?;
        let plain_len = authenticated.len() - INDEX_LEN;
        let payload = &mut authenticated[RTCP_HEADER_LEN..plain_len];
        self.apply_key_stream(payload, ssrc, u64::from(index));
        Ok(())
    }

    /// The tag of SRTP covers the packet and, behind it, the ROC (RFC 3711 §4.2).
    fn rtp_mac(&self, packet: &[u8], index: u64) -> Hmac<Sha1> {
        let roc = (index >> 16) as u32;
        self.mac(packet).chain_update(roc.to_be_bytes())
    }

    fn mac(&self, bytes: &[u8]) -> Hmac<Sha1> {
        self.hmac.clone().chain_update(bytes)
    }

    fn apply_key_stream(&self, payload: &mut [u8], ssrc: u32, index: u64) {
        let iv = counter_block(&self.salt, ssrc, index);
        CtrCore::<&Aes128Enc, flavors::Ctr128BE>::inner_iv_init(&self.aes, &iv.into())
            .apply_keystream_partial(payload.into());
    }
}

/// IV = (salt * 2^16) XOR (SSRC * 2^64) XOR (index * 2^16): RFC 3711 §4.1.1.
fn counter_block(salt: &[u8; 14], ssrc: u32, index: u64) -> [u8; 16] {
    let mut salted = [0; 16];
    salted[..14].copy_from_slice(salt);
    let position = u128::from(ssrc) << 64 | u128::from(index) << 16;
    (u128::from_be_bytes(salted) ^ position).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::hex;

    #[test]
    fn key_stream_is_that_of_rfc_3711_appendix_b2() {
        let cm = AesCm::new(&SessionKeys::from_parts(
            &hex("2B7E151628AED2A6ABF7158809CF4F3C"),
            [0; 20],
            &hex("F0F1F2F3F4F5F6F7F8F9FAFBFCFD"),
        ));
        let mut stream = vec![0; 0xff02 * 16];
        cm.apply_key_stream(&mut stream, 0, 0);
        assert_eq!(
            stream[..48],
            hex("E03EAD0935C95E80E166B16DD92B4EB4
                 D23513162B02D0F72A43A2FE4A5F97AB
                 41E95B3BB0A2E8DD477901E4FCA894C0")
        );
        assert_eq!(
            stream[0xfeff * 16..],
            hex("EC8CDF7398607CB0F2D21675EA9EA1E4
                 362B7C3C6773516318A077D7FC5073AE
                 6A2CC3787889374FBEB4C81B17BA6C44")
        );
    }

    #[test]
    fn counter_block_holds_ssrc_and_index_in_their_places() {
        assert_eq!(
            counter_block(&[0; 14], 0x0102_0304, 0x0a0b_0c0d_0e0f)[..],
            hex("00000000 01020304 0a0b0c0d0e0f 0000")
        );
    }
}
