//! Retransmission on an SSRC of its own (RFC 4588, SSRC-multiplexed).

use std::sync::Arc;

use crate::header_template::{HeaderFields, HeaderTemplate};
use crate::packetizer::{checked_payload_type, lend};
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
    /// # Errors
    /// [`Error::UnknownFrame`] if the history has lost a frame of it, and [`Error::BufferTooSmall`];
    /// then nothing is counted, and the sequence number is not spent.
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
