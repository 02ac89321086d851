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
    /// Samples of the filter's delay that have still to be left out.
    delay: usize,
    taken: u64,
    given: u64,
}

impl Resampler {
    /// A resampler from `rate` Hz. Its first sample out is its first one in.
    pub(crate) fn new(rate: u32) -> Result<Self, Error> {
        let mut sinc = None;
        let mut output = Vec::new();
        let mut delay = 0;
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
            delay = engine.output_delay();
            output = vec![[0.0; 2]; engine.output_frames_max()];
            sinc = Some(engine);
        }
        Ok(Self {
            rate,
            sinc,
            input: Vec::new(),
            output,
            delay,
            taken: 0,
            given: 0,
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
        self.taken += samples.len() as u64;
        self.input.extend_from_slice(samples);
        let mut chunks = self.input.chunks_exact(CHUNK_SAMPLES);
        for chunk in &mut chunks {
            let length = resample_chunk(sinc, chunk, &mut self.output)
                .map_err(|error| Error::Resampler(error.to_string()))?;
            let start = self.delay.min(length);
            self.delay -= start;
            self.given += (length - start) as u64;
            resampled.extend_from_slice(&self.output[start..length]);
        }
        let used = self.input.len() - chunks.remainder().len();
        self.input.drain(..used);
        Ok(())
    }

    /// Appends all that is left at the end of the stream, so that what was
    /// given lasts exactly as long as what was taken.
    pub(crate) fn finish(mut self, resampled: &mut Vec<[f32; 2]>) -> Result<(), Error> {
        let due = (self.taken * u64::from(SAMPLE_RATE)).div_ceil(self.rate.into());
        let silence = [[0.0; 2]; CHUNK_SAMPLES];
        while self.sinc.is_some() && self.given < due {
            self.push(&silence, resampled)?;
        }
        let surplus = self.given.saturating_sub(due) as usize;
        resampled.truncate(resampled.len() - surplus);
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
        resampler.finish(&mut resampled).unwrap();
        assert_eq!(resampled.len(), 48_000);
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
    fn stream_lasts_as_long_as_before_and_nothing_is_shifted() {
        for (rate, samples, expected) in [
            (8_000, 1, 6),
            (8_000, 8_000, 48_000),
            (44_100, 44_100, 48_000),
            (44_100, 1_000, 1_089),
            (48_000, 777, 777),
            (96_000, 3, 2),
        ] {
            let mut resampler = Resampler::new(rate).unwrap();
            let mut resampled = Vec::new();
            let slow: Vec<[f32; 2]> = (0..samples)
                .map(|n| [(TAU * 20.0 * f64::from(n) / f64::from(rate)).sin() as f32; 2])
                .collect();
            resampler.push(&slow, &mut resampled).unwrap();
            resampler.finish(&mut resampled).unwrap();
            assert_eq!(resampled.len(), expected, "{samples} at {rate} Hz");
            let end = (expected * 9 / 10).saturating_sub(100);
            for (n, sample) in resampled[..end].iter().enumerate().skip(500) {
                let ideal = (TAU * 20.0 * n as f64 / 48_000.0).sin() as f32;
                assert!((sample[0] - ideal).abs() < 0.01, "{n} from {rate} Hz");
            }
        }
    }

    #[test]
    fn images_and_aliases_are_suppressed() {
        // The image of 1 kHz at 8 kHz lies at 7 kHz; 30 kHz at 96 kHz folds to 18 kHz.
        assert!(resampled_amplitude(8_000, 1_000.0, 7_000.0) < 0.001);
        assert!(resampled_amplitude(96_000, 30_000.0, 18_000.0) < 0.001);
    }
}
