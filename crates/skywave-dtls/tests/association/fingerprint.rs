//! The peer's certificate against the signalled fingerprints (RFC 8122 §5).

use skywave_dtls::{Error, Event, Fingerprint, HashAlgorithm, Role};

use crate::link::{Link, client_identity, server_identity};

#[test]
fn wrong_fingerprint_gives_no_keys_and_never_will() {
    let mut link = Link::new();
    assert!(link.connects());
    let wrong = [client_identity().fingerprint()];
    let right = [server_identity().fingerprint()];
    assert_eq!(
        link.client.verify(&wrong).unwrap_err(),
        Error::FingerprintMismatch
    );
    assert_eq!(link.client.verify(&right).unwrap_err(), Error::NotConnected);
}

#[test]
fn no_fingerprint_matches_nothing() {
    let mut link = Link::new();
    assert!(link.connects());
    assert_eq!(
        link.client.verify(&[]).unwrap_err(),
        Error::FingerprintMismatch
    );
}

#[test]
fn peer_hears_of_the_end_after_a_mismatch() {
    let mut link = Link::new();
    assert!(link.connects());
    link.server
        .verify(&[server_identity().fingerprint()])
        .unwrap_err();
    link.close(Role::Server);
    link.step();
    assert_eq!(link.seen.last(), Some(&(Role::Client, Ok(Event::Closed))));
}

#[test]
fn stronger_hash_than_ours_is_checked_too() {
    let mut link = Link::new();
    assert!(link.connects());
    let strong = Fingerprint::of(HashAlgorithm::Sha512, server_identity().certificate());
    let wrong = Fingerprint::of(HashAlgorithm::Sha256, b"another certificate");
    assert!(link.client.verify(&[wrong, strong]).is_ok());

    let strong = Fingerprint::of(HashAlgorithm::Sha512, b"another certificate");
    let right = client_identity().fingerprint();
    assert_eq!(
        link.server.verify(&[strong, right]).unwrap_err(),
        Error::FingerprintMismatch
    );
}
