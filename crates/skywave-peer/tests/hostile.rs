//! What others do to a listener: forgers, other listeners, and the network. Each test says what
//! was lost.
#![allow(clippy::unwrap_used)]

mod support;

use std::time::Duration;

use skywave_dtls::{Fingerprint, HashAlgorithm, Role};
use skywave_ice::{Credentials, MAX_CHECKS_PER_SECOND};
use skywave_peer::{DropReason, FailureReason, PeerEvent};

use support::listener::path;
use support::losses::{SECOND, assert_unharmed, drops, lost, watched_world};
use support::{World, rtcp};

/// A listener with a session forges the address of another: the other's RTCP must not be taken for
/// its own, or the other's call would end.
#[test]
fn listener_that_forges_the_address_of_another_takes_nothing_from_it() {
    let mut world = watched_world(2);
    let (victim, attacker) = (0, 1);
    let address = world.listeners[victim].path;
    for _ in 0..400 {
        let check = world.listeners[attacker].check(true);
        world.receive(address, &check);
        world.run(Duration::from_millis(100));
    }
    assert_eq!(drops(&world, DropReason::PathTaken), 400);
    assert_eq!(drops(&world, DropReason::RtcpAuthentication), 0);
    let reports = world.listeners[victim].counters.snapshot().reports_received;
    assert!(reports >= 39, "{reports}");
    assert_unharmed(&world, victim, 2000, "victim");
    assert_unharmed(&world, attacker, 2000, "attacker");
}

#[test]
fn address_of_a_listener_that_fell_silent_is_free_for_another() {
    let mut world = World::new();
    let gone = world.connect();
    world.listeners[gone].checks = false;
    let address = world.listeners[gone].path;
    let newcomer = world.add(Role::Server);
    world.listeners[newcomer].checks = false;
    let check = world.listeners[newcomer].check(true);
    world.receive(address, &check);
    assert_eq!(drops(&world, DropReason::PathTaken), 1);
    world.run(world.limits.disconnected_timeout);
    world.receive(address, &check);
    assert_eq!(drops(&world, DropReason::PathTaken), 1);
    let back = world.listeners[gone].check(true);
    world.receive(address, &back);
    assert_eq!(
        drops(&world, DropReason::PathTaken),
        2,
        "it has changed hands"
    );
}

#[test]
fn rfc8445_14_2_checks_beyond_any_pace_are_dropped_and_cost_nobody_anything() {
    let mut world = watched_world(2);
    let (honest, flooder) = (0, 1);
    let before = world.listeners[flooder].datagrams;
    let check = world.listeners[flooder].check(true);
    let address = world.listeners[flooder].path;
    for _ in 0..10_000 {
        world.receive(address, &check);
    }
    let answered = world.listeners[flooder].datagrams - before;
    assert!(answered <= MAX_CHECKS_PER_SECOND as usize, "{answered}");
    let dropped = drops(&world, DropReason::StunTooOften);
    assert_eq!(dropped as usize + answered, 10_000);
    world.run(10 * SECOND);
    assert_unharmed(&world, honest, 500, "beside a flood of checks");
    assert_unharmed(&world, flooder, 500, "who flooded");
}

#[test]
fn forged_and_replayed_stun_of_strangers_changes_nothing() {
    let mut world = watched_world(1);
    let guess = world.listeners[0].check_with_password("a guess");
    let address = world.listeners[0].path;
    let before = world.listeners[0].datagrams;
    for n in 0..1000 {
        let from = if n % 2 == 0 { address } else { path(77, n) };
        world.receive(from, &guess);
    }
    assert_eq!(drops(&world, DropReason::StunIntegrity), 1000);
    assert_eq!(world.listeners[0].datagrams, before, "no answer");
    world.run(10 * SECOND);
    assert_unharmed(&world, 0, 500, "under forged checks");
}

#[test]
fn rfc3711_3_3_2_replayed_and_forged_rtcp_is_dropped_and_counted() {
    let mut world = watched_world(1);
    let block = world.listeners[0].report_block();
    let [report, next] =
        [(); 2].map(|()| world.listeners[0].protect_rtcp(&rtcp::receiver_report(&block)));
    let address = world.listeners[0].path;
    let before = world.listeners[0].counters.snapshot().reports_received;
    for n in 0..1000 {
        world.receive(address, &report);
        let mut forged = next.clone();
        forged[8 + n % (next.len() - 8)] ^= 1 << (n % 8);
        world.receive(address, &forged);
    }
    let after = world.listeners[0].counters.snapshot().reports_received;
    assert_eq!(after, before + 1);
    let dropped = [DropReason::RtcpReplayed, DropReason::RtcpAuthentication];
    let [replayed, forged] = dropped.map(|reason| drops(&world, reason));
    // A changed index may be one that was seen.
    assert_eq!(replayed + forged, 1999);
    assert!(replayed >= 999 && forged >= 900, "{replayed} {forged}");
    world.run(SECOND);
    assert_unharmed(&world, 0, 50, "under replayed RTCP");
}

#[test]
fn listeners_with_the_same_fragment_are_told_apart() {
    let mut world = World::new();
    for index in 0..2 {
        world.add_offering(Role::Server);
        world.listeners[index].credentials = Credentials::new("same", "the password of both");
        let remote = world.remote(index, Role::Server);
        world.set_remote(index, remote);
    }
    let both = |world: &World| (0..2).all(|index| !world.listeners[index].packets.is_empty());
    assert!(world.run_until(5 * SECOND, both));
    world
        .listeners
        .iter_mut()
        .for_each(|listener| listener.clear());
    world.run(10 * SECOND);
    for index in 0..2 {
        assert_unharmed(&world, index, 500, "of equal fragments");
    }
}

#[test]
fn listener_killed_without_a_word_gets_packets_for_thirty_seconds_at_most() {
    let mut world = watched_world(2);
    let (killed, other) = (0, 1);
    world.run(10 * SECOND);
    world.listeners[killed].checks = false;
    world.listeners[killed].report_interval = None;
    world.listeners[killed].clear();
    world.run(30 * SECOND);
    let wasted = world.listeners[killed].packets.len();
    println!("killed: {wasted} packets sent to nobody");
    assert!((1250..=1500).contains(&wasted), "{wasted}");
    let expired = PeerEvent::Failed(FailureReason::ConsentExpired);
    assert_eq!(world.events_of(killed).last(), Some(&expired));
    assert_eq!(world.hub.len(), 1);
    world.run(10 * SECOND);
    assert_unharmed(&world, other, 2500, "beside one that was killed");
}

#[test]
fn rfc8842_5_1_wrong_certificate_beside_others_costs_them_nothing() {
    let mut world = watched_world(1);
    let liar = world.add_offering(Role::Server);
    let mut remote = world.remote(liar, Role::Server);
    remote.fingerprints = vec![Fingerprint::of(HashAlgorithm::Sha256, b"another")];
    world.set_remote(liar, remote);
    world.run(10 * SECOND);
    let mismatch = FailureReason::Handshake(skywave_dtls::Error::FingerprintMismatch);
    assert_eq!(world.events_of(liar), [PeerEvent::Failed(mismatch)]);
    assert!(world.listeners[liar].packets.is_empty());
    assert_unharmed(&world, 0, 500, "beside a wrong certificate");
}

#[test]
fn network_cut_for_three_seconds_costs_three_seconds() {
    let mut world = watched_world(2);
    world.run(10 * SECOND);
    world.cut = true;
    world.run(3 * SECOND);
    world.cut = false;
    world.run(10 * SECOND);
    for index in 0..2 {
        let (lost, heard) = lost(&world, index);
        println!("cut for 3 s: {heard} packets heard, {lost} lost");
        assert_eq!(lost, 150);
        assert!(heard.abs_diff(1000) <= 1, "{heard}");
    }
    assert_eq!(world.hub.len(), 2);
}

#[test]
fn network_cut_for_forty_seconds_ends_the_calls_and_others_come_after() {
    let mut world = watched_world(2);
    world.cut = true;
    world.run(29 * SECOND);
    // The last check came up to 5 s before.
    world.run(11 * SECOND);
    world.cut = false;
    assert!(world.hub.is_empty());
    for index in 0..2 {
        let expired = PeerEvent::Failed(FailureReason::ConsentExpired);
        assert_eq!(world.events_of(index).last(), Some(&expired));
        world.listeners[index].clear();
        world.listeners[index].checks = false;
    }
    world.run(SECOND);
    assert!(world.listeners.iter().all(|one| one.packets.is_empty()));
    let newcomer = world.connect();
    world.listeners[newcomer].clear();
    world.run(SECOND);
    assert_unharmed(&world, newcomer, 50, "after the cut");
}
