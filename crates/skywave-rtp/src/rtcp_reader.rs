//! Reads what came in one RTCP datagram: a compound (RFC 3550 §6.1) or, with reduced size, any
//! packet alone (RFC 5506).
//!
//! The first packet need not be a report, for the sake of reduced size. A packet too short for
//! its count, or with an impossible value, is passed over; a length that leads past the end, a
//! wrong version or wrong padding ends the reading, as nothing behind it can be trusted to be a
//! packet.

use crate::octets::Octets;
use crate::{Malformed, RtcpPacket};

/// An iterator over the packets of a decrypted datagram.
///
/// ```
/// use skywave_rtp::{RtcpPacket, RtcpReader};
///
/// let datagram = [0x80, 201, 0, 1, 0, 0, 0, 7]; // an empty receiver report
/// for packet in RtcpReader::new(&datagram) {
///     if let RtcpPacket::ReceiverReport { ssrc, reports } = packet {
///         assert_eq!((ssrc, reports.len()), (7, 0));
///     }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct RtcpReader<'a> {
    octets: Octets<'a>,
    malformed: Option<Malformed>,
}

impl<'a> RtcpReader<'a> {
    /// Reads `datagram` from its start.
    pub fn new(datagram: &'a [u8]) -> Self {
        Self {
            octets: Octets(datagram),
            malformed: None,
        }
    }

    /// The last reason for which something was dropped until now, if anything was.
    pub fn malformed(&self) -> Option<Malformed> {
        self.malformed
    }

    /// The next packet by its length; an error here is the end of the reading.
    fn next_packet(&mut self) -> Result<(u8, u8, &'a [u8]), Malformed> {
        let [first, packet_type] = self.octets.take().ok_or(Malformed::Truncated)?;
        if first >> 6 != 2 {
            return Err(Malformed::Version);
        }
        let words = self.octets.u16().ok_or(Malformed::Truncated)?;
        let mut body = self
            .octets
            .slice(usize::from(words) * 4)
            .ok_or(Malformed::Truncated)?;
        if first & PADDING != 0 {
            // Only the last packet of a compound may be padded (RFC 3550 §6.4.1).
            if !self.octets.0.is_empty() {
                return Err(Malformed::Padding);
            }
            body = without_padding(body).ok_or(Malformed::Padding)?;
        }
        Ok((packet_type, first & COUNT, body))
    }
}

impl<'a> Iterator for RtcpReader<'a> {
    type Item = RtcpPacket<'a>;

    fn next(&mut self) -> Option<RtcpPacket<'a>> {
        while !self.octets.0.is_empty() {
            let packet = self
                .next_packet()
                .inspect_err(|_| self.octets = Octets(&[]));
            let parsed =
                packet.and_then(|(kind, format, body)| RtcpPacket::parse(kind, format, body));
            match parsed {
                Ok(packet) => return Some(packet),
                Err(reason) => self.malformed = Some(reason),
            }
        }
        None
    }
}

/// Takes off as many octets as the last one says, itself included (RFC 3550 §5.1).
pub(crate) fn without_padding(octets: &[u8]) -> Option<&[u8]> {
    let count = usize::from(*octets.last()?);
    if count == 0 {
        return None;
    }
    octets.get(..octets.len().checked_sub(count)?)
}

const PADDING: u8 = 0x20;
const COUNT: u8 = 0x1f;

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY_RR: &[u8] = b"\x80\xc9\0\x01\0\0\0\x07";

    fn read(datagram: &[u8]) -> (Vec<RtcpPacket<'_>>, Option<Malformed>) {
        let mut reader = RtcpReader::new(datagram);
        let packets = reader.by_ref().collect();
        (packets, reader.malformed())
    }

    #[test]
    fn nothing_is_read_from_an_empty_datagram() {
        let (packets, malformed) = read(&[]);
        assert!(packets.is_empty());
        assert_eq!(malformed, None);
    }

    #[test]
    fn rfc5506_packet_alone_need_not_be_a_report() {
        let (packets, malformed) = read(b"\x81\xcd\0\x03\0\0\0\x01\0\0\0\x02\0\x05\0\0");
        let [RtcpPacket::Nack(nack)] = &packets[..] else {
            panic!("{packets:?}");
        };
        assert!(nack.lost().eq([5]));
        assert_eq!(malformed, None);
    }

    #[test]
    fn rfc8834_4_1_known_packets_beside_unknown_ones_are_used() {
        let datagram = [
            b"\x80\xd2\0\0",
            EMPTY_RR,
            b"\x9f\xff\0\x01abcd",
            b"\x81\xcb\0\x01\0\0\0\x07",
        ]
        .concat();
        let (packets, malformed) = read(&datagram);
        assert!(matches!(
            packets[1],
            RtcpPacket::ReceiverReport { ssrc: 7, .. }
        ));
        assert!(matches!(
            packets[2],
            RtcpPacket::Unknown {
                packet_type: 255,
                format: 31,
                ..
            }
        ));
        assert!(matches!(packets[3], RtcpPacket::Bye(_)));
        assert_eq!((packets.len(), malformed), (4, None));
    }

    #[test]
    fn packet_shorter_than_its_count_is_passed_over() {
        let datagram = [b"\x81\xc9\0\x01\0\0\0\x09", EMPTY_RR].concat();
        let (packets, malformed) = read(&datagram);
        assert!(matches!(
            packets[..],
            [RtcpPacket::ReceiverReport { ssrc: 7, .. }]
        ));
        assert_eq!(malformed, Some(Malformed::Count));
    }

    #[test]
    fn length_past_the_end_ends_the_reading() {
        for tail in [&b"\x80\xc9\0\x02\0\0\0\x07"[..], b"\x80\xc9\0", b"\x80"] {
            let datagram = [EMPTY_RR, tail].concat();
            let (packets, malformed) = read(&datagram);
            assert_eq!((packets.len(), malformed), (1, Some(Malformed::Truncated)));
        }
    }

    #[test]
    fn other_version_ends_the_reading() {
        let datagram = [b"\x40\xc9\0\x01\0\0\0\x07", EMPTY_RR].concat();
        let (packets, malformed) = read(&datagram);
        assert_eq!((packets.len(), malformed), (0, Some(Malformed::Version)));
    }

    #[test]
    fn rfc3550_6_4_1_padding_is_taken_off_the_last_packet() {
        let datagram = [EMPTY_RR, b"\xa0\xcc\0\x02abcd\0\0\0\x04"].concat();
        let (packets, malformed) = read(&datagram);
        assert!(matches!(
            packets[1],
            RtcpPacket::Unknown { body: b"abcd", .. }
        ));
        assert_eq!(malformed, None);
    }

    #[test]
    fn padding_before_the_last_packet_and_impossible_padding_end_the_reading() {
        let early = [b"\xa0\xcc\0\x02abcd\0\0\0\x04", EMPTY_RR].concat();
        for datagram in [
            &early[..],
            b"\xa0\xcc\0\x01\0\0\0\0",
            b"\xa0\xcc\0\x01\0\0\0\x05",
            b"\xa0\xcc\0\0",
        ] {
            let (packets, malformed) = read(datagram);
            assert_eq!((packets.len(), malformed), (0, Some(Malformed::Padding)));
        }
    }

    #[test]
    fn rfc3550_6_4_1_extension_after_the_report_blocks_is_ignored() {
        let (packets, malformed) = read(b"\x80\xc9\0\x02\0\0\0\x07more");
        assert!(matches!(
            packets[..],
            [RtcpPacket::ReceiverReport { ssrc: 7, .. }]
        ));
        assert_eq!(malformed, None);
    }
}
