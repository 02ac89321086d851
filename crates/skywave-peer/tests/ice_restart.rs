//! New ICE credentials for a call that stands (RFC 8445 §9).
#![allow(clippy::unwrap_used)]

mod support;

use std::time::Duration;

use skywave_ice::Credentials;
use skywave_peer::{DropReason, PeerEvent, PeerId};

use support::World;

const SECOND: Duration = Duration::from_secs(1);

/// What the listener goes on with.
fn restarted() -> Credentials {
    Credentials::new("restarted", "the password after a restart")
}

/// Asks for a restart; the listener does not know of it yet.
fn restart(world: &mut World, index: usize, octet: u8) -> Credentials {
    let credentials = Credentials::from_random([octet; 24]);
    let id = PeerId(index as u64);
    world.with_hub(|hub, _| hub.restart_ice(id, &credentials, restarted()));
    credentials
}

#[test]
fn rfc8445_9_media_goes_on_over_the_old_path_until_another_is_nominated() {
    let mut world = World::new();
    let index = world.connect();
    let old = world.listeners[index].path;
    let credentials = restart(&mut world, index, 0xa0);
    world.listeners[index].clear();
    world.run(12 * SECOND);
    assert!(
        world.listeners[index].packets.len() >= 598,
        "the old checks still count"
    );

    let now = world.now;
    let listener = &mut world.listeners[index];
    listener.restart_ice(&credentials, restarted(), now);
    listener.move_to(9, now);
    listener.nominates = false;
    world.run(SECOND);
    assert!(
        !world
            .events_of(index)
            .contains(&PeerEvent::Moved(world.listeners[index].path))
    );
    let restarted = |event: &PeerEvent| matches!(event, PeerEvent::IceRestarted { .. });
    assert!(!world.events_of(index).iter().any(restarted));

    let now = world.now;
    let listener = &mut world.listeners[index];
    listener.nominates = true;
    listener.move_to(0, now);
    listener.clear();
    world.run(SECOND);
    let new = world.listeners[index].path;
    assert_ne!(new, old);
    assert!(world.events_of(index).contains(&PeerEvent::Moved(new)));
    let restarted = PeerEvent::IceRestarted {
        local_ufrag: credentials.ufrag().into(),
        remote_ufrag: "restarted".into(),
    };
    let events = world.events_of(index);
    assert_eq!(
        events.iter().filter(|&event| *event == restarted).count(),
        1
    );
    assert!(world.listeners[index].packets.len() >= 48);
}

#[test]
fn rfc8842_6_keys_ssrc_and_sequence_numbers_outlive_a_restart() {
    let mut world = World::new();
    let index = world.connect();
    let credentials = restart(&mut world, index, 0xa0);
    let now = world.now;
    world.listeners[index].restart_ice(&credentials, restarted(), now);
    world.run(40 * SECOND);
    // Packets that the listener's keys do not open, or came before, panic in it.
    let listener = &world.listeners[index];
    assert!(listener.packets.len() >= 40 * 50 - 2, "consent goes on");
    for pair in listener.sequence_numbers().windows(2) {
        assert_eq!(pair[1], pair[0].wrapping_add(1));
    }
    let connected = |event: &PeerEvent| matches!(event, PeerEvent::Connected(_));
    let events = world.events_of(index);
    assert_eq!(events.iter().filter(|event| connected(event)).count(), 1);
}

#[test]
fn rfc8445_9_old_credentials_are_void_once_a_path_is_nominated_with_the_new() {
    let mut world = World::new();
    let index = world.connect();
    let path = world.listeners[index].path;
    let old_check = world.listeners[index].check(true);
    let credentials = restart(&mut world, index, 0xa0);
    world.receive(path, &old_check);
    assert_eq!(world.hub.drops().count(DropReason::UnknownUfrag), 0);

    let now = world.now;
    world.listeners[index].restart_ice(&credentials, restarted(), now);
    world.run(SECOND);
    world.receive(path, &old_check);
    assert_eq!(world.hub.drops().count(DropReason::UnknownUfrag), 1);
}

#[test]
fn restart_before_the_last_one_came_to_an_end_replaces_it() {
    let mut world = World::new();
    let index = world.connect();
    let now = world.now;
    let first = restart(&mut world, index, 0xa0);
    let second = restart(&mut world, index, 0xb0);
    world.listeners[index].restart_ice(&first, restarted(), now);
    let path = world.listeners[index].path;
    let check = world.listeners[index].check(true);
    world.receive(path, &check);
    assert_eq!(world.hub.drops().count(DropReason::UnknownUfrag), 1);

    world.listeners[index].restart_ice(&second, restarted(), now);
    let check = world.listeners[index].check(true);
    world.receive(path, &check);
    assert_eq!(world.hub.drops().count(DropReason::UnknownUfrag), 1);
    assert!(world.with_hub(|hub, io| hub.close(PeerId(index as u64), io)));
    world.receive(path, &check);
    assert_eq!(world.hub.drops().count(DropReason::UnknownUfrag), 2);
}

#[test]
fn rfc9725_4_3_3_restart_that_nobody_follows_leaves_the_session() {
    let mut world = World::new();
    let index = world.connect();
    restart(&mut world, index, 0xa0);
    world.listeners[index].clear();
    world.run(60 * SECOND);
    assert!(world.listeners[index].packets.len() >= 60 * 50 - 2);
    let gone = |event: &PeerEvent| matches!(event, PeerEvent::Failed(_) | PeerEvent::Closed(_));
    assert!(!world.events_of(index).iter().any(gone));
}

#[test]
fn fragment_of_another_peer_is_not_taken_from_it() {
    let mut world = World::new();
    let (first, second) = (world.connect(), world.connect());
    restart(&mut world, first, 0xa0);
    restart(&mut world, second, 0xa0);
    assert!(world.with_hub(|hub, io| hub.close(PeerId(second as u64), io)));
    world.listeners[second].checks = false;
    let now = world.now;
    let credentials = Credentials::from_random([0xa0; 24]);
    world.listeners[first].restart_ice(&credentials, restarted(), now);
    world.run(SECOND);
    assert_eq!(world.hub.drops().count(DropReason::UnknownUfrag), 0);
}
