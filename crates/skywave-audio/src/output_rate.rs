//! From whatever rate a stream has at the moment to 48 kHz.

use crate::Error;
use crate::resampler::Resampler;

/// Resamples a stream whose rate may change.
#[derive(Default)]
pub(crate) struct OutputRate {
    resampler: Option<Resampler>,
}

impl OutputRate {
    /// Takes `samples` at `rate` Hz and appends to `resampled` what is ready.
    /// Without samples the rate does not count.
    pub(crate) fn push(
        &mut self,
        rate: u32,
        samples: &[[f32; 2]],
        resampled: &mut Vec<[f32; 2]>,
    ) -> Result<(), Error> {
        if samples.is_empty() {
            return Ok(());
        }
        if self.resampler.as_ref().is_some_and(|r| r.rate() != rate) {
            self.finish(resampled)?;
        }
        let resampler = match &mut self.resampler {
            Some(resampler) => resampler,
            none => none.insert(Resampler::new(rate)?),
        };
        resampler.push(samples, resampled)
    }

    /// Appends what is left at the end of the stream.
    pub(crate) fn finish(&mut self, resampled: &mut Vec<[f32; 2]>) -> Result<(), Error> {
        match self.resampler.take() {
            Some(resampler) => resampler.finish(resampled),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn change_of_rate_loses_no_samples() {
        let mut output = OutputRate::default();
        let mut resampled = Vec::new();
        for (rate, samples) in [(44_100, 4_410), (8_000, 800), (48_000, 4_800), (8_000, 800)] {
            output
                .push(rate, &vec![[0.25; 2]; samples], &mut resampled)
                .unwrap();
        }
        output.finish(&mut resampled).unwrap();
        assert_eq!(resampled.len(), 4 * 4_800);
    }
}
