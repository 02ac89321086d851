//! Encrypted headers, RFC 6904 and RFC 9335: the packets published, and what every packet has to
//! survive.

#![allow(clippy::unwrap_used, missing_docs)]

use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::{option, proptest};
use serde::Deserialize;
use skywave_srtp::{
    DropReason, Error, ExtensionIds, HeaderEncryption, MAX_RTP_OVERHEAD, MasterKey, Profile,
    SrtpReceiver, SrtpSender,
};

#[derive(Deserialize)]
struct Vectors {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    profile: u16,
    master_key: String,
    master_salt: String,
    plain: String,
    protected: String,
}

#[test]
fn rfc9335_a_packets_are_those_published() {
    let vectors: Vectors = serde_json::from_str(include_str!("../testdata/rfc9335.json")).unwrap();
    assert_eq!(vectors.cases.len(), 12);
    for case in vectors.cases {
        let profile = Profile::from_iana(case.profile).unwrap();
        let master =
            MasterKey::new(profile, &hex(&case.master_key), &hex(&case.master_salt)).unwrap();
        let mut pair = Pair::of(&master, HeaderEncryption::Cryptex);
        let plain = hex(&case.plain);
        let sealed = pair.protect(&plain).unwrap();
        assert_eq!(sealed, hex(&case.protected), "{profile:?} {}", case.name);
        assert_eq!(pair.unprotect(&sealed).unwrap(), plain, "{}", case.name);
    }
}

/// With the keys of RFC 3711 B.3, the identifiers 1, 3 and 4 encrypted: the extension is that of
/// RFC 6904 appendix A, the packets are those of `test/srtp_driver.c` of libsrtp.
#[test]
fn rfc6904_a_packets_are_those_of_libsrtp() {
    let key = "e1f97a0d3e018be0d64fa32c06de4139";
    let salt = "0ec675ad498afeebb6960b3aabe6";
    let plain = hex("900f1234decafbadcafebabe
        bede000617414273a475262748220000c8308e4655996386b395fb00
        abababababababababababababababab");
    let cases = [
        (
            Profile::Aes128CmHmacSha1_80,
            "900f1234decafbadcafebabe
             bede000617588a9270f4e15e1c220000c8309546a994f0bc54789700
             4e55dc4ce79978d88ca4d215949d24025a46b3ca35c535a891c7",
        ),
        (
            Profile::AeadAes128Gcm,
            "900f1234decafbadcafebabe
             bede00061712e0205bfa949b1c220000c830bb46732778d9929aab00
             0eca0cf95ee955b26cd3d288b49f6ca9f4b1b759719eb5bc113b9ff1d40cd25a",
        ),
    ];
    for (profile, protected) in cases {
        let salt = &hex(salt)[..profile.salt_len()];
        let master = MasterKey::new(profile, &hex(key), salt).unwrap();
        let ids = ExtensionIds::new(&[1, 3, 4]).unwrap();
        let mut pair = Pair::of(&master, HeaderEncryption::Elements(ids));
        let sealed = pair.protect(&plain).unwrap();
        assert_eq!(sealed, hex(protected), "{profile:?}");
        assert_eq!(pair.unprotect(&sealed).unwrap(), plain, "{profile:?}");
    }
}

#[test]
fn rfc9335_5_1_csrcs_without_extension_get_an_empty_one() {
    for profile in PROFILES {
        let mut pair = Pair::new(profile, HeaderEncryption::Cryptex);
        let plain = hex("81600001000003c000000007 0a0b0c0d 706179");
        let sealed = pair.protect(&plain).unwrap();
        assert_eq!(sealed.len(), plain.len() + 4 + profile.rtp_overhead());
        assert_eq!(sealed[..12], hex("91600001000003c000000007"));
        assert_ne!(sealed[12..16], plain[12..16]);
        assert_eq!(sealed[16..20], hex("c0de0000"));
        assert_eq!(
            pair.unprotect(&sealed).unwrap(),
            hex("91600001000003c000000007 0a0b0c0d bede0000 706179"),
            "{profile:?}"
        );
    }
}

#[test]
fn rfc9335_5_1_packets_without_csrcs_and_extension_go_as_usual() {
    for profile in PROFILES {
        let plain = hex("80600001000003c000000007 706179");
        let usual = Pair::new(profile, HeaderEncryption::None).protect(&plain);
        let sealed = Pair::new(profile, HeaderEncryption::Cryptex).protect(&plain);
        assert_eq!(sealed, usual, "{profile:?}");
    }
}

#[test]
fn rfc9335_5_2_receiver_takes_packets_that_are_not_encrypted() {
    for profile in PROFILES {
        let sealed = Pair::new(profile, HeaderEncryption::None).protect(&hex(PLAIN));
        let mut pair = Pair::new(profile, HeaderEncryption::Cryptex);
        assert_eq!(pair.unprotect(&sealed.unwrap()).unwrap(), hex(PLAIN));
    }
}

#[test]
fn rfc9335_5_1_extensions_not_of_rfc_8285_are_refused() {
    // Application bits would get lost, so they are refused as well.
    for number in [0x0000, 0xabac, 0xc0de, 0x1001, 0x100f] {
        let mut plain = hex(PLAIN);
        plain[16..18].copy_from_slice(&u16::to_be_bytes(number));
        let mut pair = Pair::new(PROFILES[0], HeaderEncryption::Cryptex);
        assert_eq!(
            pair.protect(&plain),
            Err(Error::HeaderExtension { profile: number })
        );
    }
}

#[test]
fn rfc6904_malformed_elements_are_refused() {
    let mut plain = hex(PLAIN);
    // The second element now says that it has 6 bytes of data, of which there are 4.
    plain[23] = 0x35;
    let mut pair = Pair::new(PROFILES[0], elements(&[5]));
    assert_eq!(
        pair.protect(&plain),
        Err(Error::HeaderExtension { profile: 0xbede })
    );
}

#[test]
fn rfc6904_extensions_without_elements_go_as_usual() {
    let mut plain = hex(PLAIN);
    plain[16..18].copy_from_slice(&[0xab, 0xac]);
    let usual = Pair::new(PROFILES[0], HeaderEncryption::None).protect(&plain);
    let sealed = Pair::new(PROFILES[0], elements(&[1, 3])).protect(&plain);
    assert_eq!(sealed, usual);
}

#[test]
fn header_length_that_is_not_the_packets_is_refused() {
    for encryption in [HeaderEncryption::Cryptex, elements(&[1])] {
        let mut sender = SrtpSender::with_header_encryption(&master(PROFILES[0]), encryption);
        let mut buffer = hex(PLAIN);
        let len = buffer.len();
        buffer.resize(len + 20, 0);
        let before = buffer.clone();
        for header_len in [12, 16, 20, 24, 29] {
            assert_eq!(
                sender.protect(&mut buffer, header_len, len),
                Err(Error::HeaderLength { header_len })
            );
        }
        assert_eq!(buffer, before);
    }
}

#[test]
fn room_for_an_added_extension_is_asked_for() {
    let mut plain = hex("81600001000003c000000007 0a0b0c0d 706179");
    let len = plain.len();
    plain.resize(len + 10, 0);
    let mut sender =
        SrtpSender::with_header_encryption(&master(PROFILES[0]), HeaderEncryption::Cryptex);
    assert_eq!(
        sender.protect(&mut plain, 16, len),
        Err(Error::BufferTooSmall {
            needed: len + 14,
            available: len + 10
        })
    );
}

#[test]
fn extension_and_csrcs_are_unreadable_with_cryptex() {
    for profile in PROFILES {
        let sealed = Pair::new(profile, HeaderEncryption::Cryptex)
            .protect(&hex(PLAIN))
            .unwrap();
        assert_ne!(sealed[12..16], hex(PLAIN)[12..16], "CSRC");
        assert_eq!(sealed[16..20], hex("c0de0002"));
        assert_ne!(sealed[20..28], hex(PLAIN)[20..28], "elements");
    }
}

#[test]
fn packets_with_any_bit_flipped_are_dropped() {
    for profile in PROFILES {
        for encryption in [HeaderEncryption::Cryptex, elements(&[1, 3])] {
            let mut pair = Pair::new(profile, encryption);
            let sealed = pair.protect(&hex(PLAIN)).unwrap();
            for bit in 0..8 * sealed.len() {
                let mut forged = sealed.clone();
                forged[bit / 8] ^= 1 << (bit % 8);
                pair.unprotect(&forged).unwrap_err();
            }
            assert_eq!(pair.unprotect(&sealed).unwrap(), hex(PLAIN));
            assert_eq!(pair.unprotect(&sealed), Err(DropReason::Replayed));
        }
    }
}

fn encryptions() -> impl Strategy<Value = HeaderEncryption> {
    prop_oneof![
        Just(HeaderEncryption::None),
        Just(HeaderEncryption::Cryptex),
        vec(1..=255_u8, 0..6).prop_map(|ids| elements(&ids)),
    ]
}

/// A packet of sequence number 7: CSRCs, elements of one form, payload.
fn packets() -> impl Strategy<Value = Vec<u8>> {
    let element = (1..=14_u8, vec(any::<u8>(), 1..=16), 0..3_usize);
    (
        vec(any::<[u8; 4]>(), 0..4),
        option::of((any::<bool>(), vec(element, 0..5))),
        vec(any::<u8>(), 0..200),
    )
        .prop_map(|(csrcs, extension, payload)| {
            let extension_bit = if extension.is_some() { 0x10 } else { 0 };
            let mut packet = vec![0x80 | extension_bit | csrcs.len() as u8, 111, 0, 7];
            packet.extend([0, 0, 3, 0xc0, 0, 0, 0, 9]);
            packet.extend(csrcs.concat());
            if let Some((two_byte, elements)) = extension {
                let mut body = Vec::new();
                for (id, data, padding) in elements {
                    if two_byte {
                        body.extend([id, data.len() as u8]);
                    } else {
                        body.push(id << 4 | (data.len() as u8 - 1));
                    }
                    body.extend(data);
                    body.resize(body.len() + padding, 0);
                }
                body.resize(body.len().next_multiple_of(4), 0);
                packet.extend(if two_byte { [0x10, 0] } else { [0xbe, 0xde] });
                packet.extend([0, body.len() as u8 / 4]);
                packet.extend(body);
            }
            packet.extend(payload);
            packet
        })
}

proptest! {
    #[test]
    fn packets_come_back_and_are_the_same_when_sent_again(
        plain in packets(),
        encryption in encryptions(),
        which in 0..4_usize,
    ) {
        let mut pair = Pair::new(PROFILES[which], encryption);
        let sealed = pair.protect(&plain).unwrap();
        let mut later = plain.clone();
        later[3] = 200;
        pair.protect(&later).unwrap();
        assert_eq!(pair.protect(&plain).unwrap(), sealed, "sent again");

        let opened = pair.unprotect(&sealed).unwrap();
        if opened.len() == plain.len() {
            assert_eq!(opened, plain);
        } else {
            let at = 12 + 4 * usize::from(plain[0] & 15);
            assert_eq!(opened[at..at + 4], [0xbe, 0xde, 0, 0]);
            assert_eq!([&opened[1..at], &opened[at + 4..]].concat(), plain[1..]);
        }
    }

    #[test]
    fn arbitrary_packets_are_dropped(
        bytes in vec(any::<u8>(), 0..100),
        start in 0..4_usize,
        encryption in encryptions(),
    ) {
        let mut bytes = bytes;
        let starts = [&b"\x90"[..], b"\x93", b"\x80", b""];
        bytes.splice(..starts[start].len().min(bytes.len()), starts[start].iter().copied());
        for profile in PROFILES {
            let mut receiver = SrtpReceiver::with_header_encryption(&master(profile), encryption);
            receiver.unprotect(&mut bytes.clone()).unwrap_err();
        }
    }
}

/// Both ends of one direction.
struct Pair {
    sender: SrtpSender,
    receiver: SrtpReceiver,
}

impl Pair {
    fn new(profile: Profile, encryption: HeaderEncryption) -> Self {
        Self::of(&master(profile), encryption)
    }

    fn of(master: &MasterKey, encryption: HeaderEncryption) -> Self {
        Self {
            sender: SrtpSender::with_header_encryption(master, encryption),
            receiver: SrtpReceiver::with_header_encryption(master, encryption),
        }
    }

    fn protect(&mut self, plain: &[u8]) -> Result<Vec<u8>, Error> {
        let mut buffer = plain.to_vec();
        buffer.resize(plain.len() + MAX_RTP_OVERHEAD + 4, 0);
        let len = self
            .sender
            .protect(&mut buffer, header_len(plain), plain.len())?;
        buffer.truncate(len);
        Ok(buffer)
    }

    fn unprotect(&mut self, sealed: &[u8]) -> Result<Vec<u8>, DropReason> {
        let mut buffer = sealed.to_vec();
        let len = self.receiver.unprotect(&mut buffer)?;
        buffer.truncate(len);
        Ok(buffer)
    }
}

fn elements(ids: &[u8]) -> HeaderEncryption {
    HeaderEncryption::Elements(ExtensionIds::new(ids).unwrap())
}

fn master(profile: Profile) -> MasterKey {
    let (key, salt) = ([0x5a; 32], [0xc3; 14]);
    MasterKey::new(
        profile,
        &key[..profile.key_len()],
        &salt[..profile.salt_len()],
    )
    .unwrap()
}

/// Bytes of the RTP header, read independently of the crate.
fn header_len(packet: &[u8]) -> usize {
    let fixed = 12 + 4 * usize::from(packet[0] & 0x0f);
    if packet[0] & 0x10 == 0 {
        return fixed;
    }
    let words = u16::from_be_bytes([packet[fixed + 2], packet[fixed + 3]]);
    fixed + 4 + 4 * usize::from(words)
}

fn hex(text: &str) -> Vec<u8> {
    let digits: String = text.split_whitespace().collect();
    (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap())
        .collect()
}

/// A CSRC; elements 1 of 2 bytes, 3 of 2 bytes; payload.
const PLAIN: &str = "91600001000003c000000007 0a0b0c0d bede0002 1101023103040000 7061796c6f6164";

const PROFILES: [Profile; 4] = [
    Profile::Aes128CmHmacSha1_80,
    Profile::Aes128CmHmacSha1_32,
    Profile::AeadAes128Gcm,
    Profile::AeadAes256Gcm,
];
