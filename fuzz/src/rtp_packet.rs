//! An RTP packet of a stranger (RFC 3550 §5.1), read and, where our own writer can say the same,
//! written again.

use std::sync::Arc;

use skywave_rtp::{
    ComfortNoise, Counters, Departure, ExtensionIds, HeaderExtension, History, MAX_HEADER_LEN,
    Malformed, Mid, NtpTime, OwnedFrame, Packetizer, PacketizerConfig, Packing, RtpPacket,
    TelephoneEvent, is_rtcp,
};

use crate::view::assert_inside;

/// Reads the packet in `data`; true if it is one.
///
/// # Panics
/// If a field is not what stands at its place in the packet, if the payload is not what lies
/// between header and padding, if a packet cut within its header is taken, or if our own packet
/// of the same fields is read otherwise.
pub fn rtp_packet(data: &[u8]) -> bool {
    let _ = is_rtcp(data);
    let packet = match RtpPacket::parse(data) {
        Ok(packet) => packet,
        Err(reason) => {
            let version = data.first().map(|first| first >> 6);
            assert_eq!(
                reason == Malformed::Version,
                version.is_some_and(|v| v != 2)
            );
            return false;
        }
    };
    assert_fields(data, &packet);
    let header_len = header_len(data);
    let padding = padding_len(data);
    assert_eq!(packet.payload(), &data[header_len..data.len() - padding]);
    assert_inside(data, packet.payload());
    for element in packet.extensions() {
        assert_inside(&data[..header_len], element.data);
    }
    assert_eq!(
        RtpPacket::parse(&data[..header_len - 1]).unwrap_err(),
        Malformed::Truncated
    );
    assert_payload_again(packet.payload());
    assert_written_again(&packet);
    true
}

fn assert_fields(data: &[u8], packet: &RtpPacket<'_>) {
    assert_eq!(packet.marker(), data[1] >= 0x80);
    assert_eq!(packet.payload_type(), data[1] & 0x7f);
    assert_eq!(packet.sequence_number().to_be_bytes(), data[2..4]);
    assert_eq!(packet.timestamp().to_be_bytes(), data[4..8]);
    assert_eq!(packet.ssrc().to_be_bytes(), data[8..12]);
}

/// Octets of fixed header, contributing sources and extension.
fn header_len(data: &[u8]) -> usize {
    let len = 12 + 4 * usize::from(data[0] & 0x0f);
    if data[0] & 0x10 == 0 {
        return len;
    }
    let words = u16::from_be_bytes([data[len + 2], data[len + 3]]);
    len + 4 + 4 * usize::from(words)
}

fn padding_len(data: &[u8]) -> usize {
    let last = data.last().copied().unwrap_or_default();
    if data[0] & 0x20 == 0 {
        0
    } else {
        usize::from(last)
    }
}

/// A payload that is a telephone-event (RFC 4733) or comfort noise (RFC 3389) for the taking.
fn assert_payload_again(payload: &[u8]) {
    match TelephoneEvent::parse(payload) {
        Ok(event) => {
            // The R bit is ignored.
            let expected = [payload[0], payload[1] & 0xbf, payload[2], payload[3]];
            assert_eq!(event.to_bytes(), expected);
        }
        Err(_) => assert!(payload.len() < 4),
    }
    match ComfortNoise::parse(payload) {
        Ok(noise) => {
            let mut again = vec![0; payload.len()];
            assert_eq!(noise.write(&mut again), Ok(payload.len()));
            assert_eq!((again[0], &again[1..]), (payload[0] & 0x7f, &payload[1..]));
        }
        Err(_) => assert!(payload.is_empty()),
    }
}

/// Packs the same payload under the same header, with the extensions that a sender of ours could
/// mean by them, and reads it back.
fn assert_written_again(packet: &RtpPacket<'_>) {
    let elements = Elements::of(packet);
    let config = PacketizerConfig {
        ssrc: packet.ssrc(),
        payload_type: packet.payload_type(),
        comfort_noise: None,
        first_sequence_number: packet.sequence_number(),
        timestamp_offset: packet.timestamp(),
        extensions: elements.ids(),
    };
    let Ok(mut packetizer) = Packetizer::new(config, Arc::new(Counters::default())) else {
        let payload_type = packet.payload_type();
        assert!(
            (64..96).contains(&payload_type),
            "{payload_type} can be sent"
        );
        return;
    };
    let level = elements.level.map_or(0, |element| element.data[0]);
    let mut history = History::default();
    let number = history.push(OwnedFrame {
        payload: packet.payload().into(),
        comfort_noise: false,
        timestamp: 0,
        duration: 960,
        marker: packet.marker(),
        audio_level: level & 0x7f,
        voice: level & 0x80 != 0,
        captured: NtpTime(number_in(elements.capture)),
    });
    let departure = Departure {
        // 6.18 fixed point out of 32.32.
        time: NtpTime(number_in(elements.send_time) << 14),
        transport_number: number_in(elements.transport) as u16,
    };
    let mut buffer = vec![0; MAX_HEADER_LEN + packet.payload().len()];
    let written = packetizer.write(&history, number, Packing::Plain, departure, &mut buffer);
    let len = written.expect("it fits").len;
    let again = RtpPacket::parse(&buffer[..len]).expect("our own packet can be read");
    assert_fields(&buffer, packet);
    assert_eq!(again.payload(), packet.payload());
    assert!(again.extensions().eq(elements.in_order()));
}

/// Elements of a packet, by the extension they could be.
#[derive(Default)]
struct Elements<'a> {
    level: Option<HeaderExtension<'a>>,
    send_time: Option<HeaderExtension<'a>>,
    transport: Option<HeaderExtension<'a>>,
    mid: Option<HeaderExtension<'a>>,
    capture: Option<HeaderExtension<'a>>,
}

impl<'a> Elements<'a> {
    fn of(packet: &RtpPacket<'a>) -> Self {
        let mut elements = Self::default();
        let mut ids = Vec::new();
        for element in packet.extensions() {
            let place = match element.data.len() {
                1 if elements.level.is_none() => &mut elements.level,
                2 => &mut elements.transport,
                3 => &mut elements.send_time,
                8 => &mut elements.capture,
                _ if as_mid(element).is_some() => &mut elements.mid,
                _ => continue,
            };
            if place.is_none() && !ids.contains(&element.id) {
                ids.push(element.id);
                *place = Some(element);
            }
        }
        elements
    }

    fn ids(&self) -> ExtensionIds {
        let id = |element: Option<HeaderExtension<'_>>| element.map(|element| element.id);
        ExtensionIds {
            mid: self.mid.and_then(as_mid),
            audio_level: id(self.level),
            abs_send_time: id(self.send_time),
            abs_capture_time: id(self.capture),
            transport_cc: id(self.transport),
        }
    }

    /// As [`ExtensionIds`] says.
    fn in_order(&self) -> impl Iterator<Item = HeaderExtension<'a>> {
        let all = [
            self.level,
            self.send_time,
            self.transport,
            self.mid,
            self.capture,
        ];
        all.into_iter().flatten()
    }
}

fn as_mid(element: HeaderExtension<'_>) -> Option<Mid> {
    Mid::new(element.id, std::str::from_utf8(element.data).ok()?).ok()
}

/// The number in an element, big-endian; 0 without one.
fn number_in(element: Option<HeaderExtension<'_>>) -> u64 {
    let octets = element.map_or(&[][..], |element| element.data);
    octets
        .iter()
        .fold(0, |number, octet| number << 8 | u64::from(*octet))
}
