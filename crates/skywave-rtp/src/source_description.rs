//! Source descriptions (RFC 3550 §6.5): the CNAME of a source and what else it says of itself.

use crate::octets::Octets;

/// A received SDES packet, checked to its last item.
#[derive(Clone, Copy, Debug)]
pub struct SourceDescription<'a> {
    count: u8,
    body: &'a [u8],
}

impl<'a> SourceDescription<'a> {
    /// `None` if the body does not hold `count` whole chunks.
    pub(crate) fn parse(count: u8, body: &'a [u8]) -> Option<Self> {
        let mut octets = Octets(body);
        for _ in 0..count {
            SdesChunk::parse(&mut octets)?;
        }
        Some(Self { count, body })
    }

    /// One chunk a source.
    pub fn chunks(&self) -> SdesChunks<'a> {
        SdesChunks {
            left: self.count,
            octets: Octets(self.body),
        }
    }
}

/// The chunks of a [`SourceDescription`], 31 at most.
#[derive(Clone, Debug)]
pub struct SdesChunks<'a> {
    left: u8,
    octets: Octets<'a>,
}

impl<'a> Iterator for SdesChunks<'a> {
    type Item = SdesChunk<'a>;

    fn next(&mut self) -> Option<SdesChunk<'a>> {
        self.left = self.left.checked_sub(1)?;
        SdesChunk::parse(&mut self.octets)
    }
}

/// What one source says of itself.
#[derive(Clone, Copy, Debug)]
pub struct SdesChunk<'a> {
    ssrc: u32,
    items: &'a [u8],
}

impl<'a> SdesChunk<'a> {
    /// Takes source, items, the null octet that ends them and the padding to 32 bits.
    fn parse(octets: &mut Octets<'a>) -> Option<Self> {
        let ssrc = octets.u32()?;
        let start = *octets;
        while octets.0.first()? != &END {
            SdesItem::parse(octets)?;
        }
        let len = start.0.len() - octets.0.len();
        octets.slice(padding_after(len))?;
        Some(Self {
            ssrc,
            items: start.0.get(..len)?,
        })
    }

    /// The source described.
    pub fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// All items in the order sent.
    pub fn items(&self) -> SdesItems<'a> {
        SdesItems(Octets(self.items))
    }

    /// The canonical name, if the chunk has one.
    pub fn cname(&self) -> Option<&'a [u8]> {
        self.value_of(SdesItem::CNAME)
    }

    /// The media identification of the stream (RFC 9143 §15.1), if the chunk has one.
    pub fn mid(&self) -> Option<&'a [u8]> {
        self.value_of(SdesItem::MID)
    }

    fn value_of(&self, item_type: u8) -> Option<&'a [u8]> {
        let item = self.items().find(|item| item.item_type == item_type)?;
        Some(item.value)
    }
}

/// The items of an [`SdesChunk`].
#[derive(Clone, Debug)]
pub struct SdesItems<'a>(Octets<'a>);

impl<'a> Iterator for SdesItems<'a> {
    type Item = SdesItem<'a>;

    fn next(&mut self) -> Option<SdesItem<'a>> {
        SdesItem::parse(&mut self.0)
    }
}

/// One item: a number from IANA's registry "RTCP SDES Item Types" and its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SdesItem<'a> {
    /// The kind of item, never 0.
    pub item_type: u8,
    /// UTF-8 as sent (not checked), 255 octets at most.
    pub value: &'a [u8],
}

impl<'a> SdesItem<'a> {
    /// Canonical end-point identifier (RFC 3550 §6.5.1).
    pub const CNAME: u8 = 1;
    /// Media identification (RFC 9143 §15.1).
    pub const MID: u8 = 15;

    fn parse(octets: &mut Octets<'a>) -> Option<Self> {
        let [item_type, len] = octets.take()?;
        let value = octets.slice(usize::from(len))?;
        Some(Self { item_type, value })
    }
}

/// Null octets that end a list of items of `len` octets: one at least, up to the next 32 bits.
pub(crate) fn padding_after(len: usize) -> usize {
    4 - len % 4
}

/// The type of no item: the end of the list.
const END: u8 = 0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc3550_6_5_items_of_several_sources_are_read() {
        let body = b"\0\0\0\x01\x01\x02ab\x0f\x010\0\0\0\0\x02\x02\x01x\0\0\0\0\x03\0\0\0\0";
        let sdes = SourceDescription::parse(3, body).unwrap();
        let chunks: Vec<_> = sdes.chunks().collect();
        assert_eq!(
            chunks.iter().map(SdesChunk::ssrc).collect::<Vec<_>>(),
            [1, 2, 3]
        );
        assert_eq!(
            (chunks[0].cname(), chunks[0].mid()),
            (Some(&b"ab"[..]), Some(&b"0"[..]))
        );
        assert_eq!((chunks[1].cname(), chunks[1].mid()), (None, None));
        let items: Vec<_> = chunks[1].items().collect();
        assert_eq!(
            items,
            [SdesItem {
                item_type: 2,
                value: b"x"
            }]
        );
        assert_eq!(chunks[2].items().count(), 0);
    }

    #[test]
    fn chunk_without_end_is_refused() {
        for body in [
            &b"\0\0\0\x01\x01\x02ab"[..],
            b"\0\0\0\x01\x01\x09ab",
            b"\0\0\0\x01\x01",
            b"\0\0\0",
        ] {
            assert!(SourceDescription::parse(1, body).is_none(), "{body:?}");
        }
    }

    #[test]
    fn chunk_whose_padding_is_cut_is_refused() {
        assert!(SourceDescription::parse(1, b"\0\0\0\x01\x01\x02ab\0\0\0").is_none());
    }
}
