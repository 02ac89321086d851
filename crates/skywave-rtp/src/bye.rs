//! The farewell of one or more sources (RFC 3550 §6.6).

use std::slice;

use crate::octets::Octets;

/// A received BYE.
#[derive(Clone, Debug)]
pub struct Bye<'a> {
    ssrcs: &'a [[u8; 4]],
    reason: &'a [u8],
}

impl<'a> Bye<'a> {
    /// `None` if the body does not hold `count` sources or the whole of its reason.
    pub(crate) fn parse(count: u8, body: &'a [u8]) -> Option<Self> {
        let mut octets = Octets(body);
        let ssrcs = octets.slice(usize::from(count) * 4)?.as_chunks().0;
        let reason = match octets.u8() {
            Some(len) => octets.slice(usize::from(len))?,
            None => &[],
        };
        Some(Self { ssrcs, reason })
    }

    /// The sources that leave, 31 at most.
    pub fn ssrcs(&self) -> Ssrcs<'a> {
        Ssrcs::new(self.ssrcs)
    }

    /// Why, in UTF-8 as sent (not checked); empty if no reason is given.
    pub fn reason(&self) -> &'a [u8] {
        self.reason
    }
}

/// Sources listed in a packet.
#[derive(Clone, Debug)]
pub struct Ssrcs<'a>(slice::Iter<'a, [u8; 4]>);

impl<'a> Ssrcs<'a> {
    pub(crate) fn new(ssrcs: &'a [[u8; 4]]) -> Self {
        Self(ssrcs.iter())
    }
}

impl Iterator for Ssrcs<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        self.0.next().copied().map(u32::from_be_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc3550_6_6_sources_and_reason_are_read() {
        let bye = Bye::parse(2, b"\0\0\0\x01\0\0\0\x02\x04gone\0\0\0").unwrap();
        assert_eq!(bye.ssrcs().collect::<Vec<_>>(), [1, 2]);
        assert_eq!(bye.reason(), b"gone");
    }

    #[test]
    fn bye_of_nobody_is_valid_but_useless() {
        let bye = Bye::parse(0, &[]).unwrap();
        assert_eq!((bye.ssrcs().count(), bye.reason()), (0, &[][..]));
    }

    #[test]
    fn missing_sources_and_cut_reasons_are_refused() {
        assert!(Bye::parse(2, b"\0\0\0\x01").is_none());
        assert!(Bye::parse(1, b"\0\0\0\x01\x04gon").is_none());
    }
}
