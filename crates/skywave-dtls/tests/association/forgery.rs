//! Datagrams that no peer sent: the handshake must survive all of them.

use std::time::Duration;

use skywave_dtls::{Error, Event, Role, Version};

use crate::link::{Link, VERSIONS, client_identity, server_identity};

/// Plaintext header of version 1.2.
fn record(content_type: u8, epoch: u8, sequence: u8, body: &[u8]) -> Vec<u8> {
    let mut record = vec![content_type, 0xfe, 0xfd, 0, epoch, 0, 0, 0, 0, 0, sequence];
    record.extend_from_slice(&u16::try_from(body.len()).unwrap().to_be_bytes());
    record.extend_from_slice(body);
    record
}

fn fragment(kind: u8, length: u8, sequence: u8, offset: u8, body: &[u8]) -> Vec<u8> {
    let len = u8::try_from(body.len()).unwrap();
    let mut fragment = vec![kind, 0, 0, length, 0, sequence, 0, 0, offset, 0, 0, len];
    fragment.extend_from_slice(body);
    record(22, 0, 9, &fragment)
}

/// What a forger who sees nothing can send, by name.
fn forgeries() -> Vec<(&'static str, Vec<u8>)> {
    let noise: Vec<u8> = (0..200_u8).map(|n| n.wrapping_mul(151) ^ 0x5a).collect();
    let change_and_noise = [record(20, 0, 3, &[1]), record(22, 1, 0, &noise[..60])].concat();
    let noise_behind_alert = [record(21, 0, 3, &[2, 40]), noise.clone()].concat();
    let unified = |first: u8| [&[first, 0, 1, 0, 60], &noise[..60]].concat();
    vec![
        ("empty", vec![]),
        ("one byte", vec![22]),
        ("noise", noise.clone()),
        ("header alone", record(22, 0, 1, &[])),
        ("noise as handshake", record(22, 0, 1, &noise)),
        (
            "length beyond the datagram",
            record(22, 0, 1, &noise)[..100].to_vec(),
        ),
        ("fatal alert", record(21, 0, 1, &[2, 40])),
        ("close_notify", record(21, 0, 1, &[1, 0])),
        ("fatal close_notify", record(21, 0, 0, &[2, 0])),
        ("short alert", record(21, 0, 1, &[2])),
        ("alert and noise", noise_behind_alert),
        ("protected alert", record(21, 1, 0, &noise[..26])),
        ("protected handshake", record(22, 1, 0, &noise[..40])),
        ("protected data", record(23, 1, 1, &noise)),
        ("short protected record", record(23, 1, 1, &[1, 2, 3])),
        ("data in the clear", record(23, 0, 1, &noise)),
        (
            "acknowledgement in the clear",
            record(
                26,
                0,
                1,
                &[0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            ),
        ),
        ("change_cipher_spec", record(20, 0, 1, &[1])),
        ("wrong change_cipher_spec", record(20, 0, 1, &[2, 2])),
        ("change_cipher_spec and noise", change_and_noise),
        ("unknown content type", record(99, 0, 1, &noise)),
        ("record of another version", {
            let mut record = record(22, 0, 1, &noise);
            record[2] = 0x00;
            record
        }),
        ("unified header", unified(0b0010_1110)),
        ("unified header of epoch 3", unified(0b0010_1111)),
        ("unified header with identifier", unified(0b0011_1110)),
        ("unified header without length", unified(0b0010_1010)),
        ("unified header alone", vec![0b0010_1110]),
        ("wrong message", fragment(20, 4, 0, 0, &noise[..4])),
        ("unknown message", fragment(77, 4, 0, 0, &noise[..4])),
        ("far message", fragment(11, 4, 200, 0, &noise[..4])),
        (
            "fragment beyond its message",
            fragment(11, 4, 1, 3, &noise[..4]),
        ),
        ("fragment of nothing", fragment(11, 40, 1, 0, &[])),
        ("too long", vec![22; 3000]),
    ]
}

/// Runs a handshake, with `forge` before and after every real datagram.
fn run_with(link: &mut Link, forge: impl Fn(&mut Link, Role)) {
    forge(link, Role::Server);
    link.start();
    forge(link, Role::Client);
    let end = link.now + Duration::from_secs(25);
    while link.now < end && !link.both_connected() {
        for role in [Role::Client, Role::Server] {
            forge(link, role);
        }
        if !link.step() {
            break;
        }
    }
}

fn assert_sound(link: &mut Link, context: &str) {
    assert_eq!(link.seen.len(), 2, "{context}: {:?}", link.seen);
    assert!(link.both_connected(), "{context}: {:?}", link.seen);
    assert!(
        link.client
            .verify(&[server_identity().fingerprint()])
            .is_ok(),
        "{context}"
    );
    assert!(
        link.server
            .verify(&[client_identity().fingerprint()])
            .is_ok(),
        "{context}"
    );
}

#[test]
fn handshake_survives_each_forgery_between_real_datagrams() {
    for (client, server) in VERSIONS {
        for (name, forged) in forgeries() {
            let mut link = Link::with_versions(client, server);
            run_with(&mut link, |link, role| link.deliver(role, &forged));
            assert_sound(&mut link, &format!("{client:?} {server:?} {name}"));
        }
    }
}

#[test]
fn handshake_survives_forty_of_each_forgery_at_once() {
    for (client, server) in VERSIONS {
        let forgeries = forgeries();
        let mut link = Link::with_versions(client, server);
        run_with(&mut link, |link, role| {
            for sequence in 0..40 {
                for (_, forged) in &forgeries {
                    let mut forged = forged.clone();
                    if let Some(number) = forged.get_mut(10) {
                        *number = sequence;
                    }
                    link.deliver(role, &forged);
                }
            }
        });
        assert_sound(&mut link, &format!("{client:?} {server:?}"));
    }
}

#[test]
fn forgeries_after_the_handshake_change_nothing() {
    for (client, server) in VERSIONS {
        let mut link = Link::with_versions(client, server);
        assert!(link.connects());
        for (_, forged) in forgeries() {
            link.deliver(Role::Client, &forged);
            link.deliver(Role::Server, &forged);
        }
        link.run(Duration::from_secs(60));
        assert_sound(&mut link, &format!("{client:?} {server:?}"));
        link.close(Role::Client);
        link.step();
        assert_eq!(link.seen.last(), Some(&(Role::Server, Ok(Event::Closed))));
    }
}

#[test]
fn handshake_survives_replays_and_truncations_of_its_own_datagrams() {
    for (client, server) in VERSIONS {
        let mut link = Link::with_versions(client, server);
        let mut past: Vec<(Role, Vec<u8>)> = Vec::new();
        link.start();
        let end = link.now + Duration::from_secs(25);
        while link.now < end && !link.both_connected() {
            if let Some((_, to, datagram)) = link.wire.front().cloned() {
                for cut in [0, 5, 12, 13, 20, 25, 60, datagram.len() - 1] {
                    link.deliver(to, &datagram[..cut.min(datagram.len() - 1)]);
                }
                past.push((to, datagram));
            }
            assert!(link.step());
            for (to, datagram) in past.clone() {
                link.deliver(to, &datagram);
            }
        }
        assert_sound(&mut link, &format!("{client:?} {server:?}"));
    }
}

#[test]
fn half_a_forged_client_hello_delays_the_server_only() {
    for version in [Version::Dtls12, Version::Dtls13] {
        let mut link = Link::with_versions(Some(version), None);
        link.deliver(Role::Server, &fragment(1, 90, 0, 0, &[0xab; 60]));
        assert!(link.connects(), "{version:?}: {:?}", link.seen);
    }
}

#[test]
fn nonsensical_client_hello_delays_the_server_only() {
    for version in [Version::Dtls12, Version::Dtls13] {
        for body in [[0xab; 60], [0; 60]] {
            let mut link = Link::with_versions(Some(version), None);
            link.deliver(Role::Server, &fragment(1, 60, 0, 0, &body));
            assert!(link.connects(), "{version:?}: {:?}", link.seen);
            assert_sound(&mut link, &format!("{version:?}"));
        }
    }
}

#[test]
fn fatal_alert_and_then_silence_ends_the_handshake() {
    let mut link = Link::new();
    link.start();
    link.wire.clear();
    let begin = link.now;
    link.deliver(Role::Client, &record(21, 0, 0, &[2, 40]));
    link.loss = 100;
    link.run(Duration::from_secs(60));
    assert_eq!(link.seen, [(Role::Client, Err(Error::PeerAlert(40)))]);
    assert_eq!((link.now - begin).as_secs(), 3);
}

#[test]
fn forged_alert_does_not_end_a_server_nobody_has_called() {
    let mut link = Link::new();
    for (_, forged) in forgeries() {
        link.deliver(Role::Server, &forged);
    }
    link.run(Duration::from_secs(600));
    assert_eq!((link.seen.len(), link.sent), (0, 0));
    assert!(link.connects());
}
