//! Reading big-endian fields off the front of a slice.

use crate::Malformed;

/// The octets not read yet. Every read shortens them or leaves them and gives `None`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Octets<'a>(pub(crate) &'a [u8]);

impl<'a> Octets<'a> {
    pub(crate) fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }

    pub(crate) fn slice(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.take().map(u8::from_be_bytes)
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.take().map(u16::from_be_bytes)
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.take().map(u32::from_be_bytes)
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.take().map(u64::from_be_bytes)
    }

    /// Packet sender and media source, with which every feedback message begins (RFC 4585 §6.1).
    pub(crate) fn feedback_ssrcs(&mut self) -> Result<(u32, u32), Malformed> {
        self.u32().zip(self.u32()).ok_or(Malformed::Count)
    }

    /// All that is left, as whole entries, `least` of them or more.
    pub(crate) fn entries<const N: usize>(&self, least: usize) -> Result<&'a [[u8; N]], Malformed> {
        match self.0.as_chunks() {
            (entries, []) if entries.len() >= least => Ok(entries),
            _ => Err(Malformed::Count),
        }
    }
}

/// A bit rate of so many times two to the exponent, in bit/s.
pub(crate) fn bitrate(exponent: u32, mantissa: u32) -> Result<u64, Malformed> {
    1_u64
        .checked_shl(exponent)
        .and_then(|factor| factor.checked_mul(mantissa.into()))
        .ok_or(Malformed::Value)
}
