//! What share of the packets a track's listeners report lost, as a distribution over them.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// How many listeners report how much loss by their last reports.
#[derive(Debug, Default)]
pub(crate) struct LossDistribution {
    /// By [`class`].
    listeners: [AtomicU32; CLASSES.len()],
}

/// What one listener counts for; given back when it goes.
pub(crate) type Class = usize;

impl LossDistribution {
    /// Takes a listener's report, the share lost in 1/256, in place of its one before. Gives what
    /// to hand back with the next one.
    pub(crate) fn report(&self, before: Option<Class>, fraction_lost: u8) -> Class {
        let class = class(fraction_lost);
        self.listeners[class].fetch_add(1, Relaxed);
        self.forget(before);
        class
    }

    /// A listener with such a last report is gone.
    pub(crate) fn forget(&self, last: Option<Class>) {
        if let Some(class) = last {
            self.listeners[class].fetch_sub(1, Relaxed);
        }
    }

    /// The loss, in per cent rounded down to one of a few steps, that each of the worst tenth of
    /// the listeners suffers at least; of less than ten, the worst. 0 without reports.
    pub(crate) fn worst_decile(&self) -> u8 {
        let counts = self.listeners.each_ref().map(|count| count.load(Relaxed));
        let all: u32 = counts.iter().sum();
        // Of ten listeners one, of eleven two.
        let mut worst = all.div_ceil(10);
        for (percent, count) in CLASSES.iter().zip(counts).rev() {
            if worst > 0 && count >= worst {
                return *percent;
            }
            worst -= count.min(worst);
        }
        0
    }
}

/// Where a loss belongs: the last class that it reaches.
fn class(fraction_lost: u8) -> Class {
    let percent = u32::from(fraction_lost) * 100 / 256;
    let reached = CLASSES.iter().filter(|&&least| percent >= least.into());
    reached.count() - 1
}

/// The least loss of each class, in per cent.
const CLASSES: [u8; 10] = [0, 1, 2, 3, 5, 7, 10, 15, 20, 30];

#[cfg(test)]
mod tests {
    use super::*;

    fn fraction(percent: u32) -> u8 {
        (percent * 256).div_ceil(100) as u8
    }

    /// The worst decile of listeners who report these shares, in per cent.
    fn worst_decile(percents: &[u32]) -> u8 {
        let losses = LossDistribution::default();
        for &percent in percents {
            losses.report(None, fraction(percent));
        }
        losses.worst_decile()
    }

    #[test]
    fn nobody_and_nothing_lost_is_no_loss() {
        assert_eq!(worst_decile(&[]), 0);
        assert_eq!(worst_decile(&[0; 100]), 0);
    }

    #[test]
    fn worst_tenth_decides() {
        assert_eq!(worst_decile(&[12]), 10);
        assert_eq!(worst_decile(&[0, 0, 0, 25]), 20);
        let one_in_ten = [&[0; 9][..], &[25]].concat();
        assert_eq!(worst_decile(&one_in_ten), 20);
        let one_in_twenty = [&[0; 19][..], &[25]].concat();
        assert_eq!(worst_decile(&one_in_twenty), 0);
        let two_in_twenty = [&[0; 18][..], &[3, 99]].concat();
        assert_eq!(worst_decile(&two_in_twenty), 3);
    }

    #[test]
    fn last_report_of_each_counts_until_it_goes() {
        let losses = LossDistribution::default();
        let first = losses.report(None, fraction(20));
        assert_eq!(losses.worst_decile(), 20);
        let second = losses.report(Some(first), fraction(2));
        assert_eq!(losses.worst_decile(), 2);
        losses.forget(Some(second));
        losses.forget(None);
        assert_eq!(losses.worst_decile(), 0);
    }

    #[test]
    fn classes_reach_to_all_packets_lost() {
        let percents = [0, 1, 2, 4, 7, 19, 29, 99];
        let classes = percents.map(|percent| CLASSES[class(fraction(percent))]);
        assert_eq!(classes, [0, 1, 2, 3, 7, 15, 20, 30]);
    }
}
