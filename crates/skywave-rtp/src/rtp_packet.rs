//! A checked view of a received RTP packet (RFC 3550 §5.1), decrypted or with its payload still
//! encrypted: the header is in the clear either way.
//!
//! Refuses other versions, and packets shorter than their header, extension or padding say.

use crate::octets::Octets;
use crate::rtcp_reader::without_padding;
use crate::{HeaderExtensions, Malformed};

/// An RTP packet whose lengths are right.
#[derive(Clone, Copy, Debug)]
pub struct RtpPacket<'a> {
    marker: bool,
    payload_type: u8,
    sequence_number: u16,
    timestamp: u32,
    ssrc: u32,
    /// Profile word and block of the header extension.
    extension: (u16, &'a [u8]),
    payload: &'a [u8],
}

impl<'a> RtpPacket<'a> {
    /// Checks and splits `packet`.
    ///
    /// # Errors
    /// The reason to drop it. The elements of a header extension are not checked here:
    /// unreadable ones end [`Self::extensions`] early, and the packet is still good (RFC 8285 §4).
    pub fn parse(packet: &'a [u8]) -> Result<Self, Malformed> {
        let &[first, ..] = packet else {
            return Err(Malformed::Truncated);
        };
        if first >> 6 != 2 {
            return Err(Malformed::Version);
        }
        let mut view = Self::parse_header(packet).ok_or(Malformed::Truncated)?;
        if first & PADDING != 0 {
            view.payload = without_padding(view.payload).ok_or(Malformed::Padding)?;
        }
        Ok(view)
    }

    /// Everything but the padding, which is left in the payload.
    fn parse_header(packet: &'a [u8]) -> Option<Self> {
        let mut octets = Octets(packet);
        let [first, second] = octets.take()?;
        let sequence_number = octets.u16()?;
        let timestamp = octets.u32()?;
        let ssrc = octets.u32()?;
        let contributing = usize::from(first & CSRC_COUNT);
        octets.slice(contributing * 4)?;
        let mut extension = (0, &[][..]);
        if first & EXTENSION != 0 {
            let profile = octets.u16()?;
            let words = octets.u16()?;
            extension = (profile, octets.slice(usize::from(words) * 4)?);
        }
        Some(Self {
            marker: second & MARKER != 0,
            payload_type: second & !MARKER,
            sequence_number,
            timestamp,
            ssrc,
            extension,
            payload: octets.0,
        })
    }

    /// The marker bit: for audio, the first packet after a silence (RFC 3551 §4.1).
    pub fn marker(&self) -> bool {
        self.marker
    }

    /// The payload type, 0..=127.
    pub fn payload_type(&self) -> u8 {
        self.payload_type
    }

    /// The sequence number.
    pub fn sequence_number(&self) -> u16 {
        self.sequence_number
    }

    /// The timestamp on the stream's RTP clock.
    pub fn timestamp(&self) -> u32 {
        self.timestamp
    }

    /// The stream the packet belongs to.
    pub fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// The elements of the header extension; none if there is none or its form is unknown.
    pub fn extensions(&self) -> HeaderExtensions<'a> {
        let (profile, block) = self.extension;
        HeaderExtensions::new(profile, block)
    }

    /// The payload without padding.
    pub fn payload(&self) -> &'a [u8] {
        self.payload
    }
}

const PADDING: u8 = 1 << 5;
const EXTENSION: u8 = 1 << 4;
const CSRC_COUNT: u8 = 0x0f;
const MARKER: u8 = 1 << 7;

#[cfg(test)]
mod tests {
    use super::*;

    /// One contributing source, one extension word, three octets of payload, two of padding.
    const PACKET: &[u8] = b"\xb1\xef\x12\x34\0\0\x03\xc0\xde\xad\xbe\xef\0\0\0\x07\
        \xbe\xde\0\x01\x10\xff\0\0abc\0\x02";

    #[test]
    fn rfc3550_5_1_every_field_is_read() {
        let packet = RtpPacket::parse(PACKET).unwrap();
        assert!(packet.marker());
        assert_eq!(packet.payload_type(), 111);
        assert_eq!(packet.sequence_number(), 0x1234);
        assert_eq!(packet.timestamp(), 960);
        assert_eq!(packet.ssrc(), 0xdead_beef);
        let elements: Vec<_> = packet.extensions().map(|e| (e.id, e.data)).collect();
        assert_eq!(elements, [(1, &[0xff][..])]);
        assert_eq!(packet.payload(), b"abc");
    }

    #[test]
    fn header_cut_anywhere_is_truncated() {
        for len in 0..24 {
            let reason = RtpPacket::parse(&PACKET[..len]).unwrap_err();
            assert_eq!(reason, Malformed::Truncated, "{len} octets");
        }
    }

    #[test]
    fn other_versions_are_refused() {
        for version in [0x00, 0x40, 0xc0] {
            let mut packet = PACKET.to_vec();
            packet[0] = packet[0] & 0x3f | version;
            assert_eq!(RtpPacket::parse(&packet).unwrap_err(), Malformed::Version);
        }
    }

    #[test]
    fn padding_of_nothing_or_of_more_than_the_payload_is_refused() {
        let with_count = |count| {
            let mut packet = PACKET.to_vec();
            *packet.last_mut().unwrap() = count;
            RtpPacket::parse(&packet).map(|packet| packet.payload().len())
        };
        assert_eq!(with_count(0), Err(Malformed::Padding));
        assert_eq!(with_count(5), Ok(0));
        assert_eq!(with_count(6), Err(Malformed::Padding));
        assert_eq!(
            RtpPacket::parse(&PACKET[..24]).unwrap_err(),
            Malformed::Padding
        );
    }
}
