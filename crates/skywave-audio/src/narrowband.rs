//! The fixed step from 48 kHz to G.711's 8 kHz.

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Resampler as _, WindowFunction};

use crate::{Error, FRAME_SAMPLES};

/// Resamples mono frames of 960 samples to exactly 160, with a delay of 5 ms.
pub(crate) struct Narrowband {
    fft: Fft<f32>,
    output: [f32; NARROW_SAMPLES],
}

impl Narrowband {
    pub(crate) fn new() -> Result<Self, Error> {
        let fft = Fft::new_custom(
            48_000,
            8_000,
            FRAME_SAMPLES,
            BLOCKS,
            1,
            WindowFunction::Blackman,
            FixedSync::Input,
        )
        .map_err(|error| Error::Resampler(error.to_string()))?;
        Ok(Self {
            fft,
            output: [0.0; NARROW_SAMPLES],
        })
    }

    /// Resamples one frame of [`FRAME_SAMPLES`] samples.
    pub(crate) fn resample(&mut self, frame: &[f32]) -> Result<&[f32; NARROW_SAMPLES], Error> {
        let refused = |error: &dyn std::fmt::Display| Error::Resampler(error.to_string());
        let input = InterleavedSlice::new(frame, 1, frame.len()).map_err(|e| refused(&e))?;
        let mut output = InterleavedSlice::new_mut(&mut self.output, 1, NARROW_SAMPLES)
            .map_err(|e| refused(&e))?;
        self.fft
            .process_into_buffer(&input, &mut output, None)
            .map_err(|e| refused(&e))?;
        Ok(&self.output)
    }
}

const NARROW_SAMPLES: usize = FRAME_SAMPLES / 6;
/// Blocks a frame is resampled in; more of them delay less and filter worse. With
/// two and this window the response is flat to 3.4 kHz and down by 95 dB at 4 kHz.
const BLOCKS: usize = 2;

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use super::*;
    use crate::goertzel::amplitude_at;

    /// The amplitude at `heard` Hz of a 48 kHz tone of `frequency` Hz.
    fn resampled_amplitude(frequency: f64, heard: f64) -> f64 {
        let mut narrowband = Narrowband::new().unwrap();
        let tone: Vec<f32> = (0..48_000)
            .map(|n| (TAU * frequency * f64::from(n) / 48_000.0).sin() as f32)
            .collect();
        let mut resampled = Vec::new();
        for frame in tone.chunks(FRAME_SAMPLES) {
            resampled.extend_from_slice(narrowband.resample(frame).unwrap());
        }
        assert_eq!(resampled.len(), 8_000);
        amplitude_at(&resampled[800..], heard, 8_000.0)
    }

    #[test]
    fn speech_band_passes() {
        for frequency in [103.7, 300.0, 1_013.7, 3_013.7, 3_391.3] {
            let level = resampled_amplitude(frequency, frequency);
            assert!((0.99..1.01).contains(&level), "{level} at {frequency} Hz");
        }
    }

    #[test]
    fn what_lies_above_does_not_fold_into_the_band() {
        for frequency in [4_033.7, 4_633.3, 7_013.3, 12_517.7, 20_013.1] {
            let folded = (frequency - 8_000.0 * (frequency / 8_000.0_f64).round()).abs();
            let level = resampled_amplitude(frequency, folded);
            assert!(level < 0.000_1, "{level} at {frequency} Hz");
        }
    }

    #[test]
    fn delay_is_5_ms() {
        let mut narrowband = Narrowband::new().unwrap();
        let mut frame = [0.0; FRAME_SAMPLES];
        frame[0] = 1.0;
        let output = narrowband.resample(&frame).unwrap();
        let peak = (0..NARROW_SAMPLES).max_by(|&a, &b| output[a].total_cmp(&output[b]));
        assert_eq!(peak, Some(40));
    }
}
