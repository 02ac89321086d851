//! Handshakes over a link that loses, reorders and doubles datagrams.

use std::time::Duration;

use skywave_dtls::Role;

use crate::link::{Link, VERSIONS, client_identity, server_identity};

#[test]
fn one_datagram_in_five_lost_delays_but_does_not_prevent() {
    for (client, server) in VERSIONS {
        for seed in 1..=15 {
            let mut link = Link::with_versions(client, server).with_loss(20, seed);
            assert!(
                link.connects(),
                "{client:?} {server:?} {seed}: {:?}",
                link.seen
            );
        }
    }
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
