//! How a track is encoded with Opus, as its owner wants it.

use crate::opus_bitrate;
use crate::{Error, OpusBandwidth, OpusBitrate, OpusComplexity, OpusReceiver};

/// How a track is encoded with Opus. Can be changed while it plays, without negotiation.
///
/// A listener that declared limits of its own ([`OpusReceiver`]) gets what obeys both.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct OpusOptions {
    /// The bit rate. Default: 96 kb/s in stereo, 48 kb/s in mono.
    pub bitrate: Option<OpusBitrate>,
    /// How closely each packet keeps to it. Default: constrained VBR.
    pub rate_control: OpusRateControl,
    /// What the encoder is tuned for. Changing it begins the encoder anew, which may be heard.
    /// Default: audio.
    pub application: OpusApplication,
    /// How hard the encoder tries: a host with many tracks may choose less. Default: 5.
    pub complexity: OpusComplexity,
    /// What the source is known to be. Default: the encoder finds out.
    pub signal: OpusSignal,
    /// The widest audio bandwidth. Default: fullband.
    pub max_bandwidth: OpusBandwidth,
    /// In-band forward error correction (RFC 6716 §2.1.7), for listeners that say they use it: the
    /// encoder repeats speech of the packet before at a lower rate where it expects losses
    /// ([`expected_loss`](Self::expected_loss)). Where that is more than about 6 % it encodes music
    /// as speech for the sake of it; redundant audio (RED) serves music better. Default: false.
    pub in_band_fec: bool,
    /// The share of packets that are expected to be lost. Together with
    /// [`in_band_fec`](Self::in_band_fec) it is for listeners that use that. Default: none.
    pub expected_loss: ExpectedLoss,
    /// Discontinuous transmission (RFC 6716 §2.1.9) for all listeners: in silence only one packet
    /// in 400 ms is sent. Listeners that ask for it (`usedtx=1`) get it anyway. With libopus before
    /// 1.4 (feature `audiopus`) music needs a complexity of 7 for it. Default: false.
    pub dtx: bool,
}

impl OpusOptions {
    /// What an encoder for such a receiver is set to: these options within its limits, with the
    /// bit rate filled in.
    #[must_use]
    pub fn obeying(mut self, receiver: OpusReceiver) -> Self {
        let default = if receiver.stereo {
            opus_bitrate::STEREO
        } else {
            opus_bitrate::MONO
        };
        let wanted = self.bitrate.unwrap_or(default);
        let most = receiver.max_bitrate.unwrap_or(OpusBitrate::MAX);
        self.bitrate = Some(wanted.min(most));
        if receiver.cbr {
            self.rate_control = OpusRateControl::Cbr;
        }
        self.max_bandwidth = self.max_bandwidth.min(receiver.max_bandwidth);
        if self.in_band_fec && !receiver.fec {
            // Nor does the encoder prepare for losses that are met with it.
            self.in_band_fec = false;
            self.expected_loss = ExpectedLoss::default();
        }
        self.dtx |= receiver.dtx;
        self
    }

    /// Whether the source is said to be speech, by [`application`](Self::application) or
    /// [`signal`](Self::signal).
    #[must_use]
    pub fn is_for_speech(self) -> bool {
        let voip = self.application == OpusApplication::Voip;
        self.signal == OpusSignal::Voice || (voip && self.signal != OpusSignal::Music)
    }

    /// Everything in one word, for an atomic one.
    #[must_use]
    pub fn to_bits(self) -> u64 {
        let [b0, b1, b2, _] = self.bitrate.map_or(0, OpusBitrate::bits).to_le_bytes();
        u64::from_le_bytes([
            b0,
            b1,
            b2,
            self.complexity.value(),
            self.expected_loss.0,
            self.rate_control as u8 | (self.application as u8) << 4,
            self.signal as u8 | (self.max_bandwidth as u8) << 4,
            u8::from(self.in_band_fec) | u8::from(self.dtx) << 1,
        ])
    }

    /// The options that [`to_bits`](Self::to_bits) made the word of. What no options give reads
    /// as the default.
    #[must_use]
    pub fn from_bits(bits: u64) -> Self {
        let [b0, b1, b2, complexity, loss, tuning, sound, switches] = bits.to_le_bytes();
        Self {
            bitrate: OpusBitrate::new(u32::from_le_bytes([b0, b1, b2, 0])).ok(),
            rate_control: nth(&OpusRateControl::ALL, tuning),
            application: nth(&OpusApplication::ALL, tuning >> 4),
            complexity: OpusComplexity::new(complexity).unwrap_or_default(),
            signal: nth(&OpusSignal::ALL, sound),
            max_bandwidth: nth(&OpusBandwidth::ALL, sound >> 4),
            in_band_fec: switches & 1 != 0,
            expected_loss: ExpectedLoss::new(loss).unwrap_or_default(),
            dtx: switches & 2 != 0,
        }
    }
}

/// How closely packets keep to the bit rate.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum OpusRateControl {
    /// Each packet takes what its sound needs; the bit rate is an average over all music.
    Vbr,
    /// The same within the bounds of a small buffer: no burst above the bit rate.
    #[default]
    ConstrainedVbr,
    /// All packets have one size.
    Cbr,
}

impl OpusRateControl {
    const ALL: [Self; 3] = [Self::Vbr, Self::ConstrainedVbr, Self::Cbr];
}

/// What an Opus encoder is tuned for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum OpusApplication {
    /// Speech that must be understood.
    Voip,
    /// Sound that must be true to the original.
    #[default]
    Audio,
    /// The least delay: 2.5 ms of look-ahead instead of 6.5, without the modes for speech.
    LowDelay,
}

impl OpusApplication {
    const ALL: [Self; 3] = [Self::Voip, Self::Audio, Self::LowDelay];
}

/// What the source is known to be.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum OpusSignal {
    /// The encoder finds out.
    #[default]
    Auto,
    /// Speech.
    Voice,
    /// Music.
    Music,
}

impl OpusSignal {
    const ALL: [Self; 3] = [Self::Auto, Self::Voice, Self::Music];
}

/// A share of lost packets in percent, 0 to 100.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct ExpectedLoss(u8);

impl ExpectedLoss {
    /// So many percent.
    ///
    /// # Errors
    /// [`Error::ExpectedLoss`] beyond 100.
    pub const fn new(percent: u8) -> Result<Self, Error> {
        if percent > 100 {
            return Err(Error::ExpectedLoss(percent));
        }
        Ok(Self(percent))
    }

    /// In percent.
    #[must_use]
    pub const fn percent(self) -> u8 {
        self.0
    }
}

/// What stands at the place that the lower four bits say.
fn nth<T: Copy + Default>(all: &[T], place: u8) -> T {
    all.get(usize::from(place & 0x0f))
        .copied()
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_survive_the_way_through_a_word() {
        let mut options = vec![OpusOptions::default()];
        for rate_control in OpusRateControl::ALL {
            for application in OpusApplication::ALL {
                for signal in OpusSignal::ALL {
                    for max_bandwidth in OpusBandwidth::ALL {
                        options.push(OpusOptions {
                            bitrate: Some(OpusBitrate::MAX),
                            rate_control,
                            application,
                            complexity: OpusComplexity::new(10).unwrap(),
                            signal,
                            max_bandwidth,
                            in_band_fec: options.len().is_multiple_of(2),
                            expected_loss: ExpectedLoss::new(100).unwrap(),
                            dtx: options.len().is_multiple_of(3),
                        });
                    }
                }
            }
        }
        for options in options {
            assert_eq!(OpusOptions::from_bits(options.to_bits()), options);
        }
        assert_eq!(
            OpusOptions::from_bits(u64::MAX).bitrate,
            None,
            "no word is refused"
        );
    }

    #[test]
    fn speech_is_what_the_owner_says_is_speech() {
        let is_for_speech = |application, signal| {
            let options = OpusOptions {
                application,
                signal,
                ..OpusOptions::default()
            };
            options.is_for_speech()
        };
        for application in OpusApplication::ALL {
            assert!(is_for_speech(application, OpusSignal::Voice));
            assert!(!is_for_speech(application, OpusSignal::Music));
            let voip = application == OpusApplication::Voip;
            assert_eq!(is_for_speech(application, OpusSignal::Auto), voip);
        }
    }

    #[test]
    fn loss_beyond_100_percent_is_refused() {
        assert_eq!(ExpectedLoss::new(100).unwrap().percent(), 100);
        let refused = ExpectedLoss::new(101);
        assert!(matches!(refused, Err(Error::ExpectedLoss(101))));
    }

    #[test]
    fn rfc7587_7_1_what_the_receiver_declares_bounds_the_options() {
        let options = OpusOptions {
            in_band_fec: true,
            expected_loss: ExpectedLoss(5),
            ..OpusOptions::default()
        };
        let plain = options.obeying(OpusReceiver::MONO);
        assert_eq!(plain, OpusOptions::default().obeying(OpusReceiver::MONO));
        assert_eq!(plain.bitrate, Some(opus_bitrate::MONO));
        assert!(!plain.in_band_fec && !plain.dtx);
        let receiver = OpusReceiver {
            stereo: true,
            max_bitrate: OpusBitrate::step_at_most(70_000),
            max_bandwidth: OpusBandwidth::Wideband,
            cbr: true,
            dtx: true,
            fec: true,
        };
        let bounded = options.obeying(receiver);
        assert_eq!(bounded.bitrate, OpusBitrate::new(64_000).ok());
        assert_eq!(bounded.rate_control, OpusRateControl::Cbr);
        assert_eq!(bounded.max_bandwidth, OpusBandwidth::Wideband);
        assert!(bounded.in_band_fec && bounded.dtx);
        assert_eq!(bounded.expected_loss, ExpectedLoss(5));
        // A limit above what is sent anyway changes nothing.
        let roomy = OpusReceiver {
            max_bitrate: OpusBitrate::step_at_most(256_000),
            ..OpusReceiver::MONO
        };
        assert_eq!(options.obeying(roomy), plain);
    }
}
