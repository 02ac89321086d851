//! A stream that pauses, as nothing is sent of silence (RFC 3551 §4.1).
#![allow(clippy::unwrap_used)]

mod support;

use std::time::{Duration, Instant};

use skywave_peer::PeerEvent;
use skywave_rtp::{RtcpPacket, RtcpReader, RtpPacket};

use support::World;

/// Time on the wire, and its marker, of each packet of a listener.
fn packets(world: &World, index: usize) -> Vec<(Instant, u16, u32, bool)> {
    let listener = &world.listeners[index];
    let fields = |packet: &Vec<u8>| {
        let packet = RtpPacket::parse(packet).unwrap();
        (
            packet.sequence_number(),
            packet.timestamp(),
            packet.marker(),
        )
    };
    let times = listener.packet_times.iter().copied();
    times
        .zip(listener.packets.iter().map(fields))
        .map(|(time, (number, timestamp, marker))| (time, number, timestamp, marker))
        .collect()
}

#[test]
fn pauses_leave_a_call_as_it_was_and_rfc3551_4_1_the_packet_behind_one_is_marked() {
    let mut world = World::new();
    world.limits.circuit_breaker = true;
    let index = world.connect();
    world.listeners[index].report_interval = Some(Duration::from_secs(5));
    let mut marked = Vec::new();
    for pause in [10, 1, 300, 10] {
        world.run(Duration::from_secs(10));
        let before = packets(&world, index).len();
        let reports = world.listeners[index].reports.len();
        world.pause(Duration::from_secs(pause));
        assert_eq!(packets(&world, index).len(), before);
        let reported = world.listeners[index].reports.len() - reports;
        assert!(reported as u64 >= pause / 10, "{reported} in {pause} s");
        marked.push(before);
    }
    world.run(Duration::from_secs(10));
    let events = world.events_of(index);
    assert!(
        matches!(events[..], [PeerEvent::Connected(_)]),
        "{events:?}"
    );

    let packets = packets(&world, index);
    let (first, number, timestamp, _) = packets[0];
    let wire = |time: Instant| timestamp.wrapping_add((time - first).as_millis() as u32 * 48);
    for (place, packet) in packets.iter().enumerate() {
        let number = number.wrapping_add(place as u16);
        let expected = (packet.0, number, wire(packet.0), marked.contains(&place));
        assert_eq!(*packet, expected);
    }
    // RFC 3550 §6.4.1: in pauses and behind them the reports have the time of the packets.
    let mut senders = 0;
    for (time, compound) in &world.listeners[index].reports {
        if let Some(RtcpPacket::SenderReport { info, .. }) = RtcpReader::new(compound).next()
            && *time > first
        {
            assert_eq!(info.rtp_timestamp, wire(*time));
            senders += 1;
        }
    }
    assert!(senders > 10, "{senders}");
}
