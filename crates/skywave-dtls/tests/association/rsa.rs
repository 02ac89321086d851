//! A server and clients with RSA certificates.

use rtc_dtls::cipher_suite::CipherSuiteId;
use skywave_dtls::{Error, Event, Fingerprint, HashAlgorithm, Version};

use crate::link::client_identity;
use crate::other_client::OtherClient;

#[test]
fn client_with_an_rsa_certificate_connects_with_the_same_keys() {
    for suite in [
        CipherSuiteId::Tls_Ecdhe_Ecdsa_With_Aes_128_Gcm_Sha256,
        CipherSuiteId::Tls_Ecdhe_Ecdsa_With_ChaCha20_Poly1305_Sha256,
    ] {
        let mut client = OtherClient::new(|config| config.with_cipher_suites(vec![suite]));
        client.call(|_| ());
        assert_eq!(client.seen, [Ok(Event::Connected)]);
        assert!(client.connected);
        assert_eq!(client.server.version(), Some(Version::Dtls12));

        let der = client.server.peer_certificate().unwrap();
        let signalled = Fingerprint::of(HashAlgorithm::Sha256, der);
        let keys = client.server.verify(&[signalled]).unwrap();
        let exported = client.exported_keys();
        assert_eq!(keys.remote_key(), &exported[..16]);
        assert_eq!(keys.local_key(), &exported[16..32]);
        assert_eq!(keys.remote_salt(), &exported[32..46]);
        assert_eq!(keys.local_salt(), &exported[46..]);
    }
}

#[test]
fn rsa_certificate_with_another_fingerprint_is_refused() {
    let mut client = OtherClient::new(|config| config);
    client.call(|_| ());
    let signalled = [client_identity().fingerprint()];
    let refused = client.server.verify(&signalled).unwrap_err();
    assert_eq!(refused, Error::FingerprintMismatch);
}

#[test]
fn rsa_certificate_without_its_key_is_refused() {
    let mut client = OtherClient::new(|config| config);
    client.call(|datagram| {
        // The end of CertificateVerify, whose record is the flight's last in plain text.
        if let Some(at) = signature_end(datagram) {
            datagram[at - 1] ^= 1;
        }
    });
    assert!(!client.connected);
    assert!(
        matches!(&client.seen[..], [Err(Error::Handshake(_))]),
        "{:?}",
        client.seen
    );
}

/// Where the record of a datagram ends that holds the end of a CertificateVerify.
fn signature_end(datagram: &[u8]) -> Option<usize> {
    let mut at = 0;
    while let Some(header) = datagram.get(at..at + 14) {
        let end = at + 13 + usize::from(u16::from_be_bytes([header[11], header[12]]));
        if (header[0], header[4], header[13]) == (22, 0, 15) {
            return Some(end);
        }
        at = end;
    }
    None
}
