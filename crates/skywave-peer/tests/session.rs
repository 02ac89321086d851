//! A session lives as long as its listener: who falls silent is missed, waited for and given up,
//! each in its time; who says goodbye is gone at once.
#![allow(clippy::unwrap_used)]

mod support;

use std::time::{Duration, Instant};

use skywave_dtls::Role;
use skywave_ice::Path;
use skywave_peer::{FailureReason, Limits, PeerEvent};

use support::World;
use support::listener::path;

const SECOND: Duration = Duration::from_secs(1);

/// The whole network of a listener goes away: nothing of it arrives, and nothing reaches it.
fn cut_off(world: &mut World, index: usize) -> Path {
    let path = world.listeners[index].path;
    world.listeners[index].checks = false;
    world.listeners[index].report_interval = None;
    // Nobody is there any more.
    world.listeners[index].path = support::listener::path(200, 0);
    path
}

fn come_back(world: &mut World, index: usize, path: Path) {
    world.listeners[index].path = path;
    world.listeners[index].checks = true;
    world.listeners[index].report_interval = Some(2 * SECOND);
}

/// A connected listener that checks and reports every 2 s, as Chromium does.
fn connected() -> (World, usize) {
    let mut world = World::new();
    world.limits = Limits::default();
    let index = world.connect();
    world.listeners[index].check_interval = 2 * SECOND;
    world.listeners[index].report_interval = Some(2 * SECOND);
    world.run(12 * SECOND);
    assert_eq!(world.events_of(index).len(), 1, "connected, nothing since");
    (world, index)
}

/// Runs until something more happens to a peer; how long that took, and what it was.
fn next_event(world: &mut World, index: usize, limit: Duration) -> (Duration, Option<PeerEvent>) {
    let (before, start) = (world.events_of(index).len(), world.now);
    let more = |world: &World| world.events_of(index).len() > before;
    world.run_until(limit, more);
    (
        world.now - start,
        world.events_of(index).into_iter().nth(before),
    )
}

#[test]
fn listener_away_for_seven_seconds_is_missed_after_five_and_loses_nothing_but_the_gap() {
    let (mut world, index) = connected();
    let home = cut_off(&mut world, index);
    let last_sign = world.now;
    let (took, event) = next_event(&mut world, index, 7 * SECOND);
    assert_eq!(event, Some(PeerEvent::Disconnected));
    assert!(
        (3 * SECOND..=5 * SECOND + support::TICK).contains(&took),
        "{took:?}"
    );

    world.run(7 * SECOND - (world.now - last_sign));
    come_back(&mut world, index, home);
    let (took, event) = next_event(&mut world, index, 3 * SECOND);
    assert_eq!(event, Some(PeerEvent::Reconnected));
    assert!(took <= 2 * SECOND + support::TICK, "{took:?}");
    world.run(10 * SECOND);
    assert_eq!(world.events_of(index).len(), 3);

    // One gap, in which time ran on.
    let numbers = world.listeners[index].sequence_numbers();
    let steps = numbers.windows(2).map(|pair| pair[1].wrapping_sub(pair[0]));
    let gaps: Vec<u16> = steps.filter(|&step| step != 1).collect();
    assert_eq!(gaps, [351], "7 s of packets");
}

#[test]
fn listener_away_for_three_seconds_is_not_even_missed() {
    let (mut world, index) = connected();
    let home = cut_off(&mut world, index);
    world.run(3 * SECOND);
    come_back(&mut world, index, home);
    let before = world.listeners[index].packets.len();
    world.run(10 * SECOND);
    assert_eq!(world.events_of(index).len(), 1);
    assert_eq!(world.listeners[index].packets.len(), before + 500);
}

#[test]
fn rfc7675_5_1_listener_away_for_forty_seconds_is_freed_within_thirty() {
    let (mut world, index) = connected();
    let home = cut_off(&mut world, index);
    let start = world.now;
    assert_eq!(
        next_event(&mut world, index, 40 * SECOND).1,
        Some(PeerEvent::Disconnected)
    );
    let (_, event) = next_event(&mut world, index, 40 * SECOND);
    assert_eq!(
        event,
        Some(PeerEvent::Failed(FailureReason::ConsentExpired))
    );
    assert!(world.now - start <= 30 * SECOND + support::TICK);
    assert!(world.hub.is_empty());

    world.run(40 * SECOND - (world.now - start));
    come_back(&mut world, index, home);
    let datagrams = world.listeners[index].datagrams;
    world.run(5 * SECOND);
    assert_eq!(
        world.listeners[index].datagrams, datagrams,
        "it is a stranger now"
    );
}

#[test]
fn rtcp_is_a_sign_of_life_but_no_consent() {
    let (mut world, index) = connected();
    world.listeners[index].checks = false;
    let (took, event) = next_event(&mut world, index, 40 * SECOND);
    assert_eq!(
        event,
        Some(PeerEvent::Failed(FailureReason::ConsentExpired))
    );
    assert!(
        (27 * SECOND..=30 * SECOND + support::TICK).contains(&took),
        "{took:?}"
    );
}

#[test]
fn rfc7675_5_1_listener_that_checks_every_six_seconds_is_missed_once_at_most() {
    let mut world = World::new();
    let index = world.connect();
    world.listeners[index].check_interval = Duration::from_millis(5_990);
    world.run(300 * SECOND);
    let missed = |event: &PeerEvent| *event == PeerEvent::Disconnected;
    assert!(
        world
            .events_of(index)
            .iter()
            .filter(|event| missed(event))
            .count()
            <= 1
    );
}

#[test]
fn handshake_that_never_ends_is_freed_within_ten_seconds_though_checks_go_on() {
    let mut world = World::new();
    world.limits = Limits::default();
    let index = world.add(Role::Server);
    let start = world.now;
    let check = world.listeners[index].check(true);
    world.listeners[index].checks = false;
    let mut gone: Option<Instant> = None;
    for _ in 0..12 {
        world.receive(path(index, 900), &check);
        world.run(SECOND);
        if world.hub.is_empty() {
            gone.get_or_insert(world.now);
        }
    }
    assert!(gone.unwrap() - start <= 10 * SECOND + support::TICK);
    let timeout = PeerEvent::Failed(FailureReason::HandshakeTimeout);
    assert_eq!(world.events_of(index), [timeout]);
}

#[test]
fn rfc8445_8_1_1_no_packet_goes_to_the_old_address_after_another_is_nominated_and_has_answered() {
    let (mut world, stays) = connected();
    let moves = world.connect();
    world.listeners[moves].report_interval = Some(2 * SECOND);
    let old = world.listeners[moves].path;
    let (new, checked) = (path(moves, 7), path(moves, 8));
    world.begin_frame(|world, mut cursor| {
        // The one is served already, the other is not, when its nomination arrives.
        assert_eq!(world.fill(&mut cursor, 1), 1);
        world.destinations.clear();
        let check = world.listeners[moves].check(false);
        world.receive(checked, &check);
        let nomination = world.listeners[moves].check(true);
        // It is asked at once whether it is there, and says yes.
        world.listeners[moves].path = new;
        world.receive(new, &nomination);
        let answer = world.listeners[moves].outgoing.remove(0);
        world.receive(new, &answer);
        assert_eq!(world.fill(&mut cursor, 1), 0);
    });
    assert_eq!(
        world.destinations,
        [checked, new, new, new],
        "two answers, the question, then the packet"
    );
    assert_eq!(world.events_of(moves).pop(), Some(PeerEvent::Moved(new)));

    world.run(60 * SECOND);
    assert!(!world.destinations.contains(&old));
    assert_eq!(
        world
            .destinations
            .iter()
            .filter(|&&to| to == checked)
            .count(),
        1
    );
    let media = |index: usize| world.listeners[index].packets.len();
    assert!(media(moves) >= 3_000 && media(stays) >= 3_000);
}

#[test]
fn offer_that_nobody_answers_fails_after_its_time_and_frees_its_place() {
    let mut world = World::new();
    world.limits.answer_timeout = 40 * SECOND;
    let offered = world.add_offering(Role::Server);
    world.listeners[offered].checks = false;
    let start = world.now;
    assert!(world.run_until(60 * SECOND, |world| world.hub.is_empty()));
    let took = world.now - start;
    assert!(
        (40 * SECOND..=40 * SECOND + 2 * support::TICK).contains(&took),
        "{took:?}"
    );
    let failed = PeerEvent::Failed(FailureReason::NoAnswer);
    assert_eq!(world.events_of(offered), [failed]);
    let remote = world.remote(offered, Role::Server);
    world.set_remote(offered, remote);
    assert_eq!(
        world.events_of(offered).len(),
        1,
        "an answer after that is for nobody"
    );
}

/// Checks and the handshake may overtake the answer (RFC 8842 §5.2); they take its place no longer.
#[test]
fn offer_that_is_checked_and_shaken_hands_with_but_not_answered_fails_all_the_same() {
    let mut world = World::new();
    world.limits.answer_timeout = 40 * SECOND;
    let offered = world.add_offering(Role::Server);
    assert!(world.run_until(5 * SECOND, |world| world.listeners[offered].is_keyed()));
    assert!(world.run_until(60 * SECOND, |world| world.hub.is_empty()));
    let failed = PeerEvent::Failed(FailureReason::NoAnswer);
    assert_eq!(world.events_of(offered), [failed]);
    assert!(
        world.listeners[offered].closed,
        "it is told by close_notify"
    );
    assert!(world.now - world.started <= 41 * SECOND);
}

#[test]
fn answer_just_in_time_gives_the_rest_its_usual_time() {
    let mut world = World::new();
    world.limits.answer_timeout = 40 * SECOND;
    let offered = world.add_offering(Role::Server);
    world.listeners[offered].checks = false;
    world.run(39 * SECOND);
    let remote = world.remote(offered, Role::Server);
    world.set_remote(offered, remote);
    world.run(29 * SECOND);
    assert_eq!(world.events_of(offered), []);
    world.listeners[offered].checks = true;
    assert!(world.run_until(5 * SECOND, |world| world.is_connected(offered)));
}
