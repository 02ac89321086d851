//! close_notify of another implementation of DTLS under the keys of a call ends it at once, and
//! only it.
#![allow(clippy::unwrap_used)]

mod support;

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::BytesMut;
use rcgen::{CertificateParams, KeyPair};
use rtc_dtls::config::{ConfigBuilder, ExtendedMasterSecretType};
use rtc_dtls::crypto::{Certificate, CryptoPrivateKey};
use rtc_dtls::crypto_provider::default_provider;
use rtc_dtls::endpoint::Endpoint;
use rtc_dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use skywave_dtls::{Fingerprint, HashAlgorithm, Role};
use skywave_ice::Path;
use skywave_peer::{CloseReason, DropReason, Io, PeerEvent};

use support::World;
use support::listener::path;
use support::losses::{SECOND, drops};

/// A listener whose DTLS is that of `rtc-dtls`, beside one of ours.
struct Call {
    world: World,
    index: usize,
    path: Path,
    client: Endpoint,
}

impl Call {
    fn connect() -> Self {
        let mut world = World::new();
        world.connect();
        let index = world.add_offering(Role::Server);
        world.listeners[index].checks = false;
        let (client, certificate) = client(world.now);
        let mut remote = world.remote(index, Role::Server);
        remote.fingerprints = vec![Fingerprint::of(HashAlgorithm::Sha256, &certificate)];
        world.set_remote(index, remote);
        let path = path(index, 900);
        let check = world.listeners[index].check(true);
        let mut call = Self {
            world,
            index,
            path,
            client,
        };
        call.hub_takes(path, &check);
        call.exchange();
        assert!(call.world.is_connected(index), "{:?}", call.events());
        call
    }

    /// Until neither end has anything to say.
    fn exchange(&mut self) {
        for datagram in self.spoken() {
            self.hub_takes(self.path, &datagram);
        }
    }

    /// What the client sends, and what it says to the answers.
    fn hub_takes(&mut self, from: Path, datagram: &[u8]) {
        let mut io = Io {
            now: self.world.now,
            ntp: self.world.ntp(),
            outbox: &mut self.world.outbox,
            events: &mut self.world.events,
        };
        let mut datagram = datagram.to_vec();
        self.world.hub.handle_datagram(from, &mut datagram, &mut io);
        let answers: Vec<BytesMut> = self
            .world
            .outbox
            .datagrams()
            .map(|(b, _)| b.into())
            .collect();
        self.world.outbox.clear();
        for answer in answers.into_iter().filter(|answer| is_dtls(answer)) {
            let _ = self.client.read(self.world.now, address(), None, answer);
        }
        for datagram in self.spoken() {
            self.hub_takes(self.path, &datagram);
        }
    }

    /// What the client wants to send.
    fn spoken(&mut self) -> Vec<Vec<u8>> {
        let transmits = std::iter::from_fn(|| self.client.poll_transmit());
        transmits.map(|out| out.message.to_vec()).collect()
    }

    fn events(&self) -> Vec<PeerEvent> {
        self.world.events_of(self.index)
    }

    fn assert_closed_by(mut self, alert: &[u8]) {
        assert_eq!(alert[0], 21, "an alert");
        assert_eq!(alert[3..5], [0, 1], "under keys");
        let mut forged = alert.to_vec();
        *forged.last_mut().unwrap() ^= 1;
        self.hub_takes(self.path, &forged);
        self.hub_takes(path(77, 0), alert);
        assert_eq!(drops(&self.world, DropReason::DtlsFromStranger), 1);
        assert_eq!(self.events().len(), 1, "neither a forged nor a stranger's");
        self.hub_takes(self.path, alert);
        let closed = PeerEvent::Closed(CloseReason::DtlsClosed);
        assert_eq!(self.events().pop(), Some(closed));
        assert_eq!(self.world.hub.len(), 1);
        self.world.destinations.clear();
        self.world.run(SECOND);
        assert!(
            !self.world.destinations.contains(&self.path),
            "not a packet more"
        );
        assert!(
            !self.world.destinations.is_empty(),
            "the other call goes on"
        );
    }
}

#[test]
fn rfc6347_close_notify_of_another_implementation_ends_the_call_at_once() {
    let mut call = Call::connect();
    call.client.close(call.world.now).unwrap();
    let alert = call.spoken().remove(0);
    call.assert_closed_by(&alert);
}

fn client(now: std::time::Instant) -> (Endpoint, Vec<u8>) {
    let provider = default_provider().unwrap();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(Vec::<String>::new()).unwrap();
    let certificate = params.self_signed(&key).unwrap().der().clone();
    let der = certificate.to_vec();
    let certificate = Certificate {
        certificate: vec![certificate],
        private_key: CryptoPrivateKey::from_key_pair(&key, provider.crypto()).unwrap(),
    };
    let config = ConfigBuilder::default()
        .with_crypto_provider(provider)
        .with_certificates(vec![certificate])
        .with_insecure_skip_verify(true)
        .with_extended_master_secret(ExtendedMasterSecretType::Require)
        .with_srtp_protection_profiles(vec![SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80])
        .build(true, Some(address()))
        .unwrap();
    let mut endpoint = Endpoint::new(address(), Default::default(), None);
    endpoint
        .connect(now, address(), Arc::new(config), None)
        .unwrap();
    (endpoint, der)
}

/// RFC 7983 §7.
fn is_dtls(datagram: &[u8]) -> bool {
    matches!(datagram.first(), Some(20..=63))
}

fn address() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 5000))
}
