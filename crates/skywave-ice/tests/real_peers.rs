//! Published vectors and requests captured from real peers; `data/README.md` tells their origin.
#![allow(clippy::unwrap_used)]

use std::time::{Duration, Instant};

use skywave_ice::{
    BINDING, Class, Credentials, DropReason, IceLite, IntegrityKey, MAX_REPLY_LEN, Path,
    StunMessage,
};

const RFC_REQUEST: &[u8] = include_bytes!("data/rfc5769-2.1-request.bin");
const RFC_IPV4: &[u8] = include_bytes!("data/rfc5769-2.2-ipv4-response.bin");
const RFC_IPV6: &[u8] = include_bytes!("data/rfc5769-2.3-ipv6-response.bin");
const RFC_TRANSACTION: [u8; 12] = *b"\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae";

fn rfc_key() -> IntegrityKey {
    IntegrityKey::new("VOkJxbRl1RmTxUk/WvJxBt")
}

fn genuine<'a>(datagram: &'a [u8], key: &IntegrityKey) -> StunMessage<'a> {
    let message = StunMessage::parse(datagram).unwrap();
    assert!(message.fingerprint_ok());
    assert!(message.verify_integrity(key));
    message
}

#[test]
fn the_request_of_rfc_5769_is_read() {
    let message = genuine(RFC_REQUEST, &rfc_key());
    assert_eq!(
        (message.class(), message.method()),
        (Class::Request, BINDING)
    );
    assert_eq!(message.transaction_id(), RFC_TRANSACTION);
    assert_eq!(message.username(), Some(&b"evtj:h6vY"[..]));
    assert_eq!(message.local_ufrag(), Some("evtj"));
    assert_eq!(message.priority(), Some(0x6e00_01ff));
    assert_eq!(message.ice_controlled(), Some(0x932f_f9b1_5126_3b36));
    assert_eq!(message.ice_controlling(), None);
    assert!(!message.use_candidate() && message.unknown_attributes().is_empty());
}

#[test]
fn the_responses_of_rfc_5769_are_read() {
    let message = genuine(RFC_IPV4, &rfc_key());
    assert_eq!(message.class(), Class::Success);
    assert_eq!(message.xor_mapped_address(), "192.0.2.1:32853".parse().ok());
    let message = genuine(RFC_IPV6, &rfc_key());
    let address = "[2001:db8:1234:5678:11:2233:4455:6677]:32853";
    assert_eq!(message.xor_mapped_address(), address.parse().ok());
}

const CHROMIUM: &[u8] = include_bytes!("data/chromium-156-nomination.bin");
const FIREFOX: &[u8] = include_bytes!("data/firefox-153-aggressive-nomination.bin");
const AIOICE: &[u8] = include_bytes!("data/aioice-0.13-nomination.bin");

fn local() -> Credentials {
    Credentials::from_random(*b"skywave-capture-of-stun!")
}

#[test]
fn requests_of_real_peers_are_read() {
    let key = IntegrityKey::new(local().pwd());
    for (datagram, username, priority, tie_breaker) in [
        (
            CHROMIUM,
            "c2t5d2F2:dYtd",
            0x6e00_1eff,
            0x5ec7_da55_11d2_a93c,
        ),
        (
            FIREFOX,
            "c2t5d2F2:435a7212",
            0x6e7e_00ff,
            0x83f7_a320_3f54_d132,
        ),
        (AIOICE, "c2t5d2F2:pSlc", 0x6eff_ffff, 0x1800_3bb1_93e0_1e15),
    ] {
        let message = genuine(datagram, &key);
        assert_eq!(
            (message.class(), message.method()),
            (Class::Request, BINDING)
        );
        assert_eq!(message.username(), Some(username.as_bytes()));
        assert_eq!(message.local_ufrag(), Some("c2t5d2F2"));
        assert_eq!(message.priority(), Some(priority));
        assert_eq!(message.ice_controlling(), Some(tie_breaker));
        assert_eq!(message.ice_controlled(), None);
        assert!(message.use_candidate());
        // Chromium's 0xc057 (network cost) need not be understood.
        assert!(message.unknown_attributes().is_empty());
    }
}

#[test]
fn real_peers_check_and_nominate() {
    for (remote, datagrams, nominated) in [
        (
            "dYtd",
            [
                &include_bytes!("data/chromium-156-first-check.bin")[..],
                CHROMIUM,
            ],
            [false, true],
        ),
        (
            "435a7212",
            [FIREFOX, include_bytes!("data/firefox-153-consent.bin")],
            [true, false],
        ),
        (
            "pSlc",
            [
                &include_bytes!("data/aioice-0.13-first-check.bin")[..],
                AIOICE,
            ],
            [false, true],
        ),
    ] {
        let mut agent = IceLite::new(&local(), [0; 16]);
        agent.set_remote(Credentials::new(remote, ""));
        let path = Path {
            base: 1,
            remote: "192.0.2.2:40904".parse().unwrap(),
        };
        let start = Instant::now();
        let mut reply = [0; MAX_REPLY_LEN];
        for (index, datagram) in datagrams.iter().enumerate() {
            let request = StunMessage::parse(datagram).unwrap();
            let now = start + Duration::from_secs(index as u64);
            let check = agent
                .handle_request(now, path, &request, &mut reply)
                .unwrap();
            assert_eq!(check.nominated, nominated[index]);
            let response = genuine(&reply[..check.reply_len], &IntegrityKey::new(local().pwd()));
            assert_eq!(response.transaction_id(), request.transaction_id());
            assert_eq!(response.xor_mapped_address(), Some(path.remote));
        }
        assert_eq!(agent.selected(), Some(path));
        assert_eq!(agent.last_check(), Some(start + Duration::from_secs(1)));
    }
}

#[test]
fn a_request_for_another_agent_is_dropped_in_silence() {
    let mut agent = IceLite::new(&Credentials::from_random([0; 24]), [0; 16]);
    let path = Path {
        base: 0,
        remote: "192.0.2.2:40904".parse().unwrap(),
    };
    let request = StunMessage::parse(CHROMIUM).unwrap();
    let rejected = agent
        .handle_request(Instant::now(), path, &request, &mut [0; MAX_REPLY_LEN])
        .unwrap_err();
    assert_eq!(
        (rejected.reason, rejected.reply_len),
        (DropReason::BadIntegrity, 0)
    );
}
