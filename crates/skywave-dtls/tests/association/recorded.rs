//! A server and the first flights of other implementations.

use std::time::Duration;

use skywave_dtls::Role;

use crate::link::Link;

pub(crate) const CHROMIUM: [&[u8]; 2] = [
    include_bytes!("../../testdata/chromium-client-hello-1.bin"),
    include_bytes!("../../testdata/chromium-client-hello-2.bin"),
];
pub(crate) const FIREFOX: [&[u8]; 2] = [
    include_bytes!("../../testdata/firefox-client-hello-1.bin"),
    include_bytes!("../../testdata/firefox-client-hello-2.bin"),
];
const OPENSSL: &[u8] = include_bytes!("../../testdata/openssl-client-hello.bin");

/// The supported_versions of a ServerHello that chose DTLS 1.3 (RFC 9147 §5.4).
const CHOSE_13: &[u8] = &[0, 43, 0, 2, 0xfe, 0xfc];

/// What a server answers, if it does.
fn answer(datagrams: &[&[u8]]) -> Option<Vec<u8>> {
    let mut link = Link::new();
    for datagram in datagrams {
        link.deliver(Role::Server, datagram);
    }
    assert_eq!(link.seen, []);
    link.wire.pop_front().map(|(_, _, datagram)| datagram)
}

pub(crate) fn chose_13(answer: &[u8]) -> bool {
    answer.windows(CHOSE_13.len()).any(|w| w == CHOSE_13)
}

#[test]
fn split_client_hello_is_answered_in_either_order() {
    for [first, second] in [CHROMIUM, FIREFOX] {
        for order in [[first, second], [second, first]] {
            let answer = answer(&order).unwrap();
            // A handshake record with a ServerHello.
            assert_eq!((answer[0], answer[13]), (22, 2));
            assert!(chose_13(&answer));
        }
        assert!(answer(&[first, first, second]).is_some());
        assert!(answer(&[second, second, first]).is_some());
    }
}

#[test]
fn half_a_client_hello_is_not_answered() {
    for half in [CHROMIUM, FIREFOX].concat() {
        assert_eq!(answer(&[half]), None);
        assert_eq!(answer(&[half, half]), None);
    }
}

#[test]
fn client_hello_of_version_12_is_answered_in_it() {
    let answer = answer(&[OPENSSL]).unwrap();
    assert_eq!((answer[0], answer[13]), (22, 2));
    assert!(!chose_13(&answer));
}

#[test]
fn halves_far_apart_are_not_joined() {
    let [first, second] = CHROMIUM;
    let mut link = Link::new();
    link.deliver(Role::Server, first);
    link.now += Duration::from_secs(2);
    link.deliver(Role::Server, second);
    assert_eq!(link.sent, 0);
    link.deliver(Role::Server, first);
    assert_eq!(link.sent, 1);
}

#[test]
fn damaged_client_hello_ends_nothing() {
    for hello in [&FIREFOX[..], &[OPENSSL]] {
        for at in 0..hello[0].len() {
            let mut damaged = hello[0].to_vec();
            damaged[at] ^= 1 << (at % 8);
            let mut link = Link::new();
            link.deliver(Role::Server, &damaged);
            for rest in &hello[1..] {
                link.deliver(Role::Server, rest);
            }
            if link.sent > 0 {
                // Damage that still makes a hello to answer.
                continue;
            }
            // The next time the client sends it.
            link.now += Duration::from_secs(2);
            for datagram in hello {
                link.deliver(Role::Server, datagram);
            }
            assert_eq!(
                (link.sent, &link.seen[..]),
                (1, &[][..]),
                "bit of byte {at}"
            );
        }
    }
}

/// RFC 5246 §7.4.4; what the client hashes must be the same each time.
#[test]
fn certificate_request_asks_for_rsa_whenever_it_is_sent() {
    let mut link = Link::new();
    link.deliver(Role::Server, OPENSSL);
    for _ in 0..3 {
        let (_, _, flight) = link.wire.pop_front().unwrap();
        let asks = |part: &[u8]| flight.windows(part.len()).any(|w| w == part);
        // ecdsa_sign and rsa_sign; rsa_pkcs1 with three hash functions, no authorities.
        assert!(asks(&[2, 64, 1, 0, 10]) && asks(&[4, 1, 5, 1, 6, 1, 0, 0]));
        link.step();
    }
}
