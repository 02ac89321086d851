//! Datagrams made to break the parser or to get past the checks.
#![allow(clippy::unwrap_used)]

use std::time::Instant;

use proptest::prelude::*;
use skywave_ice::{
    BINDING, Class, Credentials, DropReason, IceLite, IntegrityKey, MAX_REPLY_LEN, Path,
    StunMessage, StunWriter, is_stun,
};

const REQUEST: &[u8] = include_bytes!("data/chromium-156-nomination.bin");
const FULL_OF_INTEGRITY: &[u8] = include_bytes!("data/hostile-integrity-57-times.bin");
const FULL_OF_UNKNOWN: &[u8] = include_bytes!("data/hostile-unknown-345-times.bin");
const AFTER_FINGERPRINT: &[u8] = include_bytes!("data/hostile-attribute-after-fingerprint.bin");
const PAST_THE_END: &[u8] = include_bytes!("data/hostile-attribute-past-the-end.bin");
/// Of the bits flipped one by one; Miri takes a second for each.
const STRIDE: usize = if cfg!(miri) { 61 } else { 1 };

fn agent() -> IceLite {
    IceLite::new(&local(), [0; 16])
}

fn local() -> Credentials {
    Credentials::from_random(*b"skywave-capture-of-stun!")
}

fn path() -> Path {
    Path {
        base: 0,
        remote: "192.0.2.2:35370".parse().unwrap(),
    }
}

/// Why an agent drops the datagram, and how much it answers; `None` if it is served.
fn dropped(datagram: &[u8]) -> Option<(DropReason, usize)> {
    let request = match StunMessage::parse(datagram) {
        Ok(request) => request,
        Err(reason) => return Some((reason, 0)),
    };
    let mut reply = [0; MAX_REPLY_LEN];
    let rejected = agent()
        .handle_request(Instant::now(), path(), &request, &mut reply)
        .err()?;
    Some((rejected.reason, rejected.reply_len))
}

/// Makes FINGERPRINT, the last eight bytes, right again: anybody can.
fn refingerprint(datagram: &mut [u8]) {
    let (covered, fingerprint) = datagram.split_at_mut(REQUEST.len() - 8);
    fingerprint[4..].copy_from_slice(&(crc32fast::hash(covered) ^ 0x5354_554e).to_be_bytes());
}

#[test]
fn the_request_itself_is_served() {
    assert_eq!(dropped(REQUEST), None);
}

#[test]
fn every_truncation_is_dropped() {
    for len in 0..REQUEST.len() {
        assert_eq!(
            dropped(&REQUEST[..len]),
            Some((DropReason::Truncated, 0)),
            "{len}"
        );
    }
}

#[test]
fn every_truncation_with_its_length_field_set_is_dropped_in_silence() {
    for len in 20..REQUEST.len() {
        let mut datagram = REQUEST[..len].to_vec();
        datagram[2..4].copy_from_slice(&(len as u16 - 20).to_be_bytes());
        let (reason, reply_len) = dropped(&datagram).unwrap();
        let expected = if len % 4 == 0 {
            [DropReason::BadFingerprint, DropReason::BadAttribute]
        } else {
            [DropReason::BadLength; 2]
        };
        assert!(expected.contains(&reason), "{len}: {reason}");
        assert_eq!(reply_len, 0);
    }
}

#[test]
fn every_flipped_bit_is_dropped_in_silence() {
    for bit in (0..REQUEST.len() * 8).step_by(STRIDE) {
        let mut datagram = REQUEST.to_vec();
        datagram[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(dropped(&datagram).unwrap().1, 0, "bit {bit}");
    }
}

#[test]
fn every_flipped_bit_under_a_right_fingerprint_is_dropped_in_silence() {
    for bit in (0..(REQUEST.len() - 8) * 8).step_by(STRIDE) {
        let mut datagram = REQUEST.to_vec();
        datagram[bit / 8] ^= 1 << (bit % 8);
        refingerprint(&mut datagram);
        let (reason, reply_len) = dropped(&datagram).unwrap();
        if (64..160).contains(&bit) {
            assert_eq!(reason, DropReason::BadIntegrity, "in the transaction id");
        }
        assert_eq!(reply_len, 0, "bit {bit}");
    }
}

#[test]
fn trailing_bytes_are_refused() {
    let mut datagram = REQUEST.to_vec();
    datagram.extend([0; 4]);
    assert_eq!(dropped(&datagram), Some((DropReason::BadLength, 0)));
}

#[test]
fn other_protocols_are_not_stun() {
    for first in 0..=u8::MAX {
        let mut datagram = REQUEST.to_vec();
        datagram[0] = first;
        let reason = StunMessage::parse(&datagram).err();
        assert_eq!(
            reason == Some(DropReason::NotStun),
            !is_stun(first),
            "{first}"
        );
    }
    let mut datagram = REQUEST.to_vec();
    datagram[4..8].copy_from_slice(b"\0\0\0\0"); // RFC 3489
    assert_eq!(dropped(&datagram), Some((DropReason::NotStun, 0)));
    assert_eq!(dropped(&[]), Some((DropReason::Truncated, 0)));
}

#[test]
fn malformed_attributes_are_refused() {
    assert_eq!(
        dropped(AFTER_FINGERPRINT),
        Some((DropReason::BadAttribute, 0))
    );
    assert_eq!(dropped(PAST_THE_END), Some((DropReason::BadAttribute, 0)));
}

#[test]
fn only_the_first_of_many_integrity_attributes_is_looked_at() {
    let message = StunMessage::parse(FULL_OF_INTEGRITY).unwrap();
    assert!(!message.verify_integrity(&IntegrityKey::new(local().pwd())));
    // The genuine one, then 50 false ones.
    let mut datagram = REQUEST[..REQUEST.len() - 8].to_vec();
    (0..50).for_each(|_| datagram.extend(&FULL_OF_INTEGRITY[20..44]));
    let len = (datagram.len() - 20) as u16;
    datagram[2..4].copy_from_slice(&len.to_be_bytes());
    let message = StunMessage::parse(&datagram).unwrap();
    assert!(message.verify_integrity(&IntegrityKey::new(local().pwd())));
}

#[test]
fn a_datagram_full_of_unknown_attributes_reports_eight() {
    let message = StunMessage::parse(FULL_OF_UNKNOWN).unwrap();
    assert_eq!(message.unknown_attributes(), [0x7777; 8]);
}

#[test]
fn what_follows_the_integrity_is_not_believed() {
    let key = IntegrityKey::new(local().pwd());
    let signed = &include_bytes!("data/chromium-156-first-check.bin")[..92];
    let mut forged = signed.to_vec();
    forged.extend([0x00, 0x25, 0, 0]); // USE-CANDIDATE
    forged.extend([0x7f, 0x00, 0, 0]); // unknown
    forged.extend([0x80, 0x28, 0, 4, 0, 0, 0, 0]);
    let len = (forged.len() - 20) as u16;
    forged[2..4].copy_from_slice(&len.to_be_bytes());
    let end = forged.len();
    let crc = crc32fast::hash(&forged[..end - 8]) ^ 0x5354_554e;
    forged[end - 4..].copy_from_slice(&crc.to_be_bytes());
    let message = StunMessage::parse(&forged).unwrap();
    assert!(message.fingerprint_ok() && message.verify_integrity(&key));
    assert!(!message.use_candidate() && message.unknown_attributes().is_empty());
}

#[test]
fn of_attributes_given_twice_the_first_counts() {
    let mut buffer = [0; 256];
    let mut writer = StunWriter::new(&mut buffer, Class::Request, BINDING, [0; 12]);
    writer.username("first:one");
    writer.username("second:one");
    writer.priority(1);
    writer.priority(2);
    let len = writer.finish(None).unwrap();
    let message = StunMessage::parse(&buffer[..len]).unwrap();
    assert_eq!(message.local_ufrag(), Some("first"));
    assert_eq!(message.priority(), Some(1));
}

#[test]
fn impossible_values_are_refused() {
    for (kind, value) in [
        (0x0008, &[0; 19][..]),              // MESSAGE-INTEGRITY
        (0x0009, &[0, 0, 4]),                // ERROR-CODE
        (0x0009, &[0, 0, 2, 99]),            // 299
        (0x0009, &[0, 0, 4, 100]),           // 4 and 100
        (0x0020, &[0, 1, 0, 0, 1, 2, 3]),    // XOR-MAPPED-ADDRESS
        (0x0020, &[0, 2, 0, 0, 1, 2, 3, 4]), // IPv6 of four bytes
        (0x0020, &[0, 3, 0, 0, 1, 2, 3, 4]), // no such family
        (0x0024, &[0; 8]),                   // PRIORITY
        (0x0025, &[0; 4]),                   // USE-CANDIDATE
        (0x8028, &[0; 3]),                   // FINGERPRINT
        (0x8029, &[0; 4]),                   // ICE-CONTROLLED
        (0x802a, &[0; 12]),                  // ICE-CONTROLLING
    ] {
        let mut buffer = [0; 128];
        let mut writer = StunWriter::new(&mut buffer, Class::Request, BINDING, [0; 12]);
        writer.attribute(kind, value);
        let len = writer.finish(None).unwrap();
        let reason = StunMessage::parse(&buffer[..len]).err();
        assert_eq!(
            reason,
            Some(DropReason::BadAttribute),
            "{kind:#06x} {value:?}"
        );
    }
}

#[test]
fn a_username_that_names_nobody_gives_no_fragment() {
    for username in [&b""[..], b"fragment", b"\xff\xfe:peer"] {
        let mut buffer = [0; 128];
        let mut writer = StunWriter::new(&mut buffer, Class::Request, BINDING, [0; 12]);
        writer.attribute(0x0006, username);
        let len = writer.finish(None).unwrap();
        let message = StunMessage::parse(&buffer[..len]).unwrap();
        assert_eq!(message.username(), Some(username));
        assert_eq!(message.local_ufrag(), None);
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..1500)) {
        prop_assert!(dropped(&bytes).is_some());
    }

    #[test]
    fn arbitrary_attributes_never_panic_nor_pass(
        body in proptest::collection::vec(any::<u8>(), 0..300),
        class in 0_u8..2,
    ) {
        let body = &body[..body.len() / 4 * 4];
        let mut datagram = vec![class, class * 0x10 + 1, 0, 0, 0x21, 0x12, 0xa4, 0x42];
        datagram.extend([0; 12]);
        datagram.extend(body);
        datagram[2..4].copy_from_slice(&(body.len() as u16).to_be_bytes());
        prop_assert!(dropped(&datagram).is_some_and(|(_, reply_len)| reply_len == 0));
    }
}
