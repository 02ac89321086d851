//! What an attacker sends is dropped with its reason and changes nothing for genuine packets.

#![allow(clippy::unwrap_used, missing_docs)]

use proptest::collection::vec;
use proptest::prelude::any;
use proptest::proptest;
use skywave_srtp::{
    DropReason, MasterKey, Profile, SrtcpReceiver, SrtcpSender, SrtpReceiver, SrtpSender,
};

const PROFILES: [Profile; 4] = [
    Profile::Aes128CmHmacSha1_80,
    Profile::Aes128CmHmacSha1_32,
    Profile::AeadAes128Gcm,
    Profile::AeadAes256Gcm,
];

fn master(profile: Profile) -> MasterKey {
    MasterKey::new(
        profile,
        &[0x5a; 32][..profile.key_len()],
        &[0xc3; 14][..profile.salt_len()],
    )
    .unwrap()
}

/// An SRTP packet with a CSRC and an extension.
fn srtp(sender: &mut SrtpSender, sequence_number: u16) -> Vec<u8> {
    let mut packet = vec![0x91, 111];
    packet.extend(sequence_number.to_be_bytes());
    packet.extend([0, 0, 3, 0xc0, 0, 0, 0, 7]);
    packet.extend([1, 2, 3, 4, 0xbe, 0xde, 0, 1, 0x10, 0x42, 0, 0]);
    let header_len = packet.len();
    packet.extend(b"payload");
    let len = packet.len();
    packet.resize(len + 16, 0);
    let len = sender.protect(&mut packet, header_len, len).unwrap();
    packet.truncate(len);
    packet
}

/// An SRTCP packet of `ssrc`.
fn srtcp(sender: &mut SrtcpSender, ssrc: u8) -> Vec<u8> {
    let mut packet = vec![0x80, 200, 0, 6, 0, 0, 0, ssrc];
    packet.extend([0x11; 20]);
    let len = packet.len();
    packet.resize(len + 20, 0);
    let len = sender.protect(&mut packet, len).unwrap();
    packet.truncate(len);
    packet
}

/// Every packet that differs from `packet` in one bit.
fn flipped(packet: &[u8]) -> impl Iterator<Item = Vec<u8>> + '_ {
    (0..8 * packet.len()).map(|bit| {
        let mut forged = packet.to_vec();
        forged[bit / 8] ^= 1 << (bit % 8);
        forged
    })
}

#[test]
fn srtp_with_any_bit_flipped_is_dropped_and_the_genuine_packet_taken() {
    for profile in PROFILES {
        let mut sender = SrtpSender::new(&master(profile));
        let mut receiver = SrtpReceiver::new(&master(profile));
        receiver.unprotect(&mut srtp(&mut sender, 65_535)).unwrap();
        let mut packet = srtp(&mut sender, 0);
        for mut forged in flipped(&packet) {
            receiver.unprotect(&mut forged).unwrap_err();
        }
        receiver.unprotect(&mut packet).unwrap();
    }
}

#[test]
fn srtcp_with_any_bit_flipped_is_dropped_and_the_genuine_packet_taken() {
    for profile in PROFILES {
        let mut packet = srtcp(&mut SrtcpSender::new(&master(profile)), 7);
        let mut receiver = SrtcpReceiver::new(&master(profile));
        for mut forged in flipped(&packet) {
            receiver.unprotect(&mut forged).unwrap_err();
        }
        receiver.unprotect(&mut packet).unwrap();
    }
}

#[test]
fn payload_and_tag_damaged_is_an_authentication_failure() {
    for profile in PROFILES {
        let mut packet = srtp(&mut SrtpSender::new(&master(profile)), 1);
        let last = packet.len() - 1;
        packet[last] ^= 1;
        let mut receiver = SrtpReceiver::new(&master(profile));
        assert_eq!(
            receiver.unprotect(&mut packet),
            Err(DropReason::Authentication)
        );
    }
}

#[test]
fn truncated_packets_are_dropped_at_every_length() {
    for profile in PROFILES {
        let rtp = srtp(&mut SrtpSender::new(&master(profile)), 1);
        let rtcp = srtcp(&mut SrtcpSender::new(&master(profile)), 7);
        let mut rtp_receiver = SrtpReceiver::new(&master(profile));
        let mut rtcp_receiver = SrtcpReceiver::new(&master(profile));
        for len in 0..rtp.len() {
            let reason = rtp_receiver.unprotect(&mut rtp[..len].to_vec());
            if len < 24 + profile.rtp_overhead() {
                assert_eq!(reason, Err(DropReason::TooShort), "{profile:?} {len}");
            } else {
                assert_eq!(reason, Err(DropReason::Authentication), "{profile:?} {len}");
            }
        }
        for len in 0..rtcp.len() {
            let reason = rtcp_receiver.unprotect(&mut rtcp[..len].to_vec());
            if len < 8 + profile.rtcp_overhead() {
                assert_eq!(reason, Err(DropReason::TooShort), "{profile:?} {len}");
            } else {
                reason.unwrap_err();
            }
        }
    }
}

#[test]
fn rfc3711_3_3_2_replayed_and_old_srtp_is_dropped_across_the_wrap() {
    for profile in PROFILES {
        let mut sender = SrtpSender::new(&master(profile));
        let mut receiver = SrtpReceiver::new(&master(profile));
        let packets: Vec<Vec<u8>> = (0..80_u16)
            .map(|i| srtp(&mut sender, i.wrapping_sub(40)))
            .collect();
        let mut receive = |i: usize| receiver.unprotect(&mut packets[i].clone()).map(|_| ());
        receive(0).unwrap();
        receive(79).unwrap();
        assert_eq!(receive(79), Err(DropReason::Replayed));
        assert_eq!(receive(0), Err(DropReason::TooOld));
        assert_eq!(receive(15), Err(DropReason::TooOld));
        assert_eq!(receive(16), Ok(()), "63 behind the newest, not seen yet");
        assert_eq!(receive(16), Err(DropReason::Replayed));
    }
}

#[test]
fn rfc3711_3_3_2_replayed_and_old_srtcp_is_dropped() {
    for profile in PROFILES {
        let mut sender = SrtcpSender::new(&master(profile));
        let mut receiver = SrtcpReceiver::new(&master(profile));
        let packets: Vec<Vec<u8>> = (0..65).map(|_| srtcp(&mut sender, 7)).collect();
        let mut receive = |i: usize| receiver.unprotect(&mut packets[i].clone()).map(|_| ());
        receive(64).unwrap();
        assert_eq!(receive(64), Err(DropReason::Replayed));
        assert_eq!(receive(0), Err(DropReason::TooOld));
        assert_eq!(receive(1), Ok(()));
    }
}

#[test]
fn rfc3711_3_2_3_ssrcs_of_a_peer_number_their_srtcp_apart() {
    for profile in PROFILES {
        let mut receiver = SrtcpReceiver::new(&master(profile));
        for ssrc in [1, 2] {
            let mut sender = SrtcpSender::new(&master(profile));
            for _ in 0..100 {
                receiver.unprotect(&mut srtcp(&mut sender, ssrc)).unwrap();
            }
        }
    }
}

#[test]
fn rfc3711_3_4_srtcp_without_the_e_bit_is_dropped() {
    for profile in PROFILES {
        let mut packet = srtcp(&mut SrtcpSender::new(&master(profile)), 7);
        // The E bit: before the tag of AES-CM, at the end with AES-GCM.
        let at = match profile {
            Profile::Aes128CmHmacSha1_80 | Profile::Aes128CmHmacSha1_32 => packet.len() - 14,
            _ => packet.len() - 4,
        };
        assert_eq!(packet[at], 0x80);
        packet[at] = 0;
        assert_eq!(
            SrtcpReceiver::new(&master(profile)).unprotect(&mut packet),
            Err(DropReason::Unencrypted)
        );
    }
}

#[test]
fn packets_of_another_key_are_dropped() {
    for profile in PROFILES {
        let other = MasterKey::new(
            profile,
            &[1; 32][..profile.key_len()],
            &[2; 14][..profile.salt_len()],
        )
        .unwrap();
        assert_eq!(
            SrtpReceiver::new(&other)
                .unprotect(&mut srtp(&mut SrtpSender::new(&master(profile)), 1)),
            Err(DropReason::Authentication)
        );
        assert_eq!(
            SrtcpReceiver::new(&other)
                .unprotect(&mut srtcp(&mut SrtcpSender::new(&master(profile)), 7)),
            Err(DropReason::Authentication)
        );
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_dropped(bytes in vec(any::<u8>(), 0..200), rtp_like in any::<bool>()) {
        let mut bytes = bytes;
        if let Some(first) = bytes.first_mut().filter(|_| rtp_like) {
            *first = *first & 0x3f | 0x80;
        }
        for profile in PROFILES {
            SrtpReceiver::new(&master(profile)).unprotect(&mut bytes.clone()).unwrap_err();
            SrtcpReceiver::new(&master(profile)).unprotect(&mut bytes.clone()).unwrap_err();
        }
    }
}
