//! The round-trip time a report block gives away (RFC 3550 §6.4.1).

use std::time::Duration;

use crate::NtpTime;

/// `A - LSR - DLSR`: from a report block that arrived at `now`, repeating the middle of our last
/// sender report's time and the delay since its arrival, both in units of 1/65536 s.
///
/// `None` if the remote has no sender report yet (`last_sr` is 0), or if the result is nonsense:
/// negative, because the delay is longer than the time that passed, or longer than a minute. Then
/// the report is not one of ours, a clock was set, or the remote cannot count.
///
/// A reference time answered by DLRR (RFC 3611 §4.5) would give the same; we send no such times.
pub fn round_trip_time(now: NtpTime, last_sr: u32, delay: u32) -> Option<Duration> {
    if last_sr == 0 {
        return None;
    }
    // Modular difference: what would be negative is very long.
    let ticks = now.middle().wrapping_sub(last_sr).wrapping_sub(delay);
    let time = Duration::from_nanos((u64::from(ticks) * 1_000_000_000) >> 16);
    (time <= LONGEST).then_some(time)
}

/// No packet takes that long, and none is waited for that long.
const LONGEST: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    /// Figure 2: A = 0xb710:8000, DLSR = 0x0005:4000 (5.25 s), LSR = 0xb705:2000 give 6.125 s.
    #[test]
    fn rfc3550_6_4_1_figure_2() {
        let now = NtpTime(0xb44d_b710_8000_0000);
        assert_eq!(
            round_trip_time(now, 0xb705_2000, 0x0005_4000),
            Some(Duration::from_millis(6125))
        );
    }

    #[test]
    fn report_without_last_sr_gives_none() {
        assert_eq!(round_trip_time(NtpTime(0xb44d_b710_8000_0000), 0, 0), None);
    }

    #[test]
    fn delay_longer_than_the_time_passed_gives_none() {
        let now = NtpTime(0x0000_000a_0000_0000);
        assert_eq!(
            round_trip_time(now, 0x0009_0000, 0x0001_0000),
            Some(Duration::ZERO)
        );
        assert_eq!(round_trip_time(now, 0x0009_0000, 0x0001_0001), None);
    }

    #[test]
    fn wrap_of_the_middle_bits_is_passed() {
        let now = NtpTime(0x0001_0000_8000_0000);
        assert_eq!(
            round_trip_time(now, 0xffff_8000, 0x0000_4000),
            Some(Duration::from_millis(750))
        );
    }

    #[test]
    fn more_than_a_minute_is_nonsense() {
        let after =
            |ticks: u64| round_trip_time(NtpTime((0x0100_0000 + ticks) << 16), 0x0100_0000, 0);
        assert_eq!(after(60 << 16), Some(Duration::from_secs(60)));
        assert_eq!(after((60 << 16) + 1), None);
    }
}
