//! One softly struck string: a few partials that die away, the higher the sooner.

use std::f64::consts::TAU;

use crate::SAMPLE_RATE;

/// A voice of the built-in programme.
///
/// Each partial is a complex number, turned and shrunk once a sample. They lie
/// side by side, so that the compiler computes several at a time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StringVoice {
    /// The MIDI number of the string.
    note: u8,
    re: [f32; PARTIALS],
    im: [f32; PARTIALS],
    /// The real and imaginary part of what each is multiplied by.
    cos: [f32; PARTIALS],
    sin: [f32; PARTIALS],
    /// Left and right gain.
    pan: [f32; 2],
    /// Samples since the stroke, as far as the attack lasts.
    age: usize,
}

impl StringVoice {
    /// A voice that does not sound.
    pub(crate) const SILENT: Self = Self {
        note: 0,
        re: [0.0; PARTIALS],
        im: [0.0; PARTIALS],
        cos: [0.0; PARTIALS],
        sin: [0.0; PARTIALS],
        pan: [0.0; 2],
        age: 0,
    };

    /// A string of the MIDI number `note` struck with `force`, 0.0..=1.0.
    pub(crate) fn struck(note: u8, force: f32) -> Self {
        let rate = f64::from(SAMPLE_RATE);
        let frequency = 440.0 * ((f64::from(note) - 69.0) / 12.0).exp2();
        // Low strings ring longer. This is the time to 1/e.
        let decay_seconds = 0.6 * (261.6 / frequency).powf(0.4);
        let mut voice = Self {
            note,
            ..Self::SILENT
        };
        for (partial, level) in LEVELS.into_iter().enumerate() {
            // A soft stroke excites the high partials less.
            voice.re[partial] = level * force.powf(1.0 + 0.4 * partial as f32);
            let number = partial as f64;
            let shrink = (-(1.0 + 0.6 * number) / (decay_seconds * rate)).exp();
            let (sin, cos) = (TAU * frequency * (number + 1.0) / rate).sin_cos();
            voice.cos[partial] = (shrink * cos) as f32;
            voice.sin[partial] = (shrink * sin) as f32;
        }
        // The keyboard from the left to the right, within the middle half of the stage.
        let position = (f64::from(note) - 62.0).clamp(-20.0, 20.0) / 20.0;
        let angle = TAU / 8.0 * (1.0 + 0.45 * position);
        voice.pan = [angle.cos() as f32, angle.sin() as f32];
        voice
    }

    /// Damps the string if it is that of `note`, because it is struck anew: two
    /// voices of one pitch would reinforce or cancel each other by chance.
    pub(crate) fn damp(&mut self, note: u8) {
        if self.note == note {
            let shrink = (-1.0 / (DAMPING_SECONDS * SAMPLE_RATE as f32)).exp();
            self.cos
                .iter_mut()
                .chain(&mut self.sin)
                .for_each(|part| *part *= shrink);
        }
    }

    /// Adds what it sounds next to `pcm`.
    pub(crate) fn add_to(&mut self, pcm: &mut [[f32; 2]]) {
        if self.is_silent() {
            return;
        }
        for sample in pcm {
            let mut sum: f32 = self.im.iter().sum();
            self.turn();
            if self.age < ATTACK_SAMPLES {
                let phase = self.age as f32 / ATTACK_SAMPLES as f32 * std::f32::consts::PI;
                sum *= 0.5 - 0.5 * phase.cos();
                self.age += 1;
            }
            sample[0] += sum * self.pan[0];
            sample[1] += sum * self.pan[1];
        }
    }

    fn turn(&mut self) {
        for partial in 0..PARTIALS {
            let (re, im) = (self.re[partial], self.im[partial]);
            self.re[partial] = re * self.cos[partial] - im * self.sin[partial];
            self.im[partial] = re * self.sin[partial] + im * self.cos[partial];
        }
    }

    /// Below -90 dBFS.
    fn is_silent(&self) -> bool {
        self.re[0].hypot(self.im[0]) < 3e-5
    }
}

const PARTIALS: usize = 8;
/// The level of each partial of the hardest stroke.
const LEVELS: [f32; PARTIALS] = [0.18, 0.07, 0.034, 0.018, 0.008, 0.004, 0.002, 0.001];
/// The time to 1/e of a damped string.
const DAMPING_SECONDS: f32 = 0.03;
const ATTACK_SAMPLES: usize = SAMPLE_RATE as usize * 5 / 1_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::goertzel::amplitude;

    #[test]
    fn string_has_its_pitch_and_dies_away_smoothly() {
        let mut voice = StringVoice::struck(69, 1.0);
        let mut pcm = vec![[0.0; 2]; 5 * 48_000];
        voice.add_to(&mut pcm);
        let left: Vec<f32> = pcm.iter().map(|s| s[0]).collect();
        assert!(amplitude(&left[..24_000], 440.0) > 0.03);
        assert!(amplitude(&left[..24_000], 466.2) < 0.001);
        let envelope: Vec<f64> = left[480..]
            .chunks_exact(4_800)
            .map(|part| amplitude(part, 440.0))
            .collect();
        assert!(envelope.windows(2).all(|pair| pair[1] < pair[0]));
        assert!(voice.is_silent(), "gone before its turn comes again");
    }

    #[test]
    fn only_the_string_struck_anew_is_damped() {
        for (struck, silenced) in [(69, true), (70, false)] {
            let mut voice = StringVoice::struck(69, 1.0);
            voice.add_to(&mut [[0.0; 2]; 4_800]);
            voice.damp(struck);
            voice.add_to(&mut [[0.0; 2]; 24_000]);
            assert_eq!(voice.is_silent(), silenced);
        }
    }

    #[test]
    fn silent_voice_adds_nothing() {
        let mut pcm = [[0.25; 2]; 16];
        StringVoice::SILENT.clone().add_to(&mut pcm);
        assert_eq!(pcm, [[0.25; 2]; 16]);
    }
}
