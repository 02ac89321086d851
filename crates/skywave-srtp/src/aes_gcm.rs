//! AES in Galois/counter mode: RFC 7714 §8 and §9.
//!
//! ```text
//! SRTP   header | encrypted payload | tag
//! SRTCP  header | encrypted payload | tag | E, index
//! ```
//! The header, and for SRTCP the index word, are the associated data.

use std::hint::black_box;

use ring::aead::{AES_128_GCM, AES_256_GCM, Aad, Algorithm, LessSafeKey, Nonce, UnboundKey};
use zeroize::Zeroize;

use crate::encrypted_portion::EncryptedPortion;
use crate::key_derivation::SessionKeys;
use crate::packet::{E_BIT, INDEX_LEN, RTCP_HEADER_LEN};
use crate::{DropReason, Error, Profile};

/// A keyed AES-GCM: key schedule and hash table in place, nothing on the heap.
///
/// The salt of its nonces lies with its owner: beside the key, which is aligned to 16 bytes, it
/// would take 16.
pub(crate) struct AesGcm(LessSafeKey);

impl AesGcm {
    /// Bytes of the tag.
    pub(crate) const TAG_LEN: usize = 16;

    pub(crate) fn new(profile: Profile, keys: &SessionKeys) -> Self {
        let algorithm = if profile == Profile::AeadAes256Gcm {
            &AES_256_GCM
        } else {
            &AES_128_GCM
        };
        Self(key(algorithm, keys.key()))
    }

    pub(crate) fn seal_rtp(
        &self,
        salt: &NonceSalt,
        packet: &mut [u8],
        portion: EncryptedPortion,
        ssrc: u32,
        index: u64,
    ) -> Result<(), Error> {
        portion.gather(packet);
        let (header, rest) = packet.split_at_mut(portion.start());
        let sealed = self.seal(nonce(salt, ssrc, index), header, rest);
        portion.scatter(packet);
        sealed
    }

    pub(crate) fn open_rtp(
        &self,
        salt: &NonceSalt,
        packet: &mut [u8],
        portion: EncryptedPortion,
        ssrc: u32,
        index: u64,
    ) -> Result<(), DropReason> {
        portion.gather(packet);
        let (header, rest) = packet.split_at_mut(portion.start());
        let opened = self.open(nonce(salt, ssrc, index), header, rest);
        portion.scatter(packet);
        opened
    }

    pub(crate) fn seal_rtcp(
        &self,
        salt: &NonceSalt,
        packet: &mut [u8],
        ssrc: u32,
        index: u32,
    ) -> Result<(), Error> {
        let (header, rest) = packet.split_at_mut(RTCP_HEADER_LEN);
        let (rest, word) = rest.split_at_mut(rest.len() - INDEX_LEN);
        word.copy_from_slice(&(E_BIT | index).to_be_bytes());
        let nonce = nonce(salt, ssrc, u64::from(index));
        self.seal(nonce, &rtcp_aad(header, word), rest)
    }

    pub(crate) fn open_rtcp(
        &self,
        salt: &NonceSalt,
        packet: &mut [u8],
        ssrc: u32,
        index: u32,
    ) -> Result<(), DropReason> {
        let (header, rest) = packet.split_at_mut(RTCP_HEADER_LEN);
        let (rest, word) = rest.split_at_mut(rest.len() - INDEX_LEN);
        let nonce = nonce(salt, ssrc, u64::from(index));
        self.open(nonce, &rtcp_aad(header, word), rest)
    }

    /// `rest` is the payload with room for the tag behind it.
    fn seal(&self, nonce: Nonce, aad: &[u8], rest: &mut [u8]) -> Result<(), Error> {
        let (payload, room) = rest.split_at_mut(rest.len() - Self::TAG_LEN);
        let tag = self
            .0
            .seal_in_place_separate_tag(nonce, Aad::from(aad), payload)
            .map_err(|_| Error::Cipher)?;
        room.copy_from_slice(tag.as_ref());
        Ok(())
    }

    /// `rest` is the encrypted payload and its tag. If they are not genuine, the payload is lost.
    fn open(&self, nonce: Nonce, aad: &[u8], rest: &mut [u8]) -> Result<(), DropReason> {
        self.0
            .open_in_place(nonce, Aad::from(aad), rest)
            .map(|_| ())
            .map_err(|_| DropReason::Authentication)
    }

    /// Overwrites the key with one of zeros, since ring does not wipe its keys.
    fn wipe(&mut self) {
        let algorithm = self.0.algorithm();
        self.0 = key(algorithm, &[0; 32][..algorithm.key_len()]);
        black_box(&self.0);
    }
}

impl Drop for AesGcm {
    /// What a move left behind is out of reach, here and wherever else keys are wiped: the stack
    /// that a cipher passed through on its way into its owner, and where that owner lay before.
    fn drop(&mut self) {
        self.wipe();
    }
}

/// The salt of the nonces of one direction.
pub(crate) struct NonceSalt([u8; 12]);

impl NonceSalt {
    pub(crate) fn new(salt: [u8; 12]) -> Self {
        Self(salt)
    }
}

impl Drop for NonceSalt {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// Two zero bytes, the SSRC and the 48-bit index (for SRTCP two zero bytes and the index word
/// without E bit, which is the same number), XOR the salt: RFC 7714 §8.1 and §9.1.
///
/// Put together in registers: ring reads it at once, and would have to wait for single bytes.
#[inline]
fn nonce(salt: &NonceSalt, ssrc: u32, index: u64) -> Nonce {
    let mut salted = [0; 16];
    salted[..12].copy_from_slice(&salt.0);
    let position = u128::from(ssrc) << 80 | u128::from(index) << 32;
    let nonce = (u128::from_be_bytes(salted) ^ position).to_be_bytes();
    let [nonce @ .., _, _, _, _] = nonce;
    Nonce::assume_unique_for_key(nonce)
}

fn key(algorithm: &'static Algorithm, key: &[u8]) -> LessSafeKey {
    let key = UnboundKey::new(algorithm, key).expect("the session key has the algorithm's length");
    LessSafeKey::new(key)
}

/// The associated data of SRTCP: the first header and the index word (RFC 7714 §9.2).
fn rtcp_aad(header: &[u8], word: &[u8]) -> [u8; RTCP_HEADER_LEN + INDEX_LEN] {
    let mut aad = [0; RTCP_HEADER_LEN + INDEX_LEN];
    aad[..RTCP_HEADER_LEN].copy_from_slice(header);
    aad[RTCP_HEADER_LEN..].copy_from_slice(word);
    aad
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::hex;

    const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    const SALT: &str = "517569642070726f2071756f";
    const RTP: &str = "8040f17b8041f8d35501a0b2
        47616c6c696120657374206f6d6e69732064697669736120696e207061727465732074726573";
    const RTCP: &str = "81c8000d4d617273
        4e5450314e545032525450200000042a0000e9304c756e61deadbeefdeadbeefdeadbeefdeadbeefdeadbeef";

    fn gcm(profile: Profile) -> AesGcm {
        let key = &hex(KEY)[..profile.key_len()];
        AesGcm::new(profile, &SessionKeys::from_parts(key, [0; 20], &hex(SALT)))
    }

    fn salt() -> NonceSalt {
        NonceSalt::new(hex(SALT).try_into().unwrap())
    }

    fn check_rtp(profile: Profile, protected: &str) {
        let (ssrc, index) = (0x5501_a0b2, 0xf17b);
        let (gcm, portion) = (gcm(profile), EncryptedPortion::payload(12));
        let mut packet = hex(RTP);
        packet.resize(packet.len() + 16, 0);
        gcm.seal_rtp(&salt(), &mut packet, portion, ssrc, index)
            .unwrap();
        assert_eq!(packet, hex(protected));
        gcm.open_rtp(&salt(), &mut packet, portion, ssrc, index)
            .unwrap();
        assert_eq!(packet[..packet.len() - 16], hex(RTP));
    }

    fn check_rtcp(profile: Profile, protected: &str) {
        let (ssrc, index) = (0x4d61_7273, 0x5d4);
        let mut packet = hex(RTCP);
        packet.resize(packet.len() + 20, 0);
        gcm(profile)
            .seal_rtcp(&salt(), &mut packet, ssrc, index)
            .unwrap();
        assert_eq!(packet, hex(protected));
        gcm(profile)
            .open_rtcp(&salt(), &mut packet, ssrc, index)
            .unwrap();
        assert_eq!(packet[..packet.len() - 20], hex(RTCP));
    }

    #[test]
    #[cfg_attr(miri, ignore = "ring is C and assembly")]
    fn rfc7714_16_srtp_is_that_published() {
        check_rtp(
            Profile::AeadAes128Gcm,
            "8040f17b8041f8d35501a0b2
             f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833
             899d7f27beb16a9152cf765ee4390cce",
        );
        check_rtp(
            Profile::AeadAes256Gcm,
            "8040f17b8041f8d35501a0b2
             32b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f1ba63799b87b
             7aa3db36dfffd6b0f9bb7878d7a76c13",
        );
    }

    #[test]
    #[cfg_attr(miri, ignore = "ring is C and assembly")]
    fn rfc7714_17_srtcp_is_that_published() {
        check_rtcp(
            Profile::AeadAes128Gcm,
            "81c8000d4d617273
             63e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b4686303ded0bb9275b
             c84aa45896cf4d2fc5abf87245d9eade 800005d4",
        );
        check_rtcp(
            Profile::AeadAes256Gcm,
            "81c8000d4d617273
             d50ae4d1f5ce5d304ba297e47d470c282c3ece5dbffe0a50a2eaa5c1110555be8415f658c61de0476f1b6fad
             1d1eb30c4446839f57ff6f6cb26ac3be 800005d4",
        );
    }

    #[test]
    fn rfc7714_8_1_nonce_is_zeros_ssrc_roc_and_sequence_number_xor_salt() {
        let bytes = |salt| *nonce(&NonceSalt::new(salt), 0x0102_0304, 0x0506_0708_090a).as_ref();
        assert_eq!(bytes([0; 12])[..], hex("0000 01020304 05060708 090a"));
        assert_eq!(bytes([0xff; 12])[..], hex("ffff fefdfcfb faf9f8f7 f6f5"));
        // RFC 7714 §16.1.1 and §17.1.
        assert_eq!(
            nonce(&salt(), 0x5501_a0b2, 0xf17b).as_ref()[..],
            hex("51753c6580c2726f20718414")
        );
        assert_eq!(
            nonce(&salt(), 0x4d61_7273, 0x5d4).as_ref()[..],
            hex("517524055203726f207170bb")
        );
    }

    #[test]
    #[cfg_attr(miri, ignore = "ring is C and assembly")]
    fn wiped_key_is_one_of_zeros() {
        for profile in [Profile::AeadAes128Gcm, Profile::AeadAes256Gcm] {
            let seal = |gcm: &AesGcm| {
                let mut packet = [0x80; 64];
                let portion = EncryptedPortion::payload(12);
                gcm.seal_rtp(&salt(), &mut packet, portion, 1, 2).unwrap();
                packet
            };
            let zeros = [0; 32];
            let keys = SessionKeys::from_parts(&zeros[..profile.key_len()], [0; 20], &[0; 12]);
            let zero = AesGcm::new(profile, &keys);
            let mut wiped = gcm(profile);
            assert_ne!(seal(&wiped), seal(&zero));
            wiped.wipe();
            assert_eq!(seal(&wiped), seal(&zero));
        }
    }
}
