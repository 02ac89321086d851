//! The payload of comfort noise (RFC 3389 §3): what a pause sounds like.

use crate::written::lend;
use crate::{Error, Malformed};

/// A description of background noise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ComfortNoise<'a> {
    /// The level in -dBov: 0..=127.
    pub level: u8,
    /// Quantised reflection coefficients, one an octet (RFC 3389 §3.2): the spectrum. None for
    /// white noise; a receiver uses as many as it wants.
    pub coefficients: &'a [u8],
}

impl<'a> ComfortNoise<'a> {
    /// Reads the payload of a packet. The uppermost bit of the level, always 0, is ignored.
    ///
    /// # Errors
    /// [`Malformed::Truncated`] if there is no level.
    pub fn parse(payload: &'a [u8]) -> Result<Self, Malformed> {
        let (&level, coefficients) = payload.split_first().ok_or(Malformed::Truncated)?;
        Ok(Self {
            level: level & MAX_LEVEL,
            coefficients,
        })
    }

    /// Writes the payload to the front of `buffer`; gives its length.
    ///
    /// # Errors
    /// [`Error::NoiseLevel`] and [`Error::BufferTooSmall`]; then nothing is written.
    pub fn write(&self, buffer: &mut [u8]) -> Result<usize, Error> {
        if self.level > MAX_LEVEL {
            return Err(Error::NoiseLevel(self.level));
        }
        let len = 1 + self.coefficients.len();
        let payload = lend(buffer, len)?;
        payload[0] = self.level;
        payload[1..].copy_from_slice(self.coefficients);
        Ok(len)
    }
}

const MAX_LEVEL: u8 = 127;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc3389_3_level_comes_before_the_coefficients() {
        let noise = ComfortNoise {
            level: 70,
            coefficients: &[127, 0, 254],
        };
        let mut buffer = [0xee; 5];
        assert_eq!(noise.write(&mut buffer), Ok(4));
        assert_eq!(buffer, [70, 127, 0, 254, 0xee]);
        assert_eq!(ComfortNoise::parse(&buffer[..4]), Ok(noise));
    }

    #[test]
    fn rfc3389_3_1_uppermost_bit_of_the_level_is_zero_and_ignored() {
        let of = |level| ComfortNoise {
            level,
            coefficients: &[],
        };
        assert_eq!(of(127).write(&mut [0; 1]), Ok(1));
        assert_eq!(of(128).write(&mut [0; 1]), Err(Error::NoiseLevel(128)));
        assert_eq!(ComfortNoise::parse(&[0xc6]), Ok(of(70)));
    }

    #[test]
    fn payload_without_a_level_is_truncated() {
        assert_eq!(ComfortNoise::parse(&[]), Err(Malformed::Truncated));
    }

    #[test]
    fn noise_that_does_not_fit_is_not_written() {
        let noise = ComfortNoise {
            level: 70,
            coefficients: &[1],
        };
        let error = Error::BufferTooSmall {
            needed: 2,
            available: 1,
        };
        assert_eq!(noise.write(&mut [0; 1]), Err(error));
    }
}
