//! A track's signal path: the current source, and a fade when it is replaced.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::{AudioSource, SAMPLE_RATE};

/// Plays one source after the other into whole frames.
///
/// Replacing fades over 5 ms with equal power from what was playing. What is
/// played is always finite and within -1.0..=1.0, and a frame is always whole:
/// silence stands in for a source that is starved, ended or absent.
pub struct SourcePlayer {
    source: Option<Box<dyn AudioSource>>,
    /// What the replaced source would have played next, and how much of it is over.
    tail: Vec<[f32; 2]>,
    faded: usize,
    ended: bool,
    underrun_samples: u64,
    panics: u64,
}

impl SourcePlayer {
    /// A player without a source: silent.
    #[must_use]
    pub fn new() -> Self {
        Self {
            source: None,
            tail: Vec::new(),
            faded: FADE_SAMPLES,
            ended: false,
            underrun_samples: 0,
            panics: 0,
        }
    }

    /// Plays `source` from now on, or silence for `None`.
    ///
    /// The old source gives its last 5 ms for the fade and is dropped here.
    pub fn replace(&mut self, source: Option<Box<dyn AudioSource>>) {
        let mut tail = vec![[0.0; 2]; FADE_SAMPLES];
        self.render(&mut tail);
        self.drop_source();
        self.source = source;
        self.tail = tail;
        self.faded = 0;
        self.ended = false;
    }

    /// Fills the whole of `pcm`.
    ///
    /// A source that panics is dropped and counted; its frame is silence.
    pub fn read(&mut self, pcm: &mut [[f32; 2]]) -> Supply {
        let had_source = self.source.is_some();
        let samples_supplied = self.render(pcm);
        if had_source && !self.ended {
            self.underrun_samples += (pcm.len() - samples_supplied) as u64;
        }
        Supply {
            samples_supplied,
            ended: self.ended,
        }
    }

    /// Samples of silence played because a living source had nothing ready.
    #[must_use]
    pub fn underrun_samples(&self) -> u64 {
        self.underrun_samples
    }

    /// Sources dropped because they panicked.
    #[must_use]
    pub fn panics(&self) -> u64 {
        self.panics
    }

    fn render(&mut self, pcm: &mut [[f32; 2]]) -> usize {
        let supplied = self.read_source(pcm);
        pcm[supplied..].fill([0.0; 2]);
        for sample in pcm[..supplied].as_flattened_mut() {
            *sample = if sample.is_finite() { *sample } else { 0.0 };
        }
        self.fade(pcm);
        for sample in pcm.as_flattened_mut() {
            *sample = sample.clamp(-1.0, 1.0);
        }
        supplied
    }

    fn read_source(&mut self, pcm: &mut [[f32; 2]]) -> usize {
        let Some(source) = self.source.as_mut() else {
            return 0;
        };
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let supplied = source.read(pcm);
            (supplied, source.ended())
        }));
        match outcome {
            Ok((supplied, false)) => supplied.min(pcm.len()),
            Ok((supplied, true)) => {
                self.ended = true;
                self.drop_source();
                supplied.min(pcm.len())
            }
            Err(_) => {
                self.panics += 1;
                self.ended = true;
                self.drop_source();
                0
            }
        }
    }

    /// Mixes in what is left of the tail.
    fn fade(&mut self, pcm: &mut [[f32; 2]]) {
        for (sample, old) in pcm.iter_mut().zip(self.tail.iter().skip(self.faded)) {
            let position = (self.faded as f32 + 0.5) / FADE_SAMPLES as f32;
            let (gain_in, gain_out) = (position * std::f32::consts::FRAC_PI_2).sin_cos();
            sample[0] = sample[0] * gain_in + old[0] * gain_out;
            sample[1] = sample[1] * gain_in + old[1] * gain_out;
            self.faded += 1;
        }
    }

    /// Drops the source; one that panics while being dropped is counted.
    fn drop_source(&mut self) {
        let source = self.source.take();
        if catch_unwind(AssertUnwindSafe(|| drop(source))).is_err() {
            self.panics += 1;
        }
    }
}

impl Drop for SourcePlayer {
    /// A source that panics while being dropped must not take the thread with it.
    fn drop(&mut self) {
        self.drop_source();
    }
}

impl Default for SourcePlayer {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for SourcePlayer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SourcePlayer")
            .field("has_source", &self.source.is_some())
            .field("ended", &self.ended)
            .field("underrun_samples", &self.underrun_samples)
            .field("panics", &self.panics)
            .finish_non_exhaustive()
    }
}

/// What a frame was made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Supply {
    /// Samples that came from the source; the rest of the frame is silence.
    pub samples_supplied: usize,
    /// True once the current source has come to its end, or panicked.
    pub ended: bool,
}

const FADE_SAMPLES: usize = SAMPLE_RATE as usize / 200;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tone;

    const FRAME_SAMPLES: usize = 960;

    /// A constant for `left` samples, then its end.
    struct Level {
        value: f32,
        left: usize,
    }

    impl AudioSource for Level {
        fn read(&mut self, pcm: &mut [[f32; 2]]) -> usize {
            let count = self.left.min(pcm.len());
            self.left -= count;
            // Beyond its count a source may leave anything.
            pcm.fill([9.0; 2]);
            pcm[..count].fill([self.value; 2]);
            count
        }

        fn ended(&self) -> bool {
            self.left == 0
        }
    }

    /// Gives `per_read` samples a read, and never ends.
    struct Slow {
        per_read: usize,
    }

    impl AudioSource for Slow {
        fn read(&mut self, pcm: &mut [[f32; 2]]) -> usize {
            pcm[..self.per_read].fill([0.5; 2]);
            self.per_read
        }
    }

    /// Gives one frame, then panics.
    struct Faulty {
        reads: usize,
        panics_on_drop: bool,
    }

    impl AudioSource for Faulty {
        fn read(&mut self, pcm: &mut [[f32; 2]]) -> usize {
            self.reads += 1;
            pcm.fill([0.5; 2]);
            assert!(self.reads == 1, "the fault under test");
            pcm.len()
        }
    }

    impl Drop for Faulty {
        fn drop(&mut self) {
            assert!(!self.panics_on_drop, "the fault under test");
        }
    }

    fn level(value: f32) -> Option<Box<dyn AudioSource>> {
        let left = usize::MAX;
        Some(Box::new(Level { value, left }))
    }

    fn read(player: &mut SourcePlayer) -> ([[f32; 2]; FRAME_SAMPLES], Supply) {
        let mut pcm = [[7.0; 2]; FRAME_SAMPLES];
        let supply = player.read(&mut pcm);
        (pcm, supply)
    }

    #[test]
    fn player_without_source_is_silent_and_not_starved() {
        let mut player = SourcePlayer::new();
        let (pcm, supply) = read(&mut player);
        assert_eq!(pcm, [[0.0; 2]; FRAME_SAMPLES]);
        assert_eq!(
            supply,
            Supply {
                samples_supplied: 0,
                ended: false
            }
        );
        assert_eq!(player.underrun_samples(), 0);
    }

    #[test]
    fn crossfade_between_tones_has_no_step_larger_than_the_tones() {
        let mut player = SourcePlayer::new();
        player.replace(Some(Box::new(Tone::new(440.0).unwrap())));
        let mut played = Vec::new();
        for _ in 0..5 {
            played.extend(read(&mut player).0);
        }
        player.replace(Some(Box::new(Tone::new(554.37).unwrap())));
        // A frame cut anywhere, and a second replacement in the middle of the fade.
        let mut part = [[0.0; 2]; 100];
        player.read(&mut part);
        played.extend(part);
        player.replace(Some(Box::new(Tone::new(659.26).unwrap())));
        played.extend(read(&mut player).0);
        player.replace(None);
        played.extend(read(&mut player).0);
        // 660 Hz at 0.25 moves 0.0216 a sample; the fades add up to 0.25 / 240 * pi/2 each.
        let step = played
            .windows(2)
            .map(|pair| (pair[1][0] - pair[0][0]).abs())
            .fold(0.0, f32::max);
        assert!((0.015..0.035).contains(&step), "{step}");
        assert!(
            played[played.len() - 700..]
                .iter()
                .all(|sample| *sample == [0.0; 2])
        );
    }

    #[test]
    fn crossfade_lasts_5_ms_with_equal_power() {
        let mut player = SourcePlayer::new();
        player.replace(level(0.5));
        read(&mut player);
        player.replace(level(-0.5));
        let (pcm, _) = read(&mut player);
        assert!(pcm[0][0] > 0.49 && pcm[119][0].abs() < 0.01);
        assert!(pcm[238][0] > -0.5 && pcm[240] == [-0.5; 2]);
        // Against silence the power goes as the square of the sine.
        player.replace(None);
        let (pcm, _) = read(&mut player);
        assert!((pcm[119][0] / -0.5 - std::f32::consts::FRAC_1_SQRT_2).abs() < 0.01);
    }

    #[test]
    fn replacing_twice_without_a_read_fades_from_what_was_heard() {
        let mut player = SourcePlayer::new();
        player.replace(level(0.5));
        read(&mut player);
        player.replace(level(-0.5));
        player.replace(level(0.25));
        let (pcm, _) = read(&mut player);
        assert!((pcm[0][0] - 0.5).abs() < 0.02);
        assert_eq!(pcm[240], [0.25; 2]);
    }

    #[test]
    fn ended_source_leaves_silence_and_is_no_underrun() {
        let mut player = SourcePlayer::new();
        player.replace(Some(Box::new(Level {
            value: 0.5,
            left: 1_000,
        })));
        assert_eq!(
            read(&mut player).1,
            Supply {
                samples_supplied: 960,
                ended: false
            }
        );
        let (pcm, supply) = read(&mut player);
        assert_eq!(
            supply,
            Supply {
                samples_supplied: 40,
                ended: true
            }
        );
        assert_eq!((pcm[39], pcm[40], pcm[959]), ([0.5; 2], [0.0; 2], [0.0; 2]));
        assert_eq!(
            read(&mut player).1,
            Supply {
                samples_supplied: 0,
                ended: true
            }
        );
        assert_eq!(player.underrun_samples(), 0);
        player.replace(level(0.5));
        assert_eq!(
            read(&mut player).1,
            Supply {
                samples_supplied: 960,
                ended: false
            }
        );
    }

    #[test]
    fn starved_source_is_counted_and_stays() {
        let mut player = SourcePlayer::new();
        player.replace(Some(Box::new(Slow { per_read: 900 })));
        for _ in 0..3 {
            let (pcm, supply) = read(&mut player);
            assert_eq!(
                supply,
                Supply {
                    samples_supplied: 900,
                    ended: false
                }
            );
            assert_eq!(pcm[900..], [[0.0; 2]; 60]);
        }
        assert_eq!(player.underrun_samples(), 180);
    }

    #[test]
    fn panicking_source_is_dropped_and_counted() {
        let mut player = SourcePlayer::new();
        player.replace(Some(Box::new(Faulty {
            reads: 0,
            panics_on_drop: false,
        })));
        assert_eq!(read(&mut player).1.samples_supplied, 960);
        let (pcm, supply) = read(&mut player);
        assert_eq!(pcm, [[0.0; 2]; FRAME_SAMPLES]);
        assert_eq!(
            supply,
            Supply {
                samples_supplied: 0,
                ended: true
            }
        );
        assert_eq!(player.panics(), 1);
        player.replace(level(0.5));
        assert_eq!(
            read(&mut player).1,
            Supply {
                samples_supplied: 960,
                ended: false
            }
        );
        assert_eq!(player.panics(), 1);
    }

    #[test]
    fn panic_on_drop_is_contained() {
        let mut player = SourcePlayer::new();
        player.replace(Some(Box::new(Faulty {
            reads: 0,
            panics_on_drop: true,
        })));
        player.replace(None);
        assert_eq!(player.panics(), 1);
    }

    #[test]
    fn nonsense_from_a_source_is_made_harmless() {
        struct Wild;
        impl AudioSource for Wild {
            fn read(&mut self, pcm: &mut [[f32; 2]]) -> usize {
                pcm.fill([f32::NAN, f32::INFINITY]);
                pcm[300..].fill([5.0, -5.0]);
                usize::MAX
            }
        }
        let mut player = SourcePlayer::new();
        player.replace(Some(Box::new(Wild)));
        let (pcm, supply) = read(&mut player);
        assert_eq!(supply.samples_supplied, FRAME_SAMPLES);
        assert_eq!(pcm[..300], [[0.0; 2]; 300]);
        assert_eq!(pcm[300..], [[1.0, -1.0]; 660]);
    }
}
