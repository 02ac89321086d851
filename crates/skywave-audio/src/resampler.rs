//! Resampling of files to 48 kHz.

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Async, FixedAsync, Resampler as _, SincInterpolationParameters, WindowFunction};

use crate::{Error, SAMPLE_RATE};

/// Resamples a stream of stereo samples from one rate to 48 kHz.
pub(crate) struct Resampler {
    rate: u32,
    /// None at 48 kHz, where there is nothing to do.
    sinc: Option<Async<f32>>,
    /// What has not filled a chunk yet.
    input: Vec<[f32; 2]>,
    output: Vec<[f32; 2]>,
}

impl Resampler {
    /// A resampler from `rate` Hz.
    pub(crate) fn new(rate: u32) -> Result<Self, Error> {
        let mut sinc = None;
        let mut output = Vec::new();
        if rate != SAMPLE_RATE {
            let engine = Async::new_sinc(
                f64::from(SAMPLE_RATE) / f64::from(rate),
                1.0,
                &SincInterpolationParameters::new(SINC_LENGTH, WindowFunction::BlackmanHarris2),
                CHUNK_SAMPLES,
                2,
                FixedAsync::Input,
            )
            .map_err(|error| Error::Resampler(error.to_string()))?;
            output = vec![[0.0; 2]; engine.output_frames_max()];
            sinc = Some(engine);
        }
        Ok(Self {
            rate,
            sinc,
            input: Vec::new(),
            output,
        })
    }

    /// The rate it resamples from, in Hz.
    pub(crate) fn rate(&self) -> u32 {
        self.rate
    }

    /// Takes `samples` and appends to `resampled` what is ready.
    pub(crate) fn push(
        &mut self,
        samples: &[[f32; 2]],
        resampled: &mut Vec<[f32; 2]>,
    ) -> Result<(), Error> {
        let Some(sinc) = &mut self.sinc else {
            resampled.extend_from_slice(samples);
            return Ok(());
        };
        self.input.extend_from_slice(samples);
        let mut chunks = self.input.chunks_exact(CHUNK_SAMPLES);
        for chunk in &mut chunks {
            let length = resample_chunk(sinc, chunk, &mut self.output)
                .map_err(|error| Error::Resampler(error.to_string()))?;
            resampled.extend_from_slice(&self.output[..length]);
        }
        let used = self.input.len() - chunks.remainder().len();
        self.input.drain(..used);
        Ok(())
    }
}

fn resample_chunk(
    sinc: &mut Async<f32>,
    chunk: &[[f32; 2]],
    output: &mut [[f32; 2]],
) -> Result<usize, Box<dyn std::error::Error>> {
    let samples = output.len();
    let input = InterleavedSlice::new(chunk.as_flattened(), 2, chunk.len())?;
    let mut output = InterleavedSlice::new_mut(output.as_flattened_mut(), 2, samples)?;
    let (_, length) = sinc.process_into_buffer(&input, &mut output, None)?;
    Ok(length)
}

/// Taps of the filter: 64 samples of delay, flat to about 0.9 of the lower band edge.
const SINC_LENGTH: usize = 128;
const CHUNK_SAMPLES: usize = 512;

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use super::*;
    use crate::goertzel::amplitude;

    /// The amplitude at `heard` Hz of a tone of `frequency` Hz at `rate` after resampling.
    fn resampled_amplitude(rate: u32, frequency: f64, heard: f64) -> f64 {
        let mut resampler = Resampler::new(rate).unwrap();
        let mut resampled = Vec::new();
        let tone: Vec<[f32; 2]> = (0..rate)
            .map(|n| (TAU * frequency * f64::from(n) / f64::from(rate)).sin() as f32)
            .map(|sample| [sample, -sample])
            .collect();
        for part in tone.chunks(777) {
            resampler.push(part, &mut resampled).unwrap();
        }
        assert!(resampled.len() > 46_000 && resampled.len() <= 48_100);
        assert!(resampled.iter().all(|[left, right]| *left == -right));
        let left: Vec<f32> = resampled[4_800..].iter().map(|sample| sample[0]).collect();
        amplitude(&left, heard)
    }

    #[test]
    fn tone_keeps_frequency_and_level_from_any_rate() {
        for rate in [
            8_000, 11_025, 22_050, 44_100, 44_101, 48_000, 96_000, 192_000,
        ] {
            let level = resampled_amplitude(rate, 1_000.0, 1_000.0);
            assert!((level - 1.0).abs() < 0.01, "{level} from {rate} Hz");
        }
    }

    #[test]
    fn images_and_aliases_are_suppressed() {
        // The image of 1 kHz at 8 kHz lies at 7 kHz; 30 kHz at 96 kHz folds to 18 kHz.
        assert!(resampled_amplitude(8_000, 1_000.0, 7_000.0) < 0.001);
        assert!(resampled_amplitude(96_000, 30_000.0, 18_000.0) < 0.001);
    }
}
