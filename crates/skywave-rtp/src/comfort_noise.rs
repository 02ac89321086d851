//! The payload of comfort noise (RFC 3389 §3): what a pause sounds like.

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
        let payload = crate::packetizer::lend(buffer, len)?;
        payload[0] = self.level;
        payload[1..].copy_from_slice(self.coefficients);
        Ok(len)
    }
}

const MAX_LEVEL: u8 = 127;
