//! The batches in which the media thread sends a frame: the first at once, the others in slots.

use std::time::Duration;

/// Who of an audience is sent a frame when, as the engine spreads it: the first 64 at once, all
/// others evenly over nineteen twentieths of the frame, in slots of 1 ms.
#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    audience: usize,
    slots: usize,
}

impl Schedule {
    /// Listeners of one batch.
    pub const BATCH: usize = 64;
    /// From one slot to the next.
    pub const SLOT: Duration = Duration::from_millis(1);

    /// For frames that follow each other by `interval`.
    #[must_use]
    pub fn of(audience: usize, interval: Duration) -> Schedule {
        let slots = (interval * 19 / 20).as_nanos() / Self::SLOT.as_nanos();
        Schedule {
            audience,
            slots: (slots as usize).max(1),
        }
    }

    /// The number of the last slot; the first is 0.
    #[must_use]
    pub fn last_slot(&self) -> usize {
        self.slots
    }

    /// Listeners that have been served when the slot is over.
    #[must_use]
    pub fn due(&self, slot: usize) -> usize {
        let later = self.audience.saturating_sub(Self::BATCH);
        (Self::BATCH + later * slot.min(self.slots) / self.slots).min(self.audience)
    }

    /// The sizes of all batches of a frame.
    pub fn batches(&self) -> impl Iterator<Item = usize> {
        let mut served = 0;
        let mut slot = 0;
        let schedule = *self;
        std::iter::from_fn(move || {
            while schedule.due(slot) == served {
                slot += 1;
                if slot > schedule.slots {
                    return None;
                }
            }
            let batch = (schedule.due(slot) - served).min(Self::BATCH);
            served += batch;
            Some(batch)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_serve_everybody_once_and_none_is_too_large() {
        for audience in [0, 1, 64, 65, 1_000, 9_999] {
            let schedule = Schedule::of(audience, Duration::from_millis(20));
            let batches: Vec<usize> = schedule.batches().collect();
            assert_eq!(batches.iter().sum::<usize>(), audience);
            assert!(batches.iter().all(|&batch| (1..=64).contains(&batch)));
            assert_eq!(schedule.due(schedule.last_slot()), audience);
        }
    }

    #[test]
    fn first_batch_goes_at_once_and_the_rest_in_nineteen_slots() {
        let schedule = Schedule::of(1964, Duration::from_millis(20));
        assert_eq!((schedule.due(0), schedule.due(1)), (64, 164));
        assert_eq!(schedule.last_slot(), 19);
        assert!(schedule.batches().take(5).eq([64, 64, 36, 64, 36]));
    }
}
