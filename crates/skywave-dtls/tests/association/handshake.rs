//! Handshakes over a sound link.

use skywave_dtls::{Dtls, Error, Event, Role, Version};

use crate::link::{Link, VERSIONS, client_identity, server_identity};

#[test]
fn every_pair_of_versions_connects_with_the_same_keys() {
    for (client, server) in VERSIONS {
        let mut link = Link::with_versions(client, server);
        assert!(link.connects(), "{client:?} {server:?}: {:?}", link.seen);
        assert_eq!(link.seen.len(), 2);

        let expected = client.or(server).unwrap_or(Version::Dtls13);
        assert_eq!(link.client.version(), Some(expected));
        assert_eq!(link.server.version(), Some(expected));
        let suite = link.server.cipher_suite();
        assert_eq!(link.client.cipher_suite(), suite);
        let is_of_version = suite.unwrap().name().is_some_and(|name| match expected {
            Version::Dtls12 => name.starts_with("TLS_ECDHE_ECDSA_WITH_"),
            Version::Dtls13 => !name.contains("_WITH_"),
        });
        assert!(is_of_version, "{suite:?}");

        let a = link
            .client
            .verify(&[server_identity().fingerprint()])
            .unwrap();
        let b = link
            .server
            .verify(&[client_identity().fingerprint()])
            .unwrap();
        assert_eq!(a.profile, b.profile);
        assert_eq!(
            (a.local_key(), a.local_salt()),
            (b.remote_key(), b.remote_salt())
        );
        assert_eq!(
            (b.local_key(), b.local_salt()),
            (a.remote_key(), a.remote_salt())
        );
        assert_ne!(a.local_key(), a.remote_key());
        assert_ne!(a.local_salt(), a.remote_salt());
        assert_eq!(
            link.client.peer_certificate().map(|der| &**der),
            Some(server_identity().certificate())
        );
        assert_eq!(
            link.server.peer_certificate().map(|der| &**der),
            Some(client_identity().certificate())
        );
    }
}

#[test]
fn different_versions_do_not_connect() {
    for (client, server) in [
        (Version::Dtls12, Version::Dtls13),
        (Version::Dtls13, Version::Dtls12),
    ] {
        let mut link = Link::with_versions(Some(client), Some(server));
        assert!(!link.connects());
        assert_eq!(
            link.seen.last(),
            Some(&(Role::Client, Err(Error::TimedOut)))
        );
    }
}

#[test]
fn quick_handshake_takes_two_round_trips_and_few_datagrams() {
    let mut link = Link::new();
    let begin = link.now;
    link.start();
    while !link.both_connected() && link.step() {}
    assert_eq!((link.now - begin).as_millis(), 60);
    assert!(link.sent <= 7, "{} datagrams", link.sent);
}

#[test]
fn server_starts_nothing() {
    let mut link = Link::new();
    let now = link.now;
    let mut sent = 0;
    link.server.start(now, &mut |_| sent += 1).unwrap();
    assert_eq!((sent, link.server.next_timeout()), (0, None));
}

#[test]
fn second_start_sends_nothing() {
    let mut link = Link::new();
    link.start();
    assert_eq!(link.sent, 1);
    link.start();
    assert_eq!(link.sent, 1);
}

#[test]
fn client_not_started_hears_nothing() {
    let mut link = Link::new();
    link.deliver(
        Role::Client,
        &[22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    );
    assert_eq!((link.sent, link.seen.len()), (0, 0));
}

#[test]
fn client_without_a_peer_gives_up() {
    let mut link = Link::new().with_loss(100, 1);
    let begin = link.now;
    assert!(!link.connects());
    assert_eq!(link.seen, [(Role::Client, Err(Error::TimedOut))]);
    assert!((25..=31).contains(&(link.now - begin).as_secs()));
    assert_eq!(link.client.next_timeout(), None);
}

#[test]
fn association_can_be_moved_to_another_thread() {
    fn is_send<T: Send>() {}
    is_send::<Dtls>();
}

#[test]
fn association_at_rest_is_small() {
    assert!(size_of::<Dtls>() <= 320, "{}", size_of::<Dtls>());
}

#[test]
fn keys_are_handed_out_once() {
    let mut link = Link::new();
    assert!(link.connects());
    let expected = [server_identity().fingerprint()];
    assert!(link.client.verify(&expected).is_ok());
    assert_eq!(
        link.client.verify(&expected).unwrap_err(),
        Error::NotConnected
    );
}

#[test]
fn no_keys_before_the_handshake_is_complete() {
    let mut link = Link::new();
    let expected = [
        server_identity().fingerprint(),
        client_identity().fingerprint(),
    ];
    link.start();
    loop {
        for role in [Role::Client, Role::Server] {
            if !link.seen.contains(&(role, Ok(Event::Connected))) {
                let refused = link.end(role).verify(&expected).unwrap_err();
                assert_eq!(refused, Error::NotConnected);
                assert_eq!(link.end(role).peer_certificate(), None);
            }
        }
        if link.both_connected() {
            break;
        }
        assert!(link.step());
    }
    assert!(link.client.verify(&expected).is_ok());
    assert!(link.server.verify(&expected).is_ok());
}
