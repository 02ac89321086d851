//! The fixed steps from 48 kHz to the 8 kHz of G.711 and the 16 kHz of G.722.

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Resampler as _, WindowFunction};

use crate::{Error, Ptime};

/// Resamples mono audio, with a delay of 5 ms; of packets shorter than a block, with as much more
/// as a block is longer.
pub(crate) struct Narrowband {
    fft: Fft<f32>,
    /// Samples of a block.
    narrow: usize,
    /// What is not yet a block.
    input: Vec<f32>,
    /// What was resampled, of which so many samples were handed out.
    output: Vec<f32>,
    taken: usize,
}

impl Narrowband {
    /// Resamples packets of that length to `rate` Hz, which must divide 48,000.
    pub(crate) fn new(rate: usize, ptime: Ptime) -> Result<Self, Error> {
        let window = WindowFunction::Blackman;
        let fft = Fft::new_custom(48_000, rate, BLOCK, 1, 1, window, FixedSync::Input)
            .map_err(|error| Error::Resampler(error.to_string()))?;
        let room = (BLOCK + ptime.samples()) * rate / 48_000;
        let mut output = Vec::with_capacity(room);
        output.resize(BLOCK.saturating_sub(ptime.samples()) * rate / 48_000, 0.0);
        Ok(Self {
            fft,
            narrow: BLOCK * rate / 48_000,
            input: Vec::with_capacity(BLOCK + ptime.samples()),
            output,
            taken: 0,
        })
    }

    /// Resamples one packet: gives as many samples as last for its time.
    pub(crate) fn resample(&mut self, samples: &[f32]) -> Result<&[f32], Error> {
        self.output.drain(..self.taken);
        self.input.extend_from_slice(samples);
        let (blocks, rest) = self.input.as_chunks::<BLOCK>();
        for block in blocks {
            let begin = self.output.len();
            self.output.resize(begin + self.narrow, 0.0);
            resample_block(&mut self.fft, block, &mut self.output[begin..])
                .map_err(|error| Error::Resampler(error.to_string()))?;
        }
        let done = self.input.len() - rest.len();
        self.input.drain(..done);
        self.taken = (samples.len() * self.narrow / BLOCK).min(self.output.len());
        Ok(&self.output[..self.taken])
    }
}

fn resample_block(
    fft: &mut Fft<f32>,
    block: &[f32],
    narrow: &mut [f32],
) -> Result<(), Box<dyn std::error::Error>> {
    let input = InterleavedSlice::new(block, 1, block.len())?;
    let samples = narrow.len();
    let mut output = InterleavedSlice::new_mut(narrow, 1, samples)?;
    fft.process_into_buffer(&input, &mut output, None)?;
    Ok(())
}

/// 10 ms. Shorter blocks delay less and filter worse: with
/// this one and this window the response to 8 kHz is flat to 3.4 kHz and down by 95 dB at 4 kHz;
/// to 16 kHz flat to 7 kHz.
const BLOCK: usize = Ptime::Ms10.samples();

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use super::*;
    use crate::goertzel::amplitude_at;

    /// The amplitude at `heard` Hz of a 48 kHz tone of `frequency` Hz.
    fn resampled_amplitude(frequency: f64, heard: f64) -> f64 {
        let mut narrowband = Narrowband::new(8_000, Ptime::Ms20).unwrap();
        let tone: Vec<f32> = (0..48_000)
            .map(|n| (TAU * frequency * f64::from(n) / 48_000.0).sin() as f32)
            .collect();
        let resampled = narrowband.resample(&tone).unwrap();
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
        let mut narrowband = Narrowband::new(8_000, Ptime::Ms20).unwrap();
        let mut frame = [0.0; 960];
        frame[0] = 1.0;
        let output = narrowband.resample(&frame).unwrap();
        let peak = (0..160).max_by(|&a, &b| output[a].total_cmp(&output[b]));
        assert_eq!(peak, Some(40));
    }

    #[test]
    fn short_packets_are_the_same_audio_later_by_what_a_block_is_longer() {
        let tone: Vec<f32> = (0..9_600).map(|n| (n as f32 / 9.0).sin()).collect();
        let resampled = |ptime: Ptime| {
            let mut narrowband = Narrowband::new(8_000, ptime).unwrap();
            let packets = tone.chunks(ptime.samples());
            packets.fold(Vec::new(), |mut all, packet| {
                let samples = narrowband.resample(packet).unwrap();
                assert_eq!(samples.len(), ptime.samples() / 6);
                all.extend_from_slice(samples);
                all
            })
        };
        let long = resampled(Ptime::Ms10);
        for (ptime, late) in [(Ptime::Ms2_5, 60), (Ptime::Ms5, 40), (Ptime::Ms20, 0)] {
            let short = resampled(ptime);
            assert_eq!(short[late..], long[..1_600 - late], "{ptime:?}");
            assert!(short[..late].iter().all(|&sample| sample == 0.0));
        }
    }

    #[test]
    fn g722_band_of_7_khz_passes_and_nothing_folds_into_it() {
        let resampled = |frequency: f64, heard: f64| {
            let mut wideband = Narrowband::new(16_000, Ptime::Ms20).unwrap();
            let tone: Vec<f32> = (0..48_000)
                .map(|n| (TAU * frequency * f64::from(n) / 48_000.0).sin() as f32)
                .collect();
            let samples = wideband.resample(&tone).unwrap();
            assert_eq!(samples.len(), 16_000);
            amplitude_at(&samples[1_600..], heard, 16_000.0)
        };
        for frequency in [103.7, 3_013.7, 6_991.3] {
            let level = resampled(frequency, frequency);
            assert!((0.99..1.01).contains(&level), "{level} at {frequency} Hz");
        }
        for frequency in [8_033.7, 9_013.3, 12_517.7] {
            let level = resampled(frequency, 16_000.0 - frequency);
            assert!(level < 0.000_1, "{level} at {frequency} Hz");
        }
    }
}
