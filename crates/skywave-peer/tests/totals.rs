//! What all peers of a hub were sent and reported stays counted when they are gone.
#![allow(clippy::unwrap_used)]

mod support;

use std::time::Duration;

use skywave_peer::{PeerId, TotalsSnapshot};

use support::World;

fn totals(world: &World) -> TotalsSnapshot {
    world.hub.totals().snapshot()
}

#[test]
fn totals_are_the_sums_of_all_counters_and_survive_their_peers() {
    let mut world = World::new();
    let (first, second) = (world.connect(), world.connect());
    world.listeners[first].report_interval = Some(Duration::from_secs(2));
    world.run(Duration::from_secs(20));
    let before = totals(&world);
    world.with_hub(|hub, io| hub.close(PeerId(first as u64), io));
    world.run(Duration::from_secs(10));
    world.with_hub(|hub, io| hub.close(PeerId(second as u64), io));
    assert!(world.hub.is_empty());

    let after = totals(&world);
    let sum = |of: fn(&skywave_rtp::Counters) -> u64| -> u64 {
        let counters = world.listeners.iter().map(|listener| &listener.counters);
        counters.map(|counters| of(counters)).sum()
    };
    assert_eq!(after.packets_sent, sum(|counters| counters.packets_sent()));
    assert_eq!(after.bytes_sent, sum(|counters| counters.bytes_sent()));
    assert_eq!(
        after.header_bytes_sent,
        sum(|counters| counters.header_bytes_sent())
    );
    assert_eq!(
        after.rtcp_packets_sent,
        sum(|counters| counters.rtcp_packets_sent())
    );
    assert_eq!(
        after.reports_received,
        sum(|counters| counters.reports_received())
    );
    // A peer is looked at whenever its timers are, every some seconds.
    assert!((1_500..=2_010).contains(&before.packets_sent), "{before:?}");

    // The listener reports no loss and no jitter, and not when it heard of us.
    assert!((9..=11).contains(&after.reports_received), "{after:?}");
    assert_eq!(after.losses.count(), after.reports_received);
    assert_eq!(
        after.jitters.cumulative().next(),
        Some((0.001, after.reports_received))
    );
    assert_eq!(after.round_trip_times.count(), 0);
}

#[test]
fn round_trip_times_are_counted_as_they_are_measured() {
    let mut world = World::new();
    let index = world.connect();
    let mut block = world.listeners[index].report_block();
    // The middle of the wall clock 150 ms ago; the report was held back for no time.
    block.last_sr = world.ntp().middle().wrapping_sub(65_536 * 150 / 1_000);
    for _ in 0..3 {
        world.hear(index, &support::rtcp::receiver_report(&block));
    }
    let times = totals(&world).round_trip_times;
    assert_eq!(times.count(), 3);
    assert!((times.sum() - 0.45).abs() < 0.001, "{}", times.sum());
    let buckets: Vec<_> = times.cumulative().collect();
    assert!(buckets.contains(&(0.1, 0)) && buckets.contains(&(0.2, 3)));
}
