//! What a receiver of Opus declares of itself (RFC 7587 §6.1).

use crate::{OpusBandwidth, OpusBitrate};

/// What a receiver of Opus declares of itself: the parameters of its `a=fmtp`, as far as an
/// encoder can follow them. Receivers that declare the same share one stream of packets.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct OpusReceiver {
    /// It prefers stereo (`stereo`).
    pub stereo: bool,
    /// The most that it takes (`maxaveragebitrate`), as one of [`OpusBitrate::STEPS`]; others are
    /// rounded down. None for any.
    pub max_bitrate: Option<OpusBitrate>,
    /// What it can play (`maxplaybackrate`).
    pub max_bandwidth: OpusBandwidth,
    /// It wants packets of one size (`cbr`).
    pub cbr: bool,
    /// It prefers that nothing is sent in silence (`usedtx`).
    pub dtx: bool,
    /// It makes use of in-band forward error correction (`useinbandfec`).
    pub fec: bool,
}

impl OpusReceiver {
    /// One that declares nothing (RFC 7587 §6.1 has mono preferred then).
    pub const MONO: Self = Self {
        stereo: false,
        max_bitrate: None,
        max_bandwidth: OpusBandwidth::Fullband,
        cbr: false,
        dtx: false,
        fec: false,
    };

    /// One that declares to prefer stereo.
    pub const STEREO: Self = Self {
        stereo: true,
        ..Self::MONO
    };

    /// Whether what is sent to `other` keeps within the limits of this one as well. Forward error
    /// correction is no limit: who makes no use of it is not disturbed by it.
    #[must_use]
    pub fn is_served_by(&self, other: &Self) -> bool {
        let limit = |receiver: &Self| receiver.max_bitrate.unwrap_or(OpusBitrate::MAX);
        (self.stereo || !other.stereo)
            && limit(other) <= limit(self)
            && other.max_bandwidth <= self.max_bandwidth
            && (other.cbr || !self.cbr)
            && (self.dtx || !other.dtx)
    }

    /// In two octets.
    pub(crate) fn to_bytes(self) -> [u8; 2] {
        let step = |limit: OpusBitrate| {
            let steps = OpusBitrate::STEPS.iter();
            steps.filter(|step| **step <= limit).count() as u8
        };
        let switches = u8::from(self.stereo)
            | u8::from(self.cbr) << 1
            | u8::from(self.dtx) << 2
            | u8::from(self.fec) << 3;
        let bandwidth = self.max_bandwidth as u8;
        [switches | bandwidth << 4, self.max_bitrate.map_or(0, step)]
    }

    pub(crate) fn from_bytes([switches, step]: [u8; 2]) -> Self {
        let steps = OpusBitrate::STEPS;
        let step = usize::from(step).checked_sub(1);
        let bandwidth = OpusBandwidth::ALL.get(usize::from(switches >> 4));
        Self {
            stereo: switches & 1 != 0,
            max_bitrate: step.and_then(|step| steps.get(step).copied()),
            max_bandwidth: bandwidth.copied().unwrap_or_default(),
            cbr: switches & 2 != 0,
            dtx: switches & 4 != 0,
            fec: switches & 8 != 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_octets_tell_all_receivers_apart() {
        let limits = OpusBitrate::STEPS.map(Some).into_iter().chain([None]);
        for max_bitrate in limits {
            for max_bandwidth in OpusBandwidth::ALL {
                for switches in 0..16 {
                    let receiver = OpusReceiver {
                        stereo: switches & 8 != 0,
                        max_bitrate,
                        max_bandwidth,
                        cbr: switches & 4 != 0,
                        dtx: switches & 2 != 0,
                        fec: switches & 1 != 0,
                    };
                    assert_eq!(OpusReceiver::from_bytes(receiver.to_bytes()), receiver);
                }
            }
        }
    }

    #[test]
    fn receiver_is_served_by_the_stream_of_one_that_declares_less() {
        let strict = OpusReceiver {
            max_bitrate: OpusBitrate::step_at_most(32_000),
            max_bandwidth: OpusBandwidth::Wideband,
            ..OpusReceiver::MONO
        };
        assert!(OpusReceiver::MONO.is_served_by(&strict));
        assert!(!strict.is_served_by(&OpusReceiver::MONO));
        assert!(OpusReceiver::STEREO.is_served_by(&OpusReceiver::MONO));
        assert!(!OpusReceiver::MONO.is_served_by(&OpusReceiver::STEREO));
        let dtx = OpusReceiver {
            dtx: true,
            ..OpusReceiver::MONO
        };
        assert!(dtx.is_served_by(&OpusReceiver::MONO));
        assert!(!OpusReceiver::MONO.is_served_by(&dtx));
    }
}
