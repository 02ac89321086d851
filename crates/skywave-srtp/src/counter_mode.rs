//! AES in counter mode as SRTP has it: RFC 3711 §4.1.1, with keys of 256 bits RFC 6188 §2.

use aes::cipher::array::Array;
use aes::cipher::consts::U16;
use aes::cipher::typenum::Unsigned;
use aes::cipher::{
    BlockCipherEncBackend, BlockCipherEncClosure, BlockCipherEncrypt, BlockSizeUser, KeyInit,
    ParBlocks,
};
use aes::{Aes128Enc, Aes256Enc};

/// A keyed AES that makes key stream, where speed does not matter: key derivation and single
/// elements of header extensions.
pub(crate) enum CounterMode {
    Aes128(Aes128Enc),
    Aes256(Aes256Enc),
}

impl CounterMode {
    /// `key` has 16 or 32 bytes.
    pub(crate) fn new(key: &[u8]) -> Self {
        const KEY_LEN: &str = "the key has the length of its profile";
        if key.len() == 32 {
            Self::Aes256(Aes256Enc::new_from_slice(key).expect(KEY_LEN))
        } else {
            Self::Aes128(Aes128Enc::new_from_slice(key).expect(KEY_LEN))
        }
    }

    /// Applies the key stream from its byte `offset` on.
    pub(crate) fn apply(&self, iv: &[u8; 16], offset: usize, data: &mut [u8]) {
        match self {
            Self::Aes128(aes) => apply_from(aes, iv, offset, data),
            Self::Aes256(aes) => apply_from(aes, iv, offset, data),
        }
    }
}

/// Applies the key stream to `data` from its beginning.
///
/// The last two bytes of `iv` count the blocks, of which no packet has 2^16.
pub(crate) fn apply_key_stream(
    aes: &impl BlockCipherEncrypt<BlockSize = U16>,
    iv: &[u8; 16],
    data: &mut [u8],
) {
    let counter = u128::from_be_bytes(*iv);
    aes.encrypt_with_backend(KeyStream { counter, data });
}

fn apply_from(
    aes: &impl BlockCipherEncrypt<BlockSize = U16>,
    iv: &[u8; 16],
    offset: usize,
    data: &mut [u8],
) {
    let first = u128::from_be_bytes(*iv).wrapping_add((offset / 16) as u128);
    let mut block = first.to_be_bytes().into();
    aes.encrypt_block(&mut block);
    let skipped = offset % 16;
    let (head, tail) = data.split_at_mut(data.len().min(16 - skipped));
    xor(head, &block[skipped..]);
    if !tail.is_empty() {
        apply_key_stream(aes, &first.wrapping_add(1).to_be_bytes(), tail);
    }
}

/// The counter and what its key stream is applied to, within one call of the cipher: a call loads
/// the key schedule, which takes as long as several blocks.
struct KeyStream<'a> {
    counter: u128,
    data: &'a mut [u8],
}

impl BlockSizeUser for KeyStream<'_> {
    type BlockSize = U16;
}

impl BlockCipherEncClosure for KeyStream<'_> {
    #[inline(always)]
    fn call<B: BlockCipherEncBackend<BlockSize = U16>>(self, backend: &B) {
        let mut counter = self.counter;
        let (whole, rest) = self.data.as_chunks_mut();
        let mut groups = whole.chunks_exact_mut(B::ParBlocksSize::USIZE);
        for group in &mut groups {
            let mut blocks: ParBlocks<B> = Array::from_fn(|_| next_block(&mut counter));
            backend.encrypt_par_blocks((&mut blocks).into());
            for (data, block) in group.iter_mut().zip(blocks) {
                xor_block(data, block);
            }
        }
        for data in groups.into_remainder() {
            let mut block = next_block(&mut counter);
            backend.encrypt_block((&mut block).into());
            xor_block(data, block);
        }
        if !rest.is_empty() {
            let mut block = next_block(&mut counter);
            backend.encrypt_block((&mut block).into());
            xor(rest, &block);
        }
    }
}

fn next_block(counter: &mut u128) -> Array<u8, U16> {
    let block = counter.to_be_bytes().into();
    *counter = counter.wrapping_add(1);
    block
}

/// As one word: byte by byte takes half as long again.
fn xor_block(data: &mut [u8; 16], key_stream: Array<u8, U16>) {
    let word = u128::from_ne_bytes(*data) ^ u128::from_ne_bytes(key_stream.into());
    *data = word.to_ne_bytes();
}

fn xor(data: &mut [u8], key_stream: &[u8]) {
    for (data, key) in data.iter_mut().zip(key_stream) {
        *data ^= key;
    }
}

/// IV = (salt * 2^16) XOR (SSRC * 2^64) XOR (index * 2^16): RFC 3711 §4.1.1.
pub(crate) fn counter_block(salt: &[u8; 14], ssrc: u32, index: u64) -> [u8; 16] {
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
    fn rfc3711_4_1_1_counter_block_holds_ssrc_and_index_in_their_places() {
        assert_eq!(
            counter_block(&[0; 14], 0x0102_0304, 0x0a0b_0c0d_0e0f)[..],
            hex("00000000 01020304 0a0b0c0d0e0f 0000")
        );
    }

    #[test]
    fn key_stream_from_any_offset_is_that_from_the_beginning() {
        let iv = counter_block(&[3; 14], 7, 9);
        for key in [&[1; 16][..], &[2; 32]] {
            let mode = CounterMode::new(key);
            let mut whole = [0; 700];
            mode.apply(&iv, 0, &mut whole);
            for (offset, len) in [
                (0, 1),
                (1, 15),
                (1, 16),
                (15, 2),
                (16, 300),
                (301, 399),
                (700, 0),
            ] {
                let mut part = vec![0; len];
                mode.apply(&iv, offset, &mut part);
                assert_eq!(part, whole[offset..offset + len], "{offset} {len}");
            }
        }
    }

    #[test]
    fn every_length_takes_the_same_key_stream() {
        let aes = Aes128Enc::new(&[1; 16].into());
        let mut longest = [0; 1200];
        apply_key_stream(&aes, &[0; 16], &mut longest);
        // Around the lengths of one block and of what backends encrypt at once: 4, 8, 32, 64.
        for len in [
            0, 1, 15, 16, 17, 63, 64, 65, 127, 128, 129, 160, 167, 513, 1023, 1024, 1041,
        ] {
            let mut data = vec![0; len];
            apply_key_stream(&aes, &[0; 16], &mut data);
            assert_eq!(data, longest[..len], "{len}");
        }
    }
}
