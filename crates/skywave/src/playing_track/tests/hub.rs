//! A track through a whole hub: what a listener decrypts of it.

use skywave_audio::Melody;
use skywave_dtls::Role;
use skywave_peer::Remote;
use skywave_rtp::RtpPacket;

use super::*;
use crate::audience::Audience;
use crate::negotiation;
use crate::negotiation::tests::{CHROMIUM, negotiated};

#[path = "../../../../skywave-peer/tests/support/mod.rs"]
mod support;

use support::World;

/// Counts the samples of the track: every value tells where it belongs, within 0.7 s.
struct Counting(u64);

impl AudioSource for Counting {
    fn read(&mut self, pcm: &mut [[f32; 2]]) -> usize {
        for (sample, place) in pcm.iter_mut().zip(self.0..) {
            *sample = [f32::from(mark(place)) / 32_768.0; 2];
        }
        self.0 += pcm.len() as u64;
        pcm.len()
    }
}

/// Each of 32,768 values once, none louder than half of full scale; neighbours are far apart.
fn mark(place: u64) -> i16 {
    (place * 12_345 % 32_768) as i16 - 16_384
}

/// Swaps the source for its like at the beginning of packets, until that has happened so often,
/// and gives what the listener decrypted, with the packets in which a source began.
fn swap_through_a_hub(crossfade: Duration, swaps: u64) -> (Vec<Vec<u8>>, Vec<bool>) {
    let listener = of(Encoding::L16, Ptime::Ms10);
    let config = TrackConfig {
        ptime: Ptime::Ms10,
        crossfade,
        slow_read: Duration::MAX,
        ..TrackConfig::default()
    };
    let mut world = World::new();
    world.frames = false;
    let start = world.now + Duration::from_secs(1);
    let mut stage = Stage::starting(config, start);
    stage.shared.mailbox.put(Some(Box::new(Counting(0))));
    stage.shared.join(0, listener);
    let stream = stage.shared.encodings.heard().next().unwrap().stream;
    let peer = world.add_offering(Role::Server);
    let mut remote = world.remote(peer, Role::Server);
    remote.stream = stream;
    world.set_remote(peer, remote);
    world.run(start - world.now);
    assert!(world.is_connected(peer));

    let mut random = 1_u32;
    let mut begun = Vec::new();
    while stage.shared.counters.swaps.load(Relaxed) < swaps {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let puts = (random >> 16) % 4;
        for _ in 0..puts {
            let next = Counting(stage.track.clock.position());
            stage.shared.mailbox.put(Some(Box::new(next)));
        }
        begun.push(puts > 0);
        world.run(Duration::from_millis(10));
        let late = Duration::from_micros(u64::from(random >> 16) % 10_000);
        stage.play_until(10 * begun.len() as u64, late);
        for delivery in stage.sent.drain(..) {
            let captured = world.ntp();
            let cursor = world.hub.begin(delivery.into_frame(captured));
            world.fill(&mut cursor.unwrap(), usize::MAX);
        }
    }
    (std::mem::take(&mut world.listeners[peer].packets), begun)
}

#[test]
fn ten_thousand_swaps_are_decrypted_without_a_gap_a_repeat_or_a_jump() {
    let (packets, _) = swap_through_a_hub(Duration::ZERO, 10_000);
    assert!(packets.len() > 10_000);
    let first = RtpPacket::parse(&packets[0]).unwrap();
    let (sequence, timestamp) = (first.sequence_number(), first.timestamp());
    for (packet, number) in packets.iter().zip(0_u32..) {
        let packet = RtpPacket::parse(packet).unwrap();
        assert_eq!(
            packet.sequence_number(),
            sequence.wrapping_add(number as u16)
        );
        assert_eq!(packet.timestamp(), timestamp.wrapping_add(number * 480));
        assert!(!packet.marker());
        let samples = (u64::from(number) * 480..).take(480);
        let expected = samples.flat_map(|place| mark(place).to_be_bytes());
        assert!(
            packet.payload().iter().copied().eq(expected),
            "packet {number}"
        );
    }
}

#[test]
fn crossfade_is_heard_where_a_source_begins_and_nowhere_else() {
    let (packets, begun) = swap_through_a_hub(Duration::from_millis(5), 1_000);
    // Two that are alike add up to 3 dB more, in the 5 ms that both are heard.
    let faded = 240;
    assert_eq!(packets.len(), begun.len());
    for ((packet, number), begun) in packets.iter().zip(0_u64..).zip(begun).skip(1) {
        let packet = RtpPacket::parse(packet).unwrap();
        let (samples, _) = packet.payload().as_chunks::<2>();
        let mut loudest = 1.0_f32;
        for (sample, place) in samples.iter().zip(0..) {
            let heard = f32::from(i16::from_be_bytes(*sample));
            let alone = f32::from(mark(number * 480 + place));
            if begun && place < faded {
                let most = alone.abs() * std::f32::consts::SQRT_2;
                assert!((alone.abs() - 1.0..=most + 1.0).contains(&heard.abs()));
                if alone.abs() > 1_000.0 {
                    loudest = loudest.max(heard / alone);
                }
            } else {
                assert!((heard - alone).abs() < 0.5, "{place} of {number}");
            }
        }
        assert_eq!(loudest > 1.2, begun, "{number}: {loudest}");
    }
}

#[test]
fn hundred_connected_listeners_with_three_different_wishes_hear_three_encodings() {
    let wishes = [
        "minptime=10;useinbandfec=1",
        "stereo=1;useinbandfec=1",
        "maxaveragebitrate=25000",
    ];
    let mut world = World::new();
    world.frames = false;
    let start = world.now + Duration::from_secs(1);
    let mut stage = Stage::starting(TrackConfig::default(), start);
    stage.shared.mailbox.put(Some(Box::new(Melody::new())));
    let mut audience = Vec::new();
    for number in 0..100 {
        let offer = CHROMIUM.replace(wishes[0], wishes[number % 3]);
        let negotiated = negotiated(&offer);
        let needed = negotiation::packetization(&negotiated, &stage.shared).unwrap();
        let place = Audience::reserve(Arc::clone(&stage.shared), 0, needed).unwrap();
        let peer = world.add_offering(Role::Server);
        let described = world.remote(peer, Role::Server);
        let remote = Remote {
            ice: described.ice,
            fingerprints: described.fingerprints,
            role: described.role,
            ..negotiation::remote(&negotiated, &stage.shared, &place)
        };
        world.listeners[peer].header_encryption = remote.rtp.header_encryption;
        world.set_remote(peer, remote);
        audience.push(place);
    }
    world.run(start - world.now);
    assert!((0..100).all(|peer| world.is_connected(peer)));
    audience.iter_mut().for_each(Audience::join);

    for packet in 1..=10 {
        world.run(Duration::from_millis(20));
        stage.play_until(20 * packet, PUNCTUAL);
        for delivery in stage.sent.drain(..) {
            let captured = world.ntp();
            let mut cursor = world.hub.begin(delivery.into_frame(captured)).unwrap();
            while world.fill(&mut cursor, usize::MAX) > 0 {}
        }
    }
    assert_eq!(stage.shared.counters.encodings.load(Relaxed), 3);
    let heard = world.listeners.iter().map(|listener| {
        let payload = |packet: &Vec<u8>| RtpPacket::parse(packet).unwrap().payload().to_vec();
        listener.packets.iter().map(payload).collect::<Vec<_>>()
    });
    let heard: Vec<_> = heard.collect();
    for (number, payloads) in heard.iter().enumerate() {
        assert_eq!(payloads.len(), 10);
        assert_eq!(payloads, &heard[number % 3], "{number}");
    }
    assert!(heard[0] != heard[1] && heard[0] != heard[2] && heard[1] != heard[2]);
}
