//! Digits in place of audio (RFC 4733).
#![allow(clippy::unwrap_used)]

mod support;

use std::time::Duration;

use skywave_peer::{PeerId, Remote};
use skywave_rtp::{RtpPacket, TelephoneEvent};

use support::World;

const OPUS: u8 = 111;
const EVENT: u8 = 126;
const NOISE: u8 = 13;

fn with_events(remote: &mut Remote) {
    remote.rtp.telephone_event = Some(skywave_sdp::TelephoneEvent {
        payload_type: EVENT,
        events: 0xffff,
    });
}

fn insert(world: &mut World, index: usize, digits: &str) {
    let (duration, gap) = (Duration::from_millis(100), Duration::from_millis(70));
    let id = PeerId(index as u64);
    world.hub.insert_dtmf(id, digits, duration, gap);
}

fn parsed(world: &World, index: usize) -> Vec<RtpPacket<'_>> {
    let packets = &world.listeners[index].packets;
    let parse = |packet| RtpPacket::parse(packet).unwrap();
    packets
        .iter()
        .map(|packet: &Vec<u8>| parse(packet))
        .collect()
}

#[test]
fn rfc4733_2_5_1_2_all_packets_of_an_event_carry_the_start_timestamp() {
    let mut world = World::new();
    let index = world.connect_as(with_events);
    world.listeners[index].clear();
    insert(&mut world, index, "5#");
    world.run(Duration::from_secs(1));
    let packets = parsed(&world, index);
    let mut events = Vec::new();
    for packet in packets
        .iter()
        .filter(|packet| packet.payload_type() == EVENT)
    {
        let event = TelephoneEvent::parse(packet.payload()).unwrap();
        let (start, marker) = (packet.timestamp(), packet.marker());
        events.push((event.event, start, marker, event.duration, event.end));
    }
    let (first, second) = events.split_at(7);
    for (events, digit) in [(first, 5), (second, 11)] {
        let start = events[0].1;
        let report = |marker, duration, end| (digit, start, marker, duration, end);
        let expected = [
            report(true, 960, false),
            report(false, 1920, false),
            report(false, 2880, false),
            report(false, 3840, false),
            report(false, 4800, true),
            report(false, 4800, true),
            report(false, 4800, true),
        ];
        assert_eq!(events, expected);
    }
    // 100 ms and a gap of 70 ms, up to the next frame.
    assert_eq!(second[0].1.wrapping_sub(first[0].1), 9 * 960);
}

#[test]
fn rfc4733_2_1_audio_and_events_share_sequence_numbers_and_time() {
    let mut world = World::new();
    let index = world.connect_as(with_events);
    let other = world.connect_as(with_events);
    insert(&mut world, index, "1");
    for listener in &mut world.listeners {
        listener.clear();
    }
    world.run(Duration::from_secs(1));
    let packets = parsed(&world, index);
    assert_eq!(packets.len(), 50, "a packet in place of a frame");
    for pair in packets.windows(2) {
        let next = pair[0].sequence_number().wrapping_add(1);
        assert_eq!(pair[1].sequence_number(), next);
    }
    let audio: Vec<_> = packets
        .iter()
        .filter(|packet| packet.payload_type() == OPUS)
        .collect();
    assert_eq!(audio.len(), 43);
    let mut offsets: Vec<u32> = audio
        .iter()
        .map(|packet| {
            let media_time = u32::from_be_bytes(packet.payload().try_into().unwrap());
            packet.timestamp().wrapping_sub(media_time)
        })
        .collect();
    offsets.dedup();
    assert_eq!(offsets, [0x0101_0101]);
    assert!(!audio[0].marker(), "nothing was silent");

    let others = parsed(&world, other);
    assert!(others.iter().all(|packet| packet.payload_type() == OPUS));
    assert_eq!(others.len(), 50);
}

#[test]
fn digits_wait_while_a_pause_is_described() {
    let mut world = World::new();
    let index = world.connect_as(|remote| {
        with_events(remote);
        remote.rtp.comfort_noise = Some(NOISE);
    });
    world.listeners[index].clear();
    world.comfort_noise = true;
    insert(&mut world, index, "1");
    let types = |world: &World| -> Vec<u8> {
        let packets = parsed(world, index);
        packets.iter().map(RtpPacket::payload_type).collect()
    };
    world.run(Duration::from_millis(60));
    assert_eq!(types(&world), [NOISE; 3]);
    world.listeners[index].clear();
    world.comfort_noise = false;
    world.run(Duration::from_millis(60));
    assert_eq!(types(&world), [EVENT; 3]);
}

#[test]
fn lost_report_of_an_event_is_sent_again() {
    let mut world = World::new();
    let index = world.connect_as(|remote| {
        with_events(remote);
        remote.rtp.nack = true;
    });
    insert(&mut world, index, "9");
    world.listeners[index].loses = Box::new(|| true);
    world.run(Duration::from_millis(140));
    world.listeners[index].loses = Box::new(|| false);
    world.listeners[index].protected.clear();
    world.listeners[index].packets.clear();
    let lost = world.listeners[index].lost.clone();
    let number = |packet: &Vec<u8>| RtpPacket::parse(packet).unwrap().sequence_number();
    let numbers: Vec<u16> = lost.iter().map(number).collect();
    let ssrc = world.listeners[index].media_ssrc;
    world.hear(index, &support::rtcp::nack(ssrc, &numbers));
    assert_eq!(world.listeners[index].protected, lost);
    let packets = parsed(&world, index);
    assert!(packets.iter().all(|packet| packet.payload_type() == EVENT));
}

#[test]
fn peer_that_takes_no_events_hears_audio() {
    let mut world = World::new();
    let index = world.connect();
    insert(&mut world, index, "1");
    world.run(Duration::from_millis(500));
    let packets = parsed(&world, index);
    assert!(packets.iter().all(|packet| packet.payload_type() == OPUS));
}
