//! Handshakes over a link that loses, reorders and doubles datagrams.

use std::time::Duration;

use skywave_dtls::{Fingerprint, HashAlgorithm, Role, Version};

use crate::link::{Link, VERSIONS, client_identity, server_identity};
use crate::other_link::OtherLink;

/// Both roles are played here, each with the repetitions of the other. The median is 60 to
/// 400 ms, one in ten needs more than 1.3 s, one in a thousand more than 6 s.
#[test]
fn thousand_sessions_at_twenty_percent_loss_all_connect() {
    for version in [Version::Dtls12, Version::Dtls13] {
        let mut slow = 0;
        for seed in 1..=500 {
            let mut link = Link::with_versions(Some(version), None).with_loss(20, seed);
            slow += usize::from(time_to_connect(&mut link) > Duration::from_secs(10));
        }
        assert!(slow <= 3, "{version:?}: {slow} took more than 10 s");
    }
}

#[test]
fn loss_with_reordering_and_doubling_delays_but_does_not_prevent() {
    for (client, server) in VERSIONS {
        for seed in 1..=20 {
            let mut link = Link::with_versions(client, server).with_loss(20, seed);
            (link.doubled, link.jitter) = (20, 100);
            time_to_connect(&mut link);
        }
    }
}

/// Fails if either end has not connected within the time it is given.
fn time_to_connect(link: &mut Link) -> Duration {
    let begin = link.now;
    link.start();
    while !link.both_connected() && link.step() {}
    assert!(link.both_connected(), "{:?}", link.seen);
    link.now - begin
}

#[test]
fn each_datagram_lost_once_is_made_good() {
    for (client, server) in VERSIONS {
        for lost in 0..8 {
            let mut link = Link::with_versions(client, server);
            let mut handled = 0;
            link.start();
            let end = link.now + Duration::from_secs(30);
            while link.now < end && !link.both_connected() {
                let arriving = link.wire.len();
                if arriving > 0 && handled == lost {
                    link.wire.pop_front();
                    handled += 1;
                }
                handled += usize::from(!link.wire.is_empty());
                assert!(link.step(), "{client:?} {server:?} without {lost}");
            }
            assert!(
                link.both_connected(),
                "{client:?} {server:?} without {lost}: {:?}",
                link.seen
            );
        }
    }
}

/// An engine of another make, whose client has an RSA certificate. Of losses at random it does not
/// recover, whoever is at its other end; of one it does.
#[test]
fn each_datagram_of_a_call_with_another_engine_lost_once_is_made_good() {
    for role in [Role::Server, Role::Client] {
        let mut lost = 0;
        loop {
            let mut link = OtherLink::new(role, lost);
            let connected = link.connects_within(Duration::from_secs(2));
            let expected = (role, lost) != (Role::Client, HELLO_VERIFY_REQUEST);
            assert_eq!(
                connected, expected,
                "{role:?} without {lost}: {:?}",
                link.seen
            );
            if connected {
                let der = link.ours.peer_certificate().unwrap();
                let signalled = Fingerprint::of(HashAlgorithm::Sha256, der);
                assert!(link.ours.verify(&[signalled]).is_ok());
            }
            if link.sent <= lost {
                break;
            }
            lost += 1;
        }
        assert!(lost >= 4, "{role:?} lost {lost}");
    }
}

/// It answers no ClientHello without a cookie a second time, as it would have to (RFC 6347 §4.2.1).
const HELLO_VERIFY_REQUEST: usize = 1;

#[test]
fn reversed_flights_connect() {
    for (client, server) in VERSIONS {
        let mut link = Link::with_versions(client, server);
        link.start();
        let end = link.now + Duration::from_secs(30);
        while link.now < end && !link.both_connected() {
            link.wire.make_contiguous().reverse();
            assert!(link.step());
        }
        assert!(
            link.both_connected(),
            "{client:?} {server:?}: {:?}",
            link.seen
        );
    }
}

#[test]
fn doubled_datagrams_connect_without_a_storm() {
    for (client, server) in VERSIONS {
        let mut link = Link::with_versions(client, server);
        link.start();
        let end = link.now + Duration::from_secs(30);
        while link.now < end {
            if let Some((_, to, datagram)) = link.wire.front().cloned() {
                link.deliver(to, &datagram);
            }
            if !link.step() {
                break;
            }
        }
        assert!(
            link.both_connected(),
            "{client:?} {server:?}: {:?}",
            link.seen
        );
        assert!(link.sent < 40, "{client:?} {server:?}: {} sent", link.sent);
    }
}

#[test]
fn lost_last_flight_is_repeated_after_the_server_is_connected() {
    for (client, server) in VERSIONS {
        let mut link = Link::with_versions(client, server);
        link.start();
        while !link.seen.iter().any(|(role, _)| *role == Role::Server) {
            assert!(link.step());
        }
        link.wire.clear();
        link.run(Duration::from_secs(30));
        assert!(
            link.both_connected(),
            "{client:?} {server:?}: {:?}",
            link.seen
        );
        assert!(
            link.client
                .verify(&[server_identity().fingerprint()])
                .is_ok()
        );
        assert!(
            link.server
                .verify(&[client_identity().fingerprint()])
                .is_ok()
        );
    }
}
