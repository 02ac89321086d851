//! A source for the tests.

use crate::AudioSource;

/// A constant, on both sides.
pub(crate) struct Level {
    value: f32,
    /// In samples.
    left: usize,
    per_read: usize,
}

impl Level {
    /// Without an end.
    pub(crate) fn endless(value: f32) -> Self {
        Self::lasting(value, usize::MAX)
    }

    /// Ended after so many samples.
    pub(crate) fn lasting(value: f32, samples: usize) -> Self {
        Self {
            value,
            left: samples,
            per_read: usize::MAX,
        }
    }

    /// The same, which gives no more than so many samples at a time.
    pub(crate) fn at_most(mut self, per_read: usize) -> Self {
        self.per_read = per_read;
        self
    }
}

impl AudioSource for Level {
    fn read(&mut self, pcm: &mut [[f32; 2]]) -> usize {
        let count = self.left.min(pcm.len()).min(self.per_read);
        self.left -= count;
        // Beyond its count a source may leave anything.
        pcm.fill([9.0; 2]);
        pcm[..count].fill([self.value; 2]);
        count
    }

    fn ended(&self) -> bool {
        self.left == 0
    }
}
