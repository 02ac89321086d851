//! Redundant audio data (RFC 2198): a frame with those before it, written from the history.
//!
//! Blocks that cannot be expressed are left out: those more than 16383 ticks older than the frame,
//! and those of more than 1023 octets.

use crate::{History, OwnedFrame, Packing};

/// A frame and the frames it repeats.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RedPayload<'a> {
    primary: &'a OwnedFrame,
    /// The oldest first, as they stand in the packet.
    repeated: [Option<&'a OwnedFrame>; Packing::MAX_REDUNDANCY as usize],
    /// What the blocks are labelled with.
    payload_type: u8,
}

impl<'a> RedPayload<'a> {
    /// The payload of frame `number`, or the number of a frame that is gone.
    pub(crate) fn new(
        history: &'a History,
        number: u32,
        repeated: Repeated,
        payload_type: u8,
    ) -> Option<Self> {
        let mut frames = [None; Packing::MAX_REDUNDANCY as usize];
        for (frame, distance) in frames.iter_mut().zip((1..=MAX_DISTANCE).rev()) {
            if repeated.contains(distance) {
                *frame = Some(history.predecessor(number, distance)?);
            }
        }
        Some(Self {
            primary: history.frame(number)?,
            repeated: frames,
            payload_type,
        })
    }

    pub(crate) fn len(&self) -> usize {
        let blocks = self.blocks().count() * BLOCK_HEADER_LEN;
        PRIMARY_HEADER_LEN + blocks + self.redundant_len() + self.primary.payload.len()
    }

    /// Octets of repeated frames, without headers.
    pub(crate) fn redundant_len(&self) -> usize {
        self.blocks().map(|frame| frame.payload.len()).sum()
    }

    /// Fills `payload`, which has the length [`Self::len`].
    pub(crate) fn write(&self, payload: &mut [u8]) {
        let mut end = 0;
        let mut append = |octets: &[u8]| {
            payload[end..end + octets.len()].copy_from_slice(octets);
            end += octets.len();
        };
        for frame in self.blocks() {
            let offset = self.primary.timestamp.wrapping_sub(frame.timestamp);
            let word = u32::from(FOLLOWED | self.payload_type) << 24
                | offset << LENGTH_BITS
                | frame.payload.len() as u32;
            append(&word.to_be_bytes());
        }
        append(&[self.payload_type]);
        for frame in self.blocks() {
            append(&frame.payload);
        }
        append(&self.primary.payload);
    }

    fn blocks(&self) -> impl Iterator<Item = &'a OwnedFrame> {
        self.repeated.into_iter().flatten()
    }
}

/// Which frames a packet repeats: bit 0 is the frame before its own, bit 1 the one before that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Repeated(u8);

impl Repeated {
    /// The youngest `redundancy` predecessors of frame `number`, without those that cannot be
    /// expressed (comfort noise would be labelled as audio), are no older than one behind them, or
    /// for which `room` octets of payload are too few.
    pub(crate) fn choose(history: &History, number: u32, redundancy: u8, room: usize) -> Self {
        let mut repeated = Self::default();
        let Some(primary) = history.frame(number) else {
            return repeated;
        };
        let mut len = PRIMARY_HEADER_LEN + primary.payload.len();
        let mut oldest = 0;
        for distance in 1..=u32::from(redundancy) {
            let Some(frame) = history.predecessor(number, distance) else {
                break;
            };
            let offset = primary.timestamp.wrapping_sub(frame.timestamp);
            let with_frame = len + BLOCK_HEADER_LEN + frame.payload.len();
            if !frame.comfort_noise
                && (oldest + 1..=MAX_OFFSET).contains(&offset)
                && frame.payload.len() <= MAX_LENGTH
                && with_frame <= room
            {
                repeated.0 |= 1 << (distance - 1);
                len = with_frame;
                oldest = offset;
            }
        }
        repeated
    }

    fn contains(self, distance: u32) -> bool {
        self.0 >> (distance - 1) & 1 != 0
    }
}

const MAX_DISTANCE: u32 = Packing::MAX_REDUNDANCY as u32;
/// 14 bits: 341 ms at 48 kHz, 2 s at 8 kHz.
const MAX_OFFSET: u32 = (1 << 14) - 1;
const LENGTH_BITS: u32 = 10;
const MAX_LENGTH: usize = (1 << LENGTH_BITS) - 1;
const BLOCK_HEADER_LEN: usize = 4;
const PRIMARY_HEADER_LEN: usize = 1;
/// The F bit: another block header follows.
const FOLLOWED: u8 = 1 << 7;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        Departure, ExtensionIds, Packetizer, PacketizerConfig, RedBlocks, RtpPacket,
        TelephoneEvent, TonePacket,
    };

    fn packetizer() -> Packetizer {
        let config = PacketizerConfig {
            ssrc: 1,
            payload_type: 111,
            comfort_noise: Some(13),
            first_sequence_number: 1,
            timestamp_offset: 7,
            extensions: ExtensionIds::default(),
        };
        Packetizer::new(config, Arc::default()).unwrap()
    }

    fn send(packetizer: &mut Packetizer, history: &History, number: u32, len: usize) -> Vec<u8> {
        let packing = Packing::Red {
            payload_type: 63,
            redundancy: 2,
        };
        let mut buffer = vec![0; len];
        let departure = Departure::default();
        let written = packetizer.write(history, number, packing, departure, &mut buffer);
        buffer.truncate(written.unwrap().len);
        buffer
    }

    /// Sends all frames into buffers of `len` octets; gives the payload of the last packet.
    fn last_payload(frames: &[(&[u8], u32)], len: usize) -> Vec<u8> {
        let (mut packetizer, mut history) = (packetizer(), History::default());
        let mut packet = Vec::new();
        for &(payload, timestamp) in frames {
            let number = history.push(OwnedFrame::of(payload, timestamp));
            packet = send(&mut packetizer, &history, number, len);
        }
        let view = RtpPacket::parse(&packet).unwrap();
        assert_eq!(view.payload_type(), 63);
        view.payload().to_vec()
    }

    /// Offset and data of each block.
    fn blocks(payload: &[u8]) -> Vec<(u16, Vec<u8>)> {
        let blocks = RedBlocks::parse(payload).unwrap();
        blocks
            .inspect(|block| assert_eq!(block.payload_type, 111))
            .map(|block| (block.timestamp_offset, block.data.to_vec()))
            .collect()
    }

    #[test]
    fn rfc2198_3_headers_come_first_and_the_oldest_block_before_the_others() {
        let payload = last_payload(&[(b"a", 960), (b"bb", 1920), (b"ccc", 2880)], 200);
        // 1920 << 10 | 1, then 960 << 10 | 2.
        assert_eq!(payload, b"\xef\x1e\x00\x01\xef\x0f\x00\x02\x6fabbccc");
    }

    #[test]
    fn first_packet_repeats_nothing() {
        assert_eq!(last_payload(&[(b"a", 960)], 200), b"\x6fa");
        let (mut packetizer, mut history) = (packetizer(), History::default());
        history.push(OwnedFrame::of(b"before", 960));
        let number = history.push(OwnedFrame::of(b"a", 1920));
        let packet = send(&mut packetizer, &history, number, 200);
        assert_eq!(packet[12..], *b"\x6fa");
    }

    #[test]
    fn rfc2198_3_blocks_more_than_16383_ticks_old_are_left_out() {
        let of = |newest| {
            blocks(&last_payload(
                &[(b"a", 0), (b"b", 960), (b"c", newest)],
                200,
            ))
        };
        assert_eq!(of(16_383).len(), 3);
        assert_eq!(of(16_384), [(15_424, b"b".to_vec()), (0, b"c".to_vec())]);
        assert_eq!(of(960 + 16_384), [(0, b"c".to_vec())]);
        assert_eq!(of(959).len(), 2, "a frame of the future is none to repeat");
        assert_eq!(of(960).len(), 2, "nor is one of the same time");
    }

    #[test]
    fn rfc2198_3_frames_of_120_ms_are_young_enough_to_be_repeated_twice() {
        let payload = last_payload(&[(b"a", 0), (b"b", 5_760), (b"c", 11_520)], 200);
        assert_eq!(blocks(&payload).len(), 3);
    }

    #[test]
    fn rfc2198_3_blocks_of_more_than_1023_octets_are_left_out() {
        let of = |len| {
            blocks(&last_payload(
                &[(b"a", 0), (&vec![5; len], 1), (b"c", 2)],
                1500,
            ))
        };
        assert_eq!(of(1023).len(), 3);
        assert_eq!(of(1024), [(2, b"a".to_vec()), (0, b"c".to_vec())]);
    }

    #[test]
    fn rfc2198_3_blocks_are_older_each_than_the_next() {
        let same_time = last_payload(&[(b"a", 5), (b"b", 5), (b"c", 6)], 100);
        assert_eq!(blocks(&same_time), [(1, b"b".to_vec()), (0, b"c".to_vec())]);
        let turned_back = last_payload(&[(b"a", 7), (b"b", 5), (b"c", 9)], 100);
        assert_eq!(
            blocks(&turned_back),
            [(4, b"b".to_vec()), (0, b"c".to_vec())]
        );
    }

    #[test]
    fn offset_is_right_across_the_wrap_of_the_clock() {
        let payload = last_payload(&[(b"a", u32::MAX - 9), (b"b", 950)], 200);
        assert_eq!(blocks(&payload)[0], (960, b"a".to_vec()));
    }

    #[test]
    fn redundancy_never_outgrows_the_buffer() {
        let frames: [(&[u8], u32); 3] = [(b"a", 0), (b"bbbb", 1), (b"c", 2)];
        let count = |room: usize| blocks(&last_payload(&frames, 12 + room)).len();
        assert_eq!(count(2 + 8 + 5), 3);
        assert_eq!(count(2 + 8 + 5 - 1), 2, "the younger one");
        assert_eq!(count(2 + 8), 2);
        assert_eq!(count(2 + 4), 1);
    }

    #[test]
    fn frames_the_listener_was_not_to_hear_are_not_repeated() {
        let (mut packetizer, mut history) = (packetizer(), History::default());
        let mut next = |packetizer: &mut Packetizer, timestamp| {
            let number = history.push(OwnedFrame::of(b"a", timestamp));
            let packet = send(packetizer, &history, number, 200);
            blocks(&packet[12..]).len()
        };
        let mut at = (0..).step_by(960);
        let mut count = |packetizer: &mut Packetizer| next(packetizer, at.next().unwrap());
        let counts = [(); 3].map(|()| count(&mut packetizer));
        assert_eq!(counts, [1, 2, 3]);

        let event = TelephoneEvent::parse(&[5, 10, 3, 0xc0]).unwrap();
        let tone = TonePacket {
            timestamp: 0,
            marker: true,
            event,
        };
        let sent = packetizer.write_tone(tone, 126, Departure::default(), &mut [0; 20]);
        sent.unwrap();
        let counts = [(); 3].map(|()| count(&mut packetizer));
        assert_eq!(counts, [1, 2, 3]);

        packetizer.interrupt();
        assert_eq!(count(&mut packetizer), 1);

        let mut noise = History::default();
        let number = noise.push(OwnedFrame {
            comfort_noise: true,
            ..OwnedFrame::of(&[70], 0)
        });
        let departure = Departure::default();
        let sent = packetizer.write(&noise, number, Packing::Plain, departure, &mut [0; 20]);
        sent.unwrap();
        assert_eq!(count(&mut packetizer), 1, "noise is not labelled as speech");
    }

    #[test]
    fn repeated_octets_are_counted_within_the_octets_sent() {
        let (mut packetizer, mut history) = (packetizer(), History::default());
        for (payload, timestamp) in [(b"aaa", 0), (b"bbb", 960)] {
            let number = history.push(OwnedFrame::of(payload, timestamp));
            send(&mut packetizer, &history, number, 200);
        }
        let seen = packetizer.counters().snapshot();
        assert_eq!(seen.redundant_bytes_sent, 3);
        assert_eq!(seen.bytes_sent, (1 + 3) + (4 + 1 + 3 + 3));
    }
}
