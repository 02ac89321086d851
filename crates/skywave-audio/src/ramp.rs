//! Changes of volume without a click.

use crate::SAMPLE_RATE;

/// Follows a factor in at most 5 ms.
#[derive(Debug)]
pub(crate) struct Ramp {
    factor: f32,
    target: f32,
    step: f32,
}

impl Ramp {
    /// Begins at that factor.
    pub(crate) fn new(factor: f32) -> Self {
        Self {
            factor,
            target: factor,
            step: 0.0,
        }
    }

    /// Multiplies samples with the factor on its way to `target`.
    pub(crate) fn apply(&mut self, target: f32, pcm: &mut [[f32; 2]]) {
        if target != self.target {
            self.target = target;
            self.step = (target - self.factor) / RAMP_SAMPLES;
        }
        for sample in pcm {
            if self.factor != self.target {
                let left = self.target - self.factor;
                self.factor += self.step;
                if left.abs() <= self.step.abs() {
                    self.factor = self.target;
                }
            }
            *sample = sample.map(|side| side * self.factor);
        }
    }

    /// True once silence is reached and wanted.
    pub(crate) fn is_silent(&self) -> bool {
        self.factor == 0.0 && self.target == 0.0
    }
}

/// 5 ms.
const RAMP_SAMPLES: f32 = (SAMPLE_RATE / 200) as f32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factor_arrives_exactly_whatever_rounding_does() {
        for target in [0.0, 0.1, 0.333_333_3, 1.0, 10.0] {
            let mut ramp = Ramp::new(0.7);
            let mut pcm = [[1.0; 2]; 242];
            ramp.apply(target, &mut pcm);
            assert_eq!(pcm[241], [target; 2]);
            assert_eq!(ramp.is_silent(), target == 0.0);
        }
    }
}
