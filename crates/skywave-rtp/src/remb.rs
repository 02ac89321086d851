//! Receiver estimated maximum bitrate (draft-alvestrand-rmcat-remb-03 §2.2).

use crate::octets::{Octets, bitrate};
use crate::{Malformed, Ssrcs};

/// A received REMB: what the remote believes the path to it can carry.
#[derive(Clone, Debug)]
pub struct Remb<'a> {
    sender_ssrc: u32,
    bitrate: u64,
    ssrcs: &'a [[u8; 4]],
}

impl<'a> Remb<'a> {
    /// `Ok(None)` if the application layer feedback has another name than "REMB".
    pub(crate) fn parse(mut octets: Octets<'a>) -> Result<Option<Self>, Malformed> {
        let (sender_ssrc, _) = octets.feedback_ssrcs()?;
        if octets.take() != Some(*b"REMB") {
            return Ok(None);
        }
        let word = octets.u32().ok_or(Malformed::Count)?;
        let ssrcs = octets.slice((word >> 24) as usize * 4);
        Ok(Some(Self {
            sender_ssrc,
            bitrate: bitrate(word >> 18 & 0x3f, word & 0x3_ffff)?,
            ssrcs: ssrcs.ok_or(Malformed::Count)?.as_chunks().0,
        }))
    }

    /// Who estimates.
    pub fn sender_ssrc(&self) -> u32 {
        self.sender_ssrc
    }

    /// Sum over all the streams, in bit/s.
    pub fn bitrate(&self) -> u64 {
        self.bitrate
    }

    /// The streams the estimate is about, 255 at most.
    pub fn ssrcs(&self) -> Ssrcs<'a> {
        Ssrcs::new(self.ssrcs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remb(word: u32, ssrcs: &[u8]) -> Result<Option<u64>, Malformed> {
        let head = b"\0\0\0\x01\0\0\0\0REMB";
        let body = [&head[..], &word.to_be_bytes(), ssrcs].concat();
        Remb::parse(Octets(&body)).map(|remb| remb.map(|remb| remb.bitrate()))
    }

    #[test]
    fn bitrate_is_mantissa_times_two_to_the_exponent() {
        assert_eq!(remb(0x0003_ffff, b""), Ok(Some(262_143)));
        assert_eq!(remb(0x0004_0001, b""), Ok(Some(2)));
        assert_eq!(remb(46 << 18 | 0x3_ffff, b""), Ok(Some(0x3_ffff << 46)));
        assert_eq!(remb(63 << 18 | 1, b""), Ok(Some(1 << 63)));
    }

    #[test]
    fn bitrate_beyond_64_bits_is_refused() {
        assert_eq!(remb(47 << 18 | 0x3_ffff, b""), Err(Malformed::Value));
        assert_eq!(remb(63 << 18 | 2, b""), Err(Malformed::Value));
    }

    #[test]
    fn streams_are_read_and_must_be_there() {
        let body = b"\0\0\0\x01\0\0\0\0REMB\x02\0\0\x09\0\0\0\x05\0\0\0\x06";
        let remb = Remb::parse(Octets(body)).unwrap().unwrap();
        assert_eq!((remb.sender_ssrc(), remb.bitrate()), (1, 9));
        assert!(remb.ssrcs().eq([5, 6]));
        let short = Remb::parse(Octets(&body[..20])).unwrap_err();
        assert_eq!(short, Malformed::Count);
    }

    #[test]
    fn feedback_of_another_name_is_none() {
        assert!(
            Remb::parse(Octets(b"\0\0\0\x01\0\0\0\0GOOG"))
                .unwrap()
                .is_none()
        );
        assert!(
            Remb::parse(Octets(b"\0\0\0\x01\0\0\0\0"))
                .unwrap()
                .is_none()
        );
    }
}
