//! One frame or tone into one RTP packet of one listener (RFC 3550 §5.1), with its counters; and
//! the same packet once more.
//!
//! This is the hot path: what does not change from packet to packet is laid out once, so that a
//! packet is a patch of the header and two copies. Refuses payload types that a receiver would
//! take for RTCP (RFC 5761 §4).

use std::sync::Arc;

use crate::body::Body;
use crate::header_template::{HeaderFields, HeaderTemplate};
use crate::packetizer_config::checked_payload_type;
use crate::red_payload::Repeated;
use crate::sent_packet::Content;
use crate::written::lend;
use crate::{
    Counters, Departure, Error, History, PacketizerConfig, Packing, SentPacket, TonePacket, Written,
};

/// Writes the packets of one listener, and counts them.
#[derive(Debug)]
pub struct Packetizer {
    counters: Arc<Counters>,
    template: HeaderTemplate,
    ssrc: u32,
    timestamp_offset: u32,
    next_sequence_number: u16,
    payload_type: u8,
    /// The payload type of comfort noise.
    comfort_noise: Option<u8>,
    /// Frames sent since the beginning or the last tone, as far as redundancy needs to know.
    frames_in_a_row: u8,
}

impl Packetizer {
    /// Prepares the header. `counters` are shared with whoever reads them, and written by nobody
    /// but the thread that calls [`Self::write`].
    ///
    /// # Errors
    /// [`Error::PayloadType`], [`Error::ExtensionId`] and [`Error::DuplicateExtensionId`] if
    /// `config` is one that cannot be sent.
    pub fn new(config: PacketizerConfig, counters: Arc<Counters>) -> Result<Self, Error> {
        Ok(Self {
            counters,
            template: HeaderTemplate::new(&config.extensions)?,
            ssrc: config.ssrc,
            timestamp_offset: config.timestamp_offset,
            next_sequence_number: config.first_sequence_number,
            payload_type: checked_payload_type(config.payload_type)?,
            comfort_noise: config.comfort_noise.map(checked_payload_type).transpose()?,
            frames_in_a_row: 0,
        })
    }

    /// Writes frame `number` of `history` to the front of `buffer`, and counts the packet.
    ///
    /// Lend no more than the path takes less what SRTP adds: redundancy may fill it.
    ///
    /// # Errors
    /// [`Error::UnknownFrame`], [`Error::BufferTooSmall`], [`Error::PayloadType`],
    /// [`Error::Redundancy`], and [`Error::ComfortNoise`] for a listener that did not agree to it;
    /// then nothing is counted, and the sequence number is not spent.
    #[inline]
    pub fn write(
        &mut self,
        history: &History,
        number: u32,
        packing: Packing,
        departure: Departure,
        buffer: &mut [u8],
    ) -> Result<Written, Error> {
        let capture_time = self.template.has_capture_time()
            && (self.frames_in_a_row == 0 || number % CAPTURE_TIME_INTERVAL == 1);
        let frame = history.frame(number).ok_or(Error::UnknownFrame(number))?;
        let (payload_type, red) = match packing {
            _ if frame.comfort_noise => (self.comfort_noise.ok_or(Error::ComfortNoise)?, None),
            Packing::Plain => (self.payload_type, None),
            Packing::Red { redundancy, .. } if redundancy > Packing::MAX_REDUNDANCY => {
                return Err(Error::Redundancy(redundancy));
            }
            Packing::Red {
                payload_type,
                redundancy,
            } => {
                let redundancy = redundancy.min(self.frames_in_a_row);
                let header_len = self.template.header_len(capture_time);
                let room = buffer.len().saturating_sub(header_len);
                let repeated = Repeated::choose(history, number, redundancy, room);
                (checked_payload_type(payload_type)?, Some(repeated))
            }
        };
        let content = Content::Frame {
            number,
            payload_type,
            red,
            capture_time,
        };
        let body = match red {
            // The frame is at hand.
            None => Body::of_frame(frame, payload_type, None, capture_time),
            Some(_) => Body::new(history, &content, self.payload_type)?,
        };
        let written = self.send(content, &body, departure, buffer)?;
        self.frames_in_a_row = if frame.comfort_noise {
            // Its block could not be labelled: blocks have the stream's payload type.
            0
        } else {
            (self.frames_in_a_row + 1).min(Packing::MAX_REDUNDANCY)
        };
        Ok(written)
    }

    /// Writes a packet of a tone in place of a frame (RFC 4733), and counts it.
    ///
    /// `payload_type` is that of `telephone-event`: 0..=63 or 96..=127. The audio level of such a
    /// packet, if negotiated, is silence: it holds no audio.
    ///
    /// # Errors
    /// [`Error::BufferTooSmall`] and [`Error::PayloadType`], as for [`Self::write`].
    pub fn write_tone(
        &mut self,
        tone: TonePacket,
        payload_type: u8,
        departure: Departure,
        buffer: &mut [u8],
    ) -> Result<Written, Error> {
        let payload_type = checked_payload_type(payload_type)?;
        let content = Content::Tone { tone, payload_type };
        let body = Body::of_tone(&tone, payload_type);
        let written = self.send(content, &body, departure, buffer)?;
        self.interrupt();
        Ok(written)
    }

    /// Notes that the listener was not meant to hear the frames before the next one, as it was
    /// muted or listened to another stream: they are not repeated as redundancy.
    pub fn interrupt(&mut self) {
        self.frames_in_a_row = 0;
    }

    /// Writes the same packet once more, octet by octet, to be protected under the same SRTP index.
    ///
    /// `history` is the one the packet was written from: a frame of another stream under the same
    /// number would be other octets under the same key stream. Counts nothing and advances nothing;
    /// see [`Self::retransmit`].
    ///
    /// # Errors
    /// [`Error::UnknownFrame`] if the history has lost a frame of it, and
    /// [`Error::BufferTooSmall`].
    pub fn rebuild(
        &self,
        history: &History,
        packet: &SentPacket,
        buffer: &mut [u8],
    ) -> Result<Written, Error> {
        let body = self.body(history, packet)?;
        self.compose(packet, &body, buffer)
    }

    /// The same, counted as a retransmission.
    ///
    /// # Errors
    /// As for [`Self::rebuild`]; then nothing is counted.
    pub fn retransmit(
        &self,
        history: &History,
        packet: &SentPacket,
        buffer: &mut [u8],
    ) -> Result<Written, Error> {
        let written = self.rebuild(history, packet, buffer)?;
        self.counters
            .record_retransmission(written.header_len, written.len - written.header_len);
        Ok(written)
    }

    /// Goes on under another SSRC, when the remote uses this one too (RFC 3550 §8.2).
    ///
    /// Numbering begins anew, at a number drawn at random below 2^15: further up, the loss of the
    /// first packets could hide a wrap from an SRTP receiver, who counts rollovers by SSRC
    /// (RFC 3711 §3.3.1). Packets of before can no longer be written once more.
    pub fn change_source(&mut self, ssrc: u32, first_sequence_number: u16) {
        self.ssrc = ssrc;
        self.next_sequence_number = first_sequence_number;
    }

    /// The stream these packets belong to.
    pub fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// The timestamp on the wire of a time on the media clock.
    pub fn timestamp(&self, media: u32) -> u32 {
        media.wrapping_add(self.timestamp_offset)
    }

    /// The number the next packet will have.
    pub fn next_sequence_number(&self) -> u16 {
        self.next_sequence_number
    }

    /// What was sent until now.
    pub fn counters(&self) -> &Arc<Counters> {
        &self.counters
    }

    /// What `packet` says behind its header.
    pub(crate) fn body<'a>(
        &self,
        history: &'a History,
        packet: &SentPacket,
    ) -> Result<Body<'a>, Error> {
        Body::new(history, &packet.content, self.payload_type)
    }

    #[inline]
    fn send(
        &mut self,
        content: Content,
        body: &Body<'_>,
        departure: Departure,
        buffer: &mut [u8],
    ) -> Result<Written, Error> {
        let packet = SentPacket {
            sequence_number: self.next_sequence_number,
            transport_number: departure.transport_number,
            send_time: departure.abs_send_time(),
            content,
        };
        let written = self.compose(&packet, body, buffer)?;
        self.next_sequence_number = self.next_sequence_number.wrapping_add(1);
        self.counters.record_packet(written.header_len, body.len());
        if let redundant_len @ 1.. = body.redundant_len() {
            self.counters.record_redundancy(redundant_len);
        }
        Ok(written)
    }

    #[inline]
    fn compose(
        &self,
        packet: &SentPacket,
        body: &Body<'_>,
        buffer: &mut [u8],
    ) -> Result<Written, Error> {
        let header_len = self.template.header_len(body.capture_time.is_some());
        let len = header_len + body.len();
        let (header, payload) = lend(buffer, len)?.split_at_mut(header_len);
        let fields = HeaderFields {
            marker: body.marker,
            payload_type: body.payload_type,
            sequence_number: packet.sequence_number,
            timestamp: self.timestamp(body.timestamp),
            ssrc: self.ssrc,
            level: body.level,
            send_time: packet.send_time,
            transport_number: packet.transport_number,
            capture_time: body.capture_time,
        };
        self.template.write(&fields, header);
        body.write(payload);
        Ok(Written {
            header_len,
            len,
            packet: *packet,
        })
    }
}

/// In frames, 1 s of 20 ms each; receivers interpolate. By the number of the frame, so that it
/// costs a listener no state.
const CAPTURE_TIME_INTERVAL: u32 = 50;

const _: () = assert!(size_of::<Packetizer>() <= 48);

#[cfg(test)]
mod tests;
