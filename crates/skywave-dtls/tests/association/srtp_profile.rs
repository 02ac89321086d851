//! The SRTP profile agreed to with another implementation, which has more of them than ours.

use std::sync::Arc;
use std::time::Instant;

use bytes::BytesMut;
use rcgen::KeyPair;
use rtc_dtls::config::ConfigBuilder;
use rtc_dtls::crypto_provider::default_provider;
use rtc_dtls::endpoint::Endpoint;
use rtc_dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use skywave_dtls::{Dtls, Error, Event, Fingerprint, HashAlgorithm, Role};

use crate::link::client_identity;
use crate::other_client::{INSUFFICIENT_SECURITY, OtherClient, address, certificate, ending};

#[test]
fn rfc5764_4_1_2_short_tags_are_passed_over_wherever_they_are_offered() {
    for (offered, agreed) in [
        (vec![SHORT_TAG, LONG_TAG], LONG_TAG),
        (vec![LONG_TAG, SHORT_TAG], LONG_TAG),
        (vec![SHORT_TAG, AEAD], AEAD),
        (vec![SHORT_TAG, LONG_TAG, AEAD], AEAD),
    ] {
        let mut client =
            OtherClient::new(|config| config.with_srtp_protection_profiles(offered.clone()));
        client.call(|_| ());
        assert_eq!(client.seen, [Ok(Event::Connected)], "{offered:?}");
        assert_eq!(client.profile(), agreed, "{offered:?}");

        let der = client.server.peer_certificate().unwrap();
        let signalled = Fingerprint::of(HashAlgorithm::Sha256, der);
        let keys = client.server.verify(&[signalled]).unwrap();
        assert_eq!(keys.profile, agreed as u16, "{offered:?}");
        // Keys of 16 bytes in all of these profiles.
        assert_eq!(keys.remote_key(), &client.exported_keys()[..16]);
    }
}

#[test]
fn rfc5764_4_1_1_server_with_short_tags_alone_is_not_connected_to() {
    let (mut client, seen) = call_server_with(vec![SHORT_TAG]);
    assert_eq!(seen, []);
    let refused = Error::PeerAlert(INSUFFICIENT_SECURITY);
    assert_eq!(ending(&mut client), refused);

    let (mut client, seen) = call_server_with(vec![SHORT_TAG, LONG_TAG]);
    assert_eq!(seen, [Event::Connected]);
    let der = client.peer_certificate().unwrap();
    let signalled = Fingerprint::of(HashAlgorithm::Sha256, der);
    let keys = client.verify(&[signalled]).unwrap();
    assert_eq!(keys.profile, LONG_TAG as u16);
}

/// Our client and what it saw, when nothing moves any more.
fn call_server_with(profiles: Vec<SrtpProtectionProfile>) -> (Dtls, Vec<Event>) {
    let now = Instant::now();
    let mut server = server_with(profiles);
    let mut client = Dtls::new(client_identity(), Role::Client, now);
    let (mut calls, mut seen) = (Vec::new(), Vec::new());
    let emit = &mut |datagram: &[u8]| calls.push(BytesMut::from(datagram));
    client.start(now, emit).unwrap();
    while !calls.is_empty() {
        for datagram in std::mem::take(&mut calls) {
            // What it refuses shows in its answer.
            let _ = server.read(now, address(), None, datagram);
        }
        while let Some(answer) = server.poll_transmit() {
            let emit = &mut |datagram: &[u8]| calls.push(BytesMut::from(datagram));
            let event = client.handle_datagram(now, &answer.message, emit).unwrap();
            seen.extend(event);
        }
    }
    (client, seen)
}

fn server_with(profiles: Vec<SrtpProtectionProfile>) -> Endpoint {
    let key = KeyPair::generate().unwrap();
    let config = ConfigBuilder::default()
        .with_crypto_provider(default_provider().unwrap())
        .with_certificates(vec![certificate(&key)])
        .with_srtp_protection_profiles(profiles)
        .build(false, None)
        .unwrap();
    Endpoint::new(address(), Default::default(), Some(Arc::new(config)))
}

const LONG_TAG: SrtpProtectionProfile = SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80;
const SHORT_TAG: SrtpProtectionProfile = SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_32;
const AEAD: SrtpProtectionProfile = SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm;
