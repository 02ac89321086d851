//! Resampling to 48 kHz: exact in count, nothing shifted, little held back.

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{
    Async, FixedAsync, Resampler as _, SincInterpolationParameters, SincInterpolationType,
    WindowFunction,
};

use crate::{Error, SAMPLE_RATE};

/// Resamples interleaved samples of one or two channels.
///
/// The first sample out is the first one in; from other rates than those with a small common
/// fraction with 48 kHz it is so within half a sample. Of `n` samples exactly
/// `ceil(n * 48000 / rate)` come out, all but the last few ms of them before
/// [`flush`](Self::flush).
pub(crate) struct StreamResampler {
    rate: u32,
    channels: usize,
    /// None at 48 kHz, where there is nothing to do.
    sinc: Option<Async<f32>>,
    /// What has not filled a chunk yet.
    input: Vec<f32>,
    output: Vec<f32>,
    /// Samples of 48 kHz that come before the first one.
    lead: usize,
    taken: u64,
    given: u64,
}

impl StreamResampler {
    pub(crate) fn new(rate: u32, channels: usize) -> Result<Self, Error> {
        let mut resampler = Self {
            rate,
            channels,
            sinc: None,
            input: Vec::new(),
            output: Vec::new(),
            lead: 0,
            taken: 0,
            given: 0,
        };
        if rate != SAMPLE_RATE {
            let sinc = sinc(rate, channels)?;
            resampler.output = vec![0.0; sinc.output_frames_max() * channels];
            resampler.sinc = Some(sinc);
        }
        resampler.reset();
        Ok(resampler)
    }

    /// How many samples the next `samples` add to what comes out in the end.
    pub(crate) fn promises(&self, samples: u64) -> u64 {
        self.due(self.taken + samples) - self.due(self.taken)
    }

    /// Takes interleaved samples and appends to `resampled` what is ready.
    pub(crate) fn push(
        &mut self,
        interleaved: &[f32],
        resampled: &mut Vec<f32>,
    ) -> Result<(), Error> {
        let samples = (interleaved.len() / self.channels) as u64;
        self.taken += samples;
        if self.sinc.is_some() {
            return self.feed(interleaved, resampled);
        }
        self.given += samples;
        resampled.extend_from_slice(interleaved);
        Ok(())
    }

    /// Appends what is left, and begins anew.
    pub(crate) fn flush(&mut self, resampled: &mut Vec<f32>) -> Result<(), Error> {
        let due = self.due(self.taken);
        while self.given < due {
            self.feed(&[0.0; 2 * CHUNK_SAMPLES], resampled)?;
        }
        let surplus = (self.given - due) as usize * self.channels;
        resampled.truncate(resampled.len() - surplus);
        self.reset();
        Ok(())
    }

    /// Forgets what it was given.
    pub(crate) fn reset(&mut self) {
        (self.taken, self.given, self.lead) = (0, 0, 0);
        self.input.clear();
        let Some(sinc) = &mut self.sinc else {
            return;
        };
        sinc.reset();
        let (zeros, lead) = lead(self.rate);
        self.input.resize(zeros * self.channels, 0.0);
        self.lead = lead;
    }

    /// What `taken` samples come to.
    fn due(&self, taken: u64) -> u64 {
        (taken * u64::from(SAMPLE_RATE)).div_ceil(self.rate.into())
    }

    fn feed(&mut self, interleaved: &[f32], resampled: &mut Vec<f32>) -> Result<(), Error> {
        let Some(sinc) = &mut self.sinc else {
            return Ok(());
        };
        self.input.extend_from_slice(interleaved);
        let mut chunks = self.input.chunks_exact(CHUNK_SAMPLES * self.channels);
        for chunk in &mut chunks {
            let length = resample_chunk(sinc, self.channels, chunk, &mut self.output)
                .map_err(|error| Error::Resampler(error.to_string()))?;
            let skip = self.lead.min(length);
            self.lead -= skip;
            self.given += (length - skip) as u64;
            let ready = skip * self.channels..length * self.channels;
            resampled.extend_from_slice(&self.output[ready]);
        }
        let used = self.input.len() - chunks.remainder().len();
        self.input.drain(..used);
        Ok(())
    }
}

fn sinc(rate: u32, channels: usize) -> Result<Async<f32>, Error> {
    let phases = (SAMPLE_RATE / gcd(rate, SAMPLE_RATE)) as usize;
    let mut parameters =
        SincInterpolationParameters::new(SINC_LENGTH, WindowFunction::BlackmanHarris2);
    if phases <= MAX_PHASES {
        // A filter of its own for each place between two samples: exact, and quick.
        parameters = parameters.oversampling_factor(phases);
        parameters.interpolation = SincInterpolationType::Nearest;
    }
    let ratio = f64::from(SAMPLE_RATE) / f64::from(rate);
    let fixed = FixedAsync::Input;
    Async::new_sinc(ratio, 1.0, &parameters, CHUNK_SAMPLES, channels, fixed)
        .map_err(|error| Error::Resampler(error.to_string()))
}

/// How many zeros to put in front of a stream, and how many samples come out then before its first.
///
/// The filter of the first that comes out is centred `64 - 1 / phases` samples before the first
/// that goes in, and that of each further one `rate / 48000` behind the one before: the zeros move
/// one of them onto the first sample.
fn lead(rate: u32) -> (usize, usize) {
    let unit = gcd(rate, SAMPLE_RATE);
    let (step, phases) = ((rate / unit) as usize, (SAMPLE_RATE / unit) as usize);
    let distance = |zeros: usize| (SINC_LENGTH / 2 + zeros) * phases - 1;
    let on_grid = (0..step).find(|&zeros| distance(zeros).is_multiple_of(step));
    match on_grid {
        Some(zeros) if phases <= MAX_PHASES => (zeros, distance(zeros) / step - 1),
        _ => (0, (distance(0) + step / 2) / step - 1),
    }
}

fn resample_chunk(
    sinc: &mut Async<f32>,
    channels: usize,
    chunk: &[f32],
    output: &mut [f32],
) -> Result<usize, Box<dyn std::error::Error>> {
    let room = output.len() / channels;
    let input = InterleavedSlice::new(chunk, channels, chunk.len() / channels)?;
    let mut output = InterleavedSlice::new_mut(output, channels, room)?;
    let (_, length) = sinc.process_into_buffer(&input, &mut output, None)?;
    Ok(length)
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// Taps of the filter: 64 samples of delay, flat to about 0.9 of the lower band edge.
const SINC_LENGTH: usize = 128;
/// What is held back at most beside the filter's delay: 4 ms at 8 kHz.
const CHUNK_SAMPLES: usize = 32;
/// 11,025 Hz has 640.
const MAX_PHASES: usize = 640;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_sample_out_is_the_first_one_in() {
        for rate in [
            8_000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 44_101, 96_000, 192_000,
        ] {
            let mut resampler = StreamResampler::new(rate, 1).unwrap();
            for click in [0, 1_000 * (rate / 1_000) as usize] {
                let mut samples = vec![0.0; 2 * rate as usize];
                samples[click] = 1.0;
                let mut resampled = Vec::new();
                resampler.push(&samples, &mut resampled).unwrap();
                resampler.flush(&mut resampled).unwrap();
                assert_eq!(resampled.len(), 96_000);
                let peak = (0..96_000).max_by(|&a, &b| resampled[a].total_cmp(&resampled[b]));
                let place = (click as f64 * 48_000.0 / f64::from(rate)).round() as usize;
                assert_eq!(peak, Some(place), "from {rate} Hz");
                // Even on both sides: nothing is shifted by a part of a sample.
                if click > 0 && rate.is_multiple_of(2_000) {
                    let skew = resampled[place - 1] - resampled[place + 1];
                    assert!(skew.abs() < 1e-4, "{skew} from {rate} Hz");
                }
            }
        }
    }

    #[test]
    fn little_is_held_back() {
        for rate in [8_000, 24_000, 44_100] {
            let mut resampler = StreamResampler::new(rate, 1).unwrap();
            let mut resampled = Vec::new();
            resampler
                .push(&vec![0.5; rate as usize], &mut resampled)
                .unwrap();
            let held_back = 48_000 - resampled.len();
            assert!(
                held_back < 100 * 48_000 / rate as usize,
                "{held_back} from {rate} Hz"
            );
        }
    }
}
