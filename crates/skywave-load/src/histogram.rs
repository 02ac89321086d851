//! Counts of times in buckets that grow with the time, for percentiles.

use std::time::Duration;

use serde::Serialize;

/// Counts of times of whole microseconds up to 71 minutes, each to within 1/128 of its value.
///
/// Recording costs a shift and an addition, and allocates nothing.
#[derive(Clone)]
pub struct Histogram {
    buckets: Box<[u64; BUCKETS]>,
    count: u64,
    max: u32,
}

/// Percentiles of a [`Histogram`], in milliseconds; all 0 of none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Percentiles {
    /// How many times were recorded.
    pub count: u64,
    /// The median.
    pub p50: f64,
    /// 99 of 100 are as short.
    pub p99: f64,
    /// 999 of 1,000 are as short.
    pub p999: f64,
    /// The longest, exactly.
    pub max: f64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            buckets: Box::new([0; BUCKETS]),
            count: 0,
            max: 0,
        }
    }
}

impl Histogram {
    /// Counts one time, in microseconds.
    #[inline]
    pub fn record(&mut self, micros: u32) {
        self.buckets[bucket(micros)] += 1;
        self.count += 1;
        self.max = self.max.max(micros);
    }

    /// Counts one time.
    pub fn record_duration(&mut self, time: Duration) {
        self.record(u32::try_from(time.as_micros()).unwrap_or(u32::MAX));
    }

    /// How many were recorded.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The time in microseconds that this share (0 to 1) of the recorded does not exceed: the
    /// upper end of its bucket, but never more than the longest. 0 of none.
    #[must_use]
    pub fn percentile(&self, share: f64) -> u32 {
        let rank = (self.count as f64 * share).ceil().max(1.0) as u64;
        let mut seen = 0;
        for (index, count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return upper_end(index).min(self.max);
            }
        }
        self.max
    }

    /// The percentiles that are reported.
    #[must_use]
    pub fn percentiles(&self) -> Percentiles {
        let millis = |micros: u32| f64::from(micros) / 1000.0;
        Percentiles {
            count: self.count,
            p50: millis(self.percentile(0.5)),
            p99: millis(self.percentile(0.99)),
            p999: millis(self.percentile(0.999)),
            max: millis(self.max),
        }
    }
}

/// The first 256 values have a bucket each, then every doubling has 128.
fn bucket(value: u32) -> usize {
    if value < FINE {
        return value as usize;
    }
    // `value >> shift` lies in 128..256.
    let shift = 24 - value.leading_zeros();
    (FINE + (shift - 1) * STEPS + ((value >> shift) - STEPS)) as usize
}

fn upper_end(bucket: usize) -> u32 {
    let index = bucket as u32;
    if index < FINE {
        return index;
    }
    let (shift, place) = ((index - FINE) / STEPS + 1, (index - FINE) % STEPS);
    let end = (u64::from(place + STEPS + 1) << shift) - 1;
    u32::try_from(end).unwrap_or(u32::MAX)
}

const FINE: u32 = 256;
const STEPS: u32 = 128;
const BUCKETS: usize = (FINE + 24 * STEPS) as usize;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_lies_in_its_bucket() {
        for value in (0..5_000).chain([65_535, 65_536, 1 << 31, u32::MAX - 1, u32::MAX]) {
            let index = bucket(value);
            let end = upper_end(index);
            assert!(end >= value && end - value <= value / 128, "{value}: {end}");
            assert!(index == 0 || upper_end(index - 1) < value, "{value}");
        }
    }

    #[test]
    fn percentiles_are_those_of_a_sorted_list() {
        let mut histogram = Histogram::default();
        for value in 1..=1000 {
            histogram.record(value * 20);
        }
        let percentiles = histogram.percentiles();
        assert_eq!((percentiles.count, percentiles.max), (1000, 20.0));
        for (got, exact) in [(percentiles.p50, 10.0), (percentiles.p99, 19.8)] {
            assert!(got >= exact && got <= exact * (1.0 + 1.0 / 128.0), "{got}");
        }
    }

    #[test]
    fn one_value_is_every_percentile_and_none_is_zero() {
        let mut histogram = Histogram::default();
        assert_eq!(histogram.percentiles(), Percentiles::default());
        histogram.record_duration(Duration::from_millis(1234));
        let percentiles = histogram.percentiles();
        assert_eq!((percentiles.p50, percentiles.p999), (1234.0, 1234.0));
    }
}
