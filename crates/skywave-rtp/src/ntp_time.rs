//! Wall clock time as RTCP writes it: the 64-bit NTP timestamp (RFC 3550 §4).

use std::time::Duration;

/// Seconds since 1900 in the upper 32 bits, the fraction of a second in the lower 32.
///
/// The seconds wrap in 2036 and the differences taken of them are modular, so the order of two
/// values says nothing: there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct NtpTime(pub u64);

impl NtpTime {
    /// The NTP time of an instant given as the time since 1970-01-01T00:00:00Z.
    pub fn from_unix(since_epoch: Duration) -> Self {
        // Truncation is the wrap to the next NTP era (RFC 5905 §6).
        let seconds = since_epoch.as_secs().wrapping_add(UNIX_EPOCH_IN_NTP) as u32;
        let fraction = (u64::from(since_epoch.subsec_nanos()) << 32) / NANOS_PER_SECOND;
        Self(u64::from(seconds) << 32 | fraction)
    }

    /// The time since 1970-01-01T00:00:00Z, if it is one of the years 1970 to 2106.
    pub fn to_unix(self) -> Duration {
        let seconds = ((self.0 >> 32) as u32).wrapping_sub(UNIX_EPOCH_IN_NTP as u32);
        let fraction = u64::from(self.0 as u32);
        // Rounded, so that it undoes what was cut off.
        let nanos = (fraction * NANOS_PER_SECOND + (1 << 31)) >> 32;
        Duration::from_secs(seconds.into()) + Duration::from_nanos(nanos)
    }

    /// The middle 32 bits, in units of 1/65536 s: what `LSR` of a report block repeats
    /// (RFC 3550 §6.4.1).
    pub fn middle(self) -> u32 {
        (self.0 >> 16) as u32
    }
}

/// 1970-01-01 in seconds since 1900-01-01: 70 years with 17 leap days.
const UNIX_EPOCH_IN_NTP: u64 = 2_208_988_800;
const NANOS_PER_SECOND: u64 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unix_epoch_is_2208988800_seconds_after_1900() {
        assert_eq!(
            NtpTime::from_unix(Duration::ZERO),
            NtpTime(0x83aa_7e80_0000_0000)
        );
    }

    #[test]
    fn time_comes_back_as_it_was() {
        for time in [0, 1, 999_999_999, 1_800_000_000_123_456_789] {
            let time = Duration::from_nanos(time);
            assert!(NtpTime::from_unix(time).to_unix().abs_diff(time) <= Duration::from_nanos(1));
        }
        // The next era begins in 2036.
        let later = Duration::from_secs(3_000_000_000);
        assert_eq!(NtpTime::from_unix(later).to_unix(), later);
    }

    /// The sender report of RFC 3550 §6.4.1's worked example: [10 Nov 1995 11:33:25.125 UTC] is
    /// `0xb44db705_20000000`, and its middle `b705:2000`.
    #[test]
    fn rfc3550_6_4_1_example_time() {
        let time = NtpTime::from_unix(Duration::from_millis(816_003_205_125));
        assert_eq!(time, NtpTime(0xb44d_b705_2000_0000));
        assert_eq!(time.middle(), 0xb705_2000);
    }

    #[test]
    fn seconds_wrap_into_the_next_era_in_2036() {
        let last = Duration::from_secs((1 << 32) - 1 - UNIX_EPOCH_IN_NTP);
        assert_eq!(NtpTime::from_unix(last).0 >> 32, 0xffff_ffff);
        assert_eq!(
            NtpTime::from_unix(last + Duration::from_secs(1)),
            NtpTime(0)
        );
    }

    #[test]
    fn fraction_stays_below_one_second() {
        let time = NtpTime::from_unix(Duration::from_nanos(999_999_999));
        assert_eq!(time.0 >> 32, UNIX_EPOCH_IN_NTP);
        assert_eq!(time.0 & 0xffff_ffff, 0xffff_fffb);
    }
}
