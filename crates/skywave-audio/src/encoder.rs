//! The encoder of a stream: whole packets of samples in, RTP payloads out.

use crate::g711::{encode_a_law, encode_mu_law};
use crate::narrowband::Narrowband;
use crate::opus_encoder::OpusEncoder;
use crate::{Encoding, Error, OpusComplexity, Packetization, audio_level};

/// Encodes one track in one way.
pub struct Encoder {
    packetization: Packetization,
    codec: CodecState,
    /// The packet as the codec takes it: interleaved, or mixed to mono.
    samples: Vec<f32>,
}

impl Encoder {
    /// An encoder with fresh state. The complexity is that of Opus; G.711 has none.
    ///
    /// # Errors
    /// [`Error::Opus`] or [`Error::Resampler`] when the library refuses its settings.
    pub fn new(packetization: Packetization, complexity: OpusComplexity) -> Result<Self, Error> {
        let opus = |stereo| OpusEncoder::new(stereo, complexity).map(Box::new);
        let codec = match packetization.encoding {
            Encoding::OpusMono => CodecState::Opus(opus(false)?),
            Encoding::OpusStereo => CodecState::Opus(opus(true)?),
            Encoding::Pcmu | Encoding::Pcma => CodecState::G711(Box::new(Narrowband::new()?)),
        };
        Ok(Self {
            packetization,
            codec,
            samples: Vec::with_capacity(2 * packetization.ptime.samples()),
        })
    }

    /// Whether Opus goes over to packets of one octet, which need not be sent, when it hears
    /// nothing (discontinuous transmission); off at first. G.711 has no such thing.
    ///
    /// # Errors
    /// [`Error::Opus`] when the library refuses.
    pub fn set_dtx(&mut self, on: bool) -> Result<(), Error> {
        match &mut self.codec {
            CodecState::Opus(opus) => opus.set_dtx(on),
            CodecState::G711(_) => Ok(()),
        }
    }

    /// What it was made for.
    #[must_use]
    pub fn packetization(&self) -> Packetization {
        self.packetization
    }

    /// Encodes the samples of one packet, as many as [`Ptime::samples`](crate::Ptime::samples)
    /// says, and appends the payload: one Opus packet of 1,276 octets at most (RFC 7587 §4.2), or
    /// 8 octets of G.711 a millisecond. Returns the [`audio_level`] of just what was encoded: of
    /// the mix where it is mono.
    ///
    /// # Errors
    /// [`Error::PacketLength`] for another number of samples, [`Error::Opus`] or
    /// [`Error::Resampler`] when the library fails. `payload` is unchanged then.
    pub fn encode(&mut self, pcm: &[[f32; 2]], payload: &mut Vec<u8>) -> Result<u8, Error> {
        let Packetization { encoding, ptime } = self.packetization;
        if pcm.len() != ptime.samples() {
            return Err(Error::PacketLength {
                samples: pcm.len(),
                expected: ptime.samples(),
            });
        }
        self.samples.clear();
        if encoding == Encoding::OpusStereo {
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
            .field("packetization", &self.packetization)
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

/// The longest packet of one Opus frame (RFC 6716 §3.4: 1,275 octets and the TOC). A packet of
/// 40 or 60 ms holds two or three, which could be longer, but must fit into a datagram as well.
const MAX_OPUS_PACKET: usize = 1_276;

#[cfg(test)]
mod tests {
    use ropus::{Channels, DecodeMode, Decoder};

    use super::*;
    use crate::goertzel::{amplitude, amplitude_at};
    use crate::{AudioSource, Ptime, Tone};

    fn encoder(encoding: Encoding, ptime: Ptime) -> Encoder {
        let packetization = Packetization { encoding, ptime };
        Encoder::new(packetization, OpusComplexity::default()).unwrap()
    }

    /// 1.2 s of `source`, which is a whole number of packets of each length.
    fn encode_with(encoder: &mut Encoder, source: &mut dyn AudioSource) -> Vec<Vec<u8>> {
        let ptime = encoder.packetization().ptime;
        let mut pcm = vec![[0.0; 2]; ptime.samples()];
        (0..1_200 / ptime.milliseconds())
            .map(|_| {
                source.read(&mut pcm);
                let mut payload = Vec::new();
                encoder.encode(&pcm, &mut payload).unwrap();
                payload
            })
            .collect()
    }

    fn encode_as(encoding: Encoding, ptime: Ptime, source: &mut dyn AudioSource) -> Vec<Vec<u8>> {
        encode_with(&mut encoder(encoding, ptime), source)
    }

    fn encode(encoding: Encoding, source: &mut dyn AudioSource) -> Vec<Vec<u8>> {
        encode_as(encoding, Ptime::Ms20, source)
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

    fn decode_opus(packets: &[Vec<u8>], ptime: Ptime) -> [Vec<f32>; 2] {
        let mut decoder = Decoder::new(48_000, Channels::Stereo).unwrap();
        let mut interleaved = vec![0.0; 2 * 5_760];
        let mut channels = [Vec::new(), Vec::new()];
        for packet in packets {
            let samples = decoder
                .decode_float(packet, &mut interleaved, DecodeMode::Normal)
                .unwrap();
            assert_eq!(samples, ptime.samples());
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
        let pcm = [[0.5, -0.5]; 960];
        for (encoding, level) in [
            (Encoding::OpusStereo, 6),
            (Encoding::OpusMono, 127),
            (Encoding::Pcmu, 127),
        ] {
            let mut encoder = encoder(encoding, Ptime::Ms20);
            let encoded = encoder.encode(&pcm, &mut Vec::new()).unwrap();
            assert_eq!(encoded, level, "{encoding:?}");
        }
    }

    #[test]
    fn opus_stereo_keeps_the_channels_apart_at_every_length() {
        for ptime in Ptime::ALL {
            let packets = encode_as(Encoding::OpusStereo, ptime, &mut pair());
            let [left, right] = decode_opus(&packets, ptime);
            assert_eq!(left.len(), 57_600, "nothing is lost or added");
            let level = |channel: &[f32], frequency| amplitude(&channel[9_600..], frequency);
            assert!((level(&left, 440.0) - 0.25).abs() < 0.02, "{ptime:?}");
            assert!((level(&right, 1_000.0) - 0.25).abs() < 0.02, "{ptime:?}");
            assert!(level(&left, 1_000.0) < 0.01, "{ptime:?}");
            assert!(level(&right, 440.0) < 0.01, "{ptime:?}");
        }
    }

    #[test]
    fn opus_mono_mixes_the_channels_at_half_level() {
        let packets = encode(Encoding::OpusMono, &mut pair());
        assert!(
            packets.iter().all(|packet| packet[0] & 0x04 == 0),
            "the TOC says mono"
        );
        let [left, _] = decode_opus(&packets, Ptime::Ms20);
        assert!((amplitude(&left[9_600..], 440.0) - 0.125).abs() < 0.02);
        assert!((amplitude(&left[9_600..], 1_000.0) - 0.125).abs() < 0.02);
    }

    #[test]
    fn opus_keeps_to_its_bit_rate_on_music() {
        for (encoding, bit_rate) in [(Encoding::OpusMono, 48_000), (Encoding::OpusStereo, 96_000)] {
            for ptime in Ptime::ALL {
                let packets = encode_as(encoding, ptime, &mut crate::Melody::new());
                let bits = 8 * packets.iter().map(Vec::len).sum::<usize>() * 5 / 6;
                assert!(
                    (bit_rate / 2..bit_rate * 5 / 4).contains(&bits),
                    "{bits} b/s in packets of {ptime:?}"
                );
            }
        }
    }

    #[test]
    fn rfc3551_4_5_14_g711_payload_is_8_octets_a_millisecond_with_the_tone() {
        for (encoding, decode) in [
            (Encoding::Pcmu, decode_mu_law as fn(u8) -> f32),
            (Encoding::Pcma, decode_a_law),
        ] {
            let payloads = Ptime::ALL.map(|ptime| {
                let payloads = encode_as(encoding, ptime, &mut pair());
                let octets = 8 * ptime.milliseconds() as usize;
                assert!(payloads.iter().all(|payload| payload.len() == octets));
                payloads.concat()
            });
            assert!(payloads.iter().all(|octets| *octets == payloads[0]));
            let samples: Vec<f32> = payloads[0].iter().copied().map(decode).collect();
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
    fn payload_is_appended_and_a_wrong_number_of_samples_leaves_it_alone() {
        for packetization in Packetization::all() {
            let mut encoder = Encoder::new(packetization, OpusComplexity::default()).unwrap();
            assert_eq!(encoder.packetization(), packetization);
            let right = packetization.ptime.samples();
            let mut payload = vec![1, 2, 3];
            for wrong in [0, right - 1, right + 1, 2 * right] {
                let error = encoder.encode(&vec![[0.0; 2]; wrong], &mut payload);
                assert!(
                    matches!(error, Err(Error::PacketLength { samples, expected })
                    if (samples, expected) == (wrong, right))
                );
            }
            assert_eq!(payload, [1, 2, 3]);
            encoder
                .encode(&vec![[0.0; 2]; right], &mut payload)
                .unwrap();
            assert!(payload.starts_with(&[1, 2, 3]) && payload.len() > 3);
        }
    }

    #[test]
    fn opus_of_any_complexity_is_heard() {
        for complexity in [0, 5, 10] {
            let complexity = OpusComplexity::new(complexity).unwrap();
            let (encoding, ptime) = (Encoding::OpusMono, Ptime::Ms20);
            let packetization = Packetization { encoding, ptime };
            let mut encoder = Encoder::new(packetization, complexity).unwrap();
            let packets = encode_with(&mut encoder, &mut Tone::new(440.0).unwrap());
            let [left, _] = decode_opus(&packets, ptime);
            let level = amplitude(&left[9_600..], 440.0);
            assert!((level - 0.25).abs() < 0.02, "{level} at {complexity:?}");
        }
    }

    #[test]
    fn loudest_noise_of_the_longest_packet_fits_into_a_datagram() {
        let mut encoder = encoder(Encoding::OpusStereo, Ptime::MAX);
        let mut random = 1_u32;
        for _ in 0..50 {
            let noise: Vec<_> = (0..Ptime::MAX.samples())
                .map(|_| {
                    random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    [
                        random as i32 as f32 / i32::MAX as f32,
                        (random >> 31) as f32,
                    ]
                })
                .collect();
            let mut payload = Vec::new();
            encoder.encode(&noise, &mut payload).unwrap();
            assert!((1..=MAX_OPUS_PACKET).contains(&payload.len()));
        }
    }

    #[test]
    fn samples_out_of_range_are_survived() {
        for encoding in Encoding::ALL {
            let mut encoder = encoder(encoding, Ptime::Ms20);
            for value in [f32::MAX, f32::MIN, f32::INFINITY, f32::NAN, 2.0, 0.0] {
                let mut payload = Vec::new();
                encoder.encode(&[[value; 2]; 960], &mut payload).unwrap();
                assert!((1..=1_276).contains(&payload.len()));
            }
            // Whatever came before, the encoder is not deaf now.
            let mut tone = Tone::new(440.0).unwrap();
            let mut pcm = [[0.0; 2]; 960];
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
                _ => decode_opus(&payloads, Ptime::Ms20)[0]
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
