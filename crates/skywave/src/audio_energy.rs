//! How loud a source is, by the W3C's definition of `totalAudioEnergy`.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Level, energy and duration of everything a source gave. One thread records, anybody reads.
#[derive(Debug, Default)]
pub(crate) struct AudioEnergy {
    /// Of the last step; the bits of a number, as the next.
    level: AtomicU64,
    /// In seconds of full scale.
    total: AtomicU64,
    samples: AtomicU64,
}

impl AudioEnergy {
    /// Takes samples in, of 48,000 a second. Of two channels the louder one counts, sample by
    /// sample. What is beyond full scale counts as full scale, what is no number as silence.
    pub(crate) fn record(&self, pcm: &[[f32; 2]]) {
        if pcm.is_empty() {
            return;
        }
        let sum: f64 = pcm.iter().map(power).sum();
        let level = (sum / pcm.len() as f64).sqrt();
        self.level.store(level.to_bits(), Relaxed);
        let total = self.total() + sum / SAMPLE_RATE;
        self.total.store(total.to_bits(), Relaxed);
        let samples = self.samples.load(Relaxed) + pcm.len() as u64;
        self.samples.store(samples, Relaxed);
    }

    /// The root mean square of the last step, 0 to 1; 1 is 0 dBov.
    pub(crate) fn level(&self) -> f64 {
        f64::from_bits(self.level.load(Relaxed))
    }

    /// The sum of all squares by their duration, in seconds.
    pub(crate) fn total(&self) -> f64 {
        f64::from_bits(self.total.load(Relaxed))
    }

    /// How long all samples last, in seconds.
    pub(crate) fn duration(&self) -> f64 {
        self.samples.load(Relaxed) as f64 / SAMPLE_RATE
    }
}

fn power(sample: &[f32; 2]) -> f64 {
    let loudest = sample[0].abs().max(sample[1].abs());
    if loudest.is_finite() {
        f64::from(loudest.min(1.0)).powi(2)
    } else {
        0.0
    }
}

const SAMPLE_RATE: f64 = 48_000.0;

#[cfg(test)]
mod tests {
    use super::*;

    fn close(value: f64, expected: f64) -> bool {
        (value - expected).abs() < 1e-6
    }

    #[test]
    fn example_of_the_w3c_comes_out() {
        let energy = AudioEnergy::default();
        energy.record(&[[0.5, 0.5]; 480]);
        assert!(close(energy.total(), 0.0025) && close(energy.level(), 0.5));
        energy.record(&[[0.1, 0.1]; 480]);
        assert!(close(energy.total(), 0.0026) && close(energy.level(), 0.1));
        assert!(close(energy.duration(), 0.02));
        assert!(close(
            (energy.total() / energy.duration()).sqrt(),
            0.360_555
        ));
    }

    #[test]
    fn louder_channel_counts() {
        let energy = AudioEnergy::default();
        energy.record(&[[0.0, -0.5]; 480]);
        assert!(close(energy.level(), 0.5));
    }

    #[test]
    fn silence_lasts_too() {
        let energy = AudioEnergy::default();
        energy.record(&[[0.0; 2]; 48_000]);
        energy.record(&[]);
        assert_eq!(
            (energy.level(), energy.total(), energy.duration()),
            (0.0, 0.0, 1.0)
        );
    }

    #[test]
    fn what_is_no_sound_spoils_nothing() {
        let energy = AudioEnergy::default();
        energy.record(&[[f32::NAN; 2], [f32::INFINITY; 2], [7.0; 2], [0.0; 2]]);
        assert!(close(energy.level(), 0.5));
    }
}
