use std::f64::consts::TAU;

use proptest::prelude::*;

use super::*;
use crate::goertzel::amplitude;

fn tone(frequency: f64, rate: u32, samples: usize) -> Vec<f32> {
    let step = TAU * frequency / f64::from(rate);
    (0..samples)
        .map(|n| (0.5 * (step * n as f64).sin()) as f32)
        .collect()
}

fn left(pcm: &[[f32; 2]]) -> Vec<f32> {
    pcm.iter().map(|sample| sample[0]).collect()
}

/// A stream of one format, in pieces of that many values.
fn converted(values: &[f32], rate: u32, channels: u16, piece: usize) -> Vec<[f32; 2]> {
    let (mut converter, mut pcm) = (PcmConverter::new(), Vec::new());
    for values in values.chunks(piece) {
        converter.convert(values, rate, channels, &mut pcm).unwrap();
    }
    converter.flush(&mut pcm).unwrap();
    pcm
}

#[test]
fn tone_keeps_level_and_frequency_and_gains_no_harmonics() {
    for rate in [
        8_000, 11_025, 16_000, 22_050, 24_000, 44_100, 44_101, 48_000, 96_000, 192_000,
    ] {
        let pcm = converted(&tone(1_000.0, rate, rate as usize), rate, 1, rate as usize);
        assert_eq!(pcm.len(), 48_000, "from {rate} Hz");
        let heard = left(&pcm[2_400..45_600]);
        let level = amplitude(&heard, 1_000.0);
        assert!((level - 0.5).abs() < 0.000_5, "{level} from {rate} Hz");
        let harmonics = (2..20).map(|n| amplitude(&heard, 1_000.0 * f64::from(n)).powi(2));
        let distortion = harmonics.sum::<f64>().sqrt() / level;
        assert!(distortion < 0.000_1, "{distortion} from {rate} Hz");
    }
}

#[test]
fn images_and_aliases_are_suppressed() {
    let heard = |frequency, rate, image| {
        let pcm = converted(
            &tone(frequency, rate, rate as usize),
            rate,
            1,
            rate as usize,
        );
        amplitude(&left(&pcm[2_400..45_600]), image)
    };
    // What 3 kHz at 8 kHz is mirrored to, and 30 kHz at 96 kHz.
    assert!(heard(3_000.0, 8_000, 5_000.0) < 0.000_1);
    assert!(heard(30_000.0, 96_000, 18_000.0) < 0.000_1);
}

#[test]
fn minutes_of_pieces_give_exactly_their_time() {
    // Of 23.2 ms, as many an encoder has them.
    let (rate, piece) = (44_100, 1_023);
    let (mut converter, mut pcm, mut given) = (PcmConverter::new(), Vec::new(), 0);
    let silence = vec![0_i16; piece];
    let pieces = 100 * rate as usize / piece;
    for _ in 0..pieces {
        converter.convert(&silence, rate, 1, &mut pcm).unwrap();
        given += pcm.len();
        pcm.clear();
    }
    converter.flush(&mut pcm).unwrap();
    let taken = pieces * piece;
    assert_eq!(given + pcm.len(), (taken * 48_000).div_ceil(rate as usize));
}

#[test]
fn channels_are_mixed_to_stereo() {
    for (channels, values, expected) in [
        (1, &[0.5][..], [0.5, 0.5]),
        (2, &[0.5, -0.25], [0.5, -0.25]),
        (3, &[0.0, 0.0, 1.0], [0.414_2, 0.414_2]),
        (4, &[0.0, 0.0, 1.0, 0.0], [0.414_2, 0.0]),
        (6, &[0.0, 0.0, 0.0, 1.0, 0.0, 0.0], [0.0, 0.0]),
        (6, &[0.0, 0.0, 0.0, 0.0, 0.0, 1.0], [0.0, 0.292_9]),
        (7, &[0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0], [0.242_6, 0.0]),
        (8, &[1.0; 8], [1.0, 1.0]),
    ] {
        let pcm = converted(values, 48_000, channels, values.len());
        let near = |side: usize| (pcm[0][side] - expected[side]).abs() < 0.01;
        assert!(near(0) && near(1), "{channels} channels: {:?}", pcm[0]);
    }
}

#[test]
fn wild_values_stay_within_full_scale() {
    let wild = [f32::NAN, f32::INFINITY, -9.0, 9.0, 1.0, -1.0].repeat(1_000);
    let pcm = converted(&wild, 24_000, 1, 777);
    let flat = pcm.as_flattened();
    assert!(
        flat.iter()
            .all(|value| value.is_finite() && value.abs() <= 1.0)
    );
    assert!(flat.iter().any(|&value| value > 0.5));
}

#[test]
fn format_may_change_and_each_part_keeps_its_length_and_tone() {
    let (mut converter, mut pcm) = (PcmConverter::new(), Vec::new());
    let parts = [(24_000, 1), (44_100, 2), (8_000, 1), (48_000, 2)];
    for (rate, channels) in parts {
        let mono = tone(440.0, rate, rate as usize);
        let values: Vec<f32> = mono
            .iter()
            .flat_map(|&v| vec![v; channels.into()])
            .collect();
        converter
            .convert(&values, rate, channels, &mut pcm)
            .unwrap();
    }
    converter.flush(&mut pcm).unwrap();
    assert_eq!(pcm.len(), 4 * 48_000);
    let heard = left(&pcm);
    for part in heard.chunks(48_000) {
        assert!((amplitude(part, 440.0) - 0.5).abs() < 0.001);
    }
    // The tone runs on over the boundaries, as 440 Hz fit into a second.
    let largest = heard
        .windows(2)
        .map(|x| (x[1] - x[0]).abs())
        .fold(0.0, f32::max);
    let of_tone = 0.5 * std::f32::consts::TAU * 440.0 / 48_000.0;
    assert!(largest < of_tone * 2.5, "{largest}");
}

#[test]
fn what_cannot_be_converted_is_refused_with_its_value() {
    let mut converter = PcmConverter::new();
    let mut refused = |values: &[i16], rate, channels| {
        let mut pcm = Vec::new();
        let error = converter
            .convert(values, rate, channels, &mut pcm)
            .unwrap_err();
        assert!(pcm.is_empty());
        error.to_string()
    };
    assert!(refused(&[0; 4], 7_999, 1).contains("7999 Hz"));
    assert!(refused(&[0; 4], 192_001, 1).contains("192001 Hz"));
    assert!(refused(&[0; 4], 48_000, 0).starts_with("0 channels"));
    assert!(refused(&[0; 9], 48_000, 9).starts_with("9 channels"));
    assert!(refused(&[0; 5], 48_000, 2).contains("5 values"));
}

#[test]
fn change_of_rate_loses_no_samples() {
    let (mut converter, mut pcm) = (PcmConverter::new(), Vec::new());
    for (rate, samples) in [(44_100, 4_410), (8_000, 800), (48_000, 4_800), (8_000, 800)] {
        let stereo = vec![[0.25; 2]; samples];
        converter.convert_stereo(&stereo, rate, &mut pcm).unwrap();
    }
    converter.flush(&mut pcm).unwrap();
    assert_eq!(pcm.len(), 4 * 4_800);
}

#[test]
fn stream_lasts_as_long_as_before_and_nothing_is_shifted() {
    for (rate, samples, expected) in [
        (1_000, 100, 4_800),
        (8_000, 1, 6),
        (8_000, 8_000, 48_000),
        (44_100, 44_100, 48_000),
        (44_100, 1_000, 1_089),
        (48_000, 777, 777),
        (96_000, 3, 2),
        (768_000, 76_800, 4_800),
    ] {
        let (mut converter, mut pcm) = (PcmConverter::new(), Vec::new());
        let slow: Vec<[f32; 2]> = (0..samples)
            .map(|n| (TAU * 20.0 * f64::from(n) / f64::from(rate)).sin() as f32)
            .map(|sample| [sample, -sample])
            .collect();
        for part in slow.chunks(777) {
            converter.convert_stereo(part, rate, &mut pcm).unwrap();
        }
        converter.flush(&mut pcm).unwrap();
        assert_eq!(pcm.len(), expected, "{samples} at {rate} Hz");
        assert!(pcm.iter().all(|[left, right]| *left == -right));
        let end = (expected * 9 / 10).saturating_sub(100);
        for (n, sample) in pcm[..end].iter().enumerate().skip(500) {
            let ideal = (TAU * 20.0 * n as f64 / 48_000.0).sin() as f32;
            assert!((sample[0] - ideal).abs() < 0.01, "{n} from {rate} Hz");
        }
    }
}

proptest! {
    #[test]
    fn pieces_of_any_length_give_what_the_whole_gives(
        rate in prop::sample::select(vec![8_000_u32, 16_000, 22_050, 24_000, 44_100, 44_101, 48_000, 96_000]),
        channels in 1_u16..=8,
        lengths in prop::collection::vec(0_usize..3_000, 0..12),
    ) {
        let samples: usize = lengths.iter().sum();
        let mut state = 1_u32;
        let values: Vec<i16> = (0..samples * usize::from(channels)).map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 16) as i16
        }).collect();
        let (mut whole, mut pieces) = (Vec::new(), Vec::new());
        let mut converter = PcmConverter::new();
        converter.convert(&values, rate, channels, &mut whole).unwrap();
        converter.flush(&mut whole).unwrap();
        prop_assert_eq!(whole.len(), (samples * 48_000).div_ceil(rate as usize));

        let mut rest = PcmSamples::from(&values);
        let mut promised = 0;
        for length in lengths {
            let piece;
            (piece, rest) = rest.split_at(length * usize::from(channels));
            promised += converter.promises(length, rate, channels);
            converter.convert(piece, rate, channels, &mut pieces).unwrap();
            prop_assert!(pieces.len() as u64 <= promised);
        }
        converter.flush(&mut pieces).unwrap();
        prop_assert_eq!(promised, pieces.len() as u64);
        prop_assert!(whole == pieces);
    }
}
