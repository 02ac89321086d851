//! Media goes where the peer was seen to receive, and nowhere else, whatever signed checks say.
#![allow(clippy::unwrap_used)]

mod support;

use std::time::Duration;

use skywave_dtls::Role;
use skywave_ice::{Path, StunMessage};
use skywave_peer::{DropReason, FailureReason, PeerEvent};

use support::World;
use support::listener::path;
use support::losses::{SECOND, assert_unharmed, drops, watched_world};

/// An address at which nobody asked for anything.
fn victim() -> Path {
    path(77, 0)
}

fn datagrams_to(world: &World, path: Path) -> usize {
    let to = world.destinations.iter().filter(|to| **to == path);
    to.count()
}

fn moves(world: &World, index: usize) -> Vec<Path> {
    let moved = |event| match event {
        PeerEvent::Moved(path) => Some(path),
        _ => None,
    };
    world
        .events_of(index)
        .into_iter()
        .filter_map(moved)
        .collect()
}

/// STUN has no guard against replay; but nobody at the other address can answer.
#[test]
fn rfc8445_19_5_1_replayed_check_diverts_no_packet() {
    let mut world = watched_world(2);
    let seen_on_the_way = world.listeners[0].check(true);
    for _ in 0..20 {
        world.receive(victim(), &seen_on_the_way);
        world.run(SECOND);
    }
    assert_unharmed(&world, 0, 1000, "whose checks were replayed");
    assert_unharmed(&world, 1, 1000, "another listener");
    assert_eq!(moves(&world, 0), []);
    let to_victim = datagrams_to(&world, victim());
    println!("20 checks replayed: {to_victim} datagrams in return");
    assert!((21..=40).contains(&to_victim), "{to_victim}");
}

/// The "voice hammer": the listener itself leads its stream elsewhere, and gives its own path up.
#[test]
fn rfc8445_19_5_1_listener_leads_its_stream_to_no_address_that_does_not_answer() {
    let mut world = watched_world(1);
    world.listeners[0].checks = false;
    let check = world.listeners[0].check(true);
    world.destinations.clear();
    let mut checks = 0;
    while !world.hub.is_empty() {
        world.receive(victim(), &check);
        checks += 1;
        world.run(Duration::from_millis(500));
        assert!(checks < 100, "kept alive by checks from elsewhere");
    }
    let expired = PeerEvent::Failed(FailureReason::ConsentExpired);
    assert_eq!(world.events_of(0).pop(), Some(expired));
    assert_eq!(moves(&world, 0), []);
    let to_victim = datagrams_to(&world, victim());
    println!("{checks} checks: {to_victim} datagrams in return");
    assert!(to_victim <= 2 * checks, "{to_victim} for {checks}");
}

/// However many addresses it names.
#[test]
fn listener_that_names_many_addresses_has_five_asked_in_a_second() {
    let mut world = watched_world(1);
    world.destinations.clear();
    for place in 0..900 {
        let check = world.listeners[0].check(true);
        world.receive(path(80, place), &check);
        world.run(Duration::from_millis(10));
    }
    let asked = world.listeners[0].transport.requests_sent();
    assert!((40..=46).contains(&asked), "{asked} in 9 s");
    assert_unharmed(&world, 0, 450, "who named them");
}

#[test]
fn answer_from_another_address_or_of_another_peer_moves_nothing() {
    let mut world = watched_world(2);
    world.listeners[0].answers = false;
    let now = world.now;
    let old = world.listeners[0].path;
    world.listeners[0].move_to(7, now);
    let new = world.listeners[0].path;
    world.run(Duration::from_millis(100));
    let question = world.listeners[0].questions.pop().unwrap();
    let id = StunMessage::parse(&question).unwrap().transaction_id();
    let own = world.listeners[0].response(id);
    let of_another = world.listeners[1].response(id);
    let mut other_id = id;
    other_id[0] ^= 1;
    let to_another = world.listeners[0].response(other_id);
    world.receive(old, &own);
    world.receive(victim(), &own);
    world.receive(new, &to_another);
    assert_eq!(drops(&world, DropReason::UnexpectedStun), 3);
    world.receive(new, &of_another);
    assert_eq!(drops(&world, DropReason::StunIntegrity), 1);
    assert_eq!(moves(&world, 0), []);
    world.receive(new, &own);
    assert_eq!(moves(&world, 0), [new]);
}

/// The way there and back takes longer than the time between two checks.
#[test]
fn peer_on_two_paths_by_turns_is_followed_though_answers_are_slow() {
    let mut world = watched_world(1);
    let listener = &mut world.listeners[0];
    (listener.checks, listener.answers) = (false, false);
    let check = listener.check(false);
    world.run(13 * SECOND);
    for turn in 0..3 {
        world.listeners[0].path = path(0, 7 + turn % 2);
        world.receive(world.listeners[0].path, &check);
        world.run(SECOND / 4);
    }
    let question = &world.listeners[0].questions[0];
    let id = StunMessage::parse(question).unwrap().transaction_id();
    let answer = world.listeners[0].response(id);
    world.receive(path(0, 7), &answer);
    assert_eq!(moves(&world, 0), [path(0, 7)]);
}

/// Whoever sends again what it saw cannot have the question forgotten that the listener answers.
#[test]
fn rfc8445_19_5_1_replayed_checks_do_not_keep_a_listener_from_being_followed() {
    let mut world = watched_world(1);
    world.listeners[0].answers = false;
    let seen_on_the_way = world.listeners[0].check(true);
    let now = world.now;
    world.listeners[0].move_to(7, now);
    let new = world.listeners[0].path;
    world.run(SECOND / 5);
    let question = world.listeners[0].questions.pop().unwrap();
    for place in 0..4 {
        world.receive(path(80, place), &seen_on_the_way);
        world.run(SECOND / 5);
    }
    let id = StunMessage::parse(&question).unwrap().transaction_id();
    let answer = world.listeners[0].response(id);
    world.receive(new, &answer);
    assert_eq!(moves(&world, 0), [new]);
}

/// With each restart comes an agent, with other credentials.
#[test]
fn listener_that_restarts_again_and_again_has_five_asked_in_a_second() {
    let mut world = watched_world(1);
    let own = skywave_ice::Credentials::new("restarted", "the password after a restart");
    let old = world.listeners[0].check(true);
    world.listeners[0].checks = false;
    for n in 0..90_u8 {
        let new = skywave_ice::Credentials::from_random([0xa0 ^ n; 24]);
        let now = world.now;
        world.with_hub(|hub, _| hub.restart_ice(skywave_peer::PeerId(0), &new, own.clone()));
        world.listeners[0].restart_ice(&new, own.clone(), now);
        world.receive(path(80, n.into()), &old);
        let check = world.listeners[0].check(true);
        world.receive(path(81, n.into()), &check);
        world.run(SECOND / 10);
    }
    let asked = world.listeners[0].transport.requests_sent();
    assert!((40..=46).contains(&asked), "{asked} in 9 s");
}

#[test]
fn media_stays_on_the_old_path_until_the_new_one_answers() {
    let mut world = watched_world(1);
    let old = world.listeners[0].path;
    let new = path(0, 7);
    let check = world.listeners[0].check(true);
    world.receive(new, &check);
    world.listeners[0].clear();
    world.run(SECOND);
    assert_unharmed(&world, 0, 50, "on the old path");
    world.listeners[0].path = new;
    world.destinations.clear();
    // The third question comes 1.5 s after the first.
    world.run(SECOND);
    assert_eq!(moves(&world, 0), [new]);
    let (before, after) = (datagrams_to(&world, old), datagrams_to(&world, new));
    assert!(
        (20..=35).contains(&before) && after >= 20,
        "{before} {after}"
    );
}

#[test]
fn move_through_a_lossy_network_succeeds() {
    let mut followed = 0;
    for seed in 0..20_u16 {
        let mut world = World::new();
        let index = world.connect();
        world.run(Duration::from_millis(10 * u64::from(seed)));
        world.loss = 51;
        let now = world.now;
        world.listeners[index].move_to(9, now);
        world.run(12 * SECOND);
        followed += usize::from(!moves(&world, index).is_empty());
    }
    assert_eq!(followed, 20, "of 20 at a fifth lost in each direction");
}

/// A restart gives new credentials, but proves no address.
#[test]
fn rfc8445_9_restart_leads_media_to_no_address_that_does_not_answer() {
    let mut world = World::new();
    let index = world.connect();
    let id = skywave_peer::PeerId(index as u64);
    let new = skywave_ice::Credentials::from_random([0xa0; 24]);
    let own = skywave_ice::Credentials::new("restarted", "the password after a restart");
    world.with_hub(|hub, _| hub.restart_ice(id, &new, own.clone()));
    let now = world.now;
    world.listeners[index].restart_ice(&new, own, now);
    let check = world.listeners[index].check(true);
    world.listeners[index].checks = false;
    world.receive(victim(), &check);
    world.listeners[index].clear();
    world.run(5 * SECOND);
    assert_eq!(moves(&world, index), []);
    assert!(world.listeners[index].packets.len() >= 249);
    world.listeners[index].checks = true;
    world.run(SECOND);
    let restarted = |event: &PeerEvent| matches!(event, PeerEvent::IceRestarted { .. });
    assert!(world.events_of(index).iter().any(restarted));
    assert_eq!(moves(&world, index), [], "it stays where it is");
}

/// Neither does one that was asked for before the handshake proved where the listener is.
#[test]
fn rfc8445_9_restart_during_the_handshake_leads_media_to_no_address_that_does_not_answer() {
    let mut world = World::new();
    let index = world.add(Role::Server);
    let id = skywave_peer::PeerId(index as u64);
    let new = skywave_ice::Credentials::from_random([0xa0; 24]);
    let own = skywave_ice::Credentials::new("restarted", "the password after a restart");
    world.with_hub(|hub, _| hub.restart_ice(id, &new, own.clone()));
    assert!(world.run_until(5 * SECOND, |world| world.is_connected(index)));
    let now = world.now;
    world.listeners[index].restart_ice(&new, own, now);
    let check = world.listeners[index].check(true);
    world.listeners[index].checks = false;
    world.receive(victim(), &check);
    world.destinations.clear();
    world.run(5 * SECOND);
    assert_eq!(moves(&world, index), []);
    assert!(datagrams_to(&world, victim()) <= 4);
}

/// The way back to where media flowed when a restart began needs a question too.
#[test]
fn rfc8445_9_restart_leads_media_to_no_address_that_was_left() {
    let mut world = World::new();
    let index = world.connect();
    let old = world.listeners[index].path;
    let id = skywave_peer::PeerId(index as u64);
    let new = skywave_ice::Credentials::from_random([0xa0; 24]);
    let own = skywave_ice::Credentials::new("restarted", "the password after a restart");
    world.with_hub(|hub, _| hub.restart_ice(id, &new, own.clone()));
    let now = world.now;
    world.listeners[index].move_to(7, now);
    world.run(SECOND);
    let path = world.listeners[index].path;
    assert_eq!(moves(&world, index), [path]);
    let now = world.now;
    world.listeners[index].restart_ice(&new, own, now);
    let check = world.listeners[index].check(true);
    world.listeners[index].checks = false;
    world.receive(old, &check);
    world.run(5 * SECOND);
    assert_eq!(moves(&world, index), [path]);
}

/// The first path needs no question: the handshake went there and nowhere else.
#[test]
fn first_path_is_proven_by_the_handshake() {
    for role in [Role::Server, Role::Client] {
        let mut world = World::new();
        let index = world.add(role);
        assert!(world.run_until(5 * SECOND, |world| world.is_connected(index)));
        world.run(10 * SECOND);
        assert_eq!(world.listeners[index].transport.requests_sent(), 0);
    }
}

/// A listener shakes hands at its own address and nominates another's before media begins.
#[test]
fn address_nominated_during_the_handshake_gets_no_media_unless_it_answers() {
    let mut world = World::new();
    let index = world.add(Role::Server);
    world.listeners[index].nominates = false;
    world.listeners[index].check_interval = SECOND;
    world.run(SECOND);
    assert!(
        !world.is_connected(index),
        "the handshake is done, and nothing nominated"
    );
    let check = world.listeners[index].check(true);
    world.receive(victim(), &check);
    world.destinations.clear();
    world.run(5 * SECOND);
    assert!(!world.is_connected(index));
    // The first of the four questions went out with the answer to the check.
    assert!(datagrams_to(&world, victim()) <= 3);
    world.listeners[index].nominates = true;
    assert!(world.run_until(6 * SECOND, |world| world.is_connected(index)));
    assert_eq!(datagrams_to(&world, victim()), 3);
}

/// A server speaks again where it was spoken to.
#[test]
fn address_nominated_during_the_handshake_gets_none_of_it() {
    let mut world = World::new();
    let index = world.add(Role::Server);
    world.listeners[index].nominates = false;
    let flights = |world: &World| world.listeners[index].transport.dtls_packets_sent();
    assert!(world.run_until(SECOND, |world| flights(world) > 0));
    let check = world.listeners[index].check(true);
    world.receive(victim(), &check);
    world.destinations.clear();
    world.cut = true;
    let before = flights(&world);
    world.run(5 * SECOND);
    assert!(flights(&world) > before, "or this tests nothing");
    assert_eq!(datagrams_to(&world, victim()), 0);
}

/// It may forge the address of its last flight too: what was sent there is what counts.
#[test]
fn address_of_the_last_flight_alone_proves_nothing() {
    let mut world = World::new();
    let index = world.add(Role::Server);
    let check = world.listeners[index].check(true);
    world.receive(victim(), &check);
    world.listeners[index].nominates = false;
    world.destinations.clear();
    // What the listener sends arrives with the address of the victim as soon as it has the first
    // flight of the hub.
    for _ in 0..400 {
        world.now += support::TICK;
        let now = world.now;
        world.listeners[index].work(now);
        for datagram in std::mem::take(&mut world.listeners[index].outgoing) {
            let hello = datagram.len() > 100 && world.listeners[index].datagrams < 3;
            let stun = datagram[0] < 4;
            let from = if stun || hello {
                world.listeners[index].path
            } else {
                victim()
            };
            world.receive(from, &datagram);
        }
        world.with_hub(|hub, io| hub.handle_timeouts(io));
        world.send_frame();
    }
    let finished = world.listeners[index].is_keyed();
    assert!(finished, "or this tests nothing");
    assert!(!world.is_connected(index));
    let timeout = PeerEvent::Failed(FailureReason::HandshakeTimeout);
    world.run(30 * SECOND);
    assert_eq!(world.events_of(index), [timeout]);
}
