//! What the cryptography of a packet costs without RTP, copy and SRTP: no candidate that calls the
//! same library can be faster.

use aes::Aes128Enc;
use aes::cipher::{InnerIvInit, KeyInit, StreamCipher};
use ctr::{Ctr128BE, CtrCore};
use ring::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use skywave_srtp::Profile;

use crate::{Frame, HEADER_OCTETS, Listener, Session};

/// One call of ring, over as many octets as the packet has.
pub struct BareGcm {
    key: LessSafeKey,
    counter: u64,
}

impl Session for BareGcm {
    const NAME: &'static str = "bare_ring";

    fn new(listener: &Listener) -> BareGcm {
        let algorithm = match listener.profile {
            Profile::AeadAes128Gcm => &AES_128_GCM,
            Profile::AeadAes256Gcm => &AES_256_GCM,
            other => panic!("{} is no profile of AES-GCM", other.name()),
        };
        let key = UnboundKey::new(algorithm, listener.key());
        BareGcm {
            key: LessSafeKey::new(key.expect("the length is the algorithm's")),
            counter: 0,
        }
    }

    fn send(&mut self, frame: &Frame, buffer: &mut Vec<u8>) -> impl AsRef<[u8]> {
        self.counter += 1;
        let mut nonce = [0; 12];
        nonce[4..].copy_from_slice(&self.counter.to_be_bytes());
        let nonce = Nonce::assume_unique_for_key(nonce);
        let (header, body) = buffer.split_at_mut(HEADER_OCTETS);
        let body = &mut body[..frame.payload.len()];
        self.key
            .seal_in_place_separate_tag(nonce, Aad::from(&*header), body)
            .expect("so short a text is sealed")
    }
}

/// AES of the aes crate in counter mode, and as many rounds of SHA-1 as HMAC needs for the packet.
pub struct BareCm {
    cipher: Aes128Enc,
    counter: u64,
}

impl Session for BareCm {
    const NAME: &'static str = "bare_aes_sha1";

    fn new(listener: &Listener) -> BareCm {
        let cipher = Aes128Enc::new_from_slice(listener.key());
        BareCm {
            cipher: cipher.expect("the profile has 128-bit keys"),
            counter: 0,
        }
    }

    fn send(&mut self, frame: &Frame, buffer: &mut Vec<u8>) -> impl AsRef<[u8]> {
        self.counter += 1;
        let mut iv = [0; 16];
        iv[6..14].copy_from_slice(&self.counter.to_be_bytes());
        let body = &mut buffer[HEADER_OCTETS..HEADER_OCTETS + frame.payload.len()];
        let core = CtrCore::inner_iv_init(&self.cipher, &iv.into());
        Ctr128BE::from_core(core).apply_keystream(body);

        // With the pads hashed beforehand: packet, rollover counter, a bit and a length; then the
        // outer hash.
        let inner = (HEADER_OCTETS + frame.payload.len() + 4 + 1 + 8).div_ceil(BLOCK_OCTETS);
        let (blocks, _) = buffer.as_chunks::<BLOCK_OCTETS>();
        let mut state = [1, 2, 3, 4, 5];
        sha1::block_api::compress(&mut state, &blocks[..inner]);
        sha1::block_api::compress(&mut state, &blocks[..1]);
        state[0].to_be_bytes()
    }
}

/// Of SHA-1.
const BLOCK_OCTETS: usize = 64;
