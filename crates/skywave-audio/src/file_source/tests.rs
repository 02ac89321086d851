mod damaged;

use std::path::PathBuf;
use std::{fs, thread};

use super::*;
use crate::goertzel::amplitude;
use crate::playback_thread::PRE_ROLL_SAMPLES;

fn testdata(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("testdata")
        .join(name)
}

/// Reads exactly `count` samples, waiting for the thread where need be.
fn collect(source: &mut FileSource, count: usize) -> Vec<[f32; 2]> {
    let mut pcm = vec![[0.0; 2]; count];
    let mut filled = 0;
    while filled < count && !source.ended() {
        filled += source.read(&mut pcm[filled..]);
        thread::yield_now();
    }
    assert_eq!(filled, count, "the source ended");
    pcm
}

/// What the files hold: samples and their rate.
const SAMPLES: [(&str, u64, u64); 15] = [
    ("mono_8k.wav", 4_000, 8_000),
    ("mono_8k.aiff", 4_000, 8_000),
    ("s24_44k1.wav", 4_410, 44_100),
    ("adpcm_22k05.wav", 12_246, 22_050),
    ("stereo_44k1.flac", 4_410, 44_100),
    ("mono_22k05.mp3", 11_025, 22_050),
    ("stereo_44k1.ogg", 22_050, 44_100),
    ("stereo.opus", 24_000, 48_000),
    ("surround.opus", 9_600, 48_000),
    ("alac_22k05.m4a", 11_025, 22_050),
    // With what the encoder put around the audio.
    ("stereo_44k1.m4a", 23_552, 44_100),
    ("mono_16k.aac", 9_216, 16_000),
    // All of the last packet.
    ("stereo_60ms.webm", 17 * 2_880 - 312, 48_000),
    ("live.webm", 26 * 960 - 312, 48_000),
    ("stereo_44k1.mkv", 22_080, 44_100),
];

fn channel(pcm: &[[f32; 2]], side: usize) -> Vec<f32> {
    pcm.iter().map(|sample| sample[side]).collect()
}

#[test]
fn every_format_has_its_tone_at_once_and_after_loops() {
    // The stereo files hold the tone 3 dB lower.
    for (name, expected) in [
        ("mono_8k.wav", 0.125),
        ("mono_8k.aiff", 0.125),
        ("s24_44k1.wav", 0.125),
        ("float_48k.wav", 0.125),
        ("stereo_44k1.flac", 0.0884),
        ("mono_22k05.mp3", 0.125),
        ("stereo_44k1.ogg", 0.0884),
        ("stereo.opus", 0.0884),
        ("alac_22k05.m4a", 0.125),
    ] {
        let mut source = FileSource::open(testdata(name)).unwrap();
        // What was decoded before open returned.
        let mut pcm = vec![[0.0; 2]; PRE_ROLL_SAMPLES as usize];
        assert_eq!(source.read(&mut pcm), pcm.len(), "{name}");
        let later = collect(&mut source, 96_000);
        for part in [&pcm[960..], &later[48_000..]] {
            for side in 0..2 {
                let samples = channel(part, side);
                let level = amplitude(&samples, 440.0);
                assert!((level - expected).abs() < 0.01, "{name}: {level}");
                assert!(amplitude(&samples, 880.0) < 0.003, "{name}");
            }
        }
    }
}

#[test]
fn formats_that_do_not_loop_exactly_have_their_tone_too() {
    for (name, expected) in [
        ("mono_16k.aac", 0.125),
        ("stereo_44k1.m4a", 0.0884),
        ("adpcm_22k05.wav", 0.125),
    ] {
        let mut source = FileSource::open(testdata(name)).unwrap();
        // Behind what the encoder put in front.
        let pcm = collect(&mut source, 14_400);
        for side in 0..2 {
            let samples = channel(&pcm[4_800..], side);
            let level = amplitude(&samples, 440.0);
            assert!((level - expected).abs() < 0.01, "{name}: {level}");
            assert!(amplitude(&samples, 880.0) < 0.003, "{name}");
        }
    }
}

#[test]
fn loop_has_no_gap_and_no_click() {
    // All of them last a whole number of periods, so a seamless loop is one endless sine.
    for (name, tolerance) in [
        ("float_48k.wav", 1e-4),
        ("s24_44k1.wav", 1e-3),
        ("stereo_44k1.flac", 1e-3),
        ("mono_8k.wav", 2e-3),
        ("mono_22k05.mp3", 0.03),
        ("stereo_44k1.ogg", 0.03),
        ("stereo.opus", 0.03),
    ] {
        let mut source = FileSource::open(testdata(name)).unwrap();
        let pcm = channel(&collect(&mut source, 2 * 48_000), 0);
        // A sine obeys x[n+1] + x[n-1] = 2 cos(w) x[n]; its curvature jumps at a seam.
        let turn = 2.0 * (std::f32::consts::TAU * 440.0 / 48_000.0).cos();
        let seam = pcm[1_000..]
            .windows(3)
            .map(|x| (x[2] + x[0] - turn * x[1]).abs())
            .fold(0.0, f32::max);
        assert!(seam < tolerance, "{name}: {seam}");
    }
}

#[test]
fn surround_is_mixed_to_the_sides() {
    // 440 Hz front left, 880 Hz centre, 1,320 Hz surround right, 60 Hz in the LFE channel.
    for name in ["surround.flac", "surround.ogg", "surround.opus"] {
        let mut source = FileSource::open(testdata(name)).unwrap();
        let pcm = collect(&mut source, 48_000);
        let (left, right) = (channel(&pcm, 0), channel(&pcm, 1));
        let near = |samples: &[f32], frequency, expected: f64| {
            let level = amplitude(samples, frequency);
            assert!(
                (level - expected).abs() < 0.012,
                "{name}: {level} at {frequency} Hz"
            );
        };
        near(&left, 440.0, 0.2 / 2.414);
        near(&right, 440.0, 0.0);
        near(&left, 880.0, 0.1414 / 2.414);
        near(&right, 880.0, 0.1414 / 2.414);
        near(&left, 1_320.0, 0.0);
        near(&right, 1_320.0, 0.1414 / 2.414);
        near(&left, 60.0, 0.0);
    }
}

/// All of it, waiting for the thread where need be.
fn play_to_end(mut source: FileSource) -> (Vec<[f32; 2]>, PlaybackControl) {
    let control = source.control();
    let mut played = Vec::new();
    while !source.ended() {
        let mut pcm = [[0.0; 2]; 777];
        let count = source.read(&mut pcm);
        played.extend_from_slice(&pcm[..count]);
        thread::yield_now();
    }
    (played, control)
}

#[test]
fn file_played_n_times_lasts_exactly_n_times_as_long() {
    let twice = Repeat::Times(2.try_into().unwrap());
    for (name, samples, rate) in SAMPLES {
        for (repeat, times) in [(Repeat::ONCE, 1), (twice, 2)] {
            let source = FileSource::open_at(testdata(name), Duration::ZERO, repeat).unwrap();
            let (pcm, control) = play_to_end(source);
            let expected = (times * samples * 48_000_u64).div_ceil(rate);
            assert_eq!(pcm.len() as u64, expected, "{name}");
            assert!(control.failure().is_none() && control.damaged_packets() == 0);
        }
    }
}

#[test]
fn start_is_exact_to_the_sample_in_every_format() {
    let start = Duration::from_millis(200);
    for (name, samples, rate) in SAMPLES {
        if samples * 1_000 / rate < 300 {
            continue;
        }
        let whole = FileSource::open_at(testdata(name), Duration::ZERO, Repeat::ONCE);
        let whole = play_to_end(whole.unwrap()).0;
        let later = FileSource::open_at(testdata(name), start, Repeat::ONCE);
        let later = play_to_end(later.unwrap()).0;
        assert_eq!(later.len(), whole.len() - 9_600, "{name}");
        // But for the edge of the filter that resamples. Opus alone never quite forgets what it
        // did not hear; shifted by a sample the tone would be further off nearly everywhere.
        let far = 500..later.len() - 500;
        let pairs = later[far.clone()].iter().zip(&whole[9_600..][far.clone()]);
        let error = pairs.map(|(a, b)| (a[0] - b[0]).abs()).sum::<f32>() / far.len() as f32;
        assert!(error < 0.001, "{name}: {error}");
    }
}

#[test]
fn start_beyond_the_end_is_refused() {
    for name in ["mono_8k.wav", "mono_22k05.mp3", "stereo.opus"] {
        let start = Duration::from_secs(60);
        let error = FileSource::open_at(testdata(name), start, Repeat::ONCE).unwrap_err();
        assert!(matches!(error, Error::Empty { .. }), "{name}: {error}");
    }
}

/// A WAV file of 48 kHz stereo with these samples on both sides.
fn wav(samples: impl Iterator<Item = i16>) -> Vec<u8> {
    let data: Vec<u8> = samples
        .flat_map(|sample| [sample.to_le_bytes(); 2].concat())
        .collect();
    let mut wav = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x02\0".to_vec();
    wav.extend(48_000_u32.to_le_bytes());
    wav.extend(192_000_u32.to_le_bytes());
    wav.extend(b"\x04\0\x10\0data");
    wav.extend((data.len() as u32).to_le_bytes());
    wav.extend(data);
    let size = wav.len() as u32 - 8;
    wav[4..8].copy_from_slice(&size.to_le_bytes());
    wav
}

/// A file with this content, open, and gone from the disk.
fn open_content(name: &str, content: &[u8], repeat: Repeat) -> FileSource {
    let path = std::env::temp_dir().join(format!("skywave-{}-{name}", std::process::id()));
    fs::write(&path, content).unwrap();
    let source = FileSource::open_at(&path, Duration::ZERO, repeat);
    fs::remove_file(&path).unwrap();
    source.unwrap()
}

#[test]
fn seek_while_playing_goes_on_exactly_there() {
    // Every sample says where it is: half milliseconds up to 5 s.
    let content = wav((0..240_000).map(|n| (n / 24) as i16));
    let mut source = open_content("seek.wav", &content, Repeat::Forever);
    let control = source.control();
    let place = |sample: &[f32; 2]| (sample[0] * 32_768.0) as usize;
    assert!(control.now_playing().is_none());
    let pcm = collect(&mut source, 4_800);
    assert_eq!(place(&pcm[4_799]), 199);
    assert!(control.now_playing().unwrap().1 >= Duration::from_millis(80));
    control.seek(Duration::from_secs(4));
    let pcm = collect(&mut source, 40_000);
    for (n, sample) in pcm.iter().enumerate() {
        assert_eq!(place(sample), 8_000 + n / 24);
    }
    let (index, position) = control.now_playing().unwrap();
    assert!(
        index == 0 && position > Duration::from_millis(4_790),
        "{position:?}"
    );
    // Beyond the end it begins anew.
    control.seek(Duration::from_secs(3_600));
    assert_eq!(place(&collect(&mut source, 241)[240]), 10);
}

#[test]
fn chained_streams_of_other_rates_and_channels_are_played_one_after_another() {
    let names = ["stereo_44k1.ogg", "surround.opus", "stereo.opus"];
    let links = names.map(|name| fs::read(testdata(name)).unwrap());
    let source = open_content("chained.ogg", &links.concat(), Repeat::ONCE);
    let (pcm, control) = play_to_end(source);
    let length = |name: &str| {
        let (_, samples, rate) = SAMPLES.iter().find(|file| file.0 == name).unwrap();
        (samples * 48_000).div_ceil(*rate) as usize
    };
    assert_eq!(
        pcm.len(),
        names.iter().map(|name| length(name)).sum::<usize>()
    );
    assert!(control.failure().is_none());
    let last = channel(&pcm[pcm.len() - length("stereo.opus")..], 0);
    assert!((amplitude(&last, 440.0) - 0.0884).abs() < 0.01);
}
