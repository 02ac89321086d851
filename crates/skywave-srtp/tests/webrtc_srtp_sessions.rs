//! Random sessions with `webrtc-srtp` at the other end: what one side protects the other reads,
//! and both write the same bytes.

#![allow(clippy::unwrap_used, missing_docs)]

use proptest::collection::vec;
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_oneof};
use proptest::{option, proptest};
use skywave_srtp::{
    DropReason, MAX_RTCP_OVERHEAD, MAX_RTP_OVERHEAD, MasterKey, Profile, SrtcpReceiver,
    SrtcpSender, SrtpReceiver, SrtpSender, StreamIndex,
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

/// What happens to a packet on its way.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fate {
    Arrives,
    ArrivesTwice,
    IsLost,
    /// It arrives behind so many later ones.
    IsLate(usize),
}

#[derive(Debug, Clone)]
struct Sent {
    rtp: Rtp,
    /// It is of the second SSRC.
    further: bool,
    fate: Fate,
    /// A report goes both ways behind it.
    report: bool,
}

fn session() -> impl Strategy<Value = Vec<Sent>> {
    let fate = prop_oneof![
        6 => Just(Fate::Arrives),
        1 => Just(Fate::ArrivesTwice),
        2 => Just(Fate::IsLost),
        2 => (1..10_usize).prop_map(Fate::IsLate),
    ];
    // Of 32 packets none is further from another than half the sequence numbers.
    let step = prop_oneof![4 => Just(1), 2 => 2..70_u16, 2 => 70..1000_u16];
    let sent = (
        (step, any::<u8>()),
        any::<bool>(),
        fate,
        proptest::bool::weighted(0.1),
    )
        .prop_map(|((step, byte), further, fate, report)| Sent {
            rtp: Rtp {
                step,
                csrcs: vec![],
                extension: None,
                payload: vec![byte; usize::from(byte)],
            },
            further,
            fate,
            report,
        });
    vec(sent, 1..400)
}

/// One SSRC of a session, as it was sent and received.
struct Stream {
    ssrc: u32,
    index: u64,
    received: Vec<u64>,
    /// Packets lost or late since the last that arrived.
    missing: usize,
}

impl Stream {
    fn new(ssrc: u32, first: u16) -> Self {
        Self {
            ssrc,
            index: first.into(),
            received: Vec::new(),
            missing: 0,
        }
    }

    /// What RFC 3711 §3.3.2 wants of a receiver with a window of 64.
    fn receive(&mut self, index: u64) -> Result<(), DropReason> {
        let highest = self.received.iter().max().copied().unwrap_or(index);
        if index + 64 <= highest {
            return Err(DropReason::TooOld);
        }
        if self.received.contains(&index) {
            return Err(DropReason::Replayed);
        }
        self.received.push(index);
        Ok(())
    }
}

/// Both ends of both directions, with RTP and RTCP under the same keys.
struct Ends {
    sender: SrtpSender,
    further: StreamIndex,
    receiver: SrtpReceiver,
    rtcp_sender: SrtcpSender,
    rtcp_receiver: SrtcpReceiver,
    peer_sender: Context,
    peer_receiver: Context,
}

impl Ends {
    fn new(keys: &Keys) -> Self {
        Self {
            sender: SrtpSender::new(&keys.master()),
            further: StreamIndex::new(),
            receiver: SrtpReceiver::new(&keys.master()),
            rtcp_sender: SrtcpSender::new(&keys.master()),
            rtcp_receiver: SrtcpReceiver::new(&keys.master()),
            peer_sender: keys.peer(),
            peer_receiver: keys.peer(),
        }
    }

    /// The SRTP packet, the same at both ends.
    fn protect(&mut self, plain: &[u8], header_len: usize, further: bool) -> Vec<u8> {
        let mut buffer = plain.to_vec();
        buffer.resize(plain.len() + MAX_RTP_OVERHEAD, 0);
        let len = if further {
            let stream = &mut self.further;
            self.sender
                .protect_stream(stream, &mut buffer, header_len, plain.len())
        } else {
            self.sender.protect(&mut buffer, header_len, plain.len())
        };
        buffer.truncate(len.unwrap());
        assert_eq!(buffer, self.peer_sender.encrypt_rtp(plain).unwrap());
        buffer
    }

    fn report(&mut self, ssrc: u32) {
        let mut plain = vec![0x80, 201, 0, 1];
        plain.extend(ssrc.to_be_bytes());
        let mut buffer = plain.clone();
        buffer.resize(plain.len() + MAX_RTCP_OVERHEAD, 0);
        let len = self.rtcp_sender.protect(&mut buffer, plain.len()).unwrap();
        let theirs = self.peer_receiver.decrypt_rtcp(&buffer[..len]).unwrap();
        assert_eq!(theirs[..], plain[..]);
        let mut buffer = self.peer_sender.encrypt_rtcp(&plain).unwrap().to_vec();
        let len = self.rtcp_receiver.unprotect(&mut buffer).unwrap();
        assert_eq!(buffer[..len], plain[..]);
    }

    /// Both ends read the packet, but ours only what it has to take.
    fn unprotect(&mut self, sealed: &[u8], plain: &[u8], expected: Result<(), DropReason>) {
        let theirs = self.peer_receiver.decrypt_rtp(sealed).unwrap();
        assert_eq!(theirs[..], plain[..]);
        let mut buffer = sealed.to_vec();
        let len = self.receiver.unprotect(&mut buffer);
        assert_eq!(len, expected.map(|()| plain.len()));
        if let Ok(len) = len {
            assert_eq!(buffer[..len], plain[..]);
        }
    }
}

/// A packet on its way.
#[derive(Clone)]
struct Flying {
    further: bool,
    index: u64,
    plain: Vec<u8>,
    sealed: Vec<u8>,
    /// How many packets are still sent before it arrives.
    due: usize,
}

fn run_session(keys: &Keys, ssrc: u32, firsts: [u16; 2], session: &[Sent]) {
    let mut ends = Ends::new(keys);
    let mut streams = [Stream::new(ssrc, firsts[0]), Stream::new(!ssrc, firsts[1])];
    let mut flying: Vec<Flying> = Vec::new();
    for sent in session {
        let stream = &mut streams[usize::from(sent.further)];
        let (plain, header_len) = sent.rtp.write(stream.ssrc, stream.index as u16);
        let sealed = ends.protect(&plain, header_len, sent.further);
        let arrives = matches!(sent.fate, Fate::Arrives | Fate::ArrivesTwice);
        // Without its first packet, or with half the sequence numbers missing, nobody could tell
        // the rollover counter.
        let must_arrive = stream.received.is_empty() || stream.missing >= 20;
        stream.missing = if arrives || must_arrive {
            0
        } else {
            stream.missing + 1
        };
        let due = match sent.fate {
            Fate::IsLate(behind) if !must_arrive => Some(behind),
            Fate::IsLost if !must_arrive => None,
            _ => Some(0),
        };
        if let Some(due) = due {
            let packet = Flying {
                further: sent.further,
                index: stream.index,
                plain,
                sealed,
                due,
            };
            if sent.fate == Fate::ArrivesTwice {
                flying.push(packet.clone());
            }
            flying.push(packet);
        }
        stream.index += u64::from(sent.rtp.step);
        for packet in flying.extract_if(.., |packet| packet.due == 0) {
            let expected = streams[usize::from(packet.further)].receive(packet.index);
            ends.unprotect(&packet.sealed, &packet.plain, expected);
        }
        for packet in &mut flying {
            packet.due -= 1;
        }
        if sent.report {
            ends.report(ssrc);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn sessions_with_loss_and_reordering_are_read_across_wraps(
        keys in keys(),
        ssrc in any::<u32>(),
        firsts in [first_sequence_number(), first_sequence_number()],
        session in session(),
    ) {
        run_session(&keys, ssrc, firsts, &session);
    }
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
