//! The encoder of a track: frames of 20 ms in, RTP payloads out.

use crate::g711::{encode_a_law, encode_mu_law};
use crate::narrowband::Narrowband;
use crate::opus_encoder::OpusEncoder;
use crate::{Encoding, Error, FRAME_SAMPLES, audio_level};

/// Encodes one track in one way.
pub struct Encoder {
    encoding: Encoding,
    codec: CodecState,
    /// The frame as the codec takes it: interleaved, or mixed to mono.
    samples: Vec<f32>,
}

impl Encoder {
    /// An encoder with fresh state.
    ///
    /// # Errors
    /// [`Error::Opus`] or [`Error::Resampler`] when the library refuses its settings.
    pub fn new(encoding: Encoding) -> Result<Self, Error> {
        let codec = match encoding {
            Encoding::OpusMono => CodecState::Opus(Box::new(OpusEncoder::new(false)?)),
            Encoding::OpusStereo => CodecState::Opus(Box::new(OpusEncoder::new(true)?)),
            Encoding::Pcmu | Encoding::Pcma => CodecState::G711(Box::new(Narrowband::new()?)),
        };
        Ok(Self {
            encoding,
            codec,
            samples: Vec::with_capacity(2 * FRAME_SAMPLES),
        })
    }

    /// The encoding it was made for.
    #[must_use]
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// Encodes one frame of [`FRAME_SAMPLES`] samples and appends the payload:
    /// one Opus packet (RFC 7587 §4.2) or 160 octets of G.711. Returns the
    /// [`audio_level`] of just what was encoded: of the mix where it is mono.
    ///
    /// # Errors
    /// [`Error::FrameLength`] for another number of samples, [`Error::Opus`] or
    /// [`Error::Resampler`] when the library fails. `payload` is unchanged then.
    pub fn encode(&mut self, pcm: &[[f32; 2]], payload: &mut Vec<u8>) -> Result<u8, Error> {
        if pcm.len() != FRAME_SAMPLES {
            return Err(Error::FrameLength(pcm.len()));
        }
        self.samples.clear();
        if self.encoding == Encoding::OpusStereo {
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
                let compand = match self.encoding {
                    Encoding::Pcma => encode_a_law,
                    _ => encode_mu_law,
                };
                let linear = |&sample: &f32| (sample * 32_768.0).round() as i16;
                let samples = narrowband.resample(&self.samples)?;
                payload.extend(samples.iter().map(linear).map(compand));
            }
        }
        Ok(audio_level(&self.samples))
    }
}

impl std::fmt::Debug for Encoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Encoder")
            .field("encoding", &self.encoding)
            .finish_non_exhaustive()
    }
}

enum CodecState {
    Opus(Box<OpusEncoder>),
    G711(Box<Narrowband>),
}

/// Clips; what is no number becomes 0, for it would stay in the codec's filters.
fn in_range(sample: f32) -> f32 {
    if sample.is_finite() {
        sample.clamp(-1.0, 1.0)
    } else {
        0.0
    }
}

/// The longest packet of one frame (RFC 6716 §3.4: 1,275 octets and the TOC).
const MAX_OPUS_PACKET: usize = 1_276;

#[cfg(test)]
mod tests {
    use ropus::{Channels, DecodeMode, Decoder};

    use super::*;
    use crate::goertzel::{amplitude, amplitude_at};
    use crate::{AudioSource, Tone};

    /// A second of `source`, a payload a frame.
    fn encode(encoding: Encoding, source: &mut dyn AudioSource) -> Vec<Vec<u8>> {
        let mut encoder = Encoder::new(encoding).unwrap();
        let mut pcm = [[0.0; 2]; FRAME_SAMPLES];
        (0..50)
            .map(|_| {
                source.read(&mut pcm);
                let mut payload = Vec::new();
                encoder.encode(&pcm, &mut payload).unwrap();
                payload
            })
            .collect()
    }

    /// 440 Hz on the left, 1 kHz on the right.
    struct Pair(Tone, Tone);

    impl AudioSource for Pair {
        fn read(&mut self, pcm: &mut [[f32; 2]]) -> usize {
            let mut right = pcm.to_vec();
            self.0.read(pcm);
            self.1.read(&mut right);
            pcm.iter_mut()
                .zip(right)
                .for_each(|(sample, right)| sample[1] = right[1]);
            pcm.len()
        }
    }

    fn pair() -> Pair {
        Pair(Tone::new(440.0).unwrap(), Tone::new(1_000.0).unwrap())
    }

    fn decode_opus(packets: &[Vec<u8>]) -> [Vec<f32>; 2] {
        let mut decoder = Decoder::new(48_000, Channels::Stereo).unwrap();
        let mut interleaved = vec![0.0; 2 * 5_760];
        let mut channels = [Vec::new(), Vec::new()];
        for packet in packets {
            let samples = decoder
                .decode_float(packet, &mut interleaved, DecodeMode::Normal)
                .unwrap();
            assert_eq!(samples, FRAME_SAMPLES);
            for sample in interleaved[..2 * samples].chunks(2) {
                channels[0].push(sample[0]);
                channels[1].push(sample[1]);
            }
        }
        channels
    }

    #[test]
    fn rfc6464_3_level_is_that_of_what_is_encoded() {
        // In opposite phase: loud in stereo, nothing in mono.
        let pcm = [[0.5, -0.5]; FRAME_SAMPLES];
        for (encoding, level) in [
            (Encoding::OpusStereo, 6),
            (Encoding::OpusMono, 127),
            (Encoding::Pcmu, 127),
        ] {
            let mut encoder = Encoder::new(encoding).unwrap();
            let encoded = encoder.encode(&pcm, &mut Vec::new()).unwrap();
            assert_eq!(encoded, level, "{encoding:?}");
        }
    }

    #[test]
    fn opus_stereo_keeps_the_channels_apart() {
        let [left, right] = decode_opus(&encode(Encoding::OpusStereo, &mut pair()));
        assert!((amplitude(&left[9_600..], 440.0) - 0.25).abs() < 0.02);
        assert!((amplitude(&right[9_600..], 1_000.0) - 0.25).abs() < 0.02);
        assert!(amplitude(&left[9_600..], 1_000.0) < 0.01);
        assert!(amplitude(&right[9_600..], 440.0) < 0.01);
    }

    #[test]
    fn opus_mono_mixes_the_channels_at_half_level() {
        let packets = encode(Encoding::OpusMono, &mut pair());
        assert!(
            packets.iter().all(|packet| packet[0] & 0x04 == 0),
            "the TOC says mono"
        );
        let [left, _] = decode_opus(&packets);
        assert!((amplitude(&left[9_600..], 440.0) - 0.125).abs() < 0.02);
        assert!((amplitude(&left[9_600..], 1_000.0) - 0.125).abs() < 0.02);
    }

    #[test]
    fn opus_keeps_to_its_bit_rate_on_music() {
        for (encoding, bit_rate) in [(Encoding::OpusMono, 48_000), (Encoding::OpusStereo, 96_000)] {
            let packets = encode(encoding, &mut crate::Melody::new());
            let bits = 8 * packets.iter().map(Vec::len).sum::<usize>();
            assert!(
                (bit_rate / 2..bit_rate * 5 / 4).contains(&bits),
                "{bits} b/s"
            );
        }
    }

    #[test]
    fn g711_payload_is_160_octets_with_the_tone() {
        for (encoding, decode) in [
            (Encoding::Pcmu, decode_mu_law as fn(u8) -> f32),
            (Encoding::Pcma, decode_a_law),
        ] {
            let payloads = encode(encoding, &mut pair());
            assert!(payloads.iter().all(|payload| payload.len() == 160));
            let samples: Vec<f32> = payloads.concat().into_iter().map(decode).collect();
            for frequency in [440.0, 1_000.0] {
                let level = amplitude_at(&samples[800..], frequency, 8_000.0);
                assert!(
                    (level - 0.125).abs() < 0.005,
                    "{encoding:?} {level} at {frequency} Hz"
                );
            }
        }
    }

    /// G.711 Table 2, decoder side.
    fn decode_mu_law(code: u8) -> f32 {
        let code = !code;
        let magnitude = ((i32::from(code & 0x0f) * 2 + 33) << (code >> 4 & 7)) - 33;
        let sign = if code & 0x80 == 0 { 1.0 } else { -1.0 };
        sign * magnitude as f32 / 8_192.0
    }

    /// G.711 Table 1, decoder side.
    fn decode_a_law(code: u8) -> f32 {
        let code = code ^ 0x55;
        let (segment, step) = (code >> 4 & 7, i32::from(code & 0x0f) * 2 + 1);
        let magnitude = if segment == 0 {
            step
        } else {
            (step + 32) << (segment - 1)
        };
        let sign = if code & 0x80 == 0 { -1.0 } else { 1.0 };
        sign * magnitude as f32 / 4_096.0
    }

    #[test]
    fn payload_is_appended_and_a_wrong_frame_leaves_it_alone() {
        for encoding in Encoding::ALL {
            let mut encoder = Encoder::new(encoding).unwrap();
            assert_eq!(encoder.encoding(), encoding);
            let mut payload = vec![1, 2, 3];
            for length in [0, 480, 959, 961, 1_920] {
                let error = encoder.encode(&vec![[0.0; 2]; length], &mut payload);
                assert!(matches!(error, Err(Error::FrameLength(refused)) if refused == length));
            }
            assert_eq!(payload, [1, 2, 3]);
            encoder
                .encode(&[[0.0; 2]; FRAME_SAMPLES], &mut payload)
                .unwrap();
            assert!(payload.starts_with(&[1, 2, 3]) && payload.len() > 3);
        }
    }

    #[test]
    fn samples_out_of_range_are_survived() {
        for encoding in Encoding::ALL {
            let mut encoder = Encoder::new(encoding).unwrap();
            for value in [f32::MAX, f32::MIN, f32::INFINITY, f32::NAN, 2.0, 0.0] {
                let mut payload = Vec::new();
                encoder
                    .encode(&[[value; 2]; FRAME_SAMPLES], &mut payload)
                    .unwrap();
                assert!((1..=1_276).contains(&payload.len()));
            }
            // Whatever came before, the encoder is not deaf now.
            let mut tone = Tone::new(440.0).unwrap();
            let mut pcm = [[0.0; 2]; FRAME_SAMPLES];
            let mut payloads = Vec::new();
            for _ in 0..20 {
                tone.read(&mut pcm);
                let mut payload = Vec::new();
                encoder.encode(&pcm, &mut payload).unwrap();
                payloads.push(payload);
            }
            let recovered: Vec<f32> = match encoding {
                Encoding::Pcmu => payloads.concat().into_iter().map(decode_mu_law).collect(),
                Encoding::Pcma => payloads.concat().into_iter().map(decode_a_law).collect(),
                _ => decode_opus(&payloads)[0]
                    .iter()
                    .step_by(6)
                    .copied()
                    .collect(),
            };
            let level = amplitude_at(&recovered[1_600..], 440.0, 8_000.0);
            assert!((level - 0.25).abs() < 0.03, "{encoding:?} {level}");
        }
    }
}
