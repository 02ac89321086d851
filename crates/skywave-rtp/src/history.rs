//! The last frames of a stream: what all its listeners send from, repeat as redundancy (RFC 2198)
//! and retransmit (RFC 4588).
//!
//! A listener keeps the numbers of frames, never their payload.

use crate::OwnedFrame;

/// The last [`Self::DEPTH`] frames of one stream, by number.
#[derive(Debug)]
pub struct History {
    /// The frame `number` lies at `number % DEPTH`.
    slots: Box<[Option<Numbered>]>,
    last: u32,
}

impl History {
    /// How many frames are kept: 1.28 s of 20 ms each, as many as an SRTP receiver's replay window
    /// has packets (RFC 3711 §3.3.2).
    pub const DEPTH: usize = 64;

    /// Takes the next frame in place of the oldest, and gives its number.
    ///
    /// Numbers count from 1 and are never 0, also when they wrap.
    pub fn push(&mut self, frame: OwnedFrame) -> u32 {
        let number = self.last.checked_add(1).unwrap_or(1);
        self.last = number;
        self.slots[slot(number)] = Some(Numbered { number, frame });
        number
    }

    /// The frame with this number, if it is still kept.
    #[inline]
    pub fn frame(&self, number: u32) -> Option<&OwnedFrame> {
        let kept = self.slots[slot(number)].as_ref()?;
        (kept.number == number).then_some(&kept.frame)
    }

    /// The frame `distance` frames before `number`, if it is still kept.
    pub(crate) fn predecessor(&self, number: u32, distance: u32) -> Option<&OwnedFrame> {
        // Of the 2^32 values 0 is none.
        let number = match number.checked_sub(distance) {
            Some(0) | None => number.wrapping_sub(distance).wrapping_sub(1),
            Some(number) => number,
        };
        self.frame(number)
    }
}

impl Default for History {
    fn default() -> Self {
        let slots = std::iter::repeat_with(|| None).take(Self::DEPTH);
        Self {
            slots: slots.collect(),
            last: 0,
        }
    }
}

#[derive(Debug)]
struct Numbered {
    number: u32,
    frame: OwnedFrame,
}

fn slot(number: u32) -> usize {
    number as usize % History::DEPTH
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(timestamp: u32) -> OwnedFrame {
        OwnedFrame::of(&[1, 2, 3], timestamp)
    }

    fn timestamp(history: &History, number: u32) -> Option<u32> {
        history.frame(number).map(|frame| frame.timestamp)
    }

    #[test]
    fn empty_history_has_no_frame_not_even_zero() {
        let history = History::default();
        assert!((0..200).all(|number| history.frame(number).is_none()));
    }

    #[test]
    fn numbers_count_from_one_and_the_oldest_frame_makes_room() {
        let mut history = History::default();
        for time in 1..=65 {
            assert_eq!(history.push(frame(time)), time);
        }
        assert_eq!(timestamp(&history, 1), None);
        assert_eq!(timestamp(&history, 2), Some(2));
        assert_eq!(timestamp(&history, 65), Some(65));
        assert_eq!(timestamp(&history, 66), None);
    }

    #[test]
    fn numbers_wrap_past_zero() {
        let mut history = History {
            last: u32::MAX - 2,
            ..History::default()
        };
        let numbers: Vec<_> = (0..4).map(|time| history.push(frame(time))).collect();
        assert_eq!(numbers, [u32::MAX - 1, u32::MAX, 1, 2]);
        let before = |number, distance| {
            let frame = history.predecessor(number, distance);
            frame.map(|frame| frame.timestamp)
        };
        assert_eq!((before(2, 1), before(2, 2)), (Some(2), Some(1)));
        assert_eq!((before(1, 1), before(1, 2)), (Some(1), Some(0)));
        assert_eq!(before(1, 3), None);
    }
}
