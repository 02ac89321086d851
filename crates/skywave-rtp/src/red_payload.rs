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
    /// expressed, and those for which `room` octets of payload are too few.
    pub(crate) fn choose(history: &History, number: u32, redundancy: u8, room: usize) -> Self {
        let mut repeated = Self::default();
        let Some(primary) = history.frame(number) else {
            return repeated;
        };
        let mut len = PRIMARY_HEADER_LEN + primary.payload.len();
        for distance in 1..=u32::from(redundancy) {
            let Some(frame) = history.predecessor(number, distance) else {
                break;
            };
            let offset = primary.timestamp.wrapping_sub(frame.timestamp);
            let with_frame = len + BLOCK_HEADER_LEN + frame.payload.len();
            if matches!(offset, 1..=MAX_OFFSET)
                && frame.payload.len() <= MAX_LENGTH
                && with_frame <= room
            {
                repeated.0 |= 1 << (distance - 1);
                len = with_frame;
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
