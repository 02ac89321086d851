//! Header extensions on their way: encrypted (RFC 9335, RFC 6904), and with times and numbers of
//! their own packet.
#![allow(clippy::unwrap_used)]

mod support;

use std::time::Duration;

use skywave_peer::{PeerEvent, Remote};
use skywave_rtp::{ExtensionIds, Mid, NtpTime, RtpPacket};
use skywave_srtp::{HeaderEncryption, Profile};

use support::{World, rtcp};

const MID: u8 = 1;
const LEVEL: u8 = 2;
const SEND_TIME: u8 = 3;
const CAPTURE_TIME: u8 = 4;
const TRANSPORT_CC: u8 = 5;

fn with_all(remote: &mut Remote) {
    remote.rtp.extensions = ExtensionIds {
        mid: Mid::new(MID, "0").ok(),
        audio_level: Some(LEVEL),
        abs_send_time: Some(SEND_TIME),
        abs_capture_time: Some(CAPTURE_TIME),
        transport_cc: Some(TRANSPORT_CC),
    };
}

fn element(packet: &[u8], id: u8) -> Option<Vec<u8>> {
    let packet = RtpPacket::parse(packet).unwrap();
    let mut elements = packet.extensions();
    let element = elements.find(|element| element.id == id)?;
    Some(element.data.to_vec())
}

fn transport_number(packet: &[u8]) -> u16 {
    let data = element(packet, TRANSPORT_CC).unwrap();
    u16::from_be_bytes(data.try_into().unwrap())
}

/// Seconds in 6.18 fixed point.
fn send_time(NtpTime(ntp): NtpTime) -> Vec<u8> {
    ((ntp >> 14) as u32).to_be_bytes()[1..].to_vec()
}

/// 128 + 20: speech at -20 dBov.
const SPEECH: [u8; 1] = [0x94];

fn encrypted_world(encryption: HeaderEncryption, rtx: bool) -> (World, usize) {
    let mut world = World::new();
    let index = world.connect_as(|remote| {
        with_all(remote);
        remote.rtp.header_encryption = encryption;
        remote.rtp.nack = rtx;
        remote.rtp.rtx = rtx.then_some(112);
    });
    let Some(PeerEvent::Connected(connection)) = world.events_of(index).pop() else {
        panic!("{:?}", world.events);
    };
    assert_eq!(
        connection.profile,
        Profile::AeadAes256Gcm,
        "by the handshake"
    );
    world.run(Duration::from_secs(1));
    if rtx {
        let listener = &world.listeners[index];
        let newest = *listener.sequence_numbers().last().unwrap();
        let nack = rtcp::nack(listener.media_ssrc, &[newest]);
        world.hear(index, &nack);
        let again = world.listeners[index].packets.last().unwrap();
        assert_eq!(RtpPacket::parse(again).unwrap().payload_type(), 112);
    }
    for packet in &world.listeners[index].packets {
        assert_eq!(element(packet, MID).unwrap(), b"0");
        assert_eq!(element(packet, LEVEL).unwrap(), SPEECH);
    }
    (world, index)
}

#[test]
fn rfc9335_5_cryptex_hides_all_extensions_and_the_listener_reads_them() {
    for rtx in [false, true] {
        let (world, index) = encrypted_world(HeaderEncryption::Cryptex, rtx);
        for packet in &world.listeners[index].protected {
            assert_eq!(packet[12..14], [0xc0, 0xde]);
        }
    }
}

#[test]
fn rfc6904_3_agreed_elements_are_hidden_and_the_listener_reads_them() {
    let ids = skywave_srtp::ExtensionIds::new(&[LEVEL, TRANSPORT_CC]).unwrap();
    for rtx in [false, true] {
        let (world, index) = encrypted_world(HeaderEncryption::Elements(ids), rtx);
        let listener = &world.listeners[index];
        let mut hidden = 0;
        for (packet, protected) in listener.packets.iter().zip(&listener.protected) {
            for id in [MID, SEND_TIME, CAPTURE_TIME] {
                assert_eq!(element(packet, id), element(protected, id));
            }
            let level = element(protected, LEVEL).unwrap();
            hidden += usize::from(level != SPEECH);
        }
        // One octet in 256 is encrypted to itself.
        assert!(hidden > 40, "{hidden}");
    }
}

#[test]
fn times_are_those_of_sending_and_of_capture() {
    let mut world = World::new();
    let index = world.connect_as(with_all);
    let first = &world.listeners[index].packets[0];
    assert!(
        element(first, CAPTURE_TIME).is_some(),
        "of the first packet"
    );
    let mut with_capture_time = 0;
    for _ in 0..100 {
        world.now += Duration::from_millis(20);
        let captured = world.ntp();
        world.listeners[index].clear();
        world.begin_frame(|world, mut cursor| {
            world.now += Duration::from_millis(7);
            world.fill(&mut cursor, 1);
        });
        let packet = &world.listeners[index].packets[0];
        assert_eq!(element(packet, SEND_TIME).unwrap(), send_time(world.ntp()));
        if let Some(time) = element(packet, CAPTURE_TIME) {
            assert_eq!(time, captured.0.to_be_bytes());
            with_capture_time += 1;
        }
    }
    assert_eq!(with_capture_time, 2, "once a second of frames");
}

#[test]
fn transport_numbers_count_every_packet_retransmissions_in_their_own_stream_too() {
    let mut world = World::new();
    let index = world.connect_as(|remote| {
        with_all(remote);
        remote.rtp.nack = true;
        remote.rtp.rtx = Some(112);
    });
    for _ in 0..10 {
        world.run(Duration::from_millis(60));
        let listener = &world.listeners[index];
        let (ssrc, newest) = (listener.media_ssrc, listener.highest.unwrap() as u16);
        world.hear(index, &rtcp::nack(ssrc, &[newest]));
        let again = world.listeners[index].packets.last().unwrap();
        assert_eq!(element(again, SEND_TIME).unwrap(), send_time(world.ntp()));
    }
    let packets = &world.listeners[index].packets;
    assert_eq!(packets.len(), 1 + 10 * 4);
    let numbers: Vec<u16> = packets
        .iter()
        .map(|packet| transport_number(packet))
        .collect();
    assert_eq!(numbers, (0..41).collect::<Vec<u16>>());
}

#[test]
fn packet_sent_again_as_it_was_keeps_its_time_and_number() {
    let mut world = World::new();
    let index = world.connect_as(|remote| {
        with_all(remote);
        remote.rtp.nack = true;
    });
    world.listeners[index].loses = Box::new(|| true);
    world.run(Duration::from_millis(20));
    world.listeners[index].loses = Box::new(|| false);
    world.run(Duration::from_millis(40));
    let listener = &mut world.listeners[index];
    let lost = RtpPacket::parse(&listener.lost[0]).unwrap();
    let (ssrc, number) = (listener.media_ssrc, lost.sequence_number());
    listener.protected.clear();
    world.hear(index, &rtcp::nack(ssrc, &[number]));
    assert_eq!(
        world.listeners[index].protected,
        world.listeners[index].lost
    );
    world.run(Duration::from_millis(20));
    let newest = world.listeners[index].packets.last().unwrap();
    assert_eq!(transport_number(newest), 4);
}
