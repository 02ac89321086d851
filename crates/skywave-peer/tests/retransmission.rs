//! Lost packets are sent once more (RFC 4585 §6.2.1, RFC 4588).
#![allow(clippy::unwrap_used)]

mod support;

use std::time::Duration;

use skywave_peer::{Outbox, PeerId, Remote};
use skywave_rtp::{RtcpPacket, RtcpReader, RtpPacket, SentLog};
use skywave_sdp::TelephoneEvent;

use support::{World, rtcp};

const OPUS: u8 = 111;
const RTX: u8 = 112;
const RED: u8 = 63;
const EVENT: u8 = 101;

fn with_nack(remote: &mut Remote) {
    remote.rtp.nack = true;
}

fn with_rtx(remote: &mut Remote) {
    with_nack(remote);
    remote.rtp.rtx = Some(RTX);
}

/// Loses the next packet of a listener; gives its number.
fn lose_one(world: &mut World, index: usize) -> u16 {
    let listener = &mut world.listeners[index];
    listener.clear();
    listener.loses = Box::new(|| true);
    world.run(support::TICK * 2);
    let listener = &mut world.listeners[index];
    listener.loses = Box::new(|| false);
    let lost = RtpPacket::parse(&listener.lost[0]).unwrap();
    lost.sequence_number()
}

fn miss(world: &mut World, index: usize, numbers: &[u16]) {
    let ssrc = world.listeners[index].media_ssrc;
    world.hear(index, &rtcp::nack(ssrc, numbers));
}

#[test]
fn rfc4585_6_2_1_lost_packet_is_sent_again_octet_by_octet() {
    let mut world = World::new();
    let index = world.connect_as(with_nack);
    let number = lose_one(&mut world, index);
    miss(&mut world, index, &[number]);
    let listener = &world.listeners[index];
    assert_eq!(listener.protected, listener.lost);
    assert_eq!(listener.sequence_numbers(), [number]);

    let counters = listener.counters.snapshot();
    assert_eq!(counters.nack_count, 1);
    assert_eq!(counters.retransmitted_packets_sent, 1);
    assert_eq!(counters.retransmitted_bytes_sent, 4);
}

#[test]
fn rfc4588_4_lost_packet_is_sent_again_in_a_stream_of_its_own() {
    let mut world = World::new();
    let index = world.connect_as(with_rtx);
    for round in 0..3 {
        let number = lose_one(&mut world, index);
        miss(&mut world, index, &[number]);
        let listener = &world.listeners[index];
        let [again] = &listener.packets[..] else {
            panic!("{} packets", listener.packets.len());
        };
        let (again, lost) = (
            RtpPacket::parse(again).unwrap(),
            RtpPacket::parse(&listener.lost[0]).unwrap(),
        );
        assert_ne!(again.ssrc(), lost.ssrc());
        assert_eq!(again.payload_type(), RTX);
        assert_eq!(again.timestamp(), lost.timestamp());
        let (original, payload) = again.payload().split_at(2);
        assert_eq!(original, number.to_be_bytes());
        let media_time = u32::from_be_bytes(payload.try_into().unwrap());
        let offset = lost.timestamp().wrapping_sub(media_time);
        assert_eq!(offset, 0x0101_0101, "of the frame that was lost");
        let counters = listener.counters.snapshot();
        assert_eq!(counters.nack_count, round + 1);
        assert_eq!(counters.retransmitted_packets_sent, round + 1);
        assert_eq!(counters.retransmitted_bytes_sent, (round + 1) * 6);
    }
}

/// An SSRC, with the packets and octets that a sender reports.
type Reported = (u32, Option<(u32, u32)>);

/// What the compounds of a listener say: the reports on each SSRC, how many CNAMEs there are, and
/// how many leave.
fn compounds(world: &World, index: usize) -> Vec<(Vec<Reported>, usize, usize)> {
    let reports = world.listeners[index].reports.iter();
    let read = reports.map(|(_, compound)| {
        let (mut sources, mut cnames, mut leaving) = (Vec::new(), Vec::new(), 0);
        for packet in RtcpReader::new(compound) {
            match packet {
                RtcpPacket::SenderReport { ssrc, info, .. } => {
                    sources.push((ssrc, Some((info.packet_count, info.octet_count))));
                }
                RtcpPacket::ReceiverReport { ssrc, .. } => sources.push((ssrc, None)),
                RtcpPacket::SourceDescription(sdes) => {
                    let chunks: Vec<_> = sdes.chunks().collect();
                    assert!(
                        chunks
                            .iter()
                            .all(|chunk| chunk.cname() == chunks[0].cname())
                    );
                    let described = chunks.iter().map(|chunk| chunk.ssrc());
                    assert!(described.eq(sources.iter().map(|source| source.0)));
                    cnames.extend(chunks);
                }
                RtcpPacket::Bye(bye) => leaving = bye.ssrcs().count(),
                _ => {}
            }
        }
        (sources, cnames.len(), leaving)
    });
    read.collect()
}

#[test]
fn rfc4588_4_and_rfc3550_6_4_stream_of_retransmissions_reports_once_it_was_used_and_leaves() {
    let mut world = World::new();
    let index = world.connect_as(with_rtx);
    world.run(Duration::from_secs(30));
    let unused = compounds(&world, index);
    assert!(!unused.is_empty());
    assert!(unused.iter().all(|(sources, ..)| sources.len() == 1));

    let number = lose_one(&mut world, index);
    miss(&mut world, index, &[number]);
    let again = RtpPacket::parse(&world.listeners[index].packets[0]).unwrap();
    let rtx = again.ssrc();
    world.run(Duration::from_secs(60));
    world.with_hub(|hub, io| hub.close(PeerId(index as u64), io));
    let used = compounds(&world, index);
    let of_rtx: Vec<_> = used.iter().map(|(sources, ..)| sources[1]).collect();
    // The original number counts as payload.
    let sender = (rtx, Some((1, 6)));
    assert_eq!(of_rtx[..2], [sender; 2]);
    assert!(of_rtx.len() > 3 && of_rtx[2..].iter().all(|source| *source == (rtx, None)));
    assert!(
        used.iter()
            .all(|(sources, cnames, _)| (sources.len(), *cnames) == (2, 2))
    );
    let leaving: Vec<_> = used.iter().map(|(.., leaving)| *leaving).collect();
    assert_eq!(leaving.last(), Some(&2));
    assert!(leaving[..leaving.len() - 1].iter().all(|left| *left == 0));
}

#[test]
fn nack_of_a_peer_that_did_not_agree_to_it_is_ignored() {
    let mut world = World::new();
    let index = world.connect();
    let number = lose_one(&mut world, index);
    miss(&mut world, index, &[number]);
    let listener = &world.listeners[index];
    assert!(listener.packets.is_empty());
    assert_eq!(listener.counters.nack_count(), 0);
}

#[test]
fn nack_about_another_stream_is_ignored() {
    let mut world = World::new();
    let index = world.connect_as(with_nack);
    let number = lose_one(&mut world, index);
    let other = world.listeners[index].media_ssrc ^ 1;
    world.hear(index, &rtcp::nack(other, &[number]));
    assert!(world.listeners[index].packets.is_empty());
    assert_eq!(world.listeners[index].counters.nack_count(), 0);
}

#[test]
fn packet_is_not_sent_twice_within_a_round_trip() {
    let mut world = World::new();
    let index = world.connect_as(with_nack);
    let number = lose_one(&mut world, index);
    miss(&mut world, index, &[number, number]);
    miss(&mut world, index, &[number]);
    let listener = &world.listeners[index];
    assert_eq!((listener.packets.len(), listener.replays), (1, 0));

    // 100 ms are assumed as long as nothing is measured.
    world.run(Duration::from_millis(100));
    miss(&mut world, index, &[number]);
    assert_eq!(world.listeners[index].replays, 1);
}

#[test]
fn measured_round_trip_is_what_counts() {
    let mut world = World::new();
    let index = world.connect_as(with_nack);
    // A sender report 600 ms ago, received for 300 ms.
    let mut block = world.listeners[index].report_block();
    block.delay_since_last_sr = 3 * 65_536 / 10;
    block.last_sr = (world.ntp().0 >> 16) as u32 - 6 * 65_536 / 10;
    world.hear(index, &rtcp::receiver_report(&block));
    let number = lose_one(&mut world, index);
    miss(&mut world, index, &[number]);
    world.run(Duration::from_millis(280));
    miss(&mut world, index, &[number]);
    assert_eq!(world.listeners[index].replays, 0);
    world.run(Duration::from_millis(40));
    miss(&mut world, index, &[number]);
    assert_eq!(world.listeners[index].replays, 1);
}

#[test]
fn packet_is_not_sent_more_often_than_the_log_allows() {
    let mut world = World::new();
    let index = world.connect_as(with_nack);
    let number = lose_one(&mut world, index);
    for _ in 0..10 {
        miss(&mut world, index, &[number]);
        world.run(Duration::from_millis(100));
    }
    let again = world.listeners[index].counters.retransmitted_packets_sent();
    assert_eq!(again, SentLog::MAX_RETRANSMISSIONS.into());
}

#[test]
fn numbers_that_were_never_sent_or_are_forgotten_are_ignored() {
    let mut world = World::new();
    let index = world.connect_as(with_nack);
    let number = lose_one(&mut world, index);
    let behind = number.wrapping_add(1);
    miss(&mut world, index, &[behind, number ^ 0x8000]);
    assert!(world.listeners[index].packets.is_empty());
    world.run(Duration::from_millis(20 * SentLog::DEPTH as u64));
    let heard = world.listeners[index].packets.len();
    miss(&mut world, index, &[number]);
    assert_eq!(world.listeners[index].packets.len(), heard);
    assert_eq!(world.listeners[index].counters.nack_count(), 2);
}

/// Packets and octets of the next sender report, and the packets of the stream before it.
fn next_sender_report(world: &mut World, index: usize) -> (u32, u32) {
    let before = world.listeners[index].reports.len();
    let reported = |world: &World| world.listeners[index].reports.len() > before;
    assert!(world.run_until(Duration::from_secs(10), reported));
    let (_, report) = &world.listeners[index].reports[before];
    let Some(RtcpPacket::SenderReport { info, .. }) = RtcpReader::new(report).next() else {
        panic!("not a sender report");
    };
    (info.packet_count, info.octet_count)
}

#[test]
fn rfc4588_4_sender_report_counts_its_own_source_only() {
    for (terms, repeated) in [(with_nack as fn(&mut Remote), 1), (with_rtx, 0)] {
        let mut world = World::new();
        let index = world.connect_as(terms);
        let number = lose_one(&mut world, index);
        miss(&mut world, index, &[number]);
        let (packets, octets) = next_sender_report(&mut world, index);
        let counters = world.listeners[index].counters.snapshot();
        // The report goes out before the frame of its tick, if there is one.
        let sent = counters.packets_sent as u32;
        let frames = sent - 1 + repeated;
        assert!(
            (frames - 1..=frames).contains(&packets),
            "{packets} of {sent}"
        );
        assert_eq!(octets, packets * 4);
    }
}

#[test]
fn redundant_packet_is_sent_again_with_its_redundancy() {
    let mut world = World::new();
    let index = world.connect_as(|remote| {
        with_nack(remote);
        remote.rtp.red = Some(RED);
        remote.redundancy = 2;
    });
    world.run(Duration::from_millis(100));
    let number = lose_one(&mut world, index);
    // Whatever is switched since.
    world.hub.set_redundancy(PeerId(index as u64), 0);
    world.run(Duration::from_millis(100));
    world.listeners[index].protected.clear();
    miss(&mut world, index, &[number]);
    let listener = &world.listeners[index];
    assert_eq!(listener.protected, listener.lost);
    let again = RtpPacket::parse(listener.packets.last().unwrap()).unwrap();
    assert_eq!(again.payload_type(), RED);
}

#[test]
fn rfc4588_8_6_only_packets_of_the_associated_payload_type_go_into_the_other_stream() {
    let mut world = World::new();
    let index = world.connect_as(|remote| {
        with_rtx(remote);
        remote.rtp.red = Some(RED);
        remote.redundancy = 1;
        remote.rtp.telephone_event = Some(TelephoneEvent {
            payload_type: EVENT,
            events: 0xffff,
        });
    });
    let id = PeerId(index as u64);
    for (payload_type, expected) in [(RED, RED), (EVENT, EVENT), (OPUS, RTX)] {
        let (duration, gap) = (Duration::from_millis(100), Duration::from_millis(30));
        match payload_type {
            EVENT => world.hub.insert_dtmf(id, "1", duration, gap),
            OPUS => world.hub.set_redundancy(id, 0),
            _ => {}
        }
        let number = lose_one(&mut world, index);
        let lost = RtpPacket::parse(&world.listeners[index].lost[0]).unwrap();
        assert_eq!(lost.payload_type(), payload_type);
        miss(&mut world, index, &[number]);
        let again = RtpPacket::parse(&world.listeners[index].packets[0]).unwrap();
        assert_eq!(again.payload_type(), expected);
        // The tone is over before the next packet.
        world.run(Duration::from_millis(300));
    }
}

#[test]
fn nothing_stays_lost_on_a_link_that_loses_a_tenth() {
    for terms in [with_nack as fn(&mut Remote), with_rtx] {
        let mut world = World::new();
        let index = world.connect_as(terms);
        let first = world.listeners[index].sequence_numbers()[0];
        let mut random = 3u32;
        world.listeners[index].loses = Box::new(move || {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            random >> 24 < 26
        });
        for _ in 0..1_000 {
            world.run(support::TICK);
            let missing = missing(&world, index, first);
            if !missing.is_empty() {
                miss(&mut world, index, &missing);
            }
        }
        world.listeners[index].loses = Box::new(|| false);
        world.run(Duration::from_millis(40));
        for _ in 0..2 {
            let missing = missing(&world, index, first);
            miss(&mut world, index, &missing);
            world.run(Duration::from_millis(100));
        }
        assert!(world.listeners[index].lost.len() >= 40);
        assert_eq!(missing(&world, index, first), [0; 0]);
    }
}

/// Numbers of the stream that came neither in it nor in its retransmission.
fn missing(world: &World, index: usize, first: u16) -> Vec<u16> {
    let listener = &world.listeners[index];
    let mut heard = vec![false; 2_000];
    let mut highest = 0;
    for packet in &listener.packets {
        let packet = RtpPacket::parse(packet).unwrap();
        let number = if packet.ssrc() == listener.media_ssrc {
            packet.sequence_number()
        } else {
            u16::from_be_bytes([packet.payload()[0], packet.payload()[1]])
        };
        let place = usize::from(number.wrapping_sub(first));
        highest = highest.max(place);
        heard[place] = true;
    }
    (0..highest)
        .filter(|&place| !heard[place])
        .map(|place| first.wrapping_add(place as u16))
        .collect()
}

#[test]
fn request_for_all_that_is_kept_stays_within_the_outbox_and_the_budget() {
    let mut world = World::new();
    let index = world.connect_as(with_nack);
    world.run(Duration::from_millis(20 * SentLog::DEPTH as u64));
    world.listeners[index].clear();
    let newest = world.listeners[index].highest.unwrap() as u16;
    let all: Vec<u16> = (0..SentLog::DEPTH as u16)
        .map(|age| newest.wrapping_sub(age))
        .collect();
    let ssrc = world.listeners[index].media_ssrc;
    let datagram = world.listeners[index].protect_rtcp(&rtcp::nack(ssrc, &all));
    let path = world.listeners[index].path;
    // No more than the reserve is free.
    for _ in 0..Outbox::SLOTS - Outbox::RESERVE {
        assert!(world.outbox.push(&[255], support::listener::path(90, 0)));
    }
    world.receive(path, &datagram);
    assert_eq!(world.listeners[index].replays, Outbox::RESERVE);

    // The rest at the next request, but a quarter of the rate at most in the long run.
    for _ in 0..200 {
        miss(&mut world, index, &all);
    }
    let replays = world.listeners[index].replays;
    assert!((Outbox::RESERVE + 1..=SentLog::DEPTH).contains(&replays));
    for _ in 0..50 {
        world.run(Duration::from_millis(100));
        let newest = world.listeners[index].highest.unwrap() as u16;
        let all: Vec<u16> = (0..64).map(|age| newest.wrapping_sub(age)).collect();
        miss(&mut world, index, &all);
    }
    let counters = world.listeners[index].counters.snapshot();
    let sent = counters.packets_sent - counters.retransmitted_packets_sent;
    let again = counters.retransmitted_packets_sent;
    assert!(again <= sent / 4 + 64, "{again} of {sent}");
}
