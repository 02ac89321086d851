//! Clients that a server must not connect to, though it understands them.

use std::time::Duration;

use rtc_dtls::cipher_suite::CipherSuiteId;
use rtc_dtls::config::ExtendedMasterSecretType;
use rtc_dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use skywave_dtls::{Error, Event, Fingerprint, HashAlgorithm};

use crate::other_client::{INSUFFICIENT_SECURITY, OtherClient, ending};

#[test]
fn client_without_a_certificate_is_refused() {
    let mut client = OtherClient::new(|config| config.with_certificates(vec![]));
    client.call(|_| ());
    assert_eq!(client.seen, [Err(Error::NoPeerCertificate)]);
    assert!(!client.connected);
}

#[test]
fn rfc5764_4_1_1_client_without_srtp_is_refused() {
    let mut client = OtherClient::new(|config| config.with_srtp_protection_profiles(vec![]));
    client.call(|_| ());
    assert_eq!(client.seen, [Err(Error::NoSrtpProfile)]);
}

#[test]
fn rfc5764_4_1_1_client_without_a_profile_in_common_does_not_connect() {
    let short_tags_only = vec![SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_32];
    let mut client =
        OtherClient::new(|config| config.with_srtp_protection_profiles(short_tags_only.clone()));
    client.call(|_| ());
    // It hears that none was chosen, and goes no further.
    assert_eq!((client.answers, client.connected), (1, false));
    assert_eq!(client.seen, []);
    let ended = ending(&mut client.server);
    assert_eq!(ended, Error::PeerAlert(INSUFFICIENT_SECURITY));
}

#[test]
fn rfc5764_4_1_application_data_is_no_media_and_ends_nothing() {
    let mut client = OtherClient::new(|config| config);
    client.call(|_| ());
    let answers = client.answers;
    client.send(b"\x80\x6f an RTP packet, or so it looks");
    assert_eq!(client.seen, [Ok(Event::Connected)]);
    assert_eq!(client.answers, answers);
    let der = client.server.peer_certificate().unwrap();
    let signalled = Fingerprint::of(HashAlgorithm::Sha256, der);
    assert!(client.server.verify(&[signalled]).is_ok());
}

#[test]
fn client_with_weak_cipher_suites_only_is_refused() {
    let mut client = OtherClient::new(|config| {
        config.with_cipher_suites(vec![
            CipherSuiteId::Tls_Ecdhe_Ecdsa_With_Aes_256_Cbc_Sha,
            CipherSuiteId::Tls_Ecdhe_Rsa_With_Aes_256_Cbc_Sha,
        ])
    });
    client.call(|_| ());
    // To the engine this is no hello, so that it stays without an answer.
    assert_eq!((client.answers, client.connected), (0, false));
    assert_eq!(client.seen, []);
}

/// RFC 7627 §4: what RFC 9325 §3.5 asks of all implementations.
#[test]
fn client_without_extended_master_secret_is_refused() {
    let disabled = ExtendedMasterSecretType::Disable;
    let mut client = OtherClient::new(|config| config.with_extended_master_secret(disabled));
    client.call(|_| ());
    assert_eq!((client.seen.len(), client.connected), (0, false));
    // Its hello alone proves nothing, so it gets its time.
    let due = client.server.next_timeout().unwrap();
    assert_eq!(due - client.now, Duration::from_secs(3));
    let ended = client.server.handle_timeout(due, &mut |_| ());
    assert!(matches!(ended, Err(Error::Handshake(_))), "{ended:?}");
}
