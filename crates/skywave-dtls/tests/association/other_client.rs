//! A client of another make: `rtc-dtls`, of the project of webrtc-rs, which speaks DTLS 1.2.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use bytes::BytesMut;
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256};
use rtc_dtls::config::{ConfigBuilder, ExtendedMasterSecretType};
use rtc_dtls::crypto::{Certificate, CryptoPrivateKey};
use rtc_dtls::crypto_provider::default_provider;
use rtc_dtls::endpoint::{Endpoint, EndpointEvent};
use rtc_dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use skywave_dtls::{Dtls, Error, Event, Role};

use crate::link::server_identity;

/// The client and the server it calls, with nothing between them.
pub(crate) struct OtherClient {
    endpoint: Endpoint,
    pub(crate) connected: bool,
    pub(crate) server: Dtls,
    pub(crate) now: Instant,
    /// Every event and error of the server.
    pub(crate) seen: Vec<Result<Event, Error>>,
    /// Datagrams the server has sent.
    pub(crate) answers: usize,
}

impl OtherClient {
    /// With an RSA key of 2,048 bits and `SRTP_AES128_CM_HMAC_SHA1_80`, unless `change`d.
    pub(crate) fn new(change: impl Fn(ConfigBuilder) -> ConfigBuilder) -> Self {
        let now = Instant::now();
        let config = change(builder(rsa_key()))
            .build(true, Some(address()))
            .unwrap();
        let mut endpoint = Endpoint::new(address(), Default::default(), None);
        let config = Arc::new(config);
        endpoint.connect(now, address(), config, None).unwrap();
        Self {
            endpoint,
            connected: false,
            server: Dtls::new(server_identity(), Role::Server, now),
            now,
            seen: Vec::new(),
            answers: 0,
        }
    }

    /// Exchanges datagrams until nothing moves; `tamper` sees what the client sends.
    pub(crate) fn call(&mut self, tamper: impl Fn(&mut Vec<u8>)) {
        while let Some(out) = self.endpoint.poll_transmit() {
            let mut datagram = out.message.to_vec();
            tamper(&mut datagram);
            let mut answers = Vec::new();
            let emit = &mut |answer: &[u8]| answers.push(BytesMut::from(answer));
            let event = self.server.handle_datagram(self.now, &datagram, emit);
            self.seen.extend(event.transpose());
            self.answers += answers.len();
            for answer in answers {
                // What it refuses shows in what does not happen.
                let events = self.endpoint.read(self.now, address(), None, answer);
                self.connected |= events
                    .unwrap_or_default()
                    .iter()
                    .any(|event| matches!(event, EndpointEvent::HandshakeComplete));
            }
        }
    }

    /// Sends application data and all that follows from it.
    pub(crate) fn send(&mut self, data: &[u8]) {
        self.endpoint.write(self.now, address(), data).unwrap();
        self.call(|_| ());
    }

    /// The SRTP profile it has agreed to.
    pub(crate) fn profile(&self) -> SrtpProtectionProfile {
        let state = self.endpoint.get_connection_state(address()).unwrap();
        state.srtp_protection_profile()
    }

    /// Client key, server key, client salt, server salt (RFC 5764 §4.2).
    pub(crate) fn exported_keys(&self) -> Vec<u8> {
        let state = self.endpoint.get_connection_state(address()).unwrap();
        let keys = state.export_keying_material("EXTRACTOR-dtls_srtp", &[], 60);
        keys.unwrap().as_ref().to_vec()
    }
}

/// Of an end with this key.
pub(crate) fn builder(key: &KeyPair) -> ConfigBuilder {
    ConfigBuilder::default()
        .with_crypto_provider(default_provider().unwrap())
        .with_certificates(vec![certificate(key)])
        .with_insecure_skip_verify(true)
        .with_extended_master_secret(ExtendedMasterSecretType::Require)
        .with_srtp_protection_profiles(vec![SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80])
}

/// Self-signed.
pub(crate) fn certificate(key: &KeyPair) -> Certificate {
    let provider = default_provider().unwrap();
    let params = CertificateParams::new(Vec::<String>::new()).unwrap();
    Certificate {
        certificate: vec![params.self_signed(key).unwrap().der().clone()],
        private_key: CryptoPrivateKey::from_key_pair(key, provider.crypto()).unwrap(),
    }
}

/// How an association ends whose peer says no more.
pub(crate) fn ending(end: &mut Dtls) -> Error {
    for _ in 0..1_000 {
        let due = end.next_timeout().expect("it waits for something");
        if let Err(error) = end.handle_timeout(due, &mut |_| ()) {
            return error;
        }
    }
    panic!("it does not end");
}

pub(crate) fn rsa_key() -> &'static KeyPair {
    static KEY: OnceLock<KeyPair> = OnceLock::new();
    KEY.get_or_init(|| KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap())
}

pub(crate) fn address() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 5000))
}

/// RFC 5246 §7.2.2
pub(crate) const INSUFFICIENT_SECURITY: u8 = 71;
