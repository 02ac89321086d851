//! The reports of one sender: of which kind, when, and what stands in them (RFC 3550 §6).
#![allow(clippy::unwrap_used)]

mod support;

use std::time::{Duration, Instant};

use skywave_dtls::Role;
use skywave_peer::{LocalParameters, PeerId};
use skywave_rtp::{RtcpPacket, RtcpReader, SdesChunk, SenderInfo};

use support::{World, rtcp};

const MINUTE: Duration = Duration::from_secs(60);

/// When a compound came, and what it begins with: the sender's information or none.
fn reports(world: &World, index: usize) -> Vec<(Instant, Option<SenderInfo>)> {
    let reports = &world.listeners[index].reports;
    let first = |compound| match RtcpReader::new(compound).next() {
        Some(RtcpPacket::SenderReport { info, .. }) => Some(info),
        Some(RtcpPacket::ReceiverReport { .. }) => None,
        other => panic!("not a report: {other:?}"),
    };
    reports
        .iter()
        .map(|(time, compound)| (*time, first(compound)))
        .collect()
}

/// Checks what RFC 3550 §6.1 asks of every compound; gives the source that sent it, and whether
/// it says BYE.
fn checked_compound(compound: &[u8], cname: &str) -> (u32, bool) {
    let mut reader = RtcpReader::new(compound);
    let packets: Vec<_> = reader.by_ref().collect();
    assert_eq!(reader.malformed(), None);
    let [first, RtcpPacket::SourceDescription(sdes), rest @ ..] = &packets[..] else {
        panic!("{packets:?}");
    };
    let source = match first {
        RtcpPacket::SenderReport { ssrc, .. } | RtcpPacket::ReceiverReport { ssrc, .. } => *ssrc,
        other => panic!("{other:?}"),
    };
    let [chunk] = sdes.chunks().collect::<Vec<SdesChunk<'_>>>()[..] else {
        panic!("{sdes:?}");
    };
    assert_eq!(chunk.ssrc(), source);
    assert_eq!(chunk.cname(), Some(cname.as_bytes()));
    assert_eq!(chunk.mid(), Some(&b"0"[..]), "RFC 9143 §15.1");
    let byes = |packets: &[RtcpPacket<'_>]| {
        let bye = |packet: &&RtcpPacket<'_>| matches!(packet, RtcpPacket::Bye(_));
        packets.iter().filter(bye).count()
    };
    let leaves = matches!(rest.last(), Some(RtcpPacket::Bye(_)));
    assert_eq!(byes(rest), usize::from(leaves), "the BYE is last");
    (source, leaves)
}

fn cname(index: usize) -> String {
    let random = [index as u8 + 1; LocalParameters::RANDOM_BYTES];
    LocalParameters::from_random(random).cname
}

/// A listener that is connected while a stream which others have heard pauses.
fn connected_in_a_pause() -> (World, usize) {
    let mut world = World::new();
    world.connect();
    world.frames = false;
    let index = world.add(Role::Server);
    let connected = |world: &World| world.is_connected(index);
    assert!(world.run_until(Duration::from_secs(5), connected));
    (world, index)
}

#[test]
fn rfc3550_6_4_reports_before_the_first_packet_are_those_of_a_receiver() {
    let (mut world, index) = connected_in_a_pause();
    world.run(MINUTE);
    let before = reports(&world, index);
    assert!(before.len() >= 8, "{}", before.len());
    assert!(before.iter().all(|(_, info)| info.is_none()));

    world.frames = true;
    world.run(Duration::from_millis(20));
    world.listeners[index].clear();
    world.run(MINUTE);
    let after = reports(&world, index);
    assert!(after.iter().all(|(_, info)| info.is_some()), "{after:?}");
}

#[test]
fn rfc3550_6_3_7_who_was_connected_and_sent_nothing_leaves_without_bye() {
    let (mut world, index) = connected_in_a_pause();
    world.with_hub(|hub, io| hub.close(PeerId(index as u64), io));
    let listener = &world.listeners[index];
    assert!(listener.closed && listener.reports.is_empty());
}

#[test]
fn rfc3550_6_4_and_6_4_1_silence_has_two_sender_reports_whose_time_goes_on() {
    let mut world = World::new();
    let index = world.connect();
    world.run(MINUTE);
    let (time, Some(last)) = *reports(&world, index).last().unwrap() else {
        panic!("not a sender report");
    };
    let packets = world.listeners[index].counters.packets_sent() as u32;
    world.frames = false;
    world.listeners[index].clear();
    world.run(MINUTE);
    let silent = reports(&world, index);
    let senders: Vec<bool> = silent.iter().map(|(_, info)| info.is_some()).collect();
    assert_eq!(senders[..2], [true; 2]);
    assert!(senders.len() > 4 && !senders[2..].contains(&true));
    for (now, info) in &silent[..2] {
        let info = info.unwrap();
        let ticks = (*now - time).as_millis() as u32 * 48;
        let since = info.rtp_timestamp.wrapping_sub(last.rtp_timestamp);
        assert_eq!(since, ticks, "computed for the report's own instant");
        assert_eq!(info.packet_count, packets);
    }

    world.frames = true;
    world.run(Duration::from_millis(20));
    world.listeners[index].clear();
    world.run(MINUTE);
    let after = reports(&world, index);
    assert!(after.iter().all(|(_, info)| info.is_some()), "{after:?}");
}

#[test]
fn rfc3550_6_4_1_counts_are_those_of_each_listener_from_its_own_start() {
    let mut world = World::new();
    world.connect();
    world.run(Duration::from_secs(7));
    let late = world.connect();
    world.run(MINUTE);
    for (index, listener) in world.listeners.iter().enumerate() {
        for (time, info) in reports(&world, index) {
            let info = info.unwrap();
            // Reports that are due go out before the frame of the same instant.
            let before = |packet: &Instant| *packet < time;
            let sent = listener.packet_times.partition_point(before) as u32;
            assert_eq!((info.packet_count, info.octet_count), (sent, sent * 4));
        }
    }
    assert!(reports(&world, late).len() >= 8);
}

#[test]
fn rfc3550_6_2_reports_of_many_listeners_are_never_in_step() {
    let mut world = World::new();
    let indices: Vec<usize> = (0..16).map(|_| world.add(Role::Server)).collect();
    world.run(MINUTE);
    for nth in 0..8 {
        let mut times: Vec<Instant> = indices
            .iter()
            .map(|&index| world.listeners[index].reports[nth].0)
            .collect();
        times.sort_unstable();
        // Drawn from seconds, in steps of the clock of 10 ms.
        assert!(times[15] - times[0] > Duration::from_millis(500));
        times.dedup();
        assert!(times.len() >= 12, "{} of 16 in report {nth}", times.len());
    }
}

#[test]
fn rfc3550_6_1_and_rfc8834_4_9_every_compound_has_report_and_cname_and_the_bye_last() {
    let mut world = World::new();
    let joins = |world: &mut World| {
        world.connect_as(|remote| {
            remote.rtp.rtcp_rsize = false;
            remote.rtp.tmmbr = true;
            remote.rtp.rcvr_rtt = true;
        })
    };
    let indices = [joins(&mut world), joins(&mut world)];
    assert_ne!(cname(indices[0]), cname(indices[1]));
    for index in indices {
        // All that makes a sender speak: a limit, a question, another's use of its name.
        let old = world.listeners[index].media_ssrc;
        world.hear(index, &rtcp::tmmbr(old, 2, 16_000));
        world.run(Duration::from_secs(2));
        world.hear(index, &rtcp::reference_time(1 << 40));
        world.run(Duration::from_secs(10));
        world.hear(index, &rtcp::empty_report(old));
        world.run(Duration::from_secs(10));
        world.with_hub(|hub, io| hub.close(PeerId(index as u64), io));
        let mut byes = Vec::new();
        for (_, compound) in &world.listeners[index].reports {
            let (source, leaves) = checked_compound(compound, &cname(index));
            byes.extend(leaves.then_some(source));
        }
        assert_eq!((byes.len(), byes[0]), (2, old), "of each name");
        assert_ne!(byes[1], old);
    }
}

#[test]
fn rfc5506_3_4_regular_compounds_go_on_beside_packets_of_reduced_size() {
    let mut world = World::new();
    let index = world.connect_as(|remote| {
        remote.rtp.rtcp_rsize = true;
        remote.rtp.tmmbr = true;
    });
    let ssrc = world.listeners[index].media_ssrc;
    for _ in 0..60 {
        world.hear(index, &rtcp::tmmbr(ssrc, 2, 16_000));
        world.run(Duration::from_secs(1));
    }
    let is_alone = |compound: &[u8]| {
        let packets: Vec<_> = RtcpReader::new(compound).collect();
        matches!(packets[..], [RtcpPacket::Tmmbn(_)])
    };
    let sent = world.listeners[index].reports.iter();
    let (alone, regular): (Vec<_>, Vec<_>) = sent.partition(|(_, compound)| is_alone(compound));
    assert!(alone.len() > 30, "{}", alone.len());
    assert!(regular.len() >= 8, "{}", regular.len());
    for (_, compound) in regular {
        checked_compound(compound, &cname(index));
    }
}
