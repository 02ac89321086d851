//! str0m with its default cryptography, aws-lc-rs, through what it exports for its own tests.
//!
//! That wrapper clears 1500 octets a packet, which str0m itself does not: the figure is an upper
//! bound. It writes the header too.

use skywave_srtp::Profile;
use str0m::_internal_test_exports::TestSrtp;
use str0m::crypto::dtls::{KeyingMaterial, SrtpProfile};
use str0m::crypto::{CryptoProvider, from_feature_flags};
use str0m::media::Mid;
use str0m::rtp::{Extension, ExtensionMap, RtpHeader};

use crate::listener::{
    AUDIO_LEVEL, AUDIO_LEVEL_ID, FIRST_SEQUENCE_NUMBER, MID, MID_ID, PAYLOAD_TYPE,
};
use crate::{Frame, Listener, Session};

/// An SRTP context, with the header of the next packet.
pub struct Str0m {
    srtp: TestSrtp,
    header: RtpHeader,
    extensions: ExtensionMap,
    sequence_number: u64,
}

impl Session for Str0m {
    const NAME: &'static str = "str0m";

    fn new(listener: &Listener) -> Str0m {
        let profile = match listener.profile {
            Profile::Aes128CmHmacSha1_80 => SrtpProfile::AES128_CM_SHA1_80,
            Profile::AeadAes128Gcm => SrtpProfile::AEAD_AES_128_GCM,
            Profile::AeadAes256Gcm => SrtpProfile::AEAD_AES_256_GCM,
            other => panic!("{} is not known to str0m", other.name()),
        };
        // Both directions: keys, then salts.
        let (key, salt) = (listener.key(), listener.salt());
        let material = KeyingMaterial::new(&[key, key, salt, salt].concat());
        let crypto: CryptoProvider = from_feature_flags();
        let mut extensions = ExtensionMap::empty();
        extensions.set(AUDIO_LEVEL_ID, Extension::AudioLevel);
        extensions.set(MID_ID, Extension::RtpMid);
        Str0m {
            srtp: TestSrtp::new(&crypto, profile, &material),
            header: header(listener),
            extensions,
            sequence_number: FIRST_SEQUENCE_NUMBER.into(),
        }
    }

    fn send(&mut self, frame: &Frame, _buffer: &mut Vec<u8>) -> impl AsRef<[u8]> {
        self.header.sequence_number = self.sequence_number as u16;
        self.header.timestamp = frame.timestamp;
        let (header, number) = (self.header.clone(), self.sequence_number);
        self.sequence_number += 1;
        self.srtp
            .protect(header, number, &frame.payload, &self.extensions)
    }
}

fn header(listener: &Listener) -> RtpHeader {
    let mut header = RtpHeader {
        has_extension: true,
        payload_type: PAYLOAD_TYPE.into(),
        ssrc: listener.ssrc.into(),
        ..RtpHeader::default()
    };
    header.ext_vals.audio_level = Some(-(AUDIO_LEVEL as i8));
    header.ext_vals.voice_activity = Some(true);
    header.ext_vals.mid = Some(Mid::from(MID));
    header
}
