//! Peers that come and get no further, or never come, beside those who listen.
#![allow(clippy::unwrap_used)]

mod support;

use std::sync::Arc;

use skywave_dtls::{Dtls, Role};
use skywave_ice::{BINDING, Class, Credentials, IntegrityKey, Path, StunWriter};
use skywave_peer::{
    FailureReason, LocalParameters, Outbox, Peer, PeerConfig, PeerEvent, PeerId, Remote,
};

use support::listener::path;
use support::losses::{SECOND, assert_unharmed, watched_world};
use support::{FORMAT, STREAM, World, terms};

#[test]
fn thousand_half_open_handshakes_cost_those_who_listen_nothing_and_end() {
    let mut world = watched_world(2);
    let hello = client_hello(&world);
    for number in 0..1000 {
        let check = add_half_open(&mut world, number);
        let from = half_open_path(number);
        world.receive(from, &check);
        world.receive(from, &hello);
    }
    assert_eq!(world.hub.len(), 1002);
    world.run(9 * SECOND);
    assert_eq!(world.hub.len(), 1002);
    world.run(2 * SECOND);
    assert_eq!(world.hub.len(), 2, "after handshake_timeout");
    let timed_out = |event: &&(PeerId, PeerEvent)| {
        event.1 == PeerEvent::Failed(FailureReason::HandshakeTimeout)
    };
    assert_eq!(world.events.iter().filter(timed_out).count(), 1000);
    for index in 0..2 {
        assert_unharmed(&world, index, 550, "beside 1,000 half-open handshakes");
    }
}

#[test]
fn peers_that_never_come_are_forgotten() {
    let mut world = watched_world(1);
    for number in 0..1000 {
        add_half_open(&mut world, number);
    }
    world.run(29 * SECOND);
    assert_eq!(world.hub.len(), 1001);
    world.run(2 * SECOND);
    assert_eq!(world.hub.len(), 1, "after connect_timeout");
    assert_unharmed(&world, 0, 1550, "beside 1,000 who never come");
}

/// A peer that has a session; gives its check.
fn add_half_open(world: &mut World, number: u16) -> Vec<u8> {
    let [high, low] = number.to_be_bytes();
    let mut random = [0xa5; LocalParameters::RANDOM_BYTES];
    // The fragment is made of the first bytes.
    random[..2].copy_from_slice(&[high, low]);
    let local = LocalParameters::from_random(random);
    let key = IntegrityKey::new(local.credentials.pwd());
    let username = format!("{}:half", local.credentials.ufrag());
    let id = PeerId(10_000 + u64::from(number));
    let config = PeerConfig {
        id,
        local,
        identity: world.identity.clone(),
        counters: Arc::default(),
        transport: Arc::default(),
        limits: world.limits,
    };
    let peer = Peer::new(config, world.now);
    let remote = Remote {
        stream: STREAM,
        ice: Credentials::new("half", ""),
        fingerprints: vec![world.identity.fingerprint()],
        role: Role::Server,
        mid: None,
        rtp: terms(),
        format: FORMAT,
        redundancy: 0,
        adaptive_redundancy: false,
    };
    world.with_hub(|hub, io| {
        hub.add(peer, io);
        hub.set_remote(id, remote, io);
    });
    let mut buffer = [0; 256];
    let mut writer = StunWriter::new(&mut buffer, Class::Request, BINDING, [3; 12]);
    writer.username(&username);
    writer.use_candidate();
    let len = writer.finish(Some(&key)).unwrap();
    buffer[..len].to_vec()
}

fn half_open_path(number: u16) -> Path {
    path(100, number)
}

fn client_hello(world: &World) -> Vec<u8> {
    let mut hello = Vec::new();
    let mut client = Dtls::new(&world.identity, Role::Client, world.now);
    let emit = &mut |bytes: &[u8]| hello.push(bytes.to_vec());
    client.start(world.now, emit).unwrap();
    hello.swap_remove(0)
}

/// The hub must not be asked to answer more than the batch that its owner sends.
#[test]
fn reserve_suffices_for_any_one_datagram() {
    let mut world = World::new();
    let hello = client_hello(&world);
    let check = add_half_open(&mut world, 1);
    for datagram in [check, hello] {
        let mut datagram = datagram;
        let mut events = Vec::new();
        let mut io = skywave_peer::Io {
            now: world.now,
            ntp: skywave_rtp::NtpTime(0),
            outbox: &mut world.outbox,
            events: &mut events,
        };
        world
            .hub
            .handle_datagram(half_open_path(1), &mut datagram, &mut io);
        let sent = world.outbox.datagrams().count();
        assert!((1..=Outbox::RESERVE).contains(&sent), "{sent}");
        world.outbox.clear();
    }
}
