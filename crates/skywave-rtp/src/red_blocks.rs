//! Reading redundant audio data (RFC 2198).
//!
//! Refuses payloads that are shorter than their block headers say.

use crate::Malformed;
use crate::octets::Octets;

/// The blocks of a received RED payload, oldest first as they stand; the last is the primary one.
#[derive(Clone, Debug)]
pub struct RedBlocks<'a> {
    headers: Octets<'a>,
    data: Octets<'a>,
}

impl<'a> RedBlocks<'a> {
    /// Checks all lengths; reading cannot fail then.
    ///
    /// # Errors
    /// [`Malformed::Truncated`].
    pub fn parse(payload: &'a [u8]) -> Result<Self, Malformed> {
        let mut octets = Octets(payload);
        let mut redundant_len = 0;
        while let Some(header) = BlockHeader::read(&mut octets)
            .ok_or(Malformed::Truncated)?
            .redundant
        {
            redundant_len += usize::from(header.len);
        }
        if redundant_len > octets.0.len() {
            return Err(Malformed::Truncated);
        }
        Ok(Self {
            headers: Octets(payload),
            data: octets,
        })
    }
}

impl<'a> Iterator for RedBlocks<'a> {
    type Item = RedBlock<'a>;

    fn next(&mut self) -> Option<RedBlock<'a>> {
        let header = BlockHeader::read(&mut self.headers)?;
        let Some(redundant) = header.redundant else {
            self.headers = Octets(&[]);
            return Some(RedBlock {
                payload_type: header.payload_type,
                timestamp_offset: 0,
                data: self.data.0,
            });
        };
        Some(RedBlock {
            payload_type: header.payload_type,
            timestamp_offset: redundant.timestamp_offset,
            data: self.data.slice(redundant.len.into())?,
        })
    }
}

/// One block of a RED payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RedBlock<'a> {
    /// The payload type of the data.
    pub payload_type: u8,
    /// How many ticks the block is older than the packet's timestamp: 0..=16383, 0 for the primary.
    pub timestamp_offset: u16,
    /// The payload; 0..=1023 octets in a redundant block.
    pub data: &'a [u8],
}

struct BlockHeader {
    payload_type: u8,
    /// Nothing for the primary block.
    redundant: Option<Redundant>,
}

struct Redundant {
    timestamp_offset: u16,
    len: u16,
}

impl BlockHeader {
    fn read(octets: &mut Octets<'_>) -> Option<Self> {
        let first = octets.u8()?;
        let redundant = if first & FOLLOWED != 0 {
            let [high, middle, low] = octets.take()?;
            Some(Redundant {
                timestamp_offset: u16::from_be_bytes([high, middle]) >> 2,
                len: u16::from_be_bytes([middle & 0x03, low]),
            })
        } else {
            None
        };
        Some(Self {
            payload_type: first & !FOLLOWED,
            redundant,
        })
    }
}

/// The F bit: another block header follows.
const FOLLOWED: u8 = 1 << 7;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(payload: &[u8]) -> Vec<(u8, u16, &[u8])> {
        let blocks = RedBlocks::parse(payload).unwrap();
        blocks
            .map(|block| (block.payload_type, block.timestamp_offset, block.data))
            .collect()
    }

    /// The packet of RFC 2198 §5, with shorter data: DVI (5) repeated as LPC (7), here of 3 octets.
    #[test]
    fn rfc2198_5_example() {
        // F=1, type 7, offset 160, length 3; F=0, type 5.
        let payload = b"\x87\x02\x80\x03\x05lpcdvi4";
        let expected = [(7, 160, &b"lpc"[..]), (5, 0, b"dvi4")];
        assert_eq!(read(payload), expected);
    }

    #[test]
    fn largest_offset_and_length_are_read() {
        let mut payload = b"\xef\xff\xff\xff\x6f".to_vec();
        payload.resize(5 + 1023, 9);
        assert_eq!(
            read(&payload),
            [(111, 16_383, &[9; 1023][..]), (111, 0, b"")]
        );
        payload.pop();
        assert_eq!(
            RedBlocks::parse(&payload).unwrap_err(),
            Malformed::Truncated
        );
    }

    #[test]
    fn payload_without_an_end_of_headers_is_truncated() {
        for payload in [
            &b""[..],
            b"\x87",
            b"\x87\0\0",
            b"\x87\0\0\0",
            b"\x87\0\0\0\x87\0\0\0",
        ] {
            assert_eq!(RedBlocks::parse(payload).unwrap_err(), Malformed::Truncated);
        }
        assert_eq!(read(b"\x05"), [(5, 0, &b""[..])]);
    }
}
