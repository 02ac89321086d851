//! One RTCP packet out of a compound (RFC 3550 §6), and how to tell RTCP from RTP (RFC 5761 §4).

use crate::octets::Octets;
use crate::{Bye, Malformed, ReportBlocks, SenderInfo, SourceDescription};

/// A received RTCP packet, checked.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum RtcpPacket<'a> {
    /// A report of somebody who sends, too (RFC 3550 §6.4.1).
    SenderReport {
        /// Who reports.
        ssrc: u32,
        /// What it sent.
        info: SenderInfo,
        /// What it received.
        reports: ReportBlocks<'a>,
    },
    /// A report of somebody who only receives (RFC 3550 §6.4.2).
    ReceiverReport {
        /// Who reports.
        ssrc: u32,
        /// What it received.
        reports: ReportBlocks<'a>,
    },
    /// Names of sources (RFC 3550 §6.5).
    SourceDescription(SourceDescription<'a>),
    /// Sources leave (RFC 3550 §6.6).
    Bye(Bye<'a>),
    /// Any other packet type, feedback messages (RFC 4585) among them.
    Unknown {
        /// The packet type of IANA's registry.
        packet_type: u8,
        /// The five bits of count, subtype or feedback message type.
        format: u8,
        /// What follows the 32 bits of header, without padding.
        body: &'a [u8],
    },
}

impl<'a> RtcpPacket<'a> {
    /// Reads the body of a packet whose length and padding are already checked.
    pub(crate) fn parse(packet_type: u8, format: u8, body: &'a [u8]) -> Result<Self, Malformed> {
        let mut octets = Octets(body);
        let packet = match packet_type {
            SENDER_REPORT => Self::parse_sender_report(format, &mut octets),
            RECEIVER_REPORT => Self::parse_receiver_report(format, &mut octets),
            SOURCE_DESCRIPTION => {
                SourceDescription::parse(format, body).map(Self::SourceDescription)
            }
            BYE => Bye::parse(format, body).map(Self::Bye),
            _ => Some(Self::Unknown {
                packet_type,
                format,
                body,
            }),
        };
        packet.ok_or(Malformed::Count)
    }

    fn parse_sender_report(count: u8, octets: &mut Octets<'a>) -> Option<Self> {
        Some(Self::SenderReport {
            ssrc: octets.u32()?,
            info: SenderInfo::parse(octets)?,
            reports: ReportBlocks::parse(octets, count)?,
        })
    }

    fn parse_receiver_report(count: u8, octets: &mut Octets<'a>) -> Option<Self> {
        Some(Self::ReceiverReport {
            ssrc: octets.u32()?,
            reports: ReportBlocks::parse(octets, count)?,
        })
    }
}

/// Whether a datagram already known to be RTP or RTCP is RTCP: its packet type is 192 to 223,
/// where RTP has the marker and the payload types 64 to 95 that nobody may use (RFC 5761 §4).
///
/// Holds for SRTP and SRTCP alike, which leave that octet in the clear.
pub fn is_rtcp(datagram: &[u8]) -> bool {
    matches!(datagram, [_, 192..=223, ..])
}

pub(crate) const SENDER_REPORT: u8 = 200;
pub(crate) const RECEIVER_REPORT: u8 = 201;
pub(crate) const SOURCE_DESCRIPTION: u8 = 202;
pub(crate) const BYE: u8 = 203;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc5761_4_rtcp_has_packet_types_192_to_223() {
        for second in 0..=255 {
            assert_eq!(is_rtcp(&[0x80, second]), (192..224).contains(&second));
        }
        assert!(!is_rtcp(&[]) && !is_rtcp(&[0x80]));
    }
}
