//! A steady sine tone.

use std::f64::consts::TAU;

use crate::{AudioSource, Error, SAMPLE_RATE};

/// A sine tone on both channels at -12 dBFS, with a fade-in of 5 ms.
#[derive(Clone, Debug)]
pub struct Tone {
    phase: f64,
    step: f64,
    faded_in: usize,
}

impl Tone {
    /// A tone of `frequency_hz`, which must lie in 20.0..=20,000.0.
    ///
    /// # Errors
    /// [`Error::Frequency`] outside that range.
    pub fn new(frequency_hz: f64) -> Result<Self, Error> {
        if !(20.0..=20_000.0).contains(&frequency_hz) {
            return Err(Error::Frequency(frequency_hz));
        }
        Ok(Self {
            phase: 0.0,
            step: TAU * frequency_hz / f64::from(SAMPLE_RATE),
            faded_in: 0,
        })
    }

    fn next_sample(&mut self) -> f32 {
        let gain = self.faded_in as f64 / FADE_SAMPLES as f64;
        self.faded_in = (self.faded_in + 1).min(FADE_SAMPLES);
        let sample = AMPLITUDE * gain * self.phase.sin();
        self.phase = (self.phase + self.step) % TAU;
        sample as f32
    }
}

impl AudioSource for Tone {
    fn read(&mut self, pcm: &mut [[f32; 2]]) -> usize {
        for sample in pcm.iter_mut() {
            *sample = [self.next_sample(); 2];
        }
        pcm.len()
    }
}

/// -12 dBFS.
const AMPLITUDE: f64 = 0.25;
const FADE_SAMPLES: usize = SAMPLE_RATE as usize / 200;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::goertzel::amplitude;

    #[test]
    fn tone_has_its_frequency_and_level_on_both_channels() {
        let mut tone = Tone::new(440.0).unwrap();
        let mut pcm = vec![[0.0; 2]; 48_000];
        tone.read(&mut pcm);
        for channel in 0..2 {
            let samples: Vec<f32> = pcm[480..].iter().map(|s| s[channel]).collect();
            assert!((amplitude(&samples, 440.0) - 0.25).abs() < 0.002);
            assert!(amplitude(&samples, 880.0) < 0.001);
        }
    }

    #[test]
    fn phase_is_continuous_across_reads() {
        let mut whole = vec![[0.0; 2]; 1_000];
        Tone::new(1_234.5).unwrap().read(&mut whole);
        let mut parts = vec![[0.0; 2]; 1_000];
        let mut tone = Tone::new(1_234.5).unwrap();
        for part in parts.chunks_mut(7) {
            tone.read(part);
        }
        assert_eq!(whole, parts);
    }

    #[test]
    fn tone_fades_in() {
        let mut pcm = [[0.0; 2]; 48];
        Tone::new(1_000.0).unwrap().read(&mut pcm);
        assert_eq!(pcm[0], [0.0; 2]);
        assert!(pcm.iter().all(|s| s[0].abs() < 0.25 * 0.21));
    }

    #[test]
    fn frequency_out_of_range_is_refused() {
        for frequency in [0.0, 19.9, 20_001.0, -440.0, f64::NAN, f64::INFINITY] {
            assert!(matches!(Tone::new(frequency), Err(Error::Frequency(_))));
        }
        assert!(Tone::new(20.0).is_ok() && Tone::new(20_000.0).is_ok());
    }
}
