//! One audio file.

use std::path::Path;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use crate::playback::{Playback, PlaybackControl, Programme, Repeat};
use crate::{AudioSource, Error};

/// An audio file, played over and over without a gap unless told otherwise.
///
/// WAV, AIFF, FLAC, MP3, AAC (ADTS, MP4), ALAC (MP4) and Ogg (Vorbis, Opus,
/// FLAC) of any rate and number of channels, resampled to 48 kHz and mixed to
/// stereo. A thread of its own decodes up to a second ahead; dropping the source
/// ends it.
///
/// A damaged packet is left out and counted, and a file cut short is played as
/// far as it goes. The source ends when the file can no longer be read;
/// [`PlaybackControl::failure`] says why. MP4 files repeat with the silence that
/// their encoder put around the audio, some 20 to 50 ms.
pub struct FileSource {
    playback: Playback,
}

impl FileSource {
    /// Opens `path` to be played over and over, and waits until the first 200 ms
    /// are decoded.
    ///
    /// # Errors
    /// [`Error::Read`], [`Error::NotAudio`], [`Error::Unsupported`],
    /// [`Error::Damaged`] or [`Error::Empty`] with the path, when nothing can be
    /// played; [`Error::Thread`] without a thread.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::open_at(path, Duration::ZERO, Repeat::Forever)
    }

    /// As [`open`](Self::open), from `start` on the first time, and played as
    /// often as `repeat` says.
    ///
    /// # Errors
    /// As of [`open`](Self::open); [`Error::Empty`] also when the file ends before
    /// `start`.
    pub fn open_at(path: impl AsRef<Path>, start: Duration, repeat: Repeat) -> Result<Self, Error> {
        let programme = Programme {
            paths: vec![path.as_ref().into()],
            start,
            repeat,
        };
        // Nobody receives the events: there is one file, and the handle tells the rest.
        let (events, _) = sync_channel(0);
        let playback = Playback::start(programme, events)?;
        Ok(Self { playback })
    }

    /// A handle that seeks and tells what is playing and what went wrong.
    pub fn control(&self) -> PlaybackControl {
        self.playback.control()
    }
}

impl AudioSource for FileSource {
    fn read(&mut self, pcm: &mut [[f32; 2]]) -> usize {
        self.playback.read(pcm)
    }

    fn ended(&self) -> bool {
        self.playback.ended()
    }

    fn error(&mut self) -> Option<String> {
        self.playback.failure()
    }
}

impl std::fmt::Debug for FileSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FileSource")
            .field("control", &self.control())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
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
    const SAMPLES: [(&str, u64, u64); 12] = [
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

    /// What open says of a file with this content.
    fn refusal(name: &str, content: &[u8]) -> Error {
        let path = std::env::temp_dir().join(format!("skywave-{}-{name}", std::process::id()));
        fs::write(&path, content).unwrap();
        let error = FileSource::open(&path).unwrap_err();
        fs::remove_file(&path).unwrap();
        assert!(
            error.to_string().contains(path.to_str().unwrap()),
            "{error}"
        );
        error
    }

    /// Octets without a pattern, the same in every run.
    fn noise(length: usize) -> Vec<u8> {
        let mut state = 0x2545_f491_u32;
        let next = || {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            (state >> 24) as u8
        };
        std::iter::repeat_with(next).take(length).collect()
    }

    #[test]
    fn what_is_no_audio_file_is_refused_with_path_and_reason() {
        assert!(matches!(refusal("empty.wav", b""), Error::Empty { .. }));
        assert!(matches!(
            refusal("text.txt", &b"Dear listener,\n".repeat(500)),
            Error::NotAudio { .. }
        ));
        assert!(matches!(
            refusal("noise.mp3", &noise(20_000)),
            Error::NotAudio { .. }
        ));
        let wav = fs::read(testdata("mono_8k.wav")).unwrap();
        let opus = fs::read(testdata("stereo.opus")).unwrap();
        assert!(matches!(
            refusal("cut.wav", &wav[..30]),
            Error::NotAudio { .. }
        ));
        assert!(matches!(
            refusal("cut.opus", &opus[..100]),
            Error::NotAudio { .. }
        ));
        // Headers alone: one that promises audio, one that does not.
        assert!(matches!(
            refusal("promise.wav", &wav[..44]),
            Error::Damaged { .. }
        ));
        let mut silent = wav[..44].to_vec();
        silent[4..8].copy_from_slice(&36_u32.to_le_bytes());
        silent[40..44].fill(0);
        assert!(matches!(
            refusal("silent.wav", &silent),
            Error::Empty { .. }
        ));
    }

    #[test]
    fn missing_file_and_directory_are_refused() {
        let missing = FileSource::open("/nowhere/tune.flac").unwrap_err();
        assert!(missing.to_string().starts_with("/nowhere/tune.flac: "));
        assert!(matches!(
            FileSource::open("/").unwrap_err(),
            Error::Read { .. }
        ));
    }

    #[test]
    fn unsupported_codec_and_rate_are_named() {
        let mut wav = fs::read(testdata("mono_8k.wav")).unwrap();
        wav[24..28].copy_from_slice(&50_u32.to_le_bytes());
        let error = refusal("slow.wav", &wav);
        assert!(
            error
                .to_string()
                .ends_with("a sample rate of 50 Hz is not supported"),
            "{error}"
        );
        // 255 is the mapping family of channels without meaning (RFC 7845 §5.1.1.3).
        let mut opus = fs::read(testdata("stereo.opus")).unwrap();
        let head = opus
            .windows(8)
            .position(|octets| octets == b"OpusHead")
            .unwrap();
        opus[head + 18] = 255;
        refusal("discrete.opus", &opus);
    }

    #[test]
    fn file_cut_short_is_played_as_far_as_it_goes() {
        for name in ["mono_8k.wav", "mono_22k05.mp3"] {
            let whole = fs::read(testdata(name)).unwrap();
            let path =
                std::env::temp_dir().join(format!("skywave-{}-cut-{name}", std::process::id()));
            fs::write(&path, &whole[..whole.len() * 3 / 4]).unwrap();
            let mut source = FileSource::open(&path).unwrap();
            fs::remove_file(&path).unwrap();
            // It loops even though its name is gone.
            let pcm = channel(&collect(&mut source, 96_000), 0);
            assert!(amplitude(&pcm[..9_600], 440.0) > 0.08, "{name}");
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

    #[test]
    fn damaged_packet_is_left_out_and_counted() {
        let mut aac = fs::read(testdata("mono_16k.aac")).unwrap();
        // The third frame, but for its header (ISO/IEC 14496-3 §1.A.2.2).
        let length = |at: usize| {
            let [a, b, c] = [aac[at + 3], aac[at + 4], aac[at + 5]].map(usize::from);
            (a & 3) << 11 | b << 3 | c >> 5
        };
        let third = length(0) + length(length(0));
        let end = third + length(third);
        aac[third + 7..end].fill(0x4f);
        let (pcm, control) = play_to_end(open_content("damaged.aac", &aac, Repeat::ONCE));
        let whole = SAMPLES
            .iter()
            .find(|file| file.0 == "mono_16k.aac")
            .unwrap();
        assert_eq!(pcm.len() as u64, (whole.1 - 1_024) * 3);
        assert_eq!(control.damaged_packets(), 1);
        assert!(control.failure().is_none());
    }

    #[test]
    fn file_that_breaks_off_says_so_at_its_end() {
        let whole = fs::read(testdata("s24_44k1.wav")).unwrap();
        let source = open_content("off.wav", &whole[..whole.len() * 3 / 4], Repeat::ONCE);
        let (pcm, control) = play_to_end(source);
        assert!(pcm.len() > 2_400);
        let failure = control.failure().unwrap().to_string();
        assert!(failure.contains("off.wav: damaged: "), "{failure}");
    }

    #[test]
    fn sizes_that_cannot_be_take_no_memory_and_end_in_an_error_or_in_audio() {
        let mut wav = wav((0..4_800).map(|n| n as i16));
        // As a program writes it that cannot know yet.
        wav[4..8].fill(0xff);
        wav[40..44].fill(0xff);
        let (pcm, _) = play_to_end(open_content("endless.wav", &wav, Repeat::ONCE));
        assert_eq!(pcm.len(), 4_800);
        let m4a = fs::read(testdata("stereo_44k1.m4a")).unwrap();
        for atom in [
            b"stsz", b"stts", b"stco", b"stsc", b"mdat", b"moov", b"stsd",
        ] {
            let place = m4a.windows(4).position(|octets| octets == atom).unwrap();
            for offset in [-4_isize, 8, 12] {
                let mut m4a = m4a.clone();
                let at = place.checked_add_signed(offset).unwrap();
                m4a[at..at + 4].fill(0xff);
                let path =
                    std::env::temp_dir().join(format!("skywave-{}-bogus.m4a", std::process::id()));
                fs::write(&path, &m4a).unwrap();
                if let Ok(source) = FileSource::open_at(&path, Duration::ZERO, Repeat::ONCE) {
                    assert!(play_to_end(source).0.len() < 50_000);
                }
                fs::remove_file(&path).unwrap();
            }
        }
    }

    #[test]
    fn damaged_content_never_panics_in_the_caller() {
        for name in [
            "mono_16k.aac",
            "stereo_44k1.m4a",
            "alac_22k05.m4a",
            "adpcm_22k05.wav",
            "stereo_44k1.flac",
            "mono_22k05.mp3",
            "stereo_44k1.ogg",
            "surround.opus",
        ] {
            let whole = fs::read(testdata(name)).unwrap();
            let path =
                std::env::temp_dir().join(format!("skywave-{}-bad-{name}", std::process::id()));
            for round in 0..20 {
                let mut damaged = whole.clone();
                for pair in noise(4_000)[round * 16..].chunks_exact(3).take(8) {
                    let place = usize::from(u16::from_le_bytes([pair[0], pair[1]]));
                    damaged[place % whole.len()] ^= pair[2];
                }
                fs::write(&path, &damaged).unwrap();
                if let Ok(mut source) = FileSource::open(&path) {
                    let mut pcm = [[0.0; 2]; 4_800];
                    source.read(&mut pcm);
                }
            }
            fs::remove_file(&path).unwrap();
        }
    }
}
