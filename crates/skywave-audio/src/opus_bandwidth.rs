//! Audio bandwidths of Opus (RFC 6716 §2).

/// How much of the spectrum Opus keeps.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum OpusBandwidth {
    /// Up to 4 kHz.
    Narrowband,
    /// Up to 6 kHz.
    Mediumband,
    /// Up to 8 kHz.
    Wideband,
    /// Up to 12 kHz.
    Superwideband,
    /// Up to 20 kHz.
    #[default]
    Fullband,
}

impl OpusBandwidth {
    /// All, each at its place as a number, the narrowest first.
    pub const ALL: [Self; 5] = [
        Self::Narrowband,
        Self::Mediumband,
        Self::Wideband,
        Self::Superwideband,
        Self::Fullband,
    ];

    /// The sampling rate in Hz that carries it, as `maxplaybackrate` says it (RFC 7587 §6.1).
    #[must_use]
    pub const fn sample_rate(self) -> u32 {
        match self {
            Self::Narrowband => 8_000,
            Self::Mediumband => 12_000,
            Self::Wideband => 16_000,
            Self::Superwideband => 24_000,
            Self::Fullband => 48_000,
        }
    }

    /// The widest that a receiver which plays at most `rate` Hz has any use for.
    #[must_use]
    pub fn of_playback_rate(rate: u32) -> Self {
        let carries = |bandwidth: &Self| bandwidth.sample_rate() >= rate;
        Self::ALL.into_iter().find(carries).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc7587_6_1_bandwidth_is_what_the_receiver_can_play() {
        let of = OpusBandwidth::of_playback_rate;
        for bandwidth in OpusBandwidth::ALL {
            assert_eq!(of(bandwidth.sample_rate()), bandwidth);
        }
        assert_eq!(of(1), OpusBandwidth::Narrowband);
        assert_eq!(of(22_050), OpusBandwidth::Superwideband);
        assert_eq!(of(44_100), OpusBandwidth::Fullband);
        assert_eq!(of(u32::MAX), OpusBandwidth::Fullband);
    }
}
