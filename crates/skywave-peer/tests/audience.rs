//! Frames reach everybody once, whoever comes and goes meanwhile.
#![allow(clippy::unwrap_used)]

mod support;

use std::sync::Arc;
use std::time::Duration;

use skywave_dtls::Role;
use skywave_peer::{Outbox, PeerId, StreamFrame};
use skywave_rtp::{OwnedFrame, RtpPacket};

use support::{FORMAT, STREAM, World};

const SOON: Duration = Duration::from_secs(2);

#[test]
fn nobody_is_forgotten_or_served_twice_when_somebody_leaves_during_a_frame() {
    for leaver in 0..6u64 {
        for served_before in 0..=6 {
            let mut world = World::new();
            for _ in 0..6 {
                world.connect();
            }
            for listener in &mut world.listeners {
                listener.packets.clear();
            }
            world.begin_frame(|world, mut cursor| {
                world.fill(&mut cursor, served_before);
                world.with_hub(|hub, io| hub.close(PeerId(leaver), io));
                while world.fill(&mut cursor, 1) > 0 {}
            });
            for (index, listener) in world.listeners.iter().enumerate() {
                if index as u64 != leaver {
                    assert_eq!(
                        listener.packets.len(),
                        1,
                        "{index} of {leaver}, {served_before}"
                    );
                }
            }
        }
    }
}

#[test]
fn nobody_is_forgotten_when_others_come_during_a_frame() {
    let mut world = World::new();
    for _ in 0..4 {
        world.connect();
    }
    for listener in &mut world.listeners {
        listener.packets.clear();
    }
    world.begin_frame(|world, mut cursor| {
        world.fill(&mut cursor, 2);
        // Takes the place of the first, who was served.
        world.with_hub(|hub, io| hub.close(PeerId(0), io));
        world.add(Role::Server);
        world.frames = false;
        world.run(SOON);
        while world.fill(&mut cursor, 1) > 0 {}
    });
    for (index, listener) in world.listeners.iter().enumerate().take(4).skip(1) {
        assert_eq!(listener.packets.len(), 1, "{index}");
    }
    assert!(world.is_connected(4));
    assert_eq!(world.listeners[4].packets.len(), 0);
}

#[test]
fn audience_larger_than_a_batch_is_served_in_batches() {
    let mut world = World::new();
    let size = Outbox::SLOTS + 6;
    for _ in 0..size {
        world.connect();
    }
    assert_eq!(world.hub.listeners(STREAM), size);
    for listener in &mut world.listeners {
        listener.packets.clear();
    }
    world.begin_frame(|world, mut cursor| {
        assert_eq!(world.fill(&mut cursor, usize::MAX), 6);
        assert_eq!(world.fill(&mut cursor, usize::MAX), 0);
    });
    assert!(
        world
            .listeners
            .iter()
            .all(|listener| listener.packets.len() == 1)
    );
}

#[test]
fn frame_without_room_for_its_tag_spends_no_number() {
    for transport_cc in [None, Some(5)] {
        let mut world = World::new();
        let index = world.connect_as(|remote| remote.rtp.extensions.transport_cc = transport_cc);
        // Its packet fills a slot to the last octet; AES-GCM's tag no longer fits.
        let frame = StreamFrame {
            stream: STREAM,
            frame: OwnedFrame {
                payload: Arc::new([0; Outbox::DATAGRAM - HEADER_LEN]),
                comfort_noise: false,
                timestamp: 0,
                duration: 960,
                marker: false,
                audio_level: 20,
                voice: true,
                captured: world.ntp(),
            },
            captured: world.now,
            clock_rate: FORMAT.clock_rate,
        };
        let mut cursor = world.hub.begin(frame).unwrap();
        assert_eq!(world.fill(&mut cursor, usize::MAX), 0);
        world.send_frame();
        let [before, after] = world.listeners[index].sequence_numbers()[..] else {
            panic!("a packet of the long frame arrived");
        };
        assert_eq!(after, before.wrapping_add(1));
        let packets = world.listeners[index].packets.iter();
        let numbers: Vec<u16> = packets
            .filter_map(|packet| transport_number(packet))
            .collect();
        assert!(transport_cc.is_none() || numbers == [0, 1], "{numbers:?}");
    }
}

fn transport_number(packet: &[u8]) -> Option<u16> {
    let packet = RtpPacket::parse(packet).unwrap();
    let element = packet.extensions().find(|element| element.id == 5)?;
    Some(u16::from_be_bytes(element.data.try_into().unwrap()))
}

/// Of packets with audio level and a mid of one octet.
const HEADER_LEN: usize = 20;
