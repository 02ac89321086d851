//! What pushes and clears decide together.

/// How much was accepted, and under which generation.
///
/// All of it lies in one atomic word: a push that adds its samples and a clear that ends the
/// generation come one after the other, never half and half.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Intake {
    /// Changes with every clear.
    pub(super) generation: Generation,
    /// Something was pushed since the last finish or clear.
    pub(super) is_open: bool,
    /// Samples of 48 kHz that were accepted, since the queue was made.
    pub(super) accepted: u64,
}

/// Counts clears, and wraps: a push would have to wait through 65,536 of them to take another for
/// its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Generation(pub(super) u16);

impl Intake {
    pub(super) fn pack(self) -> u64 {
        let open = u64::from(self.is_open) << OPEN_BIT;
        let generation = u64::from(self.generation.0) << GENERATION_SHIFT;
        generation | open | (self.accepted & POSITION_MASK)
    }

    pub(super) fn unpack(word: u64) -> Self {
        Self {
            generation: Generation((word >> GENERATION_SHIFT) as u16),
            is_open: (word >> OPEN_BIT) & 1 == 1,
            accepted: word & POSITION_MASK,
        }
    }
}

impl Generation {
    pub(super) fn next(self) -> Self {
        Self(self.0.wrapping_add(1))
    }

    /// True if it ended before that one began.
    pub(super) fn is_before(self, other: Self) -> bool {
        (self.0.wrapping_sub(other.0) as i16) < 0
    }
}

const GENERATION_SHIFT: u32 = 48;
const OPEN_BIT: u32 = 47;
/// Positions of 47 bits last for 92 years.
const POSITION_MASK: u64 = (1 << OPEN_BIT) - 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn word_holds_all_parts() {
        for is_open in [false, true] {
            for (generation, accepted) in [(0, 0), (1, 480), (u16::MAX, POSITION_MASK)] {
                let intake = Intake {
                    generation: Generation(generation),
                    is_open,
                    accepted,
                };
                assert_eq!(Intake::unpack(intake.pack()), intake);
            }
        }
    }

    #[test]
    fn generations_are_in_order_when_they_wrap() {
        let last = Generation(u16::MAX);
        assert!(last.is_before(last.next()) && !last.next().is_before(last));
        assert!(!last.is_before(last));
    }
}
