//! Random sessions with `webrtc-srtp` at the other end: what one side protects the other reads,
//! and both write the same bytes.

#![allow(clippy::unwrap_used, missing_docs)]

use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::{option, proptest};
use skywave_srtp::{
    MAX_RTCP_OVERHEAD, MAX_RTP_OVERHEAD, MasterKey, Profile, SrtcpReceiver, SrtcpSender,
    SrtpReceiver, SrtpSender,
};
use webrtc_srtp::context::Context;
use webrtc_srtp::protection_profile::ProtectionProfile;

/// Both ends of one direction.
#[derive(Debug, Clone)]
struct Keys {
    profile: Profile,
    key: Vec<u8>,
    salt: Vec<u8>,
}

impl Keys {
    fn master(&self) -> MasterKey {
        MasterKey::new(self.profile, &self.key, &self.salt).unwrap()
    }

    fn peer(&self) -> Context {
        let profile = match self.profile.iana() {
            1 => ProtectionProfile::Aes128CmHmacSha1_80,
            2 => ProtectionProfile::Aes128CmHmacSha1_32,
            7 => ProtectionProfile::AeadAes128Gcm,
            8 => ProtectionProfile::AeadAes256Gcm,
            other => panic!("no profile {other} at the other end"),
        };
        Context::new(&self.key, &self.salt, profile, None, None).unwrap()
    }
}

#[derive(Debug, Clone)]
struct Rtp {
    /// From the sequence number of the packet before.
    step: u16,
    csrcs: Vec<u32>,
    extension: Option<Vec<u32>>,
    payload: Vec<u8>,
}

impl Rtp {
    /// The packet and the length of its header.
    fn write(&self, ssrc: u32, sequence_number: u16) -> (Vec<u8>, usize) {
        let extension_bit = if self.extension.is_some() { 0x10 } else { 0 };
        let mut packet = vec![0x80 | extension_bit | self.csrcs.len() as u8, 111];
        packet.extend(sequence_number.to_be_bytes());
        packet.extend(u32::from(sequence_number).wrapping_mul(960).to_be_bytes());
        packet.extend(ssrc.to_be_bytes());
        for csrc in &self.csrcs {
            packet.extend(csrc.to_be_bytes());
        }
        if let Some(words) = &self.extension {
            packet.extend([0xab, 0xac, 0, words.len() as u8]);
            for word in words {
                packet.extend(word.to_be_bytes());
            }
        }
        let header_len = packet.len();
        packet.extend(&self.payload);
        (packet, header_len)
    }
}

fn keys() -> impl Strategy<Value = Keys> {
    let profile = prop_oneof![Just(1), Just(2), Just(7), Just(8)];
    (profile, vec(any::<u8>(), 32), vec(any::<u8>(), 14)).prop_map(|(id, key, salt)| {
        let profile = Profile::from_iana(id).unwrap();
        Keys {
            profile,
            key: key[..profile.key_len()].to_vec(),
            salt: salt[..profile.salt_len()].to_vec(),
        }
    })
}

fn rtp_packets() -> impl Strategy<Value = Vec<Rtp>> {
    let packet = (
        prop_oneof![4 => Just(1), 1 => 1..400_u16],
        vec(any::<u32>(), 0..4),
        option::of(vec(any::<u32>(), 1..5)),
        vec(any::<u8>(), 0..300),
    )
        .prop_map(|(step, csrcs, extension, payload)| Rtp {
            step,
            csrcs,
            extension,
            payload,
        });
    vec(packet, 1..40)
}

fn first_sequence_number() -> impl Strategy<Value = u16> {
    prop_oneof![any::<u16>(), 65_500..=65_535_u16]
}

proptest! {
    #[test]
    fn rtp_is_the_same_at_both_ends(
        keys in keys(),
        ssrc in any::<u32>(),
        first in first_sequence_number(),
        packets in rtp_packets(),
    ) {
        let mut sender = SrtpSender::new(&keys.master());
        let mut receiver = SrtpReceiver::new(&keys.master());
        let (mut peer_sender, mut peer_receiver) = (keys.peer(), keys.peer());
        let mut sequence_number = first;
        for rtp in &packets {
            let (plain, header_len) = rtp.write(ssrc, sequence_number);
            let theirs = peer_sender.encrypt_rtp(&plain).unwrap();

            let mut buffer = plain.clone();
            buffer.resize(plain.len() + MAX_RTP_OVERHEAD, 0);
            let len = sender.protect(&mut buffer, header_len, plain.len()).unwrap();
            assert_eq!(buffer[..len], theirs[..]);
            assert_eq!(peer_receiver.decrypt_rtp(&buffer[..len]).unwrap()[..], plain[..]);

            let mut buffer = theirs.to_vec();
            let len = receiver.unprotect(&mut buffer).unwrap();
            assert_eq!(buffer[..len], plain[..]);

            sequence_number = sequence_number.wrapping_add(rtp.step);
        }
    }

    #[test]
    fn rtcp_is_read_at_both_ends(
        keys in keys(),
        packets in vec((0..3_u32, vec(any::<u32>(), 0..40)), 1..20),
    ) {
        let mut sender = SrtcpSender::new(&keys.master());
        let mut receiver = SrtcpReceiver::new(&keys.master());
        let (mut peer_sender, mut peer_receiver) = (keys.peer(), keys.peer());
        for (ssrc, words) in &packets {
            let mut plain = vec![0x80, 201, 0, words.len() as u8 + 1];
            plain.extend(ssrc.to_be_bytes());
            plain.extend(words.iter().flat_map(|word| word.to_be_bytes()));

            let mut buffer = plain.clone();
            buffer.resize(plain.len() + MAX_RTCP_OVERHEAD, 0);
            let len = sender.protect(&mut buffer, plain.len()).unwrap();
            assert_eq!(peer_receiver.decrypt_rtcp(&buffer[..len]).unwrap()[..], plain[..]);

            let mut buffer = peer_sender.encrypt_rtcp(&plain).unwrap().to_vec();
            let len = receiver.unprotect(&mut buffer).unwrap();
            assert_eq!(buffer[..len], plain[..]);
        }
    }
}
