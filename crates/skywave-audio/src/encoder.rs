//! The encoder of a stream: whole packets of samples in, RTP payloads out.

use crate::g711::{encode_a_law, encode_mu_law};
use crate::g722::G722;
use crate::narrowband::Narrowband;
use crate::opus_encoder::OpusEncoder;
use crate::pcm_samples::in_range;
use crate::{EncoderSettings, Encoding, Error, audio_level};

/// Encodes one track in one way.
pub struct Encoder {
    settings: EncoderSettings,
    codec: CodecState,
    /// The packet as the codec takes it: interleaved, or mixed to mono.
    samples: Vec<f32>,
}

impl Encoder {
    /// An encoder with fresh state.
    ///
    /// # Errors
    /// [`Error::Opus`] or [`Error::Resampler`] when the library refuses its settings.
    pub fn new(settings: EncoderSettings) -> Result<Self, Error> {
        let resampler = |rate| Narrowband::new(rate, settings.ptime()).map(Box::new);
        let codec = match settings.packetization.encoding {
            Encoding::Opus(receiver) => {
                let opus = OpusEncoder::new(receiver.stereo, settings.opus)?;
                CodecState::Opus(Box::new(opus))
            }
            Encoding::Pcmu | Encoding::Pcma => CodecState::G711(resampler(8_000)?),
            Encoding::G722 => CodecState::G722(resampler(16_000)?, Box::new(G722::new())),
            Encoding::L16 => CodecState::L16,
            Encoding::L16Wideband => CodecState::L16Wideband(resampler(16_000)?),
        };
        Ok(Self {
            settings,
            codec,
            samples: Vec::with_capacity(2 * settings.ptime().samples()),
        })
    }

    /// What it is set to.
    #[must_use]
    pub fn settings(&self) -> EncoderSettings {
        self.settings
    }

    /// Goes on with other settings of the same packetization, from the next packet on. Settings
    /// of another one change nothing: they need an encoder of their own.
    ///
    /// # Errors
    /// [`Error::Opus`] when the library refuses them; they may be in force in part then.
    pub fn set(&mut self, settings: EncoderSettings) -> Result<(), Error> {
        if settings.packetization == self.settings.packetization {
            if let CodecState::Opus(opus) = &mut self.codec {
                opus.set_options(settings.opus)?;
            }
            self.settings = settings;
        }
        Ok(())
    }

    /// Encodes the samples of one packet, as many as [`Ptime::samples`](crate::Ptime::samples)
    /// says, and appends the payload: one Opus packet of 1,276 octets at most (RFC 7587 §4.2), or
    /// 8 octets of G.711 or G.722 a millisecond, 96 or 32 of L16. Returns the [`audio_level`] of
    /// just what was encoded: of the mix where it is mono.
    ///
    /// # Errors
    /// [`Error::PacketLength`] for another number of samples, [`Error::Opus`] or
    /// [`Error::Resampler`] when the library fails. `payload` is unchanged then.
    pub fn encode(&mut self, pcm: &[[f32; 2]], payload: &mut Vec<u8>) -> Result<u8, Error> {
        let (encoding, ptime) = (self.settings.packetization.encoding, self.settings.ptime());
        if pcm.len() != ptime.samples() {
            return Err(Error::PacketLength {
                samples: pcm.len(),
                expected: ptime.samples(),
            });
        }
        self.samples.clear();
        if self.settings.channels() == 2 {
            let interleaved = pcm.as_flattened().iter().copied().map(in_range);
            self.samples.extend(interleaved);
        } else {
            let mixed = pcm.iter().map(|&[l, r]| (in_range(l) + in_range(r)) / 2.0);
            self.samples.extend(mixed);
        }
        match &mut self.codec {
            CodecState::Opus(opus) => {
                let mut packet = [0; MAX_OPUS_PACKET];
                let length = opus.encode(&self.samples, &mut packet)?;
                payload.extend_from_slice(&packet[..length]);
            }
            CodecState::G711(narrowband) => {
                let compand = match encoding {
                    Encoding::Pcma => encode_a_law,
                    _ => encode_mu_law,
                };
                let samples = narrowband.resample(&self.samples)?;
                payload.extend(samples.iter().map(linear).map(compand));
            }
            CodecState::G722(wideband, g722) => {
                let (pairs, _) = wideband.resample(&self.samples)?.as_chunks::<2>();
                let pairs = pairs.iter().map(|pair| pair.each_ref().map(linear));
                payload.extend(pairs.map(|pair| g722.encode(pair)));
            }
            // Network byte order.
            CodecState::L16 => {
                payload.extend(self.samples.iter().map(linear).flat_map(i16::to_be_bytes));
            }
            CodecState::L16Wideband(wideband) => {
                let samples = wideband.resample(&self.samples)?.iter();
                payload.extend(samples.map(linear).flat_map(i16::to_be_bytes));
            }
        }
        Ok(audio_level(&self.samples))
    }
}

impl std::fmt::Debug for Encoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Encoder")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

enum CodecState {
    Opus(Box<OpusEncoder>),
    G711(Box<Narrowband>),
    G722(Box<Narrowband>, Box<G722>),
    L16,
    L16Wideband(Box<Narrowband>),
}

fn linear(sample: &f32) -> i16 {
    (sample * 32_768.0).round() as i16
}

/// The longest packet of one Opus frame (RFC 6716 §3.4: 1,275 octets and the TOC). A packet of
/// 40 ms and more holds several, which could be longer, but must fit into a datagram as well: the
/// bit rate of 120 ms is 85 kb/s at most.
const MAX_OPUS_PACKET: usize = 1_276;

#[cfg(test)]
mod tests;
