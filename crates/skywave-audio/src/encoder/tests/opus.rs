//! Opus as it is asked for.

use super::*;
use crate::{
    ExpectedLoss, Melody, OpusApplication, OpusBandwidth, OpusBitrate, OpusComplexity,
    OpusRateControl, OpusReceiver, OpusSignal,
};

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
fn rfc6716_3_2_5_packet_of_80_ms_and_more_holds_several_frames() {
    for ptime in [Ptime::Ms80, Ptime::Ms100, Ptime::Ms120] {
        let packets = encode_as(Encoding::OPUS_STEREO, ptime, &mut Melody::new());
        assert!(packets.iter().all(|packet| packet[0] & 3 != 0), "{ptime:?}");
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
