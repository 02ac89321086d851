//! Measuring tones in the tests.

use std::f64::consts::TAU;

/// The amplitude of the sine of `frequency` Hz in samples at 48 kHz.
pub(crate) fn amplitude(samples: &[f32], frequency: f64) -> f64 {
    amplitude_at(samples, frequency, 48_000.0)
}

/// The amplitude of the sine of `frequency` Hz in samples at `rate` Hz.
pub(crate) fn amplitude_at(samples: &[f32], frequency: f64, rate: f64) -> f64 {
    let (mut re, mut im, mut weight) = (0.0, 0.0, 0.0);
    for (n, &sample) in samples.iter().enumerate() {
        // A Hann window, so that tones between the bins and neighbours do not leak.
        let window = 1.0 - (TAU * n as f64 / samples.len() as f64).cos();
        let angle = TAU * frequency * n as f64 / rate;
        re += window * f64::from(sample) * angle.cos();
        im += window * f64::from(sample) * angle.sin();
        weight += window;
    }
    2.0 * re.hypot(im) / weight
}
