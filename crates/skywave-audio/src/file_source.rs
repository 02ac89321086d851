//! Audio files, decoded ahead of time on a thread of their own.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use crate::file_decoder::FileDecoder;
use crate::prefetch::{BLOCK_SAMPLES, Prefetch};
use crate::resampler::Resampler;
use crate::{AudioSource, Error};

/// An audio file that is played over and over, without a gap.
///
/// WAV, AIFF, FLAC, MP3 and Ogg (Vorbis, Opus, FLAC) of any rate and number of
/// channels, resampled to 48 kHz and mixed to stereo. A thread of its own
/// decodes up to a second ahead; dropping the source ends it.
///
/// A file cut short is played as far as it goes. The source ends when the file
/// can no longer be read.
pub struct FileSource {
    prefetch: Prefetch,
    /// Why decoding came to an end after it had begun.
    outcome: Receiver<Result<(), Error>>,
}

impl FileSource {
    /// Opens `path` and waits until the first 200 ms are decoded.
    ///
    /// # Errors
    /// [`Error::Read`], [`Error::NotAudio`], [`Error::Unsupported`],
    /// [`Error::Damaged`] or [`Error::Empty`] with the path, when nothing can be
    /// played; [`Error::Thread`] without a thread.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path: PathBuf = path.as_ref().into();
        let (blocks, prefetch) = Prefetch::new();
        let (opened, outcome) = sync_channel(1);
        let decoded = path.clone();
        thread::Builder::new()
            .name("file-decoder".into())
            .spawn(move || {
                let mut output = Output {
                    blocks,
                    opened,
                    sent: 0,
                };
                if let Err(error) = decode_ahead(&decoded, &mut output) {
                    // If the source is dropped, nobody wants to know.
                    let _ = output.opened.try_send(Err(error));
                }
            })
            .map_err(Error::Thread)?;
        match outcome.recv() {
            Ok(Ok(())) => Ok(Self { prefetch, outcome }),
            Ok(Err(error)) => Err(error),
            // The decoder panicked on what it read.
            Err(_) => Err(Error::Damaged {
                path,
                reason: "the decoder failed".into(),
            }),
        }
    }
}

impl AudioSource for FileSource {
    fn read(&mut self, pcm: &mut [[f32; 2]]) -> usize {
        self.prefetch.read(pcm)
    }

    fn ended(&self) -> bool {
        self.prefetch.ended()
    }

    fn ready(&mut self) -> bool {
        self.prefetch.ready()
    }

    fn error(&mut self) -> Option<String> {
        Some(self.outcome.try_recv().ok()?.err()?.to_string())
    }
}

impl std::fmt::Debug for FileSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FileSource").finish_non_exhaustive()
    }
}

/// Where the thread sends its blocks.
struct Output {
    blocks: SyncSender<Box<[[f32; 2]]>>,
    opened: SyncSender<Result<(), Error>>,
    sent: usize,
}

impl Output {
    /// Sends the whole blocks at the front of `pcm`; false once the source is dropped.
    fn send(&mut self, pcm: &mut Vec<[f32; 2]>) -> bool {
        let blocks = pcm.chunks_exact(BLOCK_SAMPLES);
        let rest = pcm.len() - blocks.remainder().len();
        for block in blocks {
            if self.blocks.send(block.into()).is_err() {
                return false;
            }
            self.sent += 1;
            if self.sent == PRE_ROLL_BLOCKS {
                // Before open returns nobody can have dropped the other end.
                let _ = self.opened.try_send(Ok(()));
            }
        }
        pcm.drain(..rest);
        true
    }
}

/// Decodes the file over and over until the source is dropped.
fn decode_ahead(path: &Path, output: &mut Output) -> Result<(), Error> {
    let mut decoder = FileDecoder::open(path)?;
    let mut decoded = Vec::new();
    let mut resampled = Vec::new();
    let mut resampler: Option<Resampler> = None;
    loop {
        let mut samples = 0;
        while let Some(rate) = decoder.decode_next(&mut decoded)? {
            samples += decoded.len();
            let mut current = match resampler.take() {
                Some(current) if current.rate() == rate => current,
                _ => Resampler::new(rate)?,
            };
            current.push(&decoded, &mut resampled)?;
            resampler = Some(current);
            decoded.clear();
            if !output.send(&mut resampled) {
                return Ok(());
            }
        }
        // So little would be opened over and over faster than it plays.
        if samples < MIN_SAMPLES {
            return Err(decoder.no_samples());
        }
        decoder.rewind()?;
    }
}

/// What is decoded when open returns: 200 ms.
const PRE_ROLL_BLOCKS: usize = 10;
/// The least a pass through a file must give.
const MIN_SAMPLES: usize = 240;

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::goertzel::amplitude;

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
        ] {
            let mut source = FileSource::open(testdata(name)).unwrap();
            // What was decoded before open returned.
            let mut pcm = vec![[0.0; 2]; PRE_ROLL_BLOCKS * BLOCK_SAMPLES];
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

    #[test]
    fn damaged_content_never_panics_in_the_caller() {
        for name in [
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
