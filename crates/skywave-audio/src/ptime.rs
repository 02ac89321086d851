//! The length of a packet (`a=ptime`, RFC 8866 §6.4).

use std::time::Duration;

use crate::SAMPLE_RATE;

/// How much audio a packet carries.
///
/// These are the lengths that Opus has in one packet and that G.711 is sent in; others of Opus
/// (2.5, 5 and 80 to 120 ms) cost more than they bring in live audio.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Ptime {
    /// 10 ms: the least latency, and headers as large as the audio.
    Ms10,
    /// 20 ms, the default of Opus (RFC 7587 §7) and G.711 (RFC 3551 §4.5).
    #[default]
    Ms20,
    /// 40 ms: half the packets, and a lost one is heard as a gap.
    Ms40,
    /// 60 ms: a third of the packets.
    Ms60,
}

impl Ptime {
    /// All lengths, each at its place as a number, the shortest first.
    pub const ALL: [Ptime; 4] = [Ptime::Ms10, Ptime::Ms20, Ptime::Ms40, Ptime::Ms60];

    /// The shortest.
    pub const MIN: Ptime = Ptime::Ms10;
    /// The longest.
    pub const MAX: Ptime = Ptime::Ms60;

    /// In milliseconds.
    #[must_use]
    pub const fn milliseconds(self) -> u32 {
        match self {
            Ptime::Ms10 => 10,
            Ptime::Ms20 => 20,
            Ptime::Ms40 => 40,
            Ptime::Ms60 => 60,
        }
    }

    /// In samples of 48 kHz.
    #[must_use]
    pub const fn samples(self) -> usize {
        (SAMPLE_RATE / 1_000 * self.milliseconds()) as usize
    }

    /// As a time.
    #[must_use]
    pub const fn duration(self) -> Duration {
        Duration::from_millis(self.milliseconds() as u64)
    }

    /// The longest of no more than that many milliseconds; none below 10.
    #[must_use]
    pub fn at_most(milliseconds: u32) -> Option<Self> {
        let fits = |ptime: &Ptime| ptime.milliseconds() <= milliseconds;
        Ptime::ALL.into_iter().rfind(fits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_in_all_units_agree_and_rise() {
        let samples = Ptime::ALL.map(Ptime::samples);
        assert_eq!(samples, [480, 960, 1_920, 2_880]);
        for ptime in Ptime::ALL {
            assert_eq!(ptime.duration().as_millis(), ptime.milliseconds().into());
        }
        assert!(Ptime::ALL.is_sorted());
        assert_eq!((Ptime::ALL[0], Ptime::ALL[3]), (Ptime::MIN, Ptime::MAX));
    }

    #[test]
    fn at_most_is_the_longest_that_fits() {
        let at_most = [0, 9, 10, 19, 20, 39, 40, 59, 60, u32::MAX].map(Ptime::at_most);
        let expected = [
            None,
            None,
            Some(Ptime::Ms10),
            Some(Ptime::Ms10),
            Some(Ptime::Ms20),
            Some(Ptime::Ms20),
            Some(Ptime::Ms40),
            Some(Ptime::Ms40),
            Some(Ptime::Ms60),
            Some(Ptime::Ms60),
        ];
        assert_eq!(at_most, expected);
    }
}
