use super::*;
use crate::{ExtensionIds, NtpTime, OwnedFrame, TelephoneEvent};

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

fn config() -> PacketizerConfig {
    PacketizerConfig {
        ssrc: 0x1234_5678,
        payload_type: 111,
        comfort_noise: None,
        first_sequence_number: 0x0102,
        timestamp_offset: 0x1000_0000,
        extensions: ExtensionIds::default(),
    }
}

fn with_extensions(extensions: ExtensionIds) -> Packetizer {
    let config = PacketizerConfig {
        extensions,
        ..config()
    };
    Packetizer::new(config, Arc::default()).unwrap()
}

fn packetizer() -> Packetizer {
    Packetizer::new(config(), Arc::default()).unwrap()
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

fn frame(timestamp: u32) -> OwnedFrame {
    OwnedFrame::of(&[0xf8, 0xff, 0xfe], timestamp)
}

#[test]
fn rfc3550_5_1_packet_is_header_and_payload() {
    let packet = sent(&mut packetizer(), frame(960), Packing::Plain);
    let expected = b"\x80\x6f\x01\x02\x10\x00\x03\xc0\x12\x34\x56\x78\xf8\xff\xfe";
    assert_eq!(packet, expected);
}

#[test]
fn sequence_number_and_timestamp_wrap() {
    let config = PacketizerConfig {
        first_sequence_number: 0xffff,
        timestamp_offset: 0xffff_fc40,
        ..config()
    };
    let mut packetizer = Packetizer::new(config, Arc::default()).unwrap();
    let packet = sent(&mut packetizer, frame(0), Packing::Plain);
    assert_eq!(packet[2..8], [0xff, 0xff, 0xff, 0xff, 0xfc, 0x40]);
    let packet = sent(&mut packetizer, frame(960), Packing::Plain);
    assert_eq!(packet[2..8], [0, 0, 0, 0, 0, 0]);
    assert_eq!(packetizer.next_sequence_number(), 1);
}

#[test]
fn rfc3550_8_2_other_source_numbers_its_packets_anew() {
    let mut packetizer = packetizer();
    sent(&mut packetizer, frame(960), Packing::Plain);
    packetizer.change_source(0xaabb_ccdd, 7);
    let packet = sent(&mut packetizer, frame(1920), Packing::Plain);
    let expected = b"\x80\x6f\0\x07\x10\0\x07\x80\xaa\xbb\xcc\xdd\xf8\xff\xfe";
    assert_eq!(packet, expected);
}

#[test]
fn payload_octets_and_header_octets_are_counted_apart() {
    let mut packetizer = with_extensions(ExtensionIds {
        audio_level: Some(1),
        ..ExtensionIds::default()
    });
    for time in 0..3 {
        sent(&mut packetizer, frame(time), Packing::Plain);
    }
    packetizer
        .write_tone(TONE, 126, HERE, &mut [0; 64])
        .unwrap();
    let seen = packetizer.counters().snapshot();
    assert_eq!((seen.packets_sent, seen.bytes_sent), (4, 3 * 3 + 4));
    assert_eq!(seen.header_bytes_sent, 4 * 20);
}

#[test]
fn rebuilding_counts_nothing_and_retransmitting_counts_apart() {
    let mut packetizer = packetizer();
    let mut history = History::default();
    let number = history.push(frame(960));
    let mut first = [0; 15];
    let written = packetizer.write(&history, number, Packing::Plain, HERE, &mut first);
    let written = written.unwrap();
    let before = packetizer.counters().snapshot();

    let mut again = [0; 15];
    let rebuilt = packetizer
        .rebuild(&history, &written.packet, &mut again)
        .unwrap();
    assert_eq!((rebuilt, again), (written, first));
    assert_eq!(packetizer.counters().snapshot(), before);

    packetizer
        .retransmit(&history, &written.packet, &mut again)
        .unwrap();
    let seen = packetizer.counters().snapshot();
    assert_eq!((seen.packets_sent, seen.bytes_sent), (2, 6));
    assert_eq!(
        (
            seen.retransmitted_packets_sent,
            seen.retransmitted_bytes_sent
        ),
        (1, 3)
    );
    assert_eq!(packetizer.next_sequence_number(), 0x0103);
}

#[test]
fn packet_that_cannot_be_written_is_neither_numbered_nor_counted() {
    let mut packetizer = packetizer();
    let mut history = History::default();
    let number = history.push(frame(960));
    let mut error = |number, packing, len| {
        let mut buffer = vec![0; len];
        packetizer
            .write(&history, number, packing, HERE, &mut buffer)
            .unwrap_err()
    };
    let too_small = |needed, available| Error::BufferTooSmall { needed, available };
    assert_eq!(error(number, Packing::Plain, 14), too_small(15, 14));
    assert_eq!(error(number, Packing::Plain, 0), too_small(15, 0));
    assert_eq!(
        error(number + 1, Packing::Plain, 99),
        Error::UnknownFrame(number + 1)
    );
    let red = |payload_type, redundancy| Packing::Red {
        payload_type,
        redundancy,
    };
    assert_eq!(error(number, red(63, 1), 15), too_small(16, 15));
    assert_eq!(error(number, red(63, 3), 99), Error::Redundancy(3));
    assert_eq!(error(number, red(64, 1), 99), Error::PayloadType(64));
    let tone = packetizer.write_tone(TONE, 95, HERE, &mut [0; 99]);
    assert_eq!(tone, Err(Error::PayloadType(95)));
    assert_eq!(packetizer.counters().packets_sent(), 0);
    assert_eq!(packetizer.next_sequence_number(), 0x0102);
}

#[test]
fn rfc5761_4_payload_types_that_look_like_rtcp_are_refused() {
    for payload_type in 0..=255 {
        let config = PacketizerConfig {
            payload_type,
            ..config()
        };
        let allowed = payload_type < 128 && !(64..96).contains(&payload_type);
        let error = Packetizer::new(config, Arc::default()).err();
        let refused = (!allowed).then_some(Error::PayloadType(payload_type));
        assert_eq!(error, refused);
        let noise = PacketizerConfig {
            comfort_noise: Some(payload_type),
            ..self::config()
        };
        assert_eq!(Packetizer::new(noise, Arc::default()).err(), refused);
    }
}
