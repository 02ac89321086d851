//! How hard an Opus encoder tries.

use crate::Error;

/// The complexity of an Opus encoder, 0 to 10: more of it sounds better at the same bit rate and
/// takes more of the processor.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct OpusComplexity(u8);

impl OpusComplexity {
    /// The complexity `value`, which must lie in 0..=10.
    ///
    /// # Errors
    /// [`Error::Complexity`] outside that range.
    pub const fn new(value: u8) -> Result<Self, Error> {
        if value > 10 {
            return Err(Error::Complexity(value));
        }
        Ok(Self(value))
    }

    /// As a number, 0 to 10.
    #[must_use]
    pub const fn value(self) -> u8 {
        self.0
    }
}

/// 5: little is gained above it at the bit rates used here.
impl Default for OpusComplexity {
    fn default() -> Self {
        Self(5)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complexity_beyond_10_is_refused() {
        for value in 0..=10 {
            assert_eq!(OpusComplexity::new(value).unwrap().value(), value);
        }
        for value in [11, 255] {
            let refused = OpusComplexity::new(value);
            assert!(matches!(refused, Err(Error::Complexity(refused)) if refused == value));
        }
        assert_eq!(OpusComplexity::default().value(), 5);
    }
}
