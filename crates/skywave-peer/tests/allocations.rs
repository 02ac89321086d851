//! Sending allocates nothing (what the cipher's own library does apart, which is not Rust).
#![allow(clippy::unwrap_used)]

mod support;

use std::time::Duration;

use allocation_counter::measure;
use skywave_peer::{Io, Outbox, Remote, StreamFrame};
use skywave_rtp::{ExtensionIds, OwnedFrame};
use skywave_srtp::HeaderEncryption;

use support::{FORMAT, STREAM, World, rtcp};

/// All that a packet may need.
fn demanding(remote: &mut Remote) {
    let kept = ExtensionIds {
        abs_send_time: Some(3),
        abs_capture_time: Some(4),
        transport_cc: Some(5),
        ..remote.rtp.extensions
    };
    remote.rtp.extensions = kept;
    remote.rtp.header_encryption = HeaderEncryption::Cryptex;
    remote.rtp.nack = true;
    remote.rtp.rtx = Some(112);
    remote.rtp.red = Some(63);
    remote.redundancy = 1;
}

fn redundant(remote: &mut Remote) {
    remote.rtp.red = Some(63);
    remote.redundancy = 2;
}

/// An outbox full of listeners, a quarter of each kind.
fn audience() -> World {
    let mut world = World::new();
    for _ in 0..Outbox::SLOTS / 4 {
        world.connect();
        world.connect_as(redundant);
        world.connect_as(|remote| remote.rtp.nack = true);
        world.connect_as(demanding);
    }
    world
}

fn frame(world: &World) -> StreamFrame {
    StreamFrame {
        stream: STREAM,
        frame: OwnedFrame {
            payload: [7; 160].into(),
            comfort_noise: false,
            timestamp: 1 << 30,
            duration: 960,
            marker: false,
            audio_level: 20,
            voice: true,
            captured: world.ntp(),
        },
        captured: world.now,
        clock_rate: FORMAT.clock_rate,
    }
}

#[test]
fn frame_is_the_only_allocation_on_its_way_to_all_listeners() {
    let mut world = audience();
    for _ in 0..3 {
        let ntp = world.ntp();
        let info = measure(|| {
            let mut cursor = world.hub.begin(frame(&world)).unwrap();
            let mut io = Io {
                now: world.now,
                ntp,
                outbox: &mut world.outbox,
                events: &mut world.events,
            };
            assert_eq!(
                world
                    .hub
                    .fill(&mut cursor, usize::MAX, Duration::ZERO, &mut io),
                0
            );
        });
        assert_eq!(info.count_total, 1, "{info:?}");
        assert_eq!(world.outbox.free(), 0, "everybody was served");
        world.outbox.clear();
    }
}

#[test]
fn retransmission_allocates_nothing() {
    for terms in [
        (|remote| remote.rtp.nack = true) as fn(&mut Remote),
        demanding,
    ] {
        let mut world = World::new();
        let index = world.connect_as(terms);
        world.run(support::TICK * 20);
        // The first RTCP of a source makes room for its replay window.
        world.hear(index, &rtcp::empty_report(rtcp::LISTENER));
        let listener = &mut world.listeners[index];
        let newest = listener.highest.unwrap() as u16;
        let lost: Vec<u16> = (0..8).map(|age| newest.wrapping_sub(age)).collect();
        let nack = rtcp::nack(listener.media_ssrc, &lost);
        let mut datagram = listener.protect_rtcp(&nack);
        let (path, ntp) = (listener.path, world.ntp());
        let mut io = Io {
            now: world.now,
            ntp,
            outbox: &mut world.outbox,
            events: &mut world.events,
        };
        let info = measure(|| world.hub.handle_datagram(path, &mut datagram, &mut io));
        assert_eq!(info.count_total, 0, "{info:?}");
        assert_eq!(world.outbox.datagrams().count(), lost.len());
    }
}

#[test]
fn sweep_without_anything_due_allocates_nothing() {
    let mut world = World::new();
    world.connect();
    world.run(support::TICK);
    let ntp = world.ntp();
    let mut io = Io {
        now: world.now,
        ntp,
        outbox: &mut world.outbox,
        events: &mut world.events,
    };
    let info = measure(|| assert!(world.hub.handle_timeouts(&mut io)));
    assert_eq!(info.count_total, 0, "{info:?}");
}
