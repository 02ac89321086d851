//! One frame into one RTP packet of one listener (RFC 3550 §5.1), with its counters.
//!
//! This is the hot path: what does not change from packet to packet is laid out once, so that a
//! packet is a patch of the header and two copies. Refuses payload types that a receiver would
//! take for RTCP (RFC 5761 §4).

use std::sync::Arc;

use crate::header_extension::{self, BLOCK_HEADER_LEN, Form, HeaderExtension};
use crate::{Counters, Error, Frame, Mid};

/// How the packets of one listener are numbered and labelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PacketizerConfig {
    /// The stream, drawn at random for each listener.
    pub ssrc: u32,
    /// The negotiated payload type: 0..=63 or 96..=127.
    pub payload_type: u8,
    /// Number of the first packet, drawn at random below 2^15: a loss before the first wrap then
    /// cannot make a receiver's SRTP roll-over counter disagree (RFC 3711 §3.3.1).
    pub first_sequence_number: u16,
    /// Added to every media time, drawn at random.
    pub timestamp_offset: u32,
    /// Media identification, if negotiated. It goes into every packet: behind an audio level a short
    /// one fits where padding would stand, so nothing is gained by leaving it out later.
    pub mid: Option<Mid>,
    /// Extension id of `urn:ietf:params:rtp-hdrext:ssrc-audio-level`, if negotiated.
    pub audio_level: Option<u8>,
}

/// Writes the packets of one listener, and counts them.
#[derive(Debug)]
pub struct Packetizer {
    counters: Arc<Counters>,
    ssrc: u32,
    timestamp_offset: u32,
    next_sequence_number: u16,
    header_len: u8,
    /// Place of the audio level in the header; 0, the place of the version, if there is none.
    level_at: u8,
    /// The header of every packet, with zeros where packets differ.
    header: [u8; MAX_HEADER_LEN],
}

impl Packetizer {
    /// Prepares the header. `counters` are shared with whoever reads them, and written by nobody
    /// but the thread that calls [`Self::write`].
    ///
    /// # Errors
    /// [`Error::PayloadType`], [`Error::ExtensionId`] and [`Error::DuplicateExtensionId`] if
    /// `config` is one that cannot be sent.
    pub fn new(config: PacketizerConfig, counters: Arc<Counters>) -> Result<Self, Error> {
        if !matches!(config.payload_type, 0..=63 | 96..=127) {
            return Err(Error::PayloadType(config.payload_type));
        }
        let mut header = [0; MAX_HEADER_LEN];
        header[0] = VERSION;
        header[1] = config.payload_type;
        header[8..FIXED_LEN].copy_from_slice(&config.ssrc.to_be_bytes());
        let mut packetizer = Self {
            counters,
            ssrc: config.ssrc,
            timestamp_offset: config.timestamp_offset,
            next_sequence_number: config.first_sequence_number,
            header_len: FIXED_LEN as u8,
            level_at: 0,
            header,
        };
        packetizer.prepare_extensions(&config)?;
        Ok(packetizer)
    }

    /// Lays out the extension block. The audio level comes first, where its place is known.
    fn prepare_extensions(&mut self, config: &PacketizerConfig) -> Result<(), Error> {
        let level = config
            .audio_level
            .map(|id| HeaderExtension { id, data: &[0] });
        let mid = config.mid.as_ref().map(|mid| HeaderExtension {
            id: mid.extension_id(),
            data: mid.as_bytes(),
        });
        let elements: Vec<_> = level.into_iter().chain(mid).collect();
        if elements.is_empty() {
            return Ok(());
        }
        header_extension::check_ids(&elements)?;
        let len = header_extension::write_block(&elements, &mut self.header[FIXED_LEN..]);
        self.header[0] |= EXTENSION;
        self.header_len = (FIXED_LEN + len) as u8;
        if config.audio_level.is_some() {
            let element_header = Form::of(&elements).element_header_len();
            self.level_at = (FIXED_LEN + BLOCK_HEADER_LEN + element_header) as u8;
        }
        Ok(())
    }

    /// Writes header, extensions and payload to the front of `packet`, and counts the packet.
    ///
    /// Leave room behind it for what SRTP adds.
    ///
    /// # Errors
    /// [`Error::BufferTooSmall`]; then nothing is written or counted, and the sequence number
    /// is not spent.
    pub fn write(&mut self, frame: &Frame<'_>, packet: &mut [u8]) -> Result<Written, Error> {
        let header_len = usize::from(self.header_len);
        let len = header_len + frame.payload.len();
        let available = packet.len();
        let packet = packet.get_mut(..len).ok_or(Error::BufferTooSmall {
            needed: len,
            available,
        })?;

        let (header, payload) = packet.split_at_mut(header_len);
        header.copy_from_slice(&self.header[..header_len]);
        self.patch_header(frame, header);
        payload.copy_from_slice(frame.payload);

        self.next_sequence_number = self.next_sequence_number.wrapping_add(1);
        self.counters.record_packet(header_len, frame.payload.len());
        Ok(Written { header_len, len })
    }

    /// Fills in what changes, at the place the packet is written to: the template stays as it is.
    fn patch_header(&self, frame: &Frame<'_>, header: &mut [u8]) {
        if frame.marker {
            header[1] |= MARKER;
        }
        header[2..4].copy_from_slice(&self.next_sequence_number.to_be_bytes());
        header[4..8].copy_from_slice(&self.timestamp(frame.timestamp).to_be_bytes());
        if self.level_at != 0 {
            let voice = if frame.voice { VOICE } else { 0 };
            header[usize::from(self.level_at)] = voice | frame.audio_level.min(SILENCE);
        }
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
}

/// What [`Packetizer::write`] wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// Octets of header with extensions: what SRTP authenticates but leaves in the clear.
    pub header_len: usize,
    /// Octets of the whole packet.
    pub len: usize,
}

/// The longest header a [`Packetizer`] writes, in octets: two-byte form, audio level, and a
/// [`Mid`] of full length.
pub const MAX_HEADER_LEN: usize =
    FIXED_LEN + BLOCK_HEADER_LEN + (2 + 1 + 2 + Mid::MAX_LEN).next_multiple_of(4);

/// Header without contributing sources and extensions.
const FIXED_LEN: usize = 12;
const VERSION: u8 = 2 << 6;
const EXTENSION: u8 = 1 << 4;
const MARKER: u8 = 1 << 7;
/// The V bit of RFC 6464 §3.
const VOICE: u8 = 1 << 7;
/// -127 dBov, the lowest level (RFC 6464 §3).
const SILENCE: u8 = 127;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RtpPacket;

    const FRAME: Frame<'static> = Frame {
        payload: &[0xf8, 0xff, 0xfe],
        timestamp: 960,
        marker: false,
        audio_level: 30,
        voice: false,
    };

    fn config() -> PacketizerConfig {
        PacketizerConfig {
            ssrc: 0x1234_5678,
            payload_type: 111,
            first_sequence_number: 0x0102,
            timestamp_offset: 0x1000_0000,
            mid: None,
            audio_level: None,
        }
    }

    fn packetizer(config: PacketizerConfig) -> Packetizer {
        Packetizer::new(config, Arc::default()).unwrap()
    }

    fn refused(config: PacketizerConfig) -> Error {
        Packetizer::new(config, Arc::default()).unwrap_err()
    }

    fn written(config: PacketizerConfig, frame: &Frame<'_>) -> Vec<u8> {
        let mut buffer = [0xee; 200];
        let written = packetizer(config).write(frame, &mut buffer).unwrap();
        assert_eq!(written.header_len + frame.payload.len(), written.len);
        assert!(buffer[written.len..].iter().all(|&octet| octet == 0xee));
        buffer[..written.len].to_vec()
    }

    #[test]
    fn rfc3550_5_1_plain_header() {
        let packet = written(config(), &FRAME);
        assert_eq!(
            packet,
            b"\x80\x6f\x01\x02\x10\x00\x03\xc0\x12\x34\x56\x78\xf8\xff\xfe"
        );
    }

    #[test]
    fn rfc8285_4_2_short_elements_make_the_one_byte_form() {
        let config = PacketizerConfig {
            mid: Some(Mid::new(14, "0").unwrap()),
            audio_level: Some(1),
            ..config()
        };
        let frame = Frame {
            voice: true,
            marker: true,
            ..FRAME
        };
        let packet = written(config, &frame);
        assert_eq!(packet[..2], [0x90, 0xef]);
        assert_eq!(packet[12..20], *b"\xbe\xde\x00\x01\x10\x9e\xe0\x30");
        assert_eq!(packet[20..], *FRAME.payload);
    }

    #[test]
    fn rfc8285_4_1_2_padding_is_zeros_to_the_next_word() {
        let config = PacketizerConfig {
            mid: Some(Mid::new(4, "audio").unwrap()),
            ..config()
        };
        let packet = written(config, &FRAME);
        assert_eq!(packet[12..24], *b"\xbe\xde\x00\x02\x44audio\0\0");
    }

    #[test]
    fn rfc8285_4_3_id_above_fourteen_makes_all_elements_two_byte() {
        let config = PacketizerConfig {
            mid: Some(Mid::new(15, "0").unwrap()),
            audio_level: Some(1),
            ..config()
        };
        let packet = written(config, &FRAME);
        assert_eq!(
            packet[12..24],
            *b"\x10\x00\x00\x02\x01\x01\x1e\x0f\x01\x30\0\0"
        );
    }

    #[test]
    fn rfc8285_4_3_data_above_sixteen_octets_makes_the_two_byte_form() {
        let form_of = |len| {
            let mid = Mid::new(2, &"m".repeat(len)).unwrap();
            written(
                PacketizerConfig {
                    mid: Some(mid),
                    ..config()
                },
                &FRAME,
            )[12]
        };
        assert_eq!((form_of(16), form_of(17)), (0xbe, 0x10));
    }

    #[test]
    fn longest_header_is_the_one_announced() {
        let config = PacketizerConfig {
            mid: Some(Mid::new(255, &"m".repeat(Mid::MAX_LEN)).unwrap()),
            audio_level: Some(254),
            ..config()
        };
        let packet = written(config, &FRAME);
        assert_eq!(packet.len(), MAX_HEADER_LEN + FRAME.payload.len());
        let ids: Vec<_> = RtpPacket::parse(&packet)
            .unwrap()
            .extensions()
            .map(|e| e.id)
            .collect();
        assert_eq!(ids, [254, 255]);
    }

    #[test]
    fn rfc6464_3_level_and_voice_of_each_frame() {
        let config = PacketizerConfig {
            audio_level: Some(1),
            ..config()
        };
        let octet = |audio_level, voice| {
            written(
                config,
                &Frame {
                    audio_level,
                    voice,
                    ..FRAME
                },
            )[17]
        };
        assert_eq!(octet(0, false), 0);
        assert_eq!(octet(127, true), 0xff);
        assert_eq!(
            octet(128, false),
            127,
            "too low a level is silence, not voice"
        );
    }

    #[test]
    fn header_of_one_packet_does_not_leak_into_the_next() {
        let mut packetizer = packetizer(PacketizerConfig {
            audio_level: Some(1),
            ..config()
        });
        let mut buffer = [0; 64];
        let loud = Frame {
            marker: true,
            voice: true,
            audio_level: 127,
            ..FRAME
        };
        packetizer.write(&loud, &mut buffer).unwrap();
        packetizer
            .write(
                &Frame {
                    audio_level: 0,
                    ..FRAME
                },
                &mut buffer,
            )
            .unwrap();
        assert_eq!((buffer[1], buffer[17]), (111, 0));
    }

    #[test]
    fn sequence_number_and_timestamp_wrap() {
        let mut packetizer = packetizer(PacketizerConfig {
            first_sequence_number: 0xffff,
            timestamp_offset: 0xffff_fc40,
            ..config()
        });
        let mut buffer = [0; 64];
        packetizer
            .write(
                &Frame {
                    timestamp: 0,
                    ..FRAME
                },
                &mut buffer,
            )
            .unwrap();
        assert_eq!(buffer[2..8], [0xff, 0xff, 0xff, 0xff, 0xfc, 0x40]);
        packetizer
            .write(
                &Frame {
                    timestamp: 960,
                    ..FRAME
                },
                &mut buffer,
            )
            .unwrap();
        assert_eq!(buffer[2..8], [0, 0, 0, 0, 0, 0]);
        assert_eq!(packetizer.next_sequence_number(), 1);
    }

    #[test]
    fn payload_octets_and_header_octets_are_counted_apart() {
        let counters = Arc::new(Counters::default());
        let config = PacketizerConfig {
            audio_level: Some(1),
            ..config()
        };
        let mut packetizer = Packetizer::new(config, Arc::clone(&counters)).unwrap();
        for _ in 0..3 {
            packetizer.write(&FRAME, &mut [0; 64]).unwrap();
        }
        assert_eq!(counters.packets_sent(), 3);
        assert_eq!(counters.bytes_sent(), 9);
        assert_eq!(counters.header_bytes_sent(), 3 * 20);
    }

    #[test]
    fn packet_that_does_not_fit_is_neither_numbered_nor_counted() {
        let mut packetizer = packetizer(config());
        let error = packetizer.write(&FRAME, &mut [0; 14]).unwrap_err();
        assert_eq!(
            error,
            Error::BufferTooSmall {
                needed: 15,
                available: 14
            }
        );
        assert_eq!(packetizer.counters().packets_sent(), 0);
        assert_eq!(packetizer.next_sequence_number(), 0x0102);
        assert!(packetizer.write(&FRAME, &mut [0; 15]).is_ok());
    }

    #[test]
    fn rfc5761_4_payload_types_that_look_like_rtcp_are_refused() {
        for payload_type in 0..=255 {
            let result = Packetizer::new(
                PacketizerConfig {
                    payload_type,
                    ..config()
                },
                Arc::default(),
            );
            let allowed = payload_type < 128 && !(64..96).contains(&payload_type);
            assert_eq!(
                result.err(),
                (!allowed).then_some(Error::PayloadType(payload_type))
            );
        }
    }

    #[test]
    fn extension_ids_of_zero_and_used_twice_are_refused() {
        let mid = |id| Some(Mid::new(id, "0").unwrap());
        let zero = PacketizerConfig {
            audio_level: Some(0),
            ..config()
        };
        assert_eq!(refused(zero), Error::ExtensionId(0));
        let zero = PacketizerConfig {
            mid: mid(0),
            ..config()
        };
        assert_eq!(refused(zero), Error::ExtensionId(0));
        let twice = PacketizerConfig {
            audio_level: Some(3),
            mid: mid(3),
            ..config()
        };
        assert_eq!(refused(twice), Error::DuplicateExtensionId(3));
    }

    #[test]
    fn state_of_a_listener_stays_small() {
        assert!(size_of::<Packetizer>() < 100, "{}", size_of::<Packetizer>());
    }
}
