//! The end of an association.

use std::time::Duration;

use skywave_dtls::{Error, Event, Role};

use crate::link::{Link, VERSIONS, client_identity, other, server_identity};

#[test]
fn close_notify_reaches_the_peer_from_either_side() {
    for (client, server) in VERSIONS {
        for role in [Role::Client, Role::Server] {
            let mut link = Link::with_versions(client, server);
            assert!(link.connects());
            link.close(role);
            assert_eq!(link.wire.len(), 1);
            link.run(Duration::from_secs(60));
            assert_eq!(link.seen.len(), 3, "{client:?} {server:?} {role:?}");
            assert_eq!(link.seen[2], (other(role), Ok(Event::Closed)));
        }
    }
}

#[test]
fn nothing_happens_after_the_end() {
    let mut link = Link::new();
    assert!(link.connects());
    link.close(Role::Client);
    let (_, _, farewell) = link.wire[0].clone();
    link.step();
    let (sent, seen) = (link.sent, link.seen.len());
    link.deliver(Role::Server, &farewell);
    link.deliver(Role::Client, &farewell);
    link.close(Role::Server);
    link.close(Role::Client);
    link.run(Duration::from_secs(60));
    assert_eq!((link.sent, link.seen.len()), (sent, seen));
    for role in [Role::Client, Role::Server] {
        assert_eq!(link.end(role).next_timeout(), None);
        let known = [
            client_identity().fingerprint(),
            server_identity().fingerprint(),
        ];
        assert_eq!(
            link.end(role).verify(&known).unwrap_err(),
            Error::NotConnected
        );
    }
}

#[test]
fn closing_in_mid_handshake_sends_nothing() {
    let mut link = Link::new();
    link.start();
    link.wire.clear();
    link.close(Role::Client);
    assert_eq!(link.wire.len(), 0);
    assert_eq!(link.client.next_timeout(), None);
}

#[test]
fn farewell_in_the_datagram_of_the_last_flight_closes() {
    for (client, server) in VERSIONS {
        let mut link = Link::with_versions(client, server);
        link.start();
        // In version 1.2 the server is first to be connected, in 1.3 the client.
        while link.seen.is_empty() {
            assert!(link.step());
        }
        let (first, _) = link.seen[0].clone();
        link.close(first);
        let last: Vec<u8> = link
            .wire
            .drain(..)
            .flat_map(|(_, _, datagram)| datagram)
            .collect();
        link.deliver(other(first), &last);
        assert_eq!(link.seen[1..], [(other(first), Ok(Event::Closed))]);
    }
}
