//! Frames repeated in later packets (RFC 2198).
#![allow(clippy::unwrap_used)]

mod support;

use std::time::Duration;

use skywave_dtls::Role;
use skywave_peer::{PeerEvent, PeerId, Remote};
use skywave_rtp::{RedBlocks, ReportBlock, RtpPacket};

use support::{World, rtcp};

const OPUS: u8 = 111;
const RED: u8 = 63;

fn redundant(frames: u8) -> impl FnOnce(&mut Remote) {
    move |remote| {
        remote.rtp.red = Some(RED);
        remote.redundancy = frames;
    }
}

/// How many frames each packet repeats, none for plain ones; every frame is compared with what was
/// sent at its time.
fn repetitions(world: &World, index: usize) -> Vec<Option<usize>> {
    let packets = &world.listeners[index].packets;
    packets.iter().map(|packet| repeated(packet)).collect()
}

fn repeated(packet: &[u8]) -> Option<usize> {
    let packet = RtpPacket::parse(packet).unwrap();
    if packet.payload_type() == OPUS {
        assert_eq!(packet.payload(), media_time(&packet, 0));
        return None;
    }
    assert_eq!(packet.payload_type(), RED);
    let mut offsets = Vec::new();
    for block in RedBlocks::parse(packet.payload()).unwrap() {
        assert_eq!(block.payload_type, OPUS);
        assert_eq!(block.data, media_time(&packet, block.timestamp_offset));
        offsets.push(block.timestamp_offset);
    }
    assert!([1920, 960, 0].ends_with(&offsets), "{offsets:?}");
    Some(offsets.len() - 1)
}

/// The payload of the frame that began `age` ticks before the packet's.
fn media_time(packet: &RtpPacket<'_>, age: u16) -> [u8; 4] {
    let time = packet.timestamp().wrapping_sub(OFFSET);
    time.wrapping_sub(age.into()).to_be_bytes()
}

/// Of the first listener.
const OFFSET: u32 = 0x0101_0101;

#[test]
fn rfc2198_packets_repeat_the_frames_before_from_the_first_one_on() {
    let mut world = World::new();
    let index = world.connect_as(redundant(2));
    world.run(Duration::from_millis(100));
    let expected = [Some(0), Some(1), Some(2), Some(2), Some(2), Some(2)];
    assert_eq!(repetitions(&world, index), expected);
    let counters = world.listeners[index].counters.snapshot();
    assert_eq!(counters.redundant_bytes_sent, 9 * 4);
}

#[test]
fn redundancy_is_switched_for_one_listener_at_any_time() {
    let mut world = World::new();
    let index = world.connect_as(redundant(0));
    let other = world.connect();
    let mut heard = Vec::new();
    world.run(Duration::from_millis(40));
    for frames in [1, 2, 9, 0, 1] {
        world.hub.set_redundancy(PeerId(index as u64), frames);
        world.listeners[index].clear();
        world.run(Duration::from_millis(40));
        heard.push(repetitions(&world, index));
    }
    let steady = |frames| vec![frames, frames];
    assert_eq!(heard[0], steady(Some(1)));
    assert_eq!(heard[1], steady(Some(2)));
    assert_eq!(heard[2], steady(Some(2)), "2 is the most");
    assert_eq!(heard[3], steady(None));
    assert_eq!(heard[4], steady(Some(1)), "frames sent plain are repeated");
    for packet in &world.listeners[other].packets {
        let packet = RtpPacket::parse(packet).unwrap();
        assert_eq!((packet.payload_type(), packet.payload().len()), (OPUS, 4));
    }
    let numbers = world.listeners[index].sequence_numbers();
    assert_eq!(numbers[1], numbers[0].wrapping_add(1));
}

/// What packets repeat after reports of these losses, in 1/256, one every 5 s.
fn repetitions_after(world: &mut World, index: usize, reports: &[u8]) -> Vec<Option<usize>> {
    let ssrc = world.listeners[index].media_ssrc;
    for &fraction_lost in reports {
        let block = ReportBlock {
            ssrc,
            fraction_lost,
            cumulative_lost: 0,
            highest_sequence: 0,
            jitter: 0,
            last_sr: 0,
            delay_since_last_sr: 0,
        };
        world.run(Duration::from_secs(5));
        world.hear(index, &rtcp::receiver_report(&block));
    }
    world.listeners[index].clear();
    world.run(Duration::from_millis(40));
    repetitions(world, index)
}

#[test]
fn listener_that_reports_loss_gets_redundancy_until_the_loss_is_over() {
    let mut world = World::new();
    let [index, other] = [(); 2].map(|()| {
        world.connect_as(|remote| {
            redundant(0)(remote);
            remote.adaptive_redundancy = true;
        })
    });
    // As many frames as can be repeated.
    world.run(Duration::from_millis(60));
    assert_eq!(repetitions_after(&mut world, index, &[0, 2]), [None; 2]);
    assert_eq!(repetitions_after(&mut world, index, &[8]), [Some(1); 2]);
    assert_eq!(repetitions_after(&mut world, index, &[64]), [Some(2); 2]);
    let theirs = &world.listeners[other].packets;
    let types = theirs.iter().map(|packet| packet[1] & 0x7f);
    assert!(types.into_iter().all(|payload_type| payload_type == OPUS));
    assert_eq!(repetitions_after(&mut world, index, &[0; 3]), [Some(1); 2]);
    assert_eq!(repetitions_after(&mut world, index, &[0; 3]), [None; 2]);
    let reported = |event| (PeerId(index as u64), PeerEvent::LossChanged(event));
    assert!(world.events.contains(&reported(64)));
}

#[test]
fn loss_never_takes_away_what_was_asked_for() {
    let mut world = World::new();
    let index = world.connect_as(|remote| {
        redundant(2)(remote);
        remote.adaptive_redundancy = true;
    });
    world.run(Duration::from_millis(60));
    let after = repetitions_after(&mut world, index, &[8, 0, 0, 0, 0]);
    assert_eq!(after, [Some(2); 2]);
}

#[test]
fn redundancy_set_before_media_begins_holds_from_the_first_packet_on() {
    let mut world = World::new();
    let index = world.add_offering(Role::Server);
    let mut remote = world.remote(index, Role::Server);
    redundant(0)(&mut remote);
    world.set_remote(index, remote);
    world.hub.set_redundancy(PeerId(index as u64), 1);
    let heard = |world: &World| world.listeners[index].packets.len() == 3;
    assert!(world.run_until(Duration::from_secs(5), heard));
    assert_eq!(repetitions(&world, index), [Some(0), Some(1), Some(1)]);
}

#[test]
fn nothing_is_repeated_to_a_peer_that_did_not_agree_to_it() {
    let mut world = World::new();
    let index = world.connect_as(|remote| remote.redundancy = 2);
    world.hub.set_redundancy(PeerId(index as u64), 2);
    world.run(Duration::from_millis(100));
    assert_eq!(repetitions(&world, index), [None; 6]);
}

#[test]
fn repetitions_fit_into_the_bit_rate_of_the_description() {
    // In 20 ms 400 bit/s are an octet: 84 octets of headers, 4 of each frame.
    let cases = [
        (88 * 400, None),
        (92 * 400 - 1, None),
        (92 * 400, Some(1)),
        (96 * 400, Some(2)),
    ];
    for (limit, expected) in cases {
        let mut world = World::new();
        let index = world.connect_as(|remote| {
            redundant(2)(remote);
            remote.rtp.max_bitrate = Some(limit);
        });
        world.run(Duration::from_millis(100));
        let heard = repetitions(&world, index);
        assert_eq!(heard[2..], [expected; 4], "{limit}");
    }
}

#[test]
fn rfc5104_3_5_4_request_takes_repetitions_away_and_gives_them_back() {
    let mut world = World::new();
    let index = world.connect_as(|remote| {
        redundant(2)(remote);
        remote.rtp.tmmbr = true;
        remote.rtp.max_bitrate = Some(92 * 400);
    });
    let ssrc = world.listeners[index].media_ssrc;
    let mut after = |exponent, mantissa| {
        world.hear(index, &rtcp::tmmbr(ssrc, exponent, mantissa));
        world.listeners[index].clear();
        world.run(Duration::from_millis(40));
        repetitions(&world, index)
    };
    assert_eq!(after(0, 88 * 400), [None; 2]);
    assert_eq!(after(0, 0), [None; 2], "0 bit/s is no packet more");
    assert_eq!(
        after(10, 1_000),
        [Some(1); 2],
        "the description's limit stays"
    );
}
