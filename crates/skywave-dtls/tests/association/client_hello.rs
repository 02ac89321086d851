//! ClientHellos of browsers, cut and ordered as no browser does but a path or a forger may.

use std::time::Duration;

use skywave_dtls::Role;

use crate::link::Link;
use crate::recorded::{CHROMIUM, FIREFOX, chose_13};

/// What a browser sent in two datagrams, whole and without headers.
fn whole(datagrams: [&[u8]; 2]) -> Vec<u8> {
    let fragments = datagrams.map(|datagram| &datagram[HEADERS..]);
    fragments.concat()
}

/// A datagram with `hello[from..to]`.
fn fragment(hello: &[u8], from: usize, to: usize, record: usize) -> Vec<u8> {
    let u24 = |n: usize| [(n >> 16) as u8, (n >> 8) as u8, n as u8];
    let mut datagram = vec![22, 0xfe, 0xfd, 0, 0, 0, 0, 0];
    datagram.extend_from_slice(&u24(record));
    datagram.extend_from_slice(&u24(12 + to - from)[1..]);
    datagram.push(1);
    datagram.extend_from_slice(&u24(hello.len()));
    datagram.extend_from_slice(&[0, 0]);
    datagram.extend_from_slice(&u24(from));
    datagram.extend_from_slice(&u24(to - from));
    datagram.extend_from_slice(&hello[from..to]);
    datagram
}

fn cut(hello: &[u8], len: usize) -> Vec<Vec<u8>> {
    let starts = (0..hello.len()).step_by(len).enumerate();
    let cut = |(n, from)| fragment(hello, from, hello.len().min(from + len), n);
    starts.map(cut).collect()
}

/// With one more extension, of a type nobody knows, as a key share of the future might be.
fn lengthened(hello: &[u8], by: u16) -> Vec<u8> {
    let at = extensions_at(hello);
    let mut long = hello.to_vec();
    let len = u16::from_be_bytes([hello[at], hello[at + 1]]) + 4 + by;
    long[at..at + 2].copy_from_slice(&len.to_be_bytes());
    let mut extension = vec![0x5a, 0x5a];
    extension.extend_from_slice(&by.to_be_bytes());
    extension.resize(extension.len() + usize::from(by), 7);
    long.splice(at + 2..at + 2, extension);
    long
}

/// Behind version, random, session, cookie, cipher suites and compression methods.
fn extensions_at(hello: &[u8]) -> usize {
    let mut at = 34;
    for width in [1, 1, 2, 1] {
        let length = hello[at..at + width].iter();
        at += width + length.fold(0, |n, &byte| n << 8 | usize::from(byte));
    }
    at
}

fn is_answered_with_13(link: &mut Link, datagrams: &[Vec<u8>]) -> bool {
    for datagram in datagrams {
        link.deliver(Role::Server, datagram);
    }
    assert_eq!(link.seen, []);
    let answer = link.wire.pop_front();
    answer.is_some_and(|(_, _, datagram)| chose_13(&datagram))
}

#[test]
fn client_hello_cut_small_is_answered_in_any_order() {
    for recorded in [CHROMIUM, FIREFOX] {
        let hello = whole(recorded);
        for seed in 1..=20 {
            let mut link = Link::new().with_loss(0, seed);
            let mut datagrams = cut(&hello, 60);
            assert!(datagrams.len() > 20);
            for n in (1..datagrams.len()).rev() {
                datagrams.swap(n, link.random() as usize % (n + 1));
            }
            assert!(is_answered_with_13(&mut link, &datagrams), "seed {seed}");
        }
    }
}

#[test]
fn client_hello_is_answered_though_each_fragment_comes_twice() {
    for recorded in [CHROMIUM, FIREFOX] {
        let mut datagrams = cut(&whole(recorded), 200);
        let again = datagrams.clone();
        datagrams.splice(4..4, again);
        assert!(is_answered_with_13(&mut Link::new(), &datagrams));
    }
}

#[test]
fn client_hello_of_four_datagrams_is_answered() {
    for recorded in [CHROMIUM, FIREFOX] {
        let mut datagrams = cut(&lengthened(&whole(recorded), 3000), 1200);
        assert_eq!(datagrams.len(), 4);
        datagrams.reverse();
        assert!(is_answered_with_13(&mut Link::new(), &datagrams));
    }
}

/// Datagrams longer than any path's are not looked at, so this one is cut before.
#[test]
fn client_hello_in_one_large_datagram_is_answered_up_to_2048_bytes() {
    let hello = whole(CHROMIUM);
    for (len, is_answered) in [(2048, true), (2049, false)] {
        let by = u16::try_from(len - HEADERS - hello.len() - 4).unwrap();
        let datagrams = cut(&lengthened(&hello, by), len);
        assert_eq!((datagrams.len(), datagrams[0].len()), (1, len));
        assert_eq!(
            is_answered_with_13(&mut Link::new(), &datagrams),
            is_answered
        );
    }
}

#[test]
fn crumbs_of_a_client_hello_are_not_kept_for_long() {
    let hello = whole(CHROMIUM);
    let mut link = Link::new();
    // Of a hello as long as a message may claim to be, more fragments than the engine keeps.
    for n in 0..200 {
        link.deliver(Role::Server, &fragment(&[9; 1 << 16], 2 * n, 2 * n + 1, n));
    }
    assert_eq!((link.sent, link.seen.len()), (0, 0));
    link.now += Duration::from_secs(2);
    assert!(is_answered_with_13(&mut link, &cut(&hello, 1200)));
}

#[test]
fn fragments_of_different_client_hellos_make_none() {
    let (ours, other) = (whole(CHROMIUM), whole(FIREFOX));
    let mut link = Link::new();
    let ours = cut(&ours, 1200);
    let mixed = [ours[0].clone(), cut(&other, 1200)[1].clone()];
    assert!(!is_answered_with_13(&mut link, &mixed));
    link.now += Duration::from_secs(2);
    assert!(is_answered_with_13(&mut link, &ours));
}

/// Of record and handshake message.
const HEADERS: usize = 13 + 12;
