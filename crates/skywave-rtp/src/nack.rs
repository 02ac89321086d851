//! Generic NACK (RFC 4585 §6.2.1): which packets the remote misses.

use std::slice;

use crate::Malformed;
use crate::octets::Octets;

/// A received generic NACK.
///
/// A sender may ignore it, and must not answer each one blindly (RFC 8834 §6.1): see
/// [`SentLog`](crate::SentLog).
#[derive(Clone, Debug)]
pub struct Nack<'a> {
    sender_ssrc: u32,
    media_ssrc: u32,
    pairs: &'a [[u8; 4]],
}

impl<'a> Nack<'a> {
    pub(crate) fn parse(mut octets: Octets<'a>) -> Result<Self, Malformed> {
        let (sender_ssrc, media_ssrc) = octets.feedback_ssrcs()?;
        Ok(Self {
            sender_ssrc,
            media_ssrc,
            pairs: octets.entries(1)?,
        })
    }

    /// Who misses packets.
    pub fn sender_ssrc(&self) -> u32 {
        self.sender_ssrc
    }

    /// The stream they belong to.
    pub fn media_ssrc(&self) -> u32 {
        self.media_ssrc
    }

    /// The sequence numbers of the missing packets, as listed: not sorted, perhaps repeated.
    pub fn lost(&self) -> LostPackets<'a> {
        LostPackets {
            pairs: self.pairs.iter(),
            first: 0,
            lost: 0,
        }
    }
}

/// The sequence numbers of a [`Nack`], at most 17 for every four octets.
#[derive(Clone, Debug)]
pub struct LostPackets<'a> {
    pairs: slice::Iter<'a, [u8; 4]>,
    first: u16,
    /// Bit `n` stands for `first + n`.
    lost: u32,
}

impl Iterator for LostPackets<'_> {
    type Item = u16;

    fn next(&mut self) -> Option<u16> {
        if self.lost == 0 {
            let &[id @ .., high, low] = self.pairs.next()?;
            self.first = u16::from_be_bytes(id);
            // The mask's lowest bit is the packet after the first, which is always lost.
            self.lost = 1 | u32::from(u16::from_be_bytes([high, low])) << 1;
        }
        let offset = self.lost.trailing_zeros() as u16;
        self.lost &= self.lost - 1;
        Some(self.first.wrapping_add(offset))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc4585_6_2_1_first_lost_packet_and_mask_of_the_sixteen_after_it() {
        let body = b"\0\0\0\x01\0\0\0\x02\x00\x05\x80\x03\xff\xfe\x00\x0a";
        let nack = Nack::parse(Octets(body)).unwrap();
        assert_eq!((nack.sender_ssrc(), nack.media_ssrc()), (1, 2));
        assert_eq!(
            nack.lost().collect::<Vec<_>>(),
            [5, 6, 7, 21, 0xfffe, 0, 2],
            "the second entry passes the wrap"
        );
    }

    #[test]
    fn rfc4585_6_2_1_all_seventeen_of_an_entry() {
        let nack = Nack::parse(Octets(b"\0\0\0\x01\0\0\0\x02\x00\x00\xff\xff")).unwrap();
        assert!(nack.lost().eq(0..=16));
    }

    #[test]
    fn nack_of_nothing_or_of_half_an_entry_is_refused() {
        for body in [
            &b"\0\0\0\x01\0\0\0\x02"[..],
            b"\0\0\0\x01\0\0\0",
            b"\0\0\0\x01\0\0\0\x02\x00\x05",
            b"",
        ] {
            assert_eq!(Nack::parse(Octets(body)).unwrap_err(), Malformed::Count);
        }
    }
}
