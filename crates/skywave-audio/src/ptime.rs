//! The length of a packet (`a=ptime`, RFC 8866 §6.4).

use std::fmt;
use std::time::Duration;

use crate::SAMPLE_RATE;

/// How much audio a packet carries: the lengths that Opus has (RFC 6716 §2.1.4, RFC 7587 §4.2).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Ptime {
    /// 2.5 ms: three times as many octets of headers as of Opus, for links where latency is all.
    Ms2_5,
    /// 5 ms.
    Ms5,
    /// 10 ms: little latency, and headers as large as the audio.
    Ms10,
    /// 20 ms, the default of Opus (RFC 7587 §7) and G.711 (RFC 3551 §4.5).
    #[default]
    Ms20,
    /// 40 ms: half the packets, and a lost one is heard as a gap.
    Ms40,
    /// 60 ms: a third of the packets. The longest frame of Opus.
    Ms60,
    /// 80 ms. From here on a packet of Opus holds several frames.
    Ms80,
    /// 100 ms.
    Ms100,
    /// 120 ms, the longest packet of Opus (RFC 6716 §3.2.5): a sixth of the packets.
    Ms120,
}

impl Ptime {
    /// All lengths, each at its place as a number, the shortest first.
    pub const ALL: [Ptime; 9] = [
        Ptime::Ms2_5,
        Ptime::Ms5,
        Ptime::Ms10,
        Ptime::Ms20,
        Ptime::Ms40,
        Ptime::Ms60,
        Ptime::Ms80,
        Ptime::Ms100,
        Ptime::Ms120,
    ];

    /// The shortest.
    pub const MIN: Ptime = Ptime::Ms2_5;
    /// The longest.
    pub const MAX: Ptime = Ptime::Ms120;

    /// In samples of 48 kHz.
    #[must_use]
    pub const fn samples(self) -> usize {
        match self {
            Ptime::Ms2_5 => 120,
            Ptime::Ms5 => 240,
            Ptime::Ms10 => 480,
            Ptime::Ms20 => 960,
            Ptime::Ms40 => 1_920,
            Ptime::Ms60 => 2_880,
            Ptime::Ms80 => 3_840,
            Ptime::Ms100 => 4_800,
            Ptime::Ms120 => 5_760,
        }
    }

    /// In milliseconds as descriptions have it: 2.5 is rounded up to 3 (RFC 7587 §6.1).
    #[must_use]
    pub const fn milliseconds(self) -> u32 {
        (self.samples() as u32).div_ceil(SAMPLE_RATE / 1_000)
    }

    /// As a time.
    #[must_use]
    pub const fn duration(self) -> Duration {
        Duration::from_micros(self.samples() as u64 * 1_000 / (SAMPLE_RATE / 1_000) as u64)
    }

    /// The longest of no more than that many milliseconds, as descriptions have it; none below 3.
    #[must_use]
    pub fn at_most(milliseconds: u32) -> Option<Self> {
        let fits = |ptime: &Ptime| ptime.milliseconds() <= milliseconds;
        Ptime::ALL.into_iter().rfind(fits)
    }
}

/// In milliseconds: `2.5`, `20`.
impl fmt::Display for Ptime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let milliseconds = self.samples() as f64 * 1_000.0 / f64::from(SAMPLE_RATE);
        milliseconds.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_in_all_units_agree_and_rise() {
        for (place, ptime) in Ptime::ALL.into_iter().enumerate() {
            assert_eq!(ptime as usize, place);
            let samples = ptime.duration().as_secs_f64() * 48_000.0;
            assert_eq!(samples, ptime.samples() as f64);
        }
        let shown = Ptime::ALL.map(|ptime| ptime.to_string()).join(" ");
        assert_eq!(shown, "2.5 5 10 20 40 60 80 100 120");
        assert!(Ptime::ALL.is_sorted_by_key(|ptime| ptime.samples()));
        assert_eq!((Ptime::ALL[0], Ptime::ALL[8]), (Ptime::MIN, Ptime::MAX));
    }

    #[test]
    fn rfc7587_6_1_at_most_is_the_longest_that_fits_and_3_stands_for_2_5() {
        for (milliseconds, expected) in [
            (0, None),
            (2, None),
            (3, Some(Ptime::Ms2_5)),
            (4, Some(Ptime::Ms2_5)),
            (5, Some(Ptime::Ms5)),
            (9, Some(Ptime::Ms5)),
            (10, Some(Ptime::Ms10)),
            (30, Some(Ptime::Ms20)),
            (59, Some(Ptime::Ms40)),
            (79, Some(Ptime::Ms60)),
            (119, Some(Ptime::Ms100)),
            (u32::MAX, Some(Ptime::Ms120)),
        ] {
            assert_eq!(Ptime::at_most(milliseconds), expected, "{milliseconds}");
        }
    }
}
