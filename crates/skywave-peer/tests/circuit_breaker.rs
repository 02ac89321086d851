//! A call for which nothing speaks any more ends (RFC 8083).
#![allow(clippy::unwrap_used)]

mod support;

use std::time::Duration;

use skywave_peer::{FailureReason, PeerEvent};
use skywave_rtp::Trip;

use support::listener::path;
use support::{World, rtcp};

/// Three intervals of 5 s, and the second until somebody looks.
const PATIENCE: Duration = Duration::from_secs(17);

fn guarded() -> World {
    let mut world = World::new();
    world.limits.circuit_breaker = true;
    world
}

fn tripped(trip: Trip) -> Option<PeerEvent> {
    Some(PeerEvent::Failed(FailureReason::CircuitBreaker(trip)))
}

#[test]
fn rfc8083_4_1_listener_that_never_reports_is_ended_after_three_intervals() {
    let mut world = guarded();
    // Nobody is missed before its second check: who is, is forgiven.
    world.limits.disconnected_timeout = Duration::from_secs(6);
    // Their own reports and checks come at different times.
    for _ in 0..4 {
        let index = world.connect();
        world.listeners[index].check_interval = Duration::from_millis(5_900);
        world.run(Duration::from_millis(700));
    }
    world.run(PATIENCE);
    for (index, listener) in world.listeners.iter().enumerate() {
        assert_eq!(world.events_of(index).pop(), tripped(Trip::RtcpTimeout));
        assert!(listener.closed, "it is told by close_notify");
        let times = &listener.packet_times;
        let served = (*times.last().unwrap() - times[0]).as_millis();
        assert!((14_900..16_200).contains(&served), "{served} ms");
    }
    assert!(world.hub.is_empty());
}

#[test]
fn rfc8083_4_1_listener_whose_reports_cease_is_ended() {
    let mut world = guarded();
    let index = world.connect();
    world.listeners[index].report_interval = Some(Duration::from_secs(5));
    world.run(Duration::from_secs(60));
    assert_eq!(world.events_of(index).len(), 1, "connected");
    world.listeners[index].report_interval = None;
    let over = |world: &World| world.events_of(index).len() > 1;
    assert!(world.run_until(PATIENCE + Duration::from_secs(5), over));
    assert_eq!(world.events_of(index).pop(), tripped(Trip::RtcpTimeout));
}

#[test]
fn listener_that_reports_is_served_for_an_hour() {
    let mut world = guarded();
    let index = world.connect();
    world.listeners[index].report_interval = Some(Duration::from_secs(5));
    world.tick = Duration::from_millis(100);
    for _ in 0..60 {
        world.run(Duration::from_secs(60));
        world.listeners[index].clear();
    }
    assert_eq!(world.events_of(index).len(), 1, "connected");
    assert!(world.listeners[index].highest.unwrap() > 36_000);
    let reports = world.listeners[index].counters.snapshot().reports_received;
    assert_eq!(reports, 720);
}

#[test]
fn listener_whose_network_was_away_for_twenty_seconds_is_served_again() {
    let mut world = guarded();
    let index = world.connect();
    world.listeners[index].report_interval = Some(Duration::from_secs(5));
    world.run(Duration::from_secs(30));
    world.listeners[index].report_interval = None;
    world.listeners[index].checks = false;
    world.run(Duration::from_secs(20));
    world.listeners[index].report_interval = Some(Duration::from_secs(5));
    world.listeners[index].checks = true;
    world.run(Duration::from_secs(60));
    let after: Vec<_> = world.events_of(index).into_iter().skip(1).collect();
    assert_eq!(after, [PeerEvent::Disconnected, PeerEvent::Reconnected]);
}

#[test]
fn rfc8083_4_2_reports_that_nothing_arrives_end_the_call() {
    let mut world = guarded();
    let index = world.connect();
    world.listeners[index].report_interval = Some(Duration::from_secs(2));
    world.run(Duration::from_secs(20));
    world.listeners[index].deaf = true;
    let over = |world: &World| world.events_of(index).len() > 1;
    assert!(world.run_until(Duration::from_secs(40), over));
    assert_eq!(world.events_of(index).pop(), tripped(Trip::MediaTimeout));
}

/// As webrtc-rs and Pion do behind a NAT that has given them another address: media follows such a
/// peer when the old one has been silent for long enough.
#[test]
fn listener_that_misses_media_because_it_has_moved_is_followed_and_not_given_up() {
    let mut world = guarded();
    let index = world.connect();
    world.listeners[index].report_interval = Some(Duration::from_secs(1));
    world.run(Duration::from_secs(20));
    world.listeners[index].nominates = false;
    let now = world.now;
    world.listeners[index].move_to(7, now);
    world.run(Duration::from_secs(60));
    let after: Vec<_> = world.events_of(index).into_iter().skip(1).collect();
    assert_eq!(after, [PeerEvent::Moved(world.listeners[index].path)]);
}

#[test]
fn rfc8083_4_2_reports_from_elsewhere_that_nothing_arrives_end_the_call_too() {
    let mut world = guarded();
    let index = world.connect();
    world.run(Duration::from_secs(5));
    let elsewhere = path(90, 1);
    let check = world.listeners[index].check(false);
    world.receive(elsewhere, &check);
    let nothing_new = rtcp::receiver_report(&world.listeners[index].report_block());
    let mut over = false;
    for _ in 0..60 {
        let report = world.listeners[index].protect_rtcp(&nothing_new);
        world.receive(elsewhere, &report);
        world.run(Duration::from_secs(1));
        over = over || world.events_of(index).len() > 1;
    }
    assert!(over);
    assert_eq!(world.events_of(index).pop(), tripped(Trip::MediaTimeout));
}

#[test]
fn pause_of_the_stream_is_not_the_listeners_silence() {
    let mut world = guarded();
    let index = world.connect();
    world.frames = false;
    world.run(Duration::from_secs(60));
    assert_eq!(world.events_of(index).len(), 1, "connected");
    world.frames = true;
    world.listeners[index].clear();
    world.run(Duration::from_secs(1));
    assert_eq!(world.listeners[index].packets.len(), 50);
}

#[test]
fn new_source_has_three_intervals_of_its_own() {
    let mut world = guarded();
    let index = world.connect();
    world.run(Duration::from_secs(12));
    let ssrc = world.listeners[index].media_ssrc;
    world.hear(index, &support::rtcp::empty_report(ssrc));
    world.run(Duration::from_secs(14));
    assert!(!world.hub.is_empty());
    let over = |world: &World| world.hub.is_empty();
    assert!(world.run_until(PATIENCE, over));
}

#[test]
fn limit_switches_the_circuit_breaker_off() {
    let mut world = World::new();
    let index = world.connect();
    world.run(Duration::from_secs(120));
    assert_eq!(world.events_of(index).len(), 1, "connected");
}
