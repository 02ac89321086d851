//! How long to wait from report to report (RFC 3550 §6.2, §6.3.1), in a session of two members.

use std::f64::consts::E;
use std::time::Duration;

/// What the interval depends on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReportInterval {
    /// Bandwidth of the session in bit/s, RTP with all its headers; RTCP takes 5 % of it.
    pub session_bandwidth: u32,
    /// Average octets of an RTCP packet, with UDP and IP headers.
    pub average_size: f64,
    /// Which of the two members send RTP: 0, 1, or 2 for both.
    pub senders: u8,
    /// Whether this is the wait for the first report.
    pub first: bool,
}

impl ReportInterval {
    /// The time to wait, for a `random` number uniform over all of `u32` and drawn anew for every
    /// interval, so that the reports of many listeners never fall in step.
    ///
    /// The random factor of 0.5 to 1.5 is divided by e - 3/2, which makes up for the
    /// reconsideration of every wait at its end (§6.3.6, see [`ReportTimer`](crate::ReportTimer)).
    pub fn randomized(&self, random: u32) -> Duration {
        let minimum = FIXED_MINIMUM.min(self.reduced_minimum());
        let minimum = if self.first { minimum / 2.0 } else { minimum };
        let factor = 0.5 + f64::from(random) / TWO_TO_32;
        Duration::from_secs_f64(self.at_least(minimum) * factor / COMPENSATION)
    }

    /// The deterministic interval `Td` with the fixed minimum of 5 s: the measure for time-outs
    /// (RFC 3550 §6.3.5, RFC 8083 §4.1).
    pub fn deterministic(&self) -> Duration {
        Duration::from_secs_f64(self.at_least(FIXED_MINIMUM))
    }

    /// §6.3.1, steps 1 to 4, in seconds.
    fn at_least(&self, minimum: f64) -> f64 {
        let bandwidth = f64::from(self.session_bandwidth.max(1)) * RTCP_SHARE;
        // More than a quarter of the members sends: all share alike. Otherwise receivers have
        // three quarters for themselves.
        let share = if self.senders == 0 { 0.75 } else { 1.0 };
        let interval = MEMBERS * self.average_size * 8.0 / (bandwidth * share);
        interval.max(minimum).min(LONGEST)
    }

    /// §6.2: "360 divided by the session bandwidth in kilobits/second".
    fn reduced_minimum(&self) -> f64 {
        360_000.0 / f64::from(self.session_bandwidth.max(1))
    }
}

/// §6.2: "the fraction of the session bandwidth added for RTCP be fixed at 5 %".
const RTCP_SHARE: f64 = 0.05;
const MEMBERS: f64 = 2.0;
/// §6.2, in seconds.
const FIXED_MINIMUM: f64 = 5.0;
/// §6.3.1: timer reconsideration converges to a value below the intended average.
const COMPENSATION: f64 = E - 1.5;
/// In seconds: a day. A session of so little bandwidth sends no audio.
const LONGEST: f64 = 86_400.0;
const TWO_TO_32: f64 = 4_294_967_296.0;

#[cfg(test)]
mod tests {
    use super::*;

    const AUDIO: ReportInterval = ReportInterval {
        session_bandwidth: 64_000,
        average_size: 100.0,
        senders: 1,
        first: false,
    };
    const MIDDLE: u32 = 1 << 31;

    fn seconds(interval: ReportInterval, random: u32) -> f64 {
        interval.randomized(random).as_secs_f64()
    }

    fn assert_near(value: f64, expected: f64) {
        assert!((value - expected).abs() < 1e-6, "{value} is not {expected}");
    }

    #[test]
    fn rfc3550_6_3_1_half_to_one_and_a_half_times_the_interval_over_e_minus_three_halves() {
        assert_near(seconds(AUDIO, 0), 2.5 / 1.218_281_828);
        assert_near(seconds(AUDIO, MIDDLE), 5.0 / 1.218_281_828);
        assert_near(seconds(AUDIO, u32::MAX), 7.5 / 1.218_281_828);
    }

    #[test]
    fn rfc3550_6_2_minimum_is_5_seconds_or_360_by_kbit_if_that_is_less() {
        let minimum = |session_bandwidth| {
            let interval = ReportInterval {
                session_bandwidth,
                ..AUDIO
            };
            seconds(interval, MIDDLE) * COMPENSATION
        };
        assert_near(minimum(96_000), 3.75);
        assert_near(minimum(72_000), 5.0);
        assert_near(minimum(24_000), 5.0);
    }

    #[test]
    fn rfc3550_6_2_first_interval_is_half() {
        let first = ReportInterval {
            first: true,
            ..AUDIO
        };
        assert_near(seconds(first, MIDDLE), 2.5 / COMPENSATION);
    }

    #[test]
    fn rfc3550_6_2_rtcp_takes_5_percent_of_little_bandwidth() {
        // Two members, 100 octets each: 1600 bits at 5 % of 4000 bit/s are 8 s.
        let slow = ReportInterval {
            session_bandwidth: 4_000,
            ..AUDIO
        };
        assert_near(slow.deterministic().as_secs_f64(), 8.0);
        assert_near(seconds(slow, MIDDLE), 8.0 / COMPENSATION);
        let silent = ReportInterval { senders: 0, ..slow };
        assert_near(silent.deterministic().as_secs_f64(), 8.0 / 0.75);
    }

    #[test]
    fn rfc3550_6_3_5_timeouts_keep_the_fixed_minimum() {
        let wide = ReportInterval {
            session_bandwidth: 510_000,
            first: true,
            ..AUDIO
        };
        assert_eq!(wide.deterministic(), Duration::from_secs(5));
    }

    #[test]
    fn no_bandwidth_makes_a_long_interval_and_no_panic() {
        let none = ReportInterval {
            session_bandwidth: 0,
            average_size: f64::MAX,
            ..AUDIO
        };
        assert_eq!(none.deterministic(), Duration::from_secs(86_400));
        assert!(seconds(none, u32::MAX) > 86_400.0);
    }
}
