//! How late things with a deadline were done: a histogram with one writer, and what it held.
//!
//! Buckets by powers of two, four to each, from 16 us to 1 s, as in HDR histograms: a quantile is
//! never told too small, and by less than a quarter too large.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::counter::add;

/// Counts how late things were done. One thread records, any may look; nobody waits.
#[derive(Debug)]
pub struct LatenessHistogram {
    buckets: [AtomicU64; BUCKETS],
    /// In nanoseconds.
    max: AtomicU64,
    /// In nanoseconds.
    sum: AtomicU64,
}

impl LatenessHistogram {
    /// Counts one deadline missed by `lateness`. Only ever called by one thread at a time: two
    /// would lose counts.
    pub fn record(&self, lateness: Duration) {
        self.record_many(lateness, 1);
    }

    /// Counts `count` deadlines missed by `lateness`, in the same way.
    pub fn record_many(&self, lateness: Duration, count: u64) {
        add(&self.buckets[bucket(lateness)], count);
        let nanos = u64::try_from(lateness.as_nanos()).unwrap_or(u64::MAX);
        if nanos > self.max.load(Relaxed) {
            self.max.store(nanos, Relaxed);
        }
        let sum = self.sum.load(Relaxed);
        let sum = sum.saturating_add(nanos.saturating_mul(count));
        self.sum.store(sum, Relaxed);
    }

    /// What was recorded so far.
    pub fn snapshot(&self) -> Lateness {
        Lateness {
            buckets: std::array::from_fn(|index| self.buckets[index].load(Relaxed)),
            max: self.max.load(Relaxed),
            sum: self.sum.load(Relaxed),
        }
    }
}

impl Default for LatenessHistogram {
    fn default() -> Self {
        Self {
            buckets: std::array::from_fn(|_| AtomicU64::new(0)),
            max: AtomicU64::new(0),
            sum: AtomicU64::new(0),
        }
    }
}

/// What a [`LatenessHistogram`] held at one time. Serialised as `count`, and in seconds `p50`,
/// `p90`, `p99`, `p999` and `max`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lateness {
    buckets: [u64; BUCKETS],
    /// In nanoseconds.
    max: u64,
    /// In nanoseconds.
    sum: u64,
}

impl Lateness {
    /// How many were recorded.
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// The greatest, exactly. Zero if there is none.
    pub fn max(&self) -> Duration {
        Duration::from_nanos(self.max)
    }

    /// All of them added up.
    pub fn sum(&self) -> Duration {
        Duration::from_nanos(self.sum)
    }

    /// How many were less late than 32 us, 64 us and so on, each twice the one before, up to
    /// 1.05 s.
    pub fn cumulative(&self) -> impl Iterator<Item = (Duration, u64)> {
        (1..=OCTAVES).map(|octaves| {
            let last = 4 * octaves;
            let below = self.buckets[..=last].iter().sum();
            (upper_bound(last), below)
        })
    }

    /// The lateness that a share of `q`, 0 to 1, did not exceed; 0.5 asks for the median.
    ///
    /// Never less than the true one. From 16 us to 1 s less than a quarter more; below that at
    /// most 16 us, and above it [`max`](Self::max). Zero if nothing was recorded.
    pub fn quantile(&self, q: f64) -> Duration {
        let rank = (q.clamp(0.0, 1.0) * self.count() as f64).ceil().max(1.0) as u64;
        let mut passed = 0;
        let reached = self.buckets.iter().position(|count| {
            passed += count;
            passed >= rank
        });
        match reached {
            Some(index) if index < OVERFLOW => upper_bound(index).min(self.max()),
            _ => self.max(),
        }
    }

    /// How many were certainly later than `limit`: those of the bucket it lies in are left out.
    pub fn count_above(&self, limit: Duration) -> u64 {
        self.buckets[bucket(limit) + 1..].iter().sum()
    }

    /// Takes in what another one holds.
    pub fn merge(&mut self, other: &Self) {
        for (own, others) in self.buckets.iter_mut().zip(other.buckets) {
            *own += others;
        }
        self.max = self.max.max(other.max);
        self.sum = self.sum.saturating_add(other.sum);
    }

    /// What was recorded after `earlier`, a snapshot of the same histogram. Its greatest is told
    /// exactly if it is the greatest of all time, else as the upper end of its bucket.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let buckets: [u64; BUCKETS] =
            std::array::from_fn(|index| self.buckets[index].saturating_sub(earlier.buckets[index]));
        let max = match buckets.iter().rposition(|&count| count > 0) {
            None => 0,
            Some(last) if last < OVERFLOW && self.max == earlier.max => {
                // A bucket ends below 2^64 ns.
                self.max.min(upper_bound(last).as_nanos() as u64)
            }
            Some(_) => self.max,
        };
        let sum = self.sum.saturating_sub(earlier.sum);
        Self { buckets, max, sum }
    }
}

/// Nothing recorded.
impl Default for Lateness {
    fn default() -> Self {
        Self {
            buckets: [0; BUCKETS],
            max: 0,
            sum: 0,
        }
    }
}

impl Serialize for Lateness {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let seconds = |q| self.quantile(q).as_secs_f64();
        let summary = Summary {
            count: self.count(),
            p50: seconds(0.5),
            p90: seconds(0.9),
            p99: seconds(0.99),
            p999: seconds(0.999),
            max: self.max().as_secs_f64(),
        };
        summary.serialize(serializer)
    }
}

#[derive(Serialize)]
struct Summary {
    count: u64,
    p50: f64,
    p90: f64,
    p99: f64,
    p999: f64,
    max: f64,
}

fn bucket(lateness: Duration) -> usize {
    let micros = u64::try_from(lateness.as_micros()).unwrap_or(u64::MAX);
    let octave = micros.max(1).ilog2();
    if octave < FIRST_OCTAVE {
        return 0;
    }
    // The two bits behind the leading one.
    let quarter = (micros >> (octave - 2)) & 3;
    let index = 1 + 4 * (octave - FIRST_OCTAVE) as usize + quarter as usize;
    index.min(OVERFLOW)
}

/// Just above everything in a bucket that is not the last.
fn upper_bound(index: usize) -> Duration {
    let Some(index) = index.checked_sub(1) else {
        return Duration::from_micros(1 << FIRST_OCTAVE);
    };
    let (octave, quarter) = (FIRST_OCTAVE as usize + index / 4, index as u64 % 4);
    Duration::from_micros((5 + quarter) << (octave - 2))
}

/// 16 us.
const FIRST_OCTAVE: u32 = 4;
/// The last begins at 524 ms and ends at 1.05 s.
const OCTAVES: usize = 16;
/// What lies below, the octaves' quarters, what lies above.
const BUCKETS: usize = 1 + 4 * OCTAVES + 1;
const OVERFLOW: usize = BUCKETS - 1;

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: impl IntoIterator<Item = Duration>) -> Lateness {
        let histogram = LatenessHistogram::default();
        for value in values {
            histogram.record(value);
        }
        histogram.snapshot()
    }

    const fn us(micros: u64) -> Duration {
        Duration::from_micros(micros)
    }

    #[test]
    fn quantile_is_never_too_small_and_less_than_a_quarter_too_large() {
        // Every bucket's edges, and values between; a second one keeps the maximum out of it.
        for micros in (16..2_000).chain((2_000..1_048_576).step_by(997)) {
            for value in [us(micros), us(micros + 1) - Duration::from_nanos(1)] {
                let told = of([value, Duration::from_secs(2)]).quantile(0.5);
                assert!(told >= value, "{told:?} of {value:?}");
                assert!(
                    told.as_nanos() * 4 <= value.as_nanos() * 5,
                    "{told:?} of {value:?}"
                );
            }
        }
    }

    #[test]
    fn what_lies_below_16_us_is_told_as_16_and_above_a_second_as_the_greatest() {
        let greatest = Duration::from_secs(7);
        assert_eq!(of([us(3), greatest]).quantile(0.5), us(16));
        assert_eq!(of([us(1_048_576), greatest]).quantile(0.5), greatest);
        assert_eq!(of([us(3)]).quantile(0.5), us(3), "the maximum is exact");
        assert_eq!(of([Duration::MAX]).count(), 1);
    }

    #[test]
    fn quantiles_of_a_ramp_lie_where_they_must() {
        let ramp = of((1..=10_000).map(us));
        assert_eq!((ramp.count(), ramp.max()), (10_000, us(10_000)));
        for (q, exact) in [(0.01, 100), (0.5, 5_000), (0.9, 9_000), (0.99, 9_900)] {
            let told = ramp.quantile(q);
            assert!(
                (us(exact)..=us(exact * 5 / 4)).contains(&told),
                "{q} {told:?}"
            );
        }
        assert_eq!(ramp.quantile(1.0), us(10_000));
        assert_eq!(ramp.quantile(0.0), us(16));
    }

    #[test]
    fn empty_and_nonsense_are_harmless() {
        let nothing = Lateness::default();
        assert_eq!((nothing.count(), nothing.max()), (0, Duration::ZERO));
        assert_eq!(nothing.quantile(0.99), Duration::ZERO);
        assert_eq!(nothing.count_above(Duration::MAX), 0);
        let one = of([us(500)]);
        assert_eq!(one.quantile(f64::NAN), us(500));
        assert_eq!(one.quantile(9.0), us(500));
        assert_eq!(one.quantile(-9.0), us(500));
    }

    #[test]
    fn count_above_leaves_out_the_bucket_of_the_limit() {
        // The limit's bucket is 8,192 to 10,239 us.
        let some = of([us(8_000), us(9_000), us(10_239), us(10_240), us(40_000)]);
        assert_eq!(some.count_above(us(10_000)), 2);
        assert_eq!(some.count_above(Duration::ZERO), 5);
    }

    #[test]
    fn since_a_snapshot_is_what_was_recorded_after_it() {
        let histogram = LatenessHistogram::default();
        histogram.record(us(20_000));
        let earlier = histogram.snapshot();
        assert_eq!(earlier.since(&earlier), Lateness::default());

        histogram.record_many(us(100), 3);
        let later = histogram.snapshot().since(&earlier);
        assert_eq!((later.count(), later.quantile(0.5)), (3, us(112)));
        assert_eq!(later.max(), us(112), "the end of the bucket from 96 us on");

        histogram.record(us(30_000));
        assert_eq!(histogram.snapshot().since(&earlier).max(), us(30_000));
    }

    #[test]
    fn counts_below_powers_of_two_are_exact() {
        let some = of([
            us(3),
            us(31),
            us(32),
            us(63),
            us(64),
            us(1_048_575),
            us(1_048_576),
        ]);
        let below: Vec<_> = some.cumulative().collect();
        assert_eq!(below[..3], [(us(32), 2), (us(64), 4), (us(128), 5)]);
        assert_eq!(below.last(), Some(&(us(1_048_576), 6)));
        assert_eq!(
            some.sum(),
            us(3 + 31 + 32 + 63 + 64 + 1_048_575 + 1_048_576)
        );
    }

    #[test]
    fn merged_is_as_if_recorded_together() {
        let mut merged = of((0..100).map(us));
        merged.merge(&of((100..300).map(us)));
        assert_eq!(merged, of((0..300).map(us)));
    }
}
