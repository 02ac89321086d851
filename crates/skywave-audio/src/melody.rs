//! The built-in programme: the first nineteen bars of Bach's Prelude in C
//! (BWV 846), on softly struck strings in a small hall.

use crate::reverb::Reverb;
use crate::string_voice::StringVoice;
use crate::{AudioSource, SAMPLE_RATE};

/// A generated piece of music that repeats after 63 seconds, without a seam.
#[derive(Clone, Debug)]
pub struct Melody {
    /// The place in the score, in sixteenths from the start of the first bar.
    step: usize,
    /// Samples until the next note.
    wait: usize,
    voices: [StringVoice; VOICES],
    reverb: Reverb,
}

impl Melody {
    /// The piece from its beginning.
    #[must_use]
    pub fn new() -> Self {
        Self {
            step: 0,
            wait: 0,
            voices: [StringVoice::SILENT; VOICES],
            reverb: Reverb::new(),
        }
    }

    fn strike_next(&mut self) {
        let bar = BARS[self.step / STEPS_A_BAR % BARS.len()];
        let place = self.step % PATTERN.len();
        let note = bar[PATTERN[place]];
        for voice in &mut self.voices {
            voice.damp(note);
        }
        self.voices[self.step % VOICES] = StringVoice::struck(note, DYNAMICS[place]);
        self.step = (self.step + 1) % (VOICES * BARS.len() * STEPS_A_BAR);
        self.wait = STEP_SAMPLES;
    }
}

impl Default for Melody {
    fn default() -> Self {
        Self::new()
    }
}

impl AudioSource for Melody {
    fn read(&mut self, pcm: &mut [[f32; 2]]) -> usize {
        pcm.fill([0.0; 2]);
        let mut rest = &mut *pcm;
        while !rest.is_empty() {
            if self.wait == 0 {
                self.strike_next();
            }
            let (part, later) = rest.split_at_mut(self.wait.min(rest.len()));
            for voice in &mut self.voices {
                voice.add_to(part);
            }
            self.wait -= part.len();
            rest = later;
        }
        self.reverb.add_to(pcm);
        pcm.len()
    }
}

/// Enough that a voice has died away long before its turn comes again.
const VOICES: usize = 32;

/// 72 crotchets a minute, in sixteenths.
const STEP_SAMPLES: usize = SAMPLE_RATE as usize * 60 / 72 / 4;
const STEPS_A_BAR: usize = 16;

/// The order in which the five notes of a bar are played, twice in a bar.
const PATTERN: [usize; 8] = [0, 1, 2, 3, 4, 2, 3, 4];
/// How hard each of them is struck.
const DYNAMICS: [f32; 8] = [1.0, 0.84, 0.66, 0.7, 0.82, 0.62, 0.66, 0.76];

/// The notes of each bar as MIDI numbers, 60 being middle C.
const BARS: [[u8; 5]; 19] = [
    [60, 64, 67, 72, 76],
    [60, 62, 69, 74, 77],
    [59, 62, 67, 74, 77],
    [60, 64, 67, 72, 76],
    [60, 64, 69, 76, 81],
    [60, 62, 66, 69, 74],
    [59, 62, 67, 74, 79],
    [59, 60, 64, 67, 72],
    [57, 60, 64, 67, 72],
    [50, 57, 62, 66, 72],
    [55, 59, 62, 67, 71],
    [55, 58, 64, 67, 73],
    [53, 57, 62, 69, 74],
    [53, 56, 62, 65, 71],
    [52, 55, 60, 67, 72],
    [52, 53, 57, 60, 65],
    [50, 53, 57, 60, 65],
    [43, 50, 55, 59, 65],
    [48, 52, 55, 60, 64],
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::goertzel::amplitude;

    const LOOP_SAMPLES: usize = BARS.len() * STEPS_A_BAR * STEP_SAMPLES;

    fn render(samples: usize) -> Vec<[f32; 2]> {
        let mut melody = Melody::new();
        let mut pcm = vec![[0.0; 2]; samples];
        for frame in pcm.chunks_mut(960) {
            assert_eq!(melody.read(frame), frame.len());
        }
        pcm
    }

    #[test]
    fn peak_level_and_dc_are_in_bounds_over_a_loop_and_its_seam() {
        let pcm = render(LOOP_SAMPLES + 10 * 48_000);
        let peak = pcm
            .as_flattened()
            .iter()
            .fold(0.0_f32, |peak, s| peak.max(s.abs()));
        assert!((0.3..0.7).contains(&peak), "peak {peak}");
        for channel in 0..2 {
            let mean = pcm.iter().map(|s| f64::from(s[channel])).sum::<f64>() / pcm.len() as f64;
            assert!(mean.abs() < 2e-4, "DC {mean}");
        }
        for second in pcm.chunks_exact(48_000) {
            let level = crate::audio_level(second.as_flattened());
            assert!((14..30).contains(&level), "level -{level} dBov");
        }
    }

    #[test]
    fn nothing_clicks_not_even_at_the_seam() {
        let pcm = render(LOOP_SAMPLES + 48_000);
        let step = pcm
            .windows(2)
            .map(|pair| {
                (pair[1][0] - pair[0][0])
                    .abs()
                    .max((pair[1][1] - pair[0][1]).abs())
            })
            .fold(0.0, f32::max);
        assert!(step < 0.06, "step {step}");
    }

    fn pitch(note: u8) -> f64 {
        440.0 * ((f64::from(note) - 69.0) / 12.0).exp2()
    }

    fn both_sides(pcm: &[[f32; 2]]) -> Vec<f32> {
        pcm.iter()
            .map(|[left, right]| (left + right) / 2.0)
            .collect()
    }

    #[test]
    fn every_stroke_brings_its_note_and_the_piece_repeats() {
        let pcm = render(LOOP_SAMPLES + STEPS_A_BAR * STEP_SAMPLES);
        for (step, stroke) in pcm.chunks_exact(STEP_SAMPLES).enumerate() {
            let bar = BARS[step / STEPS_A_BAR % BARS.len()];
            let note = bar[PATTERN[step % PATTERN.len()]];
            let level = amplitude(&both_sides(stroke), pitch(note));
            assert!((0.025..0.2).contains(&level), "step {step}: {level}");
        }
    }

    #[test]
    fn no_bar_sounds_a_foreign_note() {
        let pcm = render(LOOP_SAMPLES);
        for (number, bar) in pcm.chunks_exact(STEPS_A_BAR * STEP_SAMPLES).enumerate() {
            // A note is not foreign as a partial of another, or as an echo of the bar before.
            let before = BARS[(number + BARS.len() - 1) % BARS.len()];
            let known = |note: u8| {
                let of = |root: &u8| [0, 12, 19, 24, 28, 31].map(|n| n + root).contains(&note);
                BARS[number].iter().chain(&before).any(of)
            };
            let samples = both_sides(&bar[24_000..72_000]);
            for note in (48..84).filter(|&note| !known(note)) {
                let level = amplitude(&samples, pitch(note));
                assert!(level < 0.005, "bar {number}, note {note}: {level}");
            }
        }
    }

    #[test]
    fn frame_size_does_not_change_the_music() {
        let mut melody = Melody::new();
        let mut pcm = vec![[0.0; 2]; 48_000];
        for part in pcm.chunks_mut(331) {
            melody.read(part);
        }
        let difference = pcm
            .as_flattened()
            .iter()
            .zip(render(48_000).as_flattened())
            .fold(0.0_f32, |most, (a, b)| most.max((a - b).abs()));
        assert!(difference < 1e-6, "{difference}");
    }
}
