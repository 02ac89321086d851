//! Retransmission on an SSRC of its own (RFC 4588, SSRC-multiplexed).

use std::sync::Arc;

use crate::header_template::{HeaderFields, HeaderTemplate};
use crate::packetizer_config::checked_payload_type;
use crate::written::lend;
use crate::{Counters, Departure, Error, ExtensionIds, History, Packetizer, SentPacket, Written};

/// How the RTX packets of one listener are numbered and labelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RtxConfig {
    /// The retransmission stream, drawn at random, different from the stream's own.
    pub ssrc: u32,
    /// The payload type of `rtx`: 0..=63 or 96..=127.
    pub payload_type: u8,
    /// Number of the first packet, drawn at random below 2^15.
    pub first_sequence_number: u16,
    /// The negotiated header extensions. Packets do not carry the capture time: a receiver takes it
    /// from the original stream's other packets.
    pub extensions: ExtensionIds,
}

/// Writes retransmissions of the packets of one [`Packetizer`], and counts them.
#[derive(Debug)]
pub struct RtxPacketizer {
    counters: Arc<Counters>,
    template: HeaderTemplate,
    ssrc: u32,
    next_sequence_number: u16,
    payload_type: u8,
}

impl RtxPacketizer {
    /// Prepares the header. `counters` are those of the stream.
    ///
    /// # Errors
    /// As for [`Packetizer::new`].
    pub fn new(config: RtxConfig, counters: Arc<Counters>) -> Result<Self, Error> {
        Ok(Self {
            counters,
            template: HeaderTemplate::new(&config.extensions)?,
            ssrc: config.ssrc,
            next_sequence_number: config.first_sequence_number,
            payload_type: checked_payload_type(config.payload_type)?,
        })
    }

    /// Writes a retransmission of `packet`, which `original` has sent, to the front of `buffer`,
    /// and counts it.
    ///
    /// The packet says nothing of the original payload type: the receiver takes it for the one that
    /// `apt` associates (RFC 4588 §8.6). Packets of another are not for this stream.
    ///
    /// # Errors
    /// [`Error::UnknownFrame`] if the history has lost a frame of it, and
    /// [`Error::BufferTooSmall`]; then nothing is counted, and the sequence number is not spent.
    pub fn write(
        &mut self,
        original: &Packetizer,
        history: &History,
        packet: &SentPacket,
        departure: Departure,
        buffer: &mut [u8],
    ) -> Result<Written, Error> {
        let body = original.body(history, packet)?;
        let header_len = self.template.header_len(false);
        let payload_len = ORIGINAL_NUMBER_LEN + body.len();
        let len = header_len + payload_len;
        let (header, payload) = lend(buffer, len)?.split_at_mut(header_len);
        let fields = HeaderFields {
            marker: body.marker,
            payload_type: self.payload_type,
            sequence_number: self.next_sequence_number,
            timestamp: original.timestamp(body.timestamp),
            ssrc: self.ssrc,
            level: body.level,
            send_time: departure.abs_send_time(),
            transport_number: departure.transport_number,
            capture_time: None,
        };
        self.template.write(&fields, header);
        let (number, payload) = payload.split_at_mut(ORIGINAL_NUMBER_LEN);
        number.copy_from_slice(&packet.sequence_number.to_be_bytes());
        body.write(payload);

        self.next_sequence_number = self.next_sequence_number.wrapping_add(1);
        self.counters.record_rtx(header_len, payload_len);
        Ok(Written {
            header_len,
            len,
            packet: *packet,
        })
    }

    /// The retransmission stream.
    pub fn ssrc(&self) -> u32 {
        self.ssrc
    }
}

/// The OSN (RFC 4588 §4).
const ORIGINAL_NUMBER_LEN: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Mid, NtpTime, OwnedFrame, PacketizerConfig, Packing, RtpPacket};

    fn pair(extensions: ExtensionIds) -> (Packetizer, RtxPacketizer) {
        let counters = Arc::new(Counters::default());
        let config = PacketizerConfig {
            ssrc: 1,
            payload_type: 111,
            comfort_noise: None,
            first_sequence_number: 0x0102,
            timestamp_offset: 40,
            extensions,
        };
        let rtx = RtxConfig {
            ssrc: 0xabcd_ef01,
            payload_type: 112,
            first_sequence_number: 0xffff,
            extensions,
        };
        (
            Packetizer::new(config, Arc::clone(&counters)).unwrap(),
            RtxPacketizer::new(rtx, counters).unwrap(),
        )
    }

    fn at(time: u64, transport_number: u16) -> Departure {
        Departure {
            time: NtpTime(time << 14),
            transport_number,
        }
    }

    #[test]
    fn rfc4588_4_original_number_stands_before_the_original_payload() {
        let (mut original, mut rtx) = pair(ExtensionIds::default());
        let mut history = History::default();
        let number = history.push(OwnedFrame {
            marker: true,
            ..OwnedFrame::of(b"abc", 960)
        });
        let mut buffer = [0; 100];
        let sent = original.write(&history, number, Packing::Plain, at(0, 0), &mut buffer);
        let packet = sent.unwrap().packet;
        let written = rtx
            .write(&original, &history, &packet, at(0, 0), &mut buffer)
            .unwrap();
        let expected = b"\x80\xf0\xff\xff\0\0\x03\xe8\xab\xcd\xef\x01\x01\x02abc";
        assert_eq!(buffer[..written.len], *expected);
        assert_eq!(written.header_len, 12);
        rtx.write(&original, &history, &packet, at(0, 0), &mut buffer)
            .unwrap();
        assert_eq!(
            buffer[2..4],
            [0, 0],
            "numbers of its own, one after the other"
        );
    }

    #[test]
    fn extensions_are_those_of_the_retransmission_without_the_capture_time() {
        let (mut original, mut rtx) = pair(ExtensionIds {
            mid: Some(Mid::new(4, "0").unwrap()),
            audio_level: Some(1),
            abs_send_time: Some(2),
            abs_capture_time: Some(5),
            transport_cc: Some(3),
        });
        let mut history = History::default();
        let number = history.push(OwnedFrame::of(b"abc", 960));
        let mut buffer = [0; 100];
        let sent = original.write(&history, number, Packing::Plain, at(1, 1), &mut buffer);
        let packet = sent.unwrap().packet;
        let written = rtx
            .write(&original, &history, &packet, at(2, 3), &mut buffer)
            .unwrap();
        let elements: Vec<_> = RtpPacket::parse(&buffer[..written.len])
            .unwrap()
            .extensions()
            .map(|element| (element.id, element.data))
            .collect();
        let expected: [(u8, &[u8]); 4] = [(1, &[0x9e]), (2, &[0, 0, 2]), (3, &[0, 3]), (4, b"0")];
        assert_eq!(elements, expected);
    }

    #[test]
    fn rfc3550_6_4_1_sender_report_leaves_out_the_packets_of_the_other_ssrc() {
        let (mut original, mut rtx) = pair(ExtensionIds::default());
        let mut history = History::default();
        let number = history.push(OwnedFrame::of(b"abc", 960));
        let mut buffer = [0; 100];
        let sent = original.write(&history, number, Packing::Plain, at(0, 0), &mut buffer);
        let packet = sent.unwrap().packet;
        rtx.write(&original, &history, &packet, at(0, 0), &mut buffer)
            .unwrap();
        original.retransmit(&history, &packet, &mut buffer).unwrap();

        let counters = original.counters();
        assert_eq!(
            (counters.packets_sent(), counters.bytes_sent()),
            (3, 3 + 5 + 3)
        );
        assert_eq!(counters.retransmitted_packets_sent(), 2);
        assert_eq!(counters.retransmitted_bytes_sent(), 5 + 3);
        assert_eq!(counters.sender_packet_count(), 2);
        assert_eq!(counters.sender_octet_count(), 6);
    }

    #[test]
    fn packet_that_cannot_be_written_is_neither_numbered_nor_counted() {
        let (mut original, mut rtx) = pair(ExtensionIds::default());
        let mut history = History::default();
        let number = history.push(OwnedFrame::of(b"abc", 960));
        let mut buffer = [0; 17];
        let sent = original.write(&history, number, Packing::Plain, at(0, 0), &mut buffer);
        let packet = sent.unwrap().packet;
        let error = rtx.write(&original, &history, &packet, at(0, 0), &mut buffer[..16]);
        let too_small = Error::BufferTooSmall {
            needed: 17,
            available: 16,
        };
        assert_eq!(error, Err(too_small));
        for time in 0..64 {
            history.push(OwnedFrame::of(b"abc", time));
        }
        let error = rtx.write(&original, &history, &packet, at(0, 0), &mut buffer);
        assert_eq!(error, Err(Error::UnknownFrame(1)));
        assert_eq!(original.counters().packets_sent(), 1);
        assert_eq!(rtx.next_sequence_number, 0xffff);
    }

    #[test]
    fn rfc5761_4_payload_type_that_looks_like_rtcp_is_refused() {
        let config = RtxConfig {
            ssrc: 1,
            payload_type: 72,
            first_sequence_number: 0,
            extensions: ExtensionIds::default(),
        };
        let error = RtxPacketizer::new(config, Arc::default()).unwrap_err();
        assert_eq!(error, Error::PayloadType(72));
    }
}
