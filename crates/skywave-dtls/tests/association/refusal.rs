//! Clients that a server must not connect to, though it understands them.

use std::time::Duration;

use rtc_dtls::cipher_suite::CipherSuiteId;
use rtc_dtls::config::ExtendedMasterSecretType;
use skywave_dtls::Error;

use crate::other_client::OtherClient;

#[test]
fn client_without_a_certificate_is_refused() {
    let mut client = OtherClient::new(|config| config.with_certificates(vec![]));
    client.call(|_| ());
    assert_eq!(client.seen, [Err(Error::NoPeerCertificate)]);
    assert!(!client.connected);
}

#[test]
fn client_without_an_srtp_profile_is_refused() {
    let mut client = OtherClient::new(|config| config.with_srtp_protection_profiles(vec![]));
    client.call(|_| ());
    assert_eq!(client.seen, [Err(Error::NoSrtpProfile)]);
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
