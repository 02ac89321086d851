//! What single packets look like, clause by clause.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use skywave_rtp::{
    Departure, Error, ExtensionIds, History, Mid, NtpTime, OwnedFrame, Packetizer,
    PacketizerConfig, Packing, RtpPacket, RtxConfig, RtxPacketizer, TelephoneEvent, TonePacket,
};

const HERE: Departure = Departure {
    time: NtpTime(0),
    transport_number: 0,
};

const TONE: TonePacket = TonePacket {
    timestamp: 960,
    marker: true,
    event: TelephoneEvent {
        event: 5,
        end: false,
        volume: 10,
        duration: 960,
    },
};

fn packetizer(extensions: ExtensionIds) -> Packetizer {
    let config = PacketizerConfig {
        ssrc: 0x1234_5678,
        payload_type: 111,
        comfort_noise: Some(13),
        first_sequence_number: 0x0102,
        timestamp_offset: 0x1000_0000,
        extensions,
    };
    Packetizer::new(config, Arc::default()).unwrap()
}

fn plain_packetizer() -> Packetizer {
    packetizer(ExtensionIds::default())
}

fn packetizer_without_comfort_noise() -> Packetizer {
    let config = PacketizerConfig {
        ssrc: 1,
        payload_type: 0,
        comfort_noise: None,
        first_sequence_number: 1,
        timestamp_offset: 0,
        extensions: ExtensionIds::default(),
    };
    Packetizer::new(config, Arc::default()).unwrap()
}

/// One packet of a new frame, in a buffer that ends behind it.
fn sent(packetizer: &mut Packetizer, frame: OwnedFrame, packing: Packing) -> Vec<u8> {
    let mut history = History::default();
    let number = history.push(frame);
    let mut buffer = [0xee; 200];
    let written = packetizer.write(&history, number, packing, HERE, &mut buffer);
    let written = written.unwrap();
    assert!(buffer[written.len..].iter().all(|&octet| octet == 0xee));
    buffer[..written.len].to_vec()
}

/// Captured when its timestamp says.
fn frame(timestamp: u32) -> OwnedFrame {
    OwnedFrame {
        payload: [0xf8, 0xff, 0xfe].into(),
        comfort_noise: false,
        timestamp,
        duration: 960,
        marker: false,
        audio_level: 30,
        voice: false,
        captured: NtpTime(timestamp.into()),
    }
}

#[test]
fn rfc8834_4_1_after_a_pause_numbers_go_on_by_one_and_time_by_its_length() {
    let mut packetizer = plain_packetizer();
    let before = sent(&mut packetizer, frame(960), Packing::Plain);
    let after = sent(&mut packetizer, frame(960 + 480_000), Packing::Plain);
    let view = |packet| {
        let view = RtpPacket::parse(packet).unwrap();
        (view.sequence_number(), view.timestamp())
    };
    assert_eq!(view(&before), (0x0102, 0x1000_0000 + 960));
    assert_eq!(view(&after), (0x0103, 0x1000_0000 + 960 + 480_000));
}

#[test]
fn rfc3551_4_1_marker_is_that_of_the_frame_and_of_no_other() {
    let mut packetizer = plain_packetizer();
    let first = OwnedFrame {
        marker: true,
        ..frame(960)
    };
    for packing in [
        Packing::Plain,
        Packing::Red {
            payload_type: 63,
            redundancy: 1,
        },
    ] {
        let marked = sent(&mut packetizer, first.clone(), packing);
        let next = sent(&mut packetizer, frame(1920), packing);
        assert_eq!((marked[1] >> 7, next[1] >> 7), (1, 0));
    }
}

#[test]
fn rfc6464_3_level_and_voice_of_each_frame() {
    let mut packetizer = packetizer(ExtensionIds {
        audio_level: Some(1),
        ..ExtensionIds::default()
    });
    let mut octet = |audio_level, voice| {
        let frame = OwnedFrame {
            audio_level,
            voice,
            ..frame(0)
        };
        sent(&mut packetizer, frame, Packing::Plain)[17]
    };
    assert_eq!(octet(127, true), 0xff);
    assert_eq!(octet(0, false), 0, "nothing is left of the packet before");
    assert_eq!(octet(200, false), 127, "too low a level is silence");
}

#[test]
fn rfc6464_3_packet_of_a_tone_holds_no_audio() {
    let mut packetizer = packetizer(ExtensionIds {
        audio_level: Some(1),
        ..ExtensionIds::default()
    });
    let mut buffer = [0; 100];
    packetizer.write_tone(TONE, 126, HERE, &mut buffer).unwrap();
    assert_eq!(
        buffer[16..18],
        [0x10, 127],
        "the level of silence, no voice"
    );
}

#[test]
fn capture_time_goes_with_the_first_packet_and_every_fiftieth_frame() {
    let mut packetizer = packetizer(ExtensionIds {
        abs_capture_time: Some(1),
        ..ExtensionIds::default()
    });
    let mut history = History::default();
    let mut with_time = Vec::new();
    for number in 1..=120 {
        history.push(frame(number * 960));
        if number < 30 {
            continue; // not here yet
        }
        let mut buffer = [0; 100];
        let written = packetizer.write(&history, number, Packing::Plain, HERE, &mut buffer);
        let packet = &buffer[..written.unwrap().len];
        let mut elements = RtpPacket::parse(packet).unwrap().extensions();
        if let Some(element) = elements.next() {
            assert_eq!(element.data, u64::from(number * 960).to_be_bytes());
            with_time.push(number);
        }
    }
    assert_eq!(with_time, [30, 51, 101]);
}

#[test]
fn rfc3389_4_comfort_noise_goes_under_its_own_payload_type_with_the_numbers_of_the_audio() {
    let noise = OwnedFrame {
        payload: [70].into(),
        comfort_noise: true,
        ..frame(960)
    };
    let red = Packing::Red {
        payload_type: 63,
        redundancy: 2,
    };
    for packing in [Packing::Plain, red] {
        let mut packetizer = plain_packetizer();
        sent(&mut packetizer, frame(0), Packing::Plain);
        let packet = sent(&mut packetizer, noise.clone(), packing);
        assert_eq!(
            packet,
            b"\x80\x0d\x01\x03\x10\x00\x03\xc0\x12\x34\x56\x78\x46"
        );
        assert_eq!(sent(&mut packetizer, frame(0), Packing::Plain)[3], 4);
    }
}

#[test]
fn comfort_noise_is_not_sent_to_those_who_did_not_agree_to_it() {
    let mut packetizer = packetizer_without_comfort_noise();
    let mut history = History::default();
    let number = history.push(OwnedFrame {
        comfort_noise: true,
        ..frame(0)
    });
    let sent = packetizer.write(&history, number, Packing::Plain, HERE, &mut [0; 100]);
    assert_eq!(sent, Err(Error::ComfortNoise));
    assert_eq!(packetizer.counters().packets_sent(), 0);
    assert_eq!(packetizer.next_sequence_number(), 1);
}

#[test]
fn comfort_noise_that_was_not_sent_is_not_repeated_as_audio() {
    let mut packetizer = packetizer_without_comfort_noise();
    let mut history = History::default();
    let audio = |timestamp| OwnedFrame {
        timestamp,
        ..frame(0)
    };
    let noise = OwnedFrame {
        comfort_noise: true,
        payload: [0x7f; 1].as_slice().into(),
        ..audio(960)
    };
    let red = Packing::Red {
        payload_type: 63,
        redundancy: 2,
    };
    let mut buffer = [0; 200];
    let first = history.push(audio(0));
    packetizer
        .write(&history, first, red, HERE, &mut buffer)
        .unwrap();
    let second = history.push(noise);
    let refused = packetizer.write(&history, second, red, HERE, &mut buffer);
    assert_eq!(refused, Err(Error::ComfortNoise));
    let third = history.push(audio(1920));
    let written = packetizer
        .write(&history, third, red, HERE, &mut buffer)
        .unwrap();
    let packet = RtpPacket::parse(&buffer[..written.len]).unwrap();
    assert!(!packet.payload().contains(&0x7f), "{:x?}", packet.payload());
}

#[test]
fn rfc4733_2_5_1_2_tones_share_the_numbers_and_the_clock_of_the_audio() {
    let mut packetizer = plain_packetizer();
    sent(&mut packetizer, frame(0), Packing::Plain);
    let mut buffer = [0; 16];
    let written = packetizer.write_tone(TONE, 126, HERE, &mut buffer).unwrap();
    let expected = b"\x80\xfe\x01\x03\x10\x00\x03\xc0\x12\x34\x56\x78\x05\x0a\x03\xc0";
    assert_eq!((&buffer, written.len), (expected, 16));
    assert_eq!(sent(&mut packetizer, frame(0), Packing::Plain)[3], 4);
}

#[test]
fn rfc8834_5_2_4_every_packet_carries_the_mid() {
    let extensions = ExtensionIds {
        mid: Some(Mid::new(4, "a1").unwrap()),
        ..ExtensionIds::default()
    };
    let mut packetizer = packetizer(extensions);
    let config = RtxConfig {
        ssrc: 9,
        payload_type: 112,
        first_sequence_number: 1,
        extensions,
    };
    let mut rtx = RtxPacketizer::new(config, Arc::default()).unwrap();
    let mut history = History::default();
    let has_mid = |packet: &[u8]| {
        let mut elements = RtpPacket::parse(packet).unwrap().extensions();
        elements.any(|element| (element.id, element.data) == (4, b"a1"))
    };
    let red = Packing::Red {
        payload_type: 63,
        redundancy: 1,
    };
    for (packing, comfort_noise) in [(Packing::Plain, false), (red, false), (red, true)] {
        let number = history.push(OwnedFrame {
            comfort_noise,
            ..frame(960)
        });
        let mut buffer = [0; 100];
        let written = packetizer.write(&history, number, packing, HERE, &mut buffer);
        let packet = written.unwrap().packet;
        assert!(has_mid(&buffer));
        let mut buffer = [0; 100];
        rtx.write(&packetizer, &history, &packet, HERE, &mut buffer)
            .unwrap();
        assert!(has_mid(&buffer));
    }
    let mut buffer = [0; 100];
    packetizer.write_tone(TONE, 126, HERE, &mut buffer).unwrap();
    assert!(has_mid(&buffer));
}

#[test]
fn rfc8285_5_one_frame_goes_out_under_the_ids_of_each_listener() {
    let mut history = History::default();
    let number = history.push(frame(960));
    for id in [1, 7, 14, 15, 255] {
        let mut packetizer = packetizer(ExtensionIds {
            audio_level: Some(id),
            ..ExtensionIds::default()
        });
        let mut buffer = [0; 100];
        let written = packetizer.write(&history, number, Packing::Plain, HERE, &mut buffer);
        let packet = RtpPacket::parse(&buffer[..written.unwrap().len]).unwrap();
        let elements: Vec<_> = packet.extensions().map(|e| (e.id, e.data)).collect();
        assert_eq!(elements, [(id, &[30][..])]);
        assert_eq!(packet.payload(), [0xf8, 0xff, 0xfe]);
    }
}
