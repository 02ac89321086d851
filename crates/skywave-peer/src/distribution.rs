//! How often values fell below which bounds.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Counts values, times in nanoseconds or shares in billionths, by fixed bounds. One thread
/// records, anybody reads.
#[derive(Debug)]
pub(crate) struct Distribution {
    bounds: &'static [u64],
    /// One for each bound, and one for what lies above.
    counts: Box<[AtomicU64]>,
    sum: AtomicU64,
}

impl Distribution {
    /// Bounds in rising order; a value equal to one belongs below it.
    pub(crate) fn new(bounds: &'static [u64]) -> Self {
        Self {
            bounds,
            counts: (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect(),
            sum: AtomicU64::new(0),
        }
    }

    pub(crate) fn record(&self, value: u64) {
        let bucket = self.bounds.partition_point(|&bound| bound < value);
        let count = &self.counts[bucket];
        count.store(count.load(Relaxed) + 1, Relaxed);
        self.sum
            .store(self.sum.load(Relaxed).saturating_add(value), Relaxed);
    }

    pub(crate) fn snapshot(&self) -> DistributionSnapshot {
        DistributionSnapshot {
            bounds: self.bounds,
            counts: self
                .counts
                .iter()
                .map(|count| count.load(Relaxed))
                .collect(),
            sum: self.sum.load(Relaxed),
        }
    }
}

/// How often values fell below which bounds, at one time. Times are in seconds, shares from 0 to 1.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DistributionSnapshot {
    bounds: &'static [u64],
    counts: Vec<u64>,
    /// In billionths.
    sum: u64,
}

impl DistributionSnapshot {
    /// How many values there were.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The sum of all values.
    pub fn sum(&self) -> f64 {
        self.sum as f64 / UNIT
    }

    /// Each bound, and how many values were no greater.
    pub fn cumulative(&self) -> impl Iterator<Item = (f64, u64)> {
        let mut below = 0;
        self.bounds
            .iter()
            .zip(&self.counts)
            .map(move |(bound, count)| {
                below += count;
                (*bound as f64 / UNIT, below)
            })
    }

    /// Takes in what another one holds, of the same bounds.
    pub fn merge(&mut self, other: &Self) {
        if self.counts.is_empty() {
            self.clone_from(other);
            return;
        }
        for (own, others) in self.counts.iter_mut().zip(&other.counts) {
            *own += others;
        }
        self.sum = self.sum.saturating_add(other.sum);
    }
}

const UNIT: f64 = 1e9;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_counted_up_to_their_bound_and_summed_up() {
        let distribution = Distribution::new(&[10_000_000, 100_000_000]);
        for value in [0, 10_000_000, 10_000_001, 2_000_000_000] {
            distribution.record(value);
        }
        let mut seen = distribution.snapshot();
        let buckets = |seen: &DistributionSnapshot| seen.cumulative().collect::<Vec<_>>();
        assert_eq!(buckets(&seen), [(0.01, 2), (0.1, 3)]);
        assert_eq!((seen.count(), seen.sum()), (4, 2.020_000_001));

        let mut merged = DistributionSnapshot::default();
        merged.merge(&seen);
        assert_eq!(merged, seen);
        seen.merge(&merged);
        assert_eq!(buckets(&seen), [(0.01, 4), (0.1, 6)]);
        assert_eq!(seen.count(), 8);
    }
}
