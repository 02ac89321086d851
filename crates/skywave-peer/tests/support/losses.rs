//! What was lost of a stream, and what the hub dropped.

use std::time::Duration;

use skywave_peer::DropReason;

use super::World;

pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// Packets missing between the first and the last that a listener got, and how many it got.
pub(crate) fn lost(world: &World, index: usize) -> (usize, usize) {
    let numbers = world.listeners[index].sequence_numbers();
    let (first, last) = (numbers[0], numbers[numbers.len() - 1]);
    let expected = usize::from(last.wrapping_sub(first)) + 1;
    (expected - numbers.len(), numbers.len())
}

/// A world whose calls end where nothing speaks for them, with listeners that report.
pub(crate) fn watched_world(listeners: usize) -> World {
    let mut world = World::new();
    world.limits.circuit_breaker = true;
    for _ in 0..listeners {
        let index = world.connect();
        world.listeners[index].report_interval = Some(SECOND);
    }
    world
        .listeners
        .iter_mut()
        .for_each(|listener| listener.clear());
    world
}

pub(crate) fn assert_unharmed(world: &World, index: usize, packets: usize, what: &str) {
    let (lost, heard) = lost(world, index);
    println!("{what}: {heard} packets heard, {lost} lost");
    assert_eq!(lost, 0, "{what}");
    assert!(heard.abs_diff(packets) <= 1, "{what}: {heard} of {packets}");
}

pub(crate) fn drops(world: &World, reason: DropReason) -> u64 {
    world.hub.drops().count(reason)
}
