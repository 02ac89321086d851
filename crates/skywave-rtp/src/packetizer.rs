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
mod tests {
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
}
