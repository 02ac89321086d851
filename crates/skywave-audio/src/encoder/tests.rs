mod opus;

use ropus::{Channels, DecodeMode, Decoder};

use super::*;
use crate::goertzel::{amplitude, amplitude_at};
use crate::{AudioSource, OpusOptions, Packetization, Ptime, Tone};

fn encoder(encoding: Encoding, ptime: Ptime) -> Encoder {
    let packetization = Packetization::new(encoding, ptime);
    Encoder::new(packetization.settings(OpusOptions::default())).unwrap()
}

/// 1.2 s of `source`, which is a whole number of packets of each length.
fn encode_with(encoder: &mut Encoder, source: &mut dyn AudioSource) -> Vec<Vec<u8>> {
    let ptime = encoder.settings().ptime();
    let mut pcm = vec![[0.0; 2]; ptime.samples()];
    (0..57_600 / ptime.samples())
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
fn rfc3551_4_5_14_g711_payload_is_8_octets_a_millisecond_with_the_tone() {
    for (encoding, decode) in [
        (Encoding::Pcmu, decode_mu_law as fn(u8) -> f32),
        (Encoding::Pcma, decode_a_law),
    ] {
        let payloads = Ptime::ALL.map(|ptime| {
            let payloads = encode_as(encoding, ptime, &mut pair());
            let octets = ptime.samples() / 6;
            assert!(payloads.iter().all(|payload| payload.len() == octets));
            payloads.concat()
        });
        assert_same_audio(&payloads);
        let samples: Vec<f32> = payloads[8].iter().copied().map(decode).collect();
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
        let octets = ptime.samples() / 6;
        assert!(payloads.iter().all(|payload| payload.len() == octets));
        payloads.concat()
    });
    for (octets, ptime) in payloads.iter().zip(Ptime::ALL).skip(2) {
        assert_eq!(*octets, payloads[2], "{ptime:?}");
    }
}

/// The octets of packets of all lengths are the same, those of less than 10 ms so much later.
fn assert_same_audio(payloads: &[Vec<u8>; 9]) {
    for (octets, ptime) in payloads.iter().zip(Ptime::ALL) {
        let late = 480_usize.saturating_sub(ptime.samples()) / 6;
        let all = payloads[8].len();
        assert!(octets[late..] == payloads[8][..all - late], "{ptime:?}");
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
