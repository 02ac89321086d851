//! HMAC-SHA1: RFC 2104 over the compression function of SHA-1.
//!
//! It is written here because the states behind the two padded keys, 20 bytes each, are all that
//! has to be kept of a key, and a tag then takes nothing but compressions.

use sha1::block_api::compress;
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

/// SHA-1 after its first block: the key XOR ipad, and the key XOR opad.
pub(crate) struct HmacSha1 {
    inner: [u32; 5],
    outer: [u32; 5],
}

impl HmacSha1 {
    pub(crate) fn new(key: &[u8; KEY_LEN]) -> Self {
        Self {
            inner: state_behind(key, 0x36),
            outer: state_behind(key, 0x5c),
        }
    }

    /// The tag of `message` and, behind it, `tail`: 4 bytes or none.
    pub(crate) fn tag<const N: usize>(&self, message: &[u8], tail: &[u8; N]) -> [u8; TAG_LEN] {
        let mut state = self.inner;
        let (whole, rest) = message.as_chunks::<BLOCK_LEN>();
        compress(&mut state, whole);
        let mut last = [[0; BLOCK_LEN]; 2];
        let bytes = last.as_flattened_mut();
        let len = rest.len() + N;
        bytes[..rest.len()].copy_from_slice(rest);
        bytes[rest.len()..len].copy_from_slice(tail);
        let blocks = pad(bytes, len, message.len() + N);
        compress(&mut state, &last[..blocks]);

        let mut last = [0; BLOCK_LEN];
        last[..TAG_LEN].copy_from_slice(&bytes_of(state));
        pad(&mut last, TAG_LEN, TAG_LEN);
        let mut state = self.outer;
        compress(&mut state, &[last]);
        bytes_of(state)
    }

    /// Whether `tag`, cut to the length of the profile, is genuine; in constant time.
    pub(crate) fn verify<const N: usize>(
        &self,
        message: &[u8],
        tail: &[u8; N],
        tag: &[u8],
    ) -> bool {
        self.tag(message, tail)[..tag.len()].ct_eq(tag).into()
    }
}

impl Drop for HmacSha1 {
    fn drop(&mut self) {
        self.inner.zeroize();
        self.outer.zeroize();
    }
}

fn state_behind(key: &[u8; KEY_LEN], pad: u8) -> [u32; 5] {
    let mut block = [pad; BLOCK_LEN];
    for (byte, key) in block.iter_mut().zip(key) {
        *byte ^= key;
    }
    let mut state = INITIAL_STATE;
    compress(&mut state, &[block]);
    block.zeroize();
    state
}

/// Ends a message of which `len` bytes lie in `bytes` and `hashed` behind the key's block; the
/// number of blocks it then takes is returned (FIPS 180-4 §5.1.1).
fn pad(bytes: &mut [u8], len: usize, hashed: usize) -> usize {
    bytes[len] = 0x80;
    let blocks = (len + 1 + 8).div_ceil(BLOCK_LEN);
    let bits = 8 * (BLOCK_LEN + hashed) as u64;
    let end = BLOCK_LEN * blocks;
    bytes[end - 8..end].copy_from_slice(&bits.to_be_bytes());
    blocks
}

fn bytes_of(state: [u32; 5]) -> [u8; TAG_LEN] {
    let mut bytes = [0; TAG_LEN];
    for (bytes, word) in bytes.as_chunks_mut().0.iter_mut().zip(state) {
        *bytes = word.to_be_bytes();
    }
    bytes
}

/// Bytes of SRTP's authentication keys (RFC 3711 §5.2).
const KEY_LEN: usize = 20;

/// Bytes of a tag that is not truncated.
const TAG_LEN: usize = 20;

const BLOCK_LEN: usize = 64;

/// FIPS 180-4 §5.3.1.
const INITIAL_STATE: [u32; 5] = [
    0x6745_2301,
    0xefcd_ab89,
    0x98ba_dcfe,
    0x1032_5476,
    0xc3d2_e1f0,
];

#[cfg(test)]
mod tests {
    use hmac::{Hmac, KeyInit, Mac};
    use proptest::collection::vec;
    use proptest::prelude::any;
    use proptest::proptest;
    use sha1::Sha1;

    use super::*;
    use crate::testing::hex;

    #[test]
    fn rfc2202_3_tags_are_those_published() {
        // Test cases 1, 2, 3 and 5; shorter keys are filled up with zeros by HMAC itself.
        let mut jefe = [0; 20];
        jefe[..4].copy_from_slice(b"Jefe");
        let cases: [([u8; 20], &[u8], &str); 4] = [
            (
                [0x0b; 20],
                b"Hi There",
                "b617318655057264e28bc0b6fb378c8ef146be00",
            ),
            (
                jefe,
                b"what do ya want for nothing?",
                "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
            ),
            (
                [0xaa; 20],
                &[0xdd; 50],
                "125d7342b9ac11cd91a39af48aa17b4f63f175d3",
            ),
            (
                [0x0c; 20],
                b"Test With Truncation",
                "4c1a03424b55e07fe7f27be1d58bb9324a9a5a04",
            ),
        ];
        for (key, message, tag) in cases {
            assert_eq!(HmacSha1::new(&key).tag(message, &[])[..], hex(tag));
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "takes minutes; the random lengths below do")]
    fn tags_of_every_length_are_those_of_the_hmac_crate() {
        let key: [u8; 20] = std::array::from_fn(|i| 7 * i as u8);
        let message: Vec<u8> = (0..300_u16).map(|i| (i ^ i >> 3) as u8).collect();
        let (ours, theirs) = (
            HmacSha1::new(&key),
            Hmac::<Sha1>::new_from_slice(&key).unwrap(),
        );
        for len in 0..message.len() {
            let message = &message[..len];
            let theirs = theirs.clone().chain_update(message);
            let bare = theirs.clone().finalize().into_bytes();
            assert_eq!(ours.tag(message, &[])[..], bare[..], "{len}");
            let tailed = theirs.chain_update([1, 2, 3, 4]).finalize().into_bytes();
            assert_eq!(ours.tag(message, &[1, 2, 3, 4])[..], tailed[..], "{len}");
        }
    }

    #[test]
    fn tags_are_verified_in_every_bit() {
        let hmac = HmacSha1::new(&[5; 20]);
        let tag = hmac.tag(b"message", b"tail");
        for len in [4, 10] {
            assert!(hmac.verify(b"message", b"tail", &tag[..len]));
            for bit in 0..8 * len {
                let mut forged = tag;
                forged[bit / 8] ^= 1 << (bit % 8);
                assert!(!hmac.verify(b"message", b"tail", &forged[..len]), "{bit}");
            }
        }
    }

    proptest! {
        #[test]
        fn tags_are_those_of_the_hmac_crate(
            key in any::<[u8; 20]>(),
            message in vec(any::<u8>(), 0..300),
            tail in any::<[u8; 4]>(),
        ) {
            let theirs = Hmac::<Sha1>::new_from_slice(&key).unwrap();
            let theirs = theirs.chain_update(&message).chain_update(tail).finalize();
            assert_eq!(HmacSha1::new(&key).tag(&message, &tail)[..], theirs.into_bytes()[..]);
        }
    }
}
