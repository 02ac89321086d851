//! What makes one stream of packets of a track: an encoding, and the length of its packets.

use crate::{AudioCodec, Encoding, OpusOptions, OpusReceiver, Ptime};

/// An encoding, cut into packets of one length. Listeners that agree on both share the packets.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct Packetization {
    /// How the audio is encoded.
    pub encoding: Encoding,
    /// How much of it a packet carries.
    pub ptime: Ptime,
    /// What is left out of silence is described instead (RFC 3389). Of G.711 only: Opus needs no
    /// such thing, and other codecs have more samples than the noise.
    pub comfort_noise: bool,
}

impl Packetization {
    /// One without comfort noise.
    #[must_use]
    pub const fn new(encoding: Encoding, ptime: Ptime) -> Self {
        Self {
            encoding,
            ptime,
            comfort_noise: false,
        }
    }

    /// What its encoder is set to on a track with these options.
    #[must_use]
    pub fn settings(self, options: OpusOptions) -> EncoderSettings {
        let (encoding, opus) = match self.encoding {
            Encoding::Opus(receiver) => {
                let plain = OpusReceiver {
                    stereo: receiver.stereo,
                    ..OpusReceiver::MONO
                };
                (Encoding::Opus(plain), options.obeying(receiver))
            }
            other => (other, OpusOptions::default()),
        };
        EncoderSettings {
            packetization: Self { encoding, ..self },
            opus,
        }
    }

    /// Whether a listener that needs this can be given `other` instead.
    #[must_use]
    pub fn is_served_by(&self, other: &Self) -> bool {
        let encoding = match (self.encoding, other.encoding) {
            (Encoding::Opus(own), Encoding::Opus(other)) => own.is_served_by(&other),
            (own, other) => own == other,
        };
        let noise = self.comfort_noise || !other.comfort_noise;
        encoding && noise && other.ptime <= self.ptime
    }

    /// Everything in one word, which is never 0.
    #[must_use]
    pub fn to_bits(self) -> u32 {
        let receiver = match self.encoding {
            Encoding::Opus(receiver) => receiver,
            _ => OpusReceiver::MONO,
        };
        let [switches, step] = receiver.to_bytes();
        let codec = self.encoding.codec() as u8 + 1;
        let noise = u8::from(self.comfort_noise) << 7;
        u32::from_le_bytes([codec | noise, self.ptime as u8, switches, step])
    }

    /// What [`to_bits`](Self::to_bits) made the word of; none of 0.
    #[must_use]
    pub fn from_bits(bits: u32) -> Option<Self> {
        let [codec, ptime, switches, step] = bits.to_le_bytes();
        let (codec, noise) = (codec & 0x7f, codec >> 7);
        let codec = AudioCodec::ALL.get(usize::from(codec.checked_sub(1)?))?;
        let receiver = OpusReceiver::from_bytes([switches, step]);
        let encoding = Encoding::new(*codec, receiver);
        let ptime = *Ptime::ALL.get(usize::from(ptime))?;
        Some(Self {
            encoding,
            ptime,
            comfort_noise: noise != 0,
        })
    }
}

/// What an encoder is set to. Streams whose encoders are set alike need one encoder only.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct EncoderSettings {
    /// Without the limits of a receiver, which are in the options.
    pub(crate) packetization: Packetization,
    /// Within the limits of the receiver. The default for other codecs than Opus.
    pub(crate) opus: OpusOptions,
}

impl EncoderSettings {
    /// The codec.
    #[must_use]
    pub fn codec(&self) -> AudioCodec {
        self.packetization.encoding.codec()
    }

    /// How much a packet carries.
    #[must_use]
    pub fn ptime(&self) -> Ptime {
        self.packetization.ptime
    }

    /// Channels that are encoded.
    #[must_use]
    pub fn channels(&self) -> u8 {
        match self.packetization.encoding {
            Encoding::Opus(receiver) if receiver.stereo => 2,
            _ => 1,
        }
    }

    /// The bit rate in bit/s, of the payload alone.
    #[must_use]
    pub fn bit_rate(&self) -> u32 {
        match self.packetization.encoding {
            Encoding::Opus(_) => self.opus.bitrate.map_or(0, |bitrate| bitrate.bits()),
            Encoding::Pcmu | Encoding::Pcma | Encoding::G722 => 64_000,
            Encoding::L16 => 768_000,
            Encoding::L16Wideband => 256_000,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OpusBitrate;

    #[test]
    fn packetizations_survive_the_way_through_a_word() {
        let uncompressed = [Encoding::L16, Encoding::L16Wideband];
        for encoding in Encoding::PLAIN.into_iter().chain(uncompressed) {
            for (ptime, comfort_noise) in Ptime::ALL.into_iter().zip([false, true].repeat(5)) {
                let packetization = Packetization {
                    comfort_noise,
                    ..Packetization::new(encoding, ptime)
                };
                let bits = packetization.to_bits();
                assert_ne!(bits, 0);
                assert_eq!(Packetization::from_bits(bits), Some(packetization));
            }
        }
        assert_eq!(Packetization::from_bits(0), None);
        assert_eq!(Packetization::from_bits(u32::MAX), None);
    }

    #[test]
    fn streams_differ_where_limits_differ_and_their_encoders_only_where_the_limits_bind() {
        let of = |max_bitrate| {
            let receiver = OpusReceiver {
                max_bitrate,
                ..OpusReceiver::MONO
            };
            Packetization::new(Encoding::Opus(receiver), Ptime::Ms20)
        };
        let [free, roomy, tight] = [
            None,
            OpusBitrate::step_at_most(64_000),
            OpusBitrate::step_at_most(32_000),
        ]
        .map(of);
        let options = OpusOptions::default();
        assert_ne!(free.to_bits(), roomy.to_bits());
        assert_eq!(free.settings(options), roomy.settings(options));
        assert_ne!(free.settings(options), tight.settings(options));
        let rich = OpusOptions {
            bitrate: OpusBitrate::new(128_000).ok(),
            ..options
        };
        assert_eq!(
            [free, roomy, tight].map(|stream| stream.settings(rich).bit_rate()),
            [128_000, 64_000, 32_000]
        );
    }

    #[test]
    fn shorter_packets_serve_who_takes_longer_ones_and_no_codec_serves_another() {
        let of = Packetization::new;
        let long = of(Encoding::Pcmu, Ptime::Ms60);
        let short = of(Encoding::Pcmu, Ptime::Ms20);
        assert!(long.is_served_by(&short));
        assert!(!short.is_served_by(&long));
        assert!(!short.is_served_by(&of(Encoding::Pcma, Ptime::Ms20)));
        assert!(!short.is_served_by(&of(Encoding::OPUS_MONO, Ptime::Ms20)));
    }

    #[test]
    fn who_can_make_comfort_noise_can_do_without_and_nobody_else_is_given_it() {
        let plain = Packetization::new(Encoding::Pcma, Ptime::Ms20);
        let noise = Packetization {
            comfort_noise: true,
            ..plain
        };
        assert!(noise.is_served_by(&plain));
        assert!(!plain.is_served_by(&noise));
    }
}
