//! Bit rates of Opus (RFC 6716 §2.1.1).

use crate::Error;

/// The bit rate of Opus in bit/s, 6,000 to 510,000, of the payload alone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct OpusBitrate(u32);

impl OpusBitrate {
    /// The least, at which speech is understood.
    pub const MIN: Self = Self(6_000);
    /// The most.
    pub const MAX: Self = Self(510_000);

    /// The limits of listeners are rounded down to one of these, so that few encodings serve all
    /// of them.
    pub const STEPS: [Self; 12] = [
        Self::MIN,
        Self(8_000),
        Self(12_000),
        Self(16_000),
        Self(24_000),
        Self(32_000),
        Self(48_000),
        Self(64_000),
        Self(96_000),
        Self(128_000),
        Self(192_000),
        Self(256_000),
    ];

    /// A bit rate of `bits` bit/s.
    ///
    /// # Errors
    /// [`Error::Bitrate`] outside 6,000 to 510,000.
    pub const fn new(bits: u32) -> Result<Self, Error> {
        if bits < Self::MIN.0 || bits > Self::MAX.0 {
            return Err(Error::Bitrate(bits));
        }
        Ok(Self(bits))
    }

    /// In bit/s.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// The greatest of [`STEPS`](Self::STEPS) that is no more than `bits` bit/s; the least if none
    /// is. None if `bits` is no limit at all: 510,000 or more (RFC 7587 §6.1).
    #[must_use]
    pub fn step_at_most(bits: u32) -> Option<Self> {
        let below = || Self::STEPS.into_iter().rfind(|step| step.0 <= bits);
        (bits < Self::MAX.0).then(|| below().unwrap_or(Self::MIN))
    }
}

/// In stereo, unless the user says otherwise.
pub(crate) const STEREO: OpusBitrate = OpusBitrate(96_000);
/// In mono.
pub(crate) const MONO: OpusBitrate = OpusBitrate(48_000);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc6716_2_1_1_bit_rates_beyond_6_to_510_kbit_are_refused() {
        for bits in [6_000, 96_000, 510_000] {
            assert_eq!(OpusBitrate::new(bits).unwrap().bits(), bits);
        }
        for bits in [0, 5_999, 510_001, u32::MAX] {
            let refused = OpusBitrate::new(bits);
            assert!(matches!(refused, Err(Error::Bitrate(refused)) if refused == bits));
        }
    }

    #[test]
    fn limits_are_rounded_down_to_a_step() {
        let step = |bits| OpusBitrate::step_at_most(bits).map(OpusBitrate::bits);
        assert_eq!(step(0), Some(6_000), "there is no lower one");
        assert_eq!(step(6_000), Some(6_000));
        assert_eq!(step(63_999), Some(48_000));
        assert_eq!(step(64_000), Some(64_000));
        assert_eq!(step(509_999), Some(256_000));
        assert_eq!((step(510_000), step(u32::MAX)), (None, None));
        assert!(OpusBitrate::STEPS.is_sorted());
    }
}
