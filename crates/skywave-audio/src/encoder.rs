//! The encoder of a stream: whole packets of samples in, RTP payloads out.

use crate::g711::{encode_a_law, encode_mu_law};
use crate::g722::G722;
use crate::narrowband::Narrowband;
use crate::opus_encoder::OpusEncoder;
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
        let codec = match settings.packetization.encoding {
            Encoding::Opus(receiver) => {
                let opus = OpusEncoder::new(receiver.stereo, settings.opus)?;
                CodecState::Opus(Box::new(opus))
            }
            Encoding::Pcmu | Encoding::Pcma => CodecState::G711(Box::new(Narrowband::new(8_000)?)),
            Encoding::G722 => {
                CodecState::G722(Box::new(Narrowband::new(16_000)?), Box::new(G722::new()))
            }
            Encoding::L16 => CodecState::L16,
            Encoding::L16Wideband => CodecState::L16Wideband(Box::new(Narrowband::new(16_000)?)),
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
    /// 8 octets of G.711 or G.722 a millisecond, 96 or 32 of L16. Returns the [`audio_level`] of just what was encoded: of
    /// the mix where it is mono.
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
    use crate::{
        AudioSource, ExpectedLoss, Melody, OpusApplication, OpusBandwidth, OpusBitrate,
        OpusComplexity, OpusOptions, OpusRateControl, OpusReceiver, OpusSignal, Packetization,
        Ptime, Tone,
    };

    fn encoder(encoding: Encoding, ptime: Ptime) -> Encoder {
        let packetization = Packetization::new(encoding, ptime);
        Encoder::new(packetization.settings(OpusOptions::default())).unwrap()
    }

    /// 1.2 s of `source`, which is a whole number of packets of each length.
    fn encode_with(encoder: &mut Encoder, source: &mut dyn AudioSource) -> Vec<Vec<u8>> {
        let ptime = encoder.settings().ptime();
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
            (Encoding::OPUS_STEREO, 6),
            (Encoding::OPUS_MONO, 127),
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
            let packets = encode_as(Encoding::OPUS_STEREO, ptime, &mut pair());
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
        let packets = encode(Encoding::OPUS_MONO, &mut pair());
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
        for (encoding, bit_rate) in [
            (Encoding::OPUS_MONO, 48_000),
            (Encoding::OPUS_STEREO, 96_000),
        ] {
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

    #[test]
    fn rfc3551_4_5_11_l16_is_the_samples_in_network_byte_order() {
        for (encoding, ptime, octets, rate) in [
            (Encoding::L16, Ptime::Ms10, 960, 48_000.0),
            (Encoding::L16Wideband, Ptime::Ms20, 640, 16_000.0),
        ] {
            assert_eq!(encoding.codec().max_ptime(), ptime);
            let payloads = encode_as(encoding, ptime, &mut pair());
            assert!(payloads.iter().all(|payload| payload.len() == octets));
            let octets = payloads.concat();
            let (samples, _) = octets.as_chunks::<2>();
            let samples: Vec<f32> = samples
                .iter()
                .map(|sample| f32::from(i16::from_be_bytes(*sample)) / 32_768.0)
                .collect();
            for frequency in [440.0, 1_000.0] {
                let level = amplitude_at(&samples[4_800..], frequency, rate);
                assert!((level - 0.125).abs() < 0.002, "{level} at {frequency} Hz");
            }
        }
    }

    #[test]
    fn rfc3551_4_5_2_g722_payload_is_8_octets_a_millisecond() {
        let payloads = Ptime::ALL.map(|ptime| {
            let payloads = encode_as(Encoding::G722, ptime, &mut pair());
            let octets = 8 * ptime.milliseconds() as usize;
            assert!(payloads.iter().all(|payload| payload.len() == octets));
            payloads.concat()
        });
        assert!(payloads.iter().all(|octets| *octets == payloads[0]));
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
        let all = Encoding::PLAIN.into_iter();
        for (encoding, ptime) in all.flat_map(|of| Ptime::ALL.map(|ptime| (of, ptime))) {
            let mut encoder = encoder(encoding, ptime);
            assert_eq!(encoder.settings().ptime(), ptime);
            let right = ptime.samples();
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

    fn with_options(receiver: OpusReceiver, options: OpusOptions) -> Encoder {
        let packetization = Packetization::new(Encoding::Opus(receiver), Ptime::Ms20);
        Encoder::new(packetization.settings(options)).unwrap()
    }

    fn bit_rate(packets: &[Vec<u8>]) -> usize {
        8 * 50 * packets.iter().map(Vec::len).sum::<usize>() / packets.len()
    }

    #[test]
    fn opus_of_any_complexity_application_and_signal_is_heard() {
        use {OpusApplication as For, OpusSignal as Is};
        for (complexity, application, signal) in [
            (0, For::Audio, Is::Auto),
            (5, For::Voip, Is::Voice),
            (10, For::LowDelay, Is::Music),
        ] {
            let options = OpusOptions {
                complexity: OpusComplexity::new(complexity).unwrap(),
                application,
                signal,
                ..OpusOptions::default()
            };
            let mut encoder = with_options(OpusReceiver::MONO, options);
            let packets = encode_with(&mut encoder, &mut Tone::new(440.0).unwrap());
            let [left, _] = decode_opus(&packets, Ptime::Ms20);
            let level = amplitude(&left[9_600..], 440.0);
            assert!((level - 0.25).abs() < 0.02, "{level} at {options:?}");
        }
    }

    #[test]
    fn packets_of_cbr_have_one_size_which_is_the_bit_rate() {
        for bits in [16_000, 64_000, 128_000] {
            let options = OpusOptions {
                bitrate: OpusBitrate::new(bits).ok(),
                rate_control: OpusRateControl::Cbr,
                ..OpusOptions::default()
            };
            let mut encoder = with_options(OpusReceiver::STEREO, options);
            let packets = encode_with(&mut encoder, &mut Melody::new());
            let octets = bits as usize / 8 / 50;
            let sizes: Vec<_> = packets.iter().map(Vec::len).collect();
            assert!(sizes.iter().all(|size| *size == octets), "{sizes:?}");
        }
    }

    #[test]
    fn bit_rate_changes_between_two_packets_and_nothing_is_missing() {
        let options = |bits| OpusOptions {
            bitrate: OpusBitrate::new(bits).ok(),
            ..OpusOptions::default()
        };
        let mut encoder = with_options(OpusReceiver::MONO, options(128_000));
        let mut source = pair();
        let rich = encode_with(&mut encoder, &mut source);
        let mut settings = encoder.settings();
        settings.opus = options(24_000);
        encoder.set(settings).unwrap();
        let poor = encode_with(&mut encoder, &mut source);
        assert!(
            (96_000..140_000).contains(&bit_rate(&rich[10..])),
            "{}",
            bit_rate(&rich)
        );
        assert!(
            (16_000..28_000).contains(&bit_rate(&poor[10..])),
            "{}",
            bit_rate(&poor)
        );
        let all = [rich, poor].concat();
        let [left, _] = decode_opus(&all, Ptime::Ms20);
        // Around the change too.
        let level = amplitude(&left[55_200..60_000], 440.0);
        assert!((level - 0.125).abs() < 0.02, "{level}");
    }

    #[test]
    fn other_application_in_mid_stream_is_heard() {
        let mut encoder = with_options(OpusReceiver::MONO, OpusOptions::default());
        let mut tone = Tone::new(440.0).unwrap();
        let mut packets = encode_with(&mut encoder, &mut tone);
        let mut settings = encoder.settings();
        settings.opus.application = OpusApplication::Voip;
        encoder.set(settings).unwrap();
        packets.extend(encode_with(&mut encoder, &mut tone));
        let [left, _] = decode_opus(&packets, Ptime::Ms20);
        assert_eq!(left.len(), 2 * 57_600);
        let level = amplitude(&left[67_200..], 440.0);
        assert!((level - 0.25).abs() < 0.02, "{level}");
    }

    #[test]
    fn rfc7587_6_1_maxplaybackrate_of_8_khz_leaves_nothing_above_4_khz() {
        let narrow = OpusReceiver {
            max_bandwidth: OpusBandwidth::of_playback_rate(8_000),
            ..OpusReceiver::MONO
        };
        let heard = |receiver| {
            let mut encoder = with_options(receiver, OpusOptions::default());
            let packets = encode_with(&mut encoder, &mut Tone::new(6_000.0).unwrap());
            amplitude(&decode_opus(&packets, Ptime::Ms20)[0][9_600..], 6_000.0)
        };
        assert!(heard(OpusReceiver::MONO) > 0.2);
        assert!(heard(narrow) < 0.002);
    }

    #[test]
    fn rfc6716_2_1_7_lost_speech_is_in_the_next_packet_where_losses_are_expected() {
        let repeating = |fec| {
            let options = OpusOptions {
                bitrate: OpusBitrate::new(32_000).ok(),
                application: OpusApplication::Voip,
                signal: OpusSignal::Voice,
                in_band_fec: true,
                expected_loss: ExpectedLoss::new(30).unwrap(),
                ..OpusOptions::default()
            };
            let receiver = OpusReceiver {
                fec,
                ..OpusReceiver::MONO
            };
            let mut encoder = with_options(receiver, options);
            let packets = encode_with(&mut encoder, &mut Bursts(0));
            // The low rate redundancy flag of SILK follows the flag of voice activity in the first
            // octet (RFC 6716 §4.2.3); configurations from 16 on have no SILK.
            let repeats = |packet: &&Vec<u8>| packet[0] >> 3 < 16 && packet[1] & 0x40 != 0;
            packets.iter().filter(repeats).count()
        };
        assert!(repeating(true) > 10, "{}", repeating(true));
        assert_eq!(repeating(false), 0, "it makes no use of it");
    }

    /// Something like syllables.
    struct Bursts(u32);

    impl AudioSource for Bursts {
        fn read(&mut self, pcm: &mut [[f32; 2]]) -> usize {
            for sample in pcm.iter_mut() {
                let sawtooth = (self.0 % 300) as f32 / 300.0 - 0.5;
                let loud = (self.0 / 7_200).is_multiple_of(2);
                *sample = [if loud { sawtooth } else { 0.001 * sawtooth }; 2];
                self.0 += 1;
            }
            pcm.len()
        }
    }

    #[test]
    fn loudest_noise_of_the_longest_packet_fits_into_a_datagram() {
        let mut encoder = encoder(Encoding::OPUS_STEREO, Ptime::MAX);
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
        for encoding in &Encoding::PLAIN[..4] {
            let encoding = *encoding;
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
