//! One RTCP packet out of a compound (RFC 3550 §6), and how to tell RTCP from RTP (RFC 5761 §4).

use crate::octets::Octets;
use crate::{
    Bye, ExtendedReport, Malformed, Nack, Remb, ReportBlocks, SenderInfo, SourceDescription, Tmmb,
    TransportCc,
};

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
    /// The remote misses packets (RFC 4585 §6.2.1).
    Nack(Nack<'a>),
    /// When the packets of the transport arrived.
    TransportCc(TransportCc<'a>),
    /// What the path can carry, by the remote's estimate.
    Remb(Remb<'a>),
    /// The remote asks for a lower, or again a higher, bit rate (RFC 5104 §4.2.1).
    Tmmbr(Tmmb<'a>),
    /// The remote confirms a request of that kind (RFC 5104 §4.2.2).
    Tmmbn(Tmmb<'a>),
    /// Times for measuring from the receiver's side, and statistics (RFC 3611).
    ExtendedReport(ExtendedReport<'a>),
    /// A picture was lost (RFC 4585 §6.3.1): of no meaning for audio, to be ignored.
    PictureLossIndication {
        /// Who lost it.
        ssrc: u32,
    },
    /// A key frame is wanted (RFC 5104 §4.3.1): of no meaning for audio, to be ignored.
    FullIntraRequest {
        /// Who wants it.
        ssrc: u32,
    },
    /// Any other packet type or feedback message.
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
            EXTENDED_REPORT => return ExtendedReport::parse(octets).map(Self::ExtendedReport),
            _ => return Self::parse_feedback(packet_type, format, octets),
        };
        packet.ok_or(Malformed::Count)
    }

    fn parse_feedback(packet_type: u8, format: u8, octets: Octets<'a>) -> Result<Self, Malformed> {
        let unknown = Self::Unknown {
            packet_type,
            format,
            body: octets.0,
        };
        let sender = |mut octets: Octets<'a>| octets.feedback_ssrcs().map(|(ssrc, _)| ssrc);
        match (packet_type, format) {
            (TRANSPORT_FEEDBACK, 1) => Nack::parse(octets).map(Self::Nack),
            (TRANSPORT_FEEDBACK, 3) => Tmmb::parse(octets, 1).map(Self::Tmmbr),
            (TRANSPORT_FEEDBACK, TMMBN) => Tmmb::parse(octets, 0).map(Self::Tmmbn),
            (TRANSPORT_FEEDBACK, 15) => TransportCc::parse(octets).map(Self::TransportCc),
            (PAYLOAD_FEEDBACK, 1) => {
                sender(octets).map(|ssrc| Self::PictureLossIndication { ssrc })
            }
            (PAYLOAD_FEEDBACK, 4) => sender(octets).map(|ssrc| Self::FullIntraRequest { ssrc }),
            (PAYLOAD_FEEDBACK, 15) => {
                Remb::parse(octets).map(|remb| remb.map_or(unknown, Self::Remb))
            }
            _ => Ok(unknown),
        }
    }

    /// Whether the sender of this packet calls a source of its own `ssrc`. If that is ours, two
    /// sources have one name: the collision of RFC 3550 §8.2, to be answered with a BYE and a
    /// new SSRC. (Reports *about* our stream do not count.)
    pub fn is_from(&self, ssrc: u32) -> bool {
        match self {
            Self::SenderReport { ssrc: from, .. }
            | Self::ReceiverReport { ssrc: from, .. }
            | Self::PictureLossIndication { ssrc: from }
            | Self::FullIntraRequest { ssrc: from } => *from == ssrc,
            Self::SourceDescription(sdes) => sdes.chunks().any(|chunk| chunk.ssrc() == ssrc),
            Self::Bye(bye) => bye.ssrcs().any(|from| from == ssrc),
            Self::Nack(nack) => nack.sender_ssrc() == ssrc,
            Self::TransportCc(feedback) => feedback.sender_ssrc() == ssrc,
            Self::Remb(remb) => remb.sender_ssrc() == ssrc,
            Self::Tmmbr(tmmb) | Self::Tmmbn(tmmb) => tmmb.sender_ssrc() == ssrc,
            Self::ExtendedReport(report) => report.ssrc() == ssrc,
            Self::Unknown { .. } => false,
        }
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
pub(crate) const TRANSPORT_FEEDBACK: u8 = 205;
const PAYLOAD_FEEDBACK: u8 = 206;
pub(crate) const EXTENDED_REPORT: u8 = 207;
/// The format of transport feedback that makes it a TMMBN.
pub(crate) const TMMBN: u8 = 4;

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

    #[test]
    fn rfc3550_8_2_who_uses_our_ssrc_is_seen_in_every_packet() {
        const SENT: &[u8] = &[0; 20];
        let feedback = |rest: &[u8]| [b"\0\0\0\x07\0\0\0\x09", rest].concat();
        for (packet_type, format, body) in [
            (200, 0, [b"\0\0\0\x07", SENT].concat()),
            (201, 0, b"\0\0\0\x07".to_vec()),
            (202, 2, b"\0\0\0\x08\0\0\0\0\0\0\0\x07\0\0\0\0".to_vec()),
            (203, 2, b"\0\0\0\x08\0\0\0\x07".to_vec()),
            (205, 1, feedback(&[0; 4])),
            (205, 3, feedback(&[0; 8])),
            (205, 4, feedback(&[])),
            (205, 15, feedback(&[0; 8])),
            (206, 1, feedback(&[])),
            (206, 4, feedback(&[0; 8])),
            (206, 15, feedback(b"REMB\0\0\0\0")),
            (207, 0, b"\0\0\0\x07".to_vec()),
        ] {
            let packet = RtcpPacket::parse(packet_type, format, &body).unwrap();
            assert!(packet.is_from(7), "{packet:?}");
            assert!(!packet.is_from(9), "{packet:?}");
        }
    }

    #[test]
    fn rfc3550_8_2_report_about_our_stream_is_no_collision() {
        let body = [[0, 0, 0, 7], [0, 0, 0, 9]].concat();
        let body = [&body[..], &[0; 20]].concat();
        let packet = RtcpPacket::parse(RECEIVER_REPORT, 1, &body).unwrap();
        assert!(packet.is_from(7) && !packet.is_from(9));
    }

    #[test]
    fn rfc5104_4_2_1_request_without_an_entry_is_refused() {
        let error = RtcpPacket::parse(205, 3, b"\0\0\0\x07\0\0\0\0").unwrap_err();
        assert_eq!(error, Malformed::Count);
    }

    #[test]
    fn feedback_of_unknown_format_is_passed_on_whole() {
        for (packet_type, format) in [(205, 2), (205, 11), (206, 2), (206, 15)] {
            let packet = RtcpPacket::parse(packet_type, format, b"\0\0\0\x07\0\0\0\x09Snow");
            let Ok(RtcpPacket::Unknown { body, .. }) = packet else {
                panic!("{packet:?}");
            };
            assert_eq!(body, b"\0\0\0\x07\0\0\0\x09Snow");
        }
    }
}
