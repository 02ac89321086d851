//! Writes the compound a participant sends regularly and when it leaves (RFC 3550 §6.1): a
//! report, a source description with the CNAME, and last of all a BYE.

use crate::source_description::padding_after;
use crate::{Error, SdesItem, SenderInfo, rtcp_packet};

/// What goes into one compound.
///
/// It begins with a report and carries the CNAME also when the BYE is all there is to say. A
/// BYE is not for those who never sent a packet (RFC 3550 §6.3.7): then send nothing at all.
///
/// ```
/// use skywave_rtp::CompoundReport;
///
/// let report = CompoundReport { ssrc: 7, sender: None, cname: "c2l0", mid: None, bye: None };
/// let mut buffer = [0; 64];
/// let len = report.write(&mut buffer)?;
/// assert_eq!(&buffer[..len], b"\x80\xc9\0\x01\0\0\0\x07\x81\xca\0\x03\0\0\0\x07\x01\x04c2l0\0\0");
/// # Ok::<(), skywave_rtp::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompoundReport<'a> {
    /// The stream this participant sends.
    pub ssrc: u32,
    /// What was sent: makes a sender report. `None` makes an empty receiver report, for when
    /// nothing was sent since the last-but-one report (see [`SenderActivity`](crate::SenderActivity)).
    pub sender: Option<SenderInfo>,
    /// The canonical name, 1 to 255 octets: one, random, for a peer connection (RFC 7022).
    pub cname: &'a str,
    /// The media identification, 1 to 255 octets, when media sections are bundled (RFC 9143 §15.1).
    pub mid: Option<&'a str>,
    /// To leave: the reason, up to 255 octets, or the empty string for none.
    pub bye: Option<&'a str>,
}

impl CompoundReport<'_> {
    /// Writes the compound to the front of `buffer`; gives its length.
    ///
    /// # Errors
    /// [`Error::CnameLength`], [`Error::MidLength`] and [`Error::ReasonLength`] if a text has a
    /// length it cannot have; [`Error::BufferTooSmall`] if `buffer` does not hold all. Nothing
    /// is written then.
    pub fn write(&self, buffer: &mut [u8]) -> Result<usize, Error> {
        self.check()?;
        let (report, sdes, bye) = (self.report_len(), self.sdes_len(), self.bye_len());
        let needed = report + sdes + bye;
        let available = buffer.len();
        let compound = buffer
            .get_mut(..needed)
            .ok_or(Error::BufferTooSmall { needed, available })?;
        // What is not written below is padding.
        compound.fill(0);
        let (report, rest) = compound.split_at_mut(report);
        let (sdes, bye) = rest.split_at_mut(sdes);
        self.write_report(report);
        self.write_sdes(sdes);
        if let Some(reason) = self.bye {
            self.write_bye(reason, bye);
        }
        Ok(needed)
    }

    fn check(&self) -> Result<(), Error> {
        if !TEXT_LEN.contains(&self.cname.len()) {
            return Err(Error::CnameLength(self.cname.len()));
        }
        match (self.mid, self.bye) {
            (Some(mid), _) if !TEXT_LEN.contains(&mid.len()) => Err(Error::MidLength(mid.len())),
            (_, Some(reason)) if reason.len() > 255 => Err(Error::ReasonLength(reason.len())),
            _ => Ok(()),
        }
    }

    fn report_len(&self) -> usize {
        HEADER_LEN + self.sender.map_or(0, |_| SenderInfo::LEN)
    }

    fn sdes_len(&self) -> usize {
        let items = 2 + self.cname.len() + self.mid.map_or(0, |mid| 2 + mid.len());
        HEADER_LEN + items + padding_after(items)
    }

    fn bye_len(&self) -> usize {
        match self.bye {
            None => 0,
            Some("") => HEADER_LEN,
            Some(reason) => HEADER_LEN + (1 + reason.len()).next_multiple_of(4),
        }
    }

    fn write_report(&self, packet: &mut [u8]) {
        match self.sender {
            Some(info) => {
                let body = self.write_header(packet, 0, rtcp_packet::SENDER_REPORT);
                put(body, &info.to_octets());
            }
            None => {
                self.write_header(packet, 0, rtcp_packet::RECEIVER_REPORT);
            }
        }
    }

    fn write_sdes(&self, packet: &mut [u8]) {
        let items = self.write_header(packet, 1, rtcp_packet::SOURCE_DESCRIPTION);
        let items = put_item(items, SdesItem::CNAME, self.cname);
        if let Some(mid) = self.mid {
            put_item(items, SdesItem::MID, mid);
        }
    }

    fn write_bye(&self, reason: &str, packet: &mut [u8]) {
        let body = self.write_header(packet, 1, rtcp_packet::BYE);
        if !reason.is_empty() {
            let text = put(body, &[reason.len() as u8]);
            put(text, reason.as_bytes());
        }
    }

    /// Version, count, type, length of the whole `packet`, source; gives what follows.
    fn write_header<'p>(&self, packet: &'p mut [u8], count: u8, packet_type: u8) -> &'p mut [u8] {
        // 32-bit words minus one; the longest packet has well under 2^16 of them.
        let [high, low] = ((packet.len() / 4 - 1) as u16).to_be_bytes();
        let body = put(packet, &[VERSION | count, packet_type, high, low]);
        put(body, &self.ssrc.to_be_bytes())
    }
}

/// Writes `octets` to the front of `place`, which was sized to hold them; gives what follows.
fn put<'p>(place: &'p mut [u8], octets: &[u8]) -> &'p mut [u8] {
    let (front, rest) = place.split_at_mut(octets.len());
    front.copy_from_slice(octets);
    rest
}

/// Writes an SDES item, whose text was checked to be 255 octets at most.
fn put_item<'p>(place: &'p mut [u8], item_type: u8, text: &str) -> &'p mut [u8] {
    let value = put(place, &[item_type, text.len() as u8]);
    put(value, text.as_bytes())
}

const VERSION: u8 = 2 << 6;
/// The common header and the SSRC that follows it in all three packets.
const HEADER_LEN: usize = 8;
const TEXT_LEN: std::ops::RangeInclusive<usize> = 1..=255;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Counters, NtpTime, RtcpPacket, RtcpReader};

    const REPORT: CompoundReport<'static> = CompoundReport {
        ssrc: 0x0102_0304,
        sender: None,
        cname: "cname",
        mid: None,
        bye: None,
    };
    const INFO: SenderInfo = SenderInfo {
        ntp: NtpTime(0x1112_1314_1516_1718),
        rtp_timestamp: 0x2122_2324,
        packet_count: 0x3132_3334,
        octet_count: 0x4142_4344,
    };

    fn written(report: &CompoundReport<'_>) -> Vec<u8> {
        let mut buffer = [0xee; 1024];
        let len = report.write(&mut buffer).unwrap();
        assert!(buffer[len..].iter().all(|&octet| octet == 0xee));
        buffer[..len].to_vec()
    }

    /// The packet types in a compound, and whether all of it was read.
    fn types(compound: &[u8]) -> Vec<u8> {
        let mut reader = RtcpReader::new(compound);
        let types = reader
            .by_ref()
            .map(|packet| match packet {
                RtcpPacket::SenderReport { .. } => 200,
                RtcpPacket::ReceiverReport { .. } => 201,
                RtcpPacket::SourceDescription(_) => 202,
                RtcpPacket::Bye(_) => 203,
                RtcpPacket::Unknown { packet_type, .. } => packet_type,
            })
            .collect();
        assert_eq!(reader.malformed(), None);
        types
    }

    #[test]
    fn rfc3550_6_1_compound_begins_with_sr_and_carries_cname() {
        let compound = written(&CompoundReport {
            sender: Some(INFO),
            ..REPORT
        });
        assert_eq!(compound[..8], *b"\x80\xc8\x00\x06\x01\x02\x03\x04");
        assert_eq!(
            compound[8..28],
            *b"\x11\x12\x13\x14\x15\x16\x17\x18\x21\x22\x23\x24\x31\x32\x33\x34\x41\x42\x43\x44"
        );
        assert_eq!(
            compound[28..],
            *b"\x81\xca\x00\x03\x01\x02\x03\x04\x01\x05cname\0"
        );
    }

    #[test]
    fn rfc3550_6_4_2_who_sent_nothing_begins_with_an_empty_rr() {
        let compound = written(&REPORT);
        assert_eq!(compound[..8], *b"\x80\xc9\x00\x01\x01\x02\x03\x04");
        assert_eq!(types(&compound), [201, 202]);
    }

    #[test]
    fn rfc3550_6_1_bye_is_last_and_not_alone() {
        let leaving = CompoundReport {
            bye: Some(""),
            ..REPORT
        };
        assert_eq!(types(&written(&leaving)), [201, 202, 203]);
        let leaving = CompoundReport {
            sender: Some(INFO),
            ..leaving
        };
        let compound = written(&leaving);
        assert_eq!(types(&compound), [200, 202, 203]);
        assert!(compound.ends_with(b"\x81\xcb\x00\x01\x01\x02\x03\x04"));
    }

    #[test]
    fn rfc3550_6_6_reason_is_padded_to_the_next_word() {
        let with_reason = |reason| {
            written(&CompoundReport {
                bye: Some(reason),
                ..REPORT
            })
        };
        assert!(with_reason("bye").ends_with(b"\x81\xcb\x00\x02\x01\x02\x03\x04\x03bye"));
        assert!(with_reason("gone").ends_with(b"\x81\xcb\x00\x03\x01\x02\x03\x04\x04gone\0\0\0"));
    }

    #[test]
    fn rfc3550_6_5_list_of_items_ends_with_a_null_octet_at_least() {
        for (cname, end) in [
            ("a", "\x01\x01a\0"),
            ("ab", "\x01\x02ab\0\0\0\0"),
            ("abc", "\x01\x03abc\0\0\0"),
        ] {
            assert!(written(&CompoundReport { cname, ..REPORT }).ends_with(end.as_bytes()));
        }
    }

    #[test]
    fn rfc9143_15_1_mid_item_follows_the_cname() {
        let compound = written(&CompoundReport {
            mid: Some("0"),
            ..REPORT
        });
        assert!(compound.ends_with(b"\x81\xca\x00\x04\x01\x02\x03\x04\x01\x05cname\x0f\x010\0\0"));
    }

    #[test]
    fn rfc3550_6_4_1_counts_are_the_totals_of_the_counters() {
        let counters = Counters::default();
        counters.record_packet(20, 80);
        counters.record_packet(20, 60);
        let info = SenderInfo::new(NtpTime(5), 6, &counters);
        assert_eq!((info.packet_count, info.octet_count), (2, 140));
        assert_eq!((info.ntp, info.rtp_timestamp), (NtpTime(5), 6));
    }

    #[test]
    fn rfc3550_6_4_1_octet_count_wraps() {
        let counters = Counters::default();
        counters.record_packet(12, 0xffff_ffff);
        counters.record_packet(12, 3);
        assert_eq!(SenderInfo::new(NtpTime(0), 0, &counters).octet_count, 2);
    }

    #[test]
    fn texts_of_impossible_length_are_refused() {
        let long = "x".repeat(256);
        let refused = |report: CompoundReport<'_>| report.write(&mut [0; 2000]).unwrap_err();
        assert_eq!(
            refused(CompoundReport {
                cname: "",
                ..REPORT
            }),
            Error::CnameLength(0)
        );
        assert_eq!(
            refused(CompoundReport {
                cname: &long,
                ..REPORT
            }),
            Error::CnameLength(256)
        );
        assert_eq!(
            refused(CompoundReport {
                mid: Some(""),
                ..REPORT
            }),
            Error::MidLength(0)
        );
        assert_eq!(
            refused(CompoundReport {
                mid: Some(&long),
                ..REPORT
            }),
            Error::MidLength(256)
        );
        assert_eq!(
            refused(CompoundReport {
                bye: Some(&long),
                ..REPORT
            }),
            Error::ReasonLength(256)
        );
    }

    #[test]
    fn buffer_too_small_is_left_as_it_was() {
        let mut buffer = [0xee; 23];
        let error = REPORT.write(&mut buffer).unwrap_err();
        assert_eq!(
            error,
            Error::BufferTooSmall {
                needed: 24,
                available: 23
            }
        );
        assert_eq!(buffer, [0xee; 23]);
    }
}
