//! The records of a datagram (RFC 6347 §4.1, RFC 9147 §4), each checked alone.
//!
//! Before keys exist nothing is authenticated, so what a peer of this role could
//! not have sent now goes no further: other content types, other handshake
//! messages, fragments that do not fit their message. In the engine's queue such
//! records would wait for ever. What remains to a forger is a well-formed message
//! of the right kind at the right moment, against which DTLS has no defence.

use std::ops::RangeInclusive;

/// One record of a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Record<'a> {
    /// A handshake record of epoch 0, with well-formed fragments of expected
    /// messages only.
    Handshake(&'a [u8]),
    /// The change_cipher_spec of DTLS 1.2; stands for [`CHANGE`].
    ChangeCipherSpec,
    /// A record under some key, either version.
    Protected(&'a [u8]),
    /// A fatal alert of epoch 0: its description. Anyone can have sent it.
    FatalAlert(u8),
    /// Whatever else.
    Refused,
}

/// Splits a datagram into records; ends at the first that does not fit.
pub(crate) struct Records<'a> {
    rest: &'a [u8],
    expected: Expected,
}

impl<'a> Records<'a> {
    /// `expected`: the plaintext handshake messages that may come now.
    pub(crate) fn new(datagram: &'a [u8], expected: Expected) -> Self {
        Self {
            rest: datagram,
            expected,
        }
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Record<'a>;

    fn next(&mut self) -> Option<Record<'a>> {
        let len = record_len(self.rest)?;
        let (bytes, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        Some(classify(bytes, self.expected))
    }
}

/// The length of the first record with its header.
fn record_len(datagram: &[u8]) -> Option<usize> {
    let first = *datagram.first()?;
    if !is_unified(first) {
        let len: [u8; 2] = datagram.get(11..HEADER_LEN)?.try_into().ok()?;
        return Some(HEADER_LEN + usize::from(u16::from_be_bytes(len)));
    }
    let numbers = if first & LONG_SEQUENCE == 0 { 2 } else { 3 };
    if first & LENGTH_PRESENT == 0 {
        return Some(datagram.len());
    }
    let len: [u8; 2] = datagram.get(numbers..numbers + 2)?.try_into().ok()?;
    Some(numbers + 2 + usize::from(u16::from_be_bytes(len)))
}

fn classify(bytes: &[u8], expected: Expected) -> Record<'_> {
    if bytes.first().is_some_and(|&first| is_unified(first)) {
        // No connection identifier is ever negotiated.
        let plain = bytes[0] & CONNECTION_ID == 0;
        return if plain {
            Record::Protected(bytes)
        } else {
            Record::Refused
        };
    }
    let Some((header, body)) = bytes.split_at_checked(HEADER_LEN) else {
        return Record::Refused;
    };
    if header[1] != 0xfe || !matches!(header[2], 0xff | 0xfd) {
        return Record::Refused;
    }
    match (header[0], [header[3], header[4]]) {
        (CHANGE_CIPHER_SPEC, [0, 0]) if body == [1] => Record::ChangeCipherSpec,
        (HANDSHAKE, [0, 0]) if are_fragments(body, expected) => Record::Handshake(bytes),
        (ALERT, [0, 0]) => match body {
            // RFC 8446 §6: close_notify and user_canceled end nothing here, and
            // the level of other alerts says nothing.
            [_, 0 | 90] | [1, 100] => Record::Refused,
            &[_, description] => Record::FatalAlert(description),
            _ => Record::Refused,
        },
        (ALERT | HANDSHAKE | APPLICATION_DATA, [0, 1]) => Record::Protected(bytes),
        _ => Record::Refused,
    }
}

/// Whether `body` is a row of well-formed handshake fragments (RFC 6347 §4.2.2)
/// of expected messages.
fn are_fragments(mut body: &[u8], expected: Expected) -> bool {
    let u24 = |b: &[u8]| b.iter().fold(0, |n, &byte| n << 8 | usize::from(byte));
    if body.is_empty() {
        return false;
    }
    while !body.is_empty() {
        let Some((header, rest)) = body.split_at_checked(FRAGMENT_HEADER_LEN) else {
            return false;
        };
        let length = u24(&header[1..4]);
        let sequence = u24(&header[4..6]);
        let (offset, fragment) = (u24(&header[6..9]), u24(&header[9..12]));
        let sound = expected
            .iter()
            .any(|(kind, numbers)| *kind == header[0] && numbers.contains(&sequence))
            && length <= MAX_MESSAGE_LEN
            && offset + fragment <= length
            && (fragment > 0 || length == 0)
            && fragment <= rest.len();
        if !sound {
            return false;
        }
        body = &rest[fragment..];
    }
    true
}

/// RFC 9147 §4: a header of the form `001CSLEE`.
fn is_unified(first: u8) -> bool {
    first >> 5 == 0b001
}

/// The change_cipher_spec to give to the engine, whatever the number of the
/// received one: this sorts behind all else in its queue, and is there only once.
pub(crate) const CHANGE: &[u8] = &[
    CHANGE_CIPHER_SPEC,
    0xfe,
    0xfd,
    0,
    0,
    0xff,
    0xff,
    0xff,
    0xff,
    0xff,
    0xff,
    0,
    1,
    1,
];

/// Message types with the message_seq they can have: one more than in the plain
/// handshake, if the server asked the client to begin again.
pub(crate) type Expected = &'static [(u8, RangeInclusive<usize>)];

/// To a server that has not answered.
pub(crate) const TO_IDLE_SERVER: Expected = &[(CLIENT_HELLO, 0..=0)];
/// To a server that has.
pub(crate) const TO_SERVER: Expected = &[
    (CLIENT_HELLO, 0..=1),
    (CERTIFICATE, 1..=2),
    (CLIENT_KEY_EXCHANGE, 2..=3),
    (CERTIFICATE_VERIFY, 3..=4),
];
/// To a client; no server of ours leaves a message out, others may.
pub(crate) const TO_CLIENT: Expected = &[
    (HELLO_VERIFY_REQUEST, 0..=0),
    (SERVER_HELLO, 0..=1),
    (CERTIFICATE, 1..=2),
    (SERVER_KEY_EXCHANGE, 2..=3),
    (CERTIFICATE_REQUEST, 3..=4),
    (SERVER_HELLO_DONE, 3..=5),
];

const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;
const HELLO_VERIFY_REQUEST: u8 = 3;
const CERTIFICATE: u8 = 11;
const SERVER_KEY_EXCHANGE: u8 = 12;
const CERTIFICATE_REQUEST: u8 = 13;
const SERVER_HELLO_DONE: u8 = 14;
const CERTIFICATE_VERIFY: u8 = 15;
const CLIENT_KEY_EXCHANGE: u8 = 16;

const CHANGE_CIPHER_SPEC: u8 = 20;
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const APPLICATION_DATA: u8 = 23;

const CONNECTION_ID: u8 = 0b1_0000;
const LONG_SEQUENCE: u8 = 0b1000;
const LENGTH_PRESENT: u8 = 0b100;
const HEADER_LEN: usize = 13;
const FRAGMENT_HEADER_LEN: usize = 12;
const MAX_MESSAGE_LEN: usize = 1 << 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn record(content_type: u8, epoch: u8, body: &[u8]) -> Vec<u8> {
        let mut record = vec![content_type, 0xfe, 0xfd, 0, epoch, 0, 0, 0, 0, 0, 7];
        record.extend_from_slice(&(body.len() as u16).to_be_bytes());
        record.extend_from_slice(body);
        record
    }

    fn only(datagram: &[u8], expected: Expected) -> Record<'_> {
        let mut records = Records::new(datagram, expected);
        let first = records.next().unwrap();
        assert_eq!(records.next(), None);
        first
    }

    #[test]
    fn recorded_hellos_are_whole_handshake_records() {
        for datagram in [
            &include_bytes!("../testdata/chromium-client-hello-1.bin")[..],
            include_bytes!("../testdata/chromium-client-hello-2.bin"),
            include_bytes!("../testdata/firefox-client-hello-1.bin"),
            include_bytes!("../testdata/firefox-client-hello-2.bin"),
            include_bytes!("../testdata/openssl-client-hello.bin"),
        ] {
            assert_eq!(only(datagram, TO_IDLE_SERVER), Record::Handshake(datagram));
            assert_eq!(only(datagram, TO_CLIENT), Record::Refused);
            assert_eq!(
                Records::new(&datagram[..datagram.len() - 1], TO_IDLE_SERVER).next(),
                None
            );
        }
    }

    #[test]
    fn every_record_of_a_datagram_is_seen() {
        let change = record(CHANGE_CIPHER_SPEC, 0, &[1]);
        let finished = record(HANDSHAKE, 1, &[0xcc; 40]);
        let unified = [0b0010_1110, 0, 1, 0, 3, 1, 2, 3];
        let to_the_end = [0b0010_0010, 9, 1, 2, 3];
        let datagram = [&change[..], &finished, &unified, &to_the_end].concat();
        let records: Vec<_> = Records::new(&datagram, TO_SERVER).collect();
        let expected = [
            Record::ChangeCipherSpec,
            Record::Protected(&finished),
            Record::Protected(&unified),
            Record::Protected(&to_the_end),
        ];
        assert_eq!(records, expected);
    }

    #[test]
    fn garbage_behind_a_record_does_not_spoil_it() {
        let mut datagram = record(HANDSHAKE, 1, &[0xcc; 40]);
        let whole = datagram.clone();
        datagram.extend_from_slice(&[22, 0xfe, 0xfd, 0, 0]);
        assert_eq!(only(&datagram, TO_SERVER), Record::Protected(&whole));
    }

    #[test]
    fn message_must_have_a_number_it_can_have() {
        let hello =
            |number: u8| record(HANDSHAKE, 0, &[1, 0, 0, 1, 0, number, 0, 0, 0, 0, 0, 1, 0]);
        for (number, idle, busy) in [(0, true, true), (1, false, true), (2, false, false)] {
            let datagram = hello(number);
            let is_in = |expected| only(&datagram, expected) == Record::Handshake(&datagram);
            assert_eq!((is_in(TO_IDLE_SERVER), is_in(TO_SERVER)), (idle, busy));
        }
    }

    #[test]
    fn fragment_must_lie_in_its_message_and_its_record() {
        let of = |length, offset, fragment| {
            record(
                HANDSHAKE,
                0,
                &[1, 0, 0, length, 0, 0, 0, 0, offset, 0, 0, fragment, 5, 5],
            )
        };
        let sound = of(9, 7, 2);
        assert_eq!(only(&sound, TO_SERVER), Record::Handshake(&sound));
        for damaged in [
            of(9, 8, 2),
            of(9, 0, 3),
            of(9, 0, 0),
            of(1, 0, 2),
            of(9, 0, 1),
        ] {
            assert_eq!(only(&damaged, TO_SERVER), Record::Refused);
        }
    }

    #[test]
    fn plaintext_alerts_are_told_apart() {
        let alert = |body: &[u8]| match only(&record(ALERT, 0, body), TO_SERVER) {
            Record::FatalAlert(description) => Some(description),
            other => {
                assert_eq!(other, Record::Refused);
                None
            }
        };
        assert_eq!(alert(&[2, 40]), Some(40));
        assert_eq!(alert(&[1, 42]), Some(42));
        assert_eq!(alert(&[1, 0]), None);
        assert_eq!(alert(&[2, 0]), None);
        assert_eq!(alert(&[1, 90]), None);
        assert_eq!(alert(&[1, 100]), None);
        assert_eq!(alert(&[2]), None);
        assert_eq!(alert(&[2, 40, 0]), None);
    }

    #[test]
    fn arbitrary_bytes_end_without_panic() {
        let mut state = 1_u32;
        for len in 0..600 {
            let datagram: Vec<u8> = (0..len)
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (state >> 24) as u8
                })
                .collect();
            assert!(Records::new(&datagram, TO_SERVER).count() <= len);
            let handshake = record(HANDSHAKE, 0, &datagram);
            assert_eq!(Records::new(&handshake, TO_SERVER).count(), 1);
        }
    }
}
