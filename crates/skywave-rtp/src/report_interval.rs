//! When the next report is due (RFC 3550 §6.2, §6.3).

use std::time::Duration;

/// Time until the next compound report: 2.5 to 7.5 s, or half of that before the first one.
///
/// `random` is uniform over all of `u32`, drawn anew for every interval, so that the reports of
/// many listeners never fall in step. Two ends of a call need more than RTCP's share of the
/// bandwidth at no bit rate an audio codec has, so the minimum of §6.2 is the interval; and
/// as the number of members never changes there is no timer reconsideration (§6.3.3), whose
/// effect the divisor of §6.3.1 makes up for.
pub fn report_interval(random: u32, first: bool) -> Duration {
    let base = if first { MINIMUM / 2 } else { MINIMUM };
    // 0.5 + random / 2^32, in 64-bit fixed point.
    let factor = (1 << 31) + u64::from(random);
    Duration::from_micros((base.as_micros() as u64 * factor) >> 32)
}

/// RFC 3550 §6.2: "the RECOMMENDED value for a fixed minimum interval is 5 seconds".
const MINIMUM: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc3550_6_3_1_interval_is_half_to_one_and_a_half_times_five_seconds() {
        assert_eq!(report_interval(0, false), Duration::from_millis(2500));
        assert_eq!(report_interval(1 << 31, false), Duration::from_secs(5));
        let longest = report_interval(u32::MAX, false);
        assert!(longest < Duration::from_millis(7500) && longest > Duration::from_millis(7499));
    }

    #[test]
    fn rfc3550_6_2_first_interval_is_half() {
        assert_eq!(report_interval(0, true), Duration::from_millis(1250));
        assert_eq!(report_interval(1 << 31, true), Duration::from_millis(2500));
    }
}
