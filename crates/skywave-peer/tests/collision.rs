//! A peer that uses our SSRC (RFC 3550 §8.2).
#![allow(clippy::unwrap_used)]

mod support;

use std::time::Duration;

use skywave_peer::PeerEvent;
use skywave_rtp::{RtcpPacket, RtcpReader, RtpPacket};

use support::{World, rtcp};

/// The peer calls itself what our stream is called; gives the stream's new name.
fn collide(world: &mut World, index: usize) -> Option<u32> {
    let before = world.events.len();
    let ssrc = world.listeners[index].media_ssrc;
    world.hear(index, &rtcp::empty_report(ssrc));
    let [PeerEvent::SsrcChanged(renamed)] = world.events_of(index)[before..] else {
        assert_eq!(world.events.len(), before);
        return None;
    };
    world.listeners[index].media_ssrc = renamed;
    Some(renamed)
}

/// Who says BYE in a compound.
fn leaving(compound: &[u8]) -> Vec<u32> {
    let mut leaving = Vec::new();
    for packet in RtcpReader::new(compound) {
        if let RtcpPacket::Bye(farewell) = packet {
            leaving.extend(farewell.ssrcs());
        }
    }
    leaving
}

#[test]
fn rfc3550_8_2_colliding_source_says_bye_and_goes_on_under_another_ssrc() {
    let mut world = World::new();
    let index = world.connect();
    world.run(Duration::from_secs(1));
    let old = world.listeners[index].media_ssrc;
    world.listeners[index].clear();
    let renamed = collide(&mut world, index).unwrap();
    assert_ne!(renamed, old);
    let (_, farewell) = &world.listeners[index].reports[0];
    assert_eq!(leaving(farewell), [old]);

    world.run(Duration::from_secs(1));
    let packets = &world.listeners[index].packets;
    assert_eq!(packets.len(), 50, "all of them decrypted");
    let first = RtpPacket::parse(&packets[0]).unwrap();
    assert!(first.sequence_number() < 1 << 15, "RFC 3711 §3.3.1");
    for (packet, age) in packets.iter().zip(0..) {
        let packet = RtpPacket::parse(packet).unwrap();
        assert_eq!(packet.ssrc(), renamed);
        let number = first.sequence_number().wrapping_add(age);
        assert_eq!(packet.sequence_number(), number);
        let ticks = u32::from(age) * 960;
        assert_eq!(packet.timestamp(), first.timestamp().wrapping_add(ticks));
    }
}

#[test]
fn rfc3550_6_4_1_counts_of_the_new_source_begin_at_zero() {
    let mut world = World::new();
    let index = world.connect();
    world.run(Duration::from_secs(3));
    let renamed = collide(&mut world, index).unwrap();
    world.listeners[index].packets.clear();
    // It is a sender from its first packet on.
    world.run(Duration::from_millis(20));
    world.listeners[index].reports.clear();
    let reported = |world: &World| !world.listeners[index].reports.is_empty();
    assert!(world.run_until(Duration::from_secs(10), reported));
    let listener = &world.listeners[index];
    let Some(RtcpPacket::SenderReport { ssrc, info, .. }) =
        RtcpReader::new(&listener.reports[0].1).next()
    else {
        panic!("not a sender report");
    };
    assert_eq!(ssrc, renamed);
    let sent = listener.packets.len() as u32;
    assert!(info.packet_count.abs_diff(sent) <= 1);
    assert_eq!(info.octet_count, info.packet_count * 4);
}

#[test]
fn rfc3550_6_4_and_6_3_7_new_source_that_sent_nothing_is_no_sender_and_has_no_farewell() {
    let mut world = World::new();
    let index = world.connect();
    world.run(Duration::from_secs(30));
    world.frames = false;
    let old = world.listeners[index].media_ssrc;
    collide(&mut world, index).unwrap();
    world.listeners[index].clear();
    let silent = collide(&mut world, index).unwrap();
    assert!(world.listeners[index].reports.is_empty(), "never heard of");
    world.run(Duration::from_secs(30));
    let reports = &world.listeners[index].reports;
    assert!(reports.len() >= 3);
    for (_, report) in reports {
        let Some(RtcpPacket::ReceiverReport { ssrc, .. }) = RtcpReader::new(report).next() else {
            panic!("not a receiver report");
        };
        assert_eq!(ssrc, silent);
    }
    assert_ne!(silent, old);
}

/// W3C webrtc-stats: what was counted never goes down.
#[test]
fn counters_of_the_listener_go_on_under_the_new_name() {
    let mut world = World::new();
    let index = world.connect();
    world.run(Duration::from_secs(3));
    let counters = world.listeners[index].counters.clone();
    let before = counters.snapshot();
    world.listeners[index].packets.clear();
    collide(&mut world, index).unwrap();
    world.run(Duration::from_secs(1));
    let after = counters.snapshot();
    let sent = world.listeners[index].packets.len() as u64;
    assert_eq!(sent, 50);
    assert_eq!(after.packets_sent, before.packets_sent + sent);
    assert_eq!(after.bytes_sent, before.bytes_sent + sent * 4);
    assert!(
        after.rtcp_packets_sent > before.rtcp_packets_sent,
        "the BYE"
    );
}

#[test]
fn fourth_collision_is_no_accident() {
    let mut world = World::new();
    let index = world.connect();
    let mut names = vec![world.listeners[index].media_ssrc];
    for _ in 0..3 {
        names.push(collide(&mut world, index).unwrap());
        world.run(Duration::from_millis(100));
    }
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 4);
    assert_eq!(collide(&mut world, index), None);
    world.listeners[index].clear();
    world.run(Duration::from_secs(1));
    assert_eq!(world.listeners[index].packets.len(), 50);
}

#[test]
fn packets_of_the_old_source_are_not_sent_again_and_those_of_the_new_one_are() {
    for rtx in [None, Some(112)] {
        let mut world = World::new();
        let index = world.connect_as(|remote| {
            remote.rtp.nack = true;
            remote.rtp.rtx = rtx;
        });
        let old_ssrc = world.listeners[index].media_ssrc;
        let old = world.listeners[index].sequence_numbers()[0];
        collide(&mut world, index).unwrap();
        let new_ssrc = world.listeners[index].media_ssrc;
        world.listeners[index].clear();
        world.hear(index, &rtcp::nack(old_ssrc, &[old]));
        world.hear(index, &rtcp::nack(new_ssrc, &[old]));
        assert!(world.listeners[index].packets.is_empty());

        world.run(Duration::from_millis(20));
        let new = world.listeners[index].sequence_numbers()[0];
        world.hear(index, &rtcp::nack(new_ssrc, &[new]));
        let listener = &world.listeners[index];
        assert_eq!(listener.counters.retransmitted_packets_sent(), 1);
        let in_a_stream_of_its_own = listener.packets.len() - 1;
        let expected = if rtx.is_some() { (1, 0) } else { (0, 1) };
        assert_eq!((in_a_stream_of_its_own, listener.replays), expected);

        // Retransmissions go on under their own name.
        world.listeners[index].clear();
        collide(&mut world, index).unwrap();
        assert_eq!(leaving(&world.listeners[index].reports[0].1), [new_ssrc]);
    }
}

#[test]
fn report_about_our_stream_is_no_collision() {
    let mut world = World::new();
    let index = world.connect();
    let block = world.listeners[index].report_block();
    world.hear(index, &rtcp::receiver_report(&block));
    assert_eq!(world.events_of(index).len(), 1, "connected");
}
