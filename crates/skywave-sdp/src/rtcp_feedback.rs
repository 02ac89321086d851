//! `a=rtcp-fb`: feedback messages a receiver may send (RFC 4585 §4.2, RFC 5104 §7.1). Kinds of no
//! use to a sender of audio are skipped.

use std::fmt;

use crate::payload_type::parse_payload_type;

/// One kind of feedback for one payload type, or for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RtcpFeedback {
    /// `None` where `*` was written, which stands for all payload types of the section.
    pub payload_type: Option<u8>,
    /// What is fed back.
    pub kind: FeedbackKind,
}

/// What is fed back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeedbackKind {
    /// Generic NACK: packets that are missing (RFC 4585 §6.2.1).
    Nack,
    /// Arrival times of all packets of the transport (draft-holmer-rmcat-transport-wide-cc).
    TransportCc,
    /// Temporary maximum bit rate (RFC 5104 §4.2.1).
    Tmmbr,
}

impl FeedbackKind {
    /// In the order they are written.
    pub(crate) const ALL: [Self; 3] = [Self::Nack, Self::TransportCc, Self::Tmmbr];
}

/// The kind as in `a=rtcp-fb`.
impl fmt::Display for FeedbackKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nack => "nack",
            Self::TransportCc => "transport-cc",
            Self::Tmmbr => "ccm tmmbr",
        })
    }
}

impl RtcpFeedback {
    /// Reads the value of `a=rtcp-fb`.
    pub(crate) fn parse(value: &str) -> Option<Self> {
        let mut words = value.split_ascii_whitespace();
        let payload_type = match words.next()? {
            "*" => None,
            number => Some(parse_payload_type(number)?),
        };
        let kind = match (words.next()?, words.next()) {
            ("nack", None) => FeedbackKind::Nack,
            ("transport-cc", None) => FeedbackKind::TransportCc,
            // Parameters such as smaxpr may follow; they are about video.
            ("ccm", Some("tmmbr")) => FeedbackKind::Tmmbr,
            _ => return None,
        };
        Some(Self { payload_type, kind })
    }

    /// Whether the line holds for that payload type.
    pub(crate) fn is_for(&self, payload_type: u8) -> bool {
        self.payload_type.is_none_or(|own| own == payload_type)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc4585_4_2_payload_type_or_wildcard_and_kind_are_read() {
        for (text, payload_type, kind) in [
            ("111 nack", Some(111), FeedbackKind::Nack),
            ("* nack", None, FeedbackKind::Nack),
            ("0 transport-cc", Some(0), FeedbackKind::TransportCc),
            ("* ccm tmmbr", None, FeedbackKind::Tmmbr),
            // RFC 5104 §7.3
            ("98 ccm tmmbr smaxpr=120", Some(98), FeedbackKind::Tmmbr),
        ] {
            let feedback = RtcpFeedback::parse(text).unwrap();
            assert_eq!(feedback, RtcpFeedback { payload_type, kind });
        }
        let all = RtcpFeedback::parse("* nack").unwrap();
        assert!(all.is_for(0) && all.is_for(127));
        let one = RtcpFeedback::parse("111 nack").unwrap();
        assert!(one.is_for(111) && !one.is_for(110));
    }

    #[test]
    fn other_feedback_and_broken_lines_are_skipped() {
        for text in [
            "",
            "*",
            "111",
            "111 ",
            "128 nack",
            "-1 nack",
            "x nack",
            "111 nack pli",
            "111 nack rpsi",
            "111 ccm fir",
            "111 ccm",
            "111 goog-remb",
            "111 trr-int 100",
            "111 NACK",
        ] {
            assert_eq!(RtcpFeedback::parse(text), None, "{text}");
        }
    }

    #[test]
    fn kinds_are_written_as_they_are_read() {
        for kind in FeedbackKind::ALL {
            let read = RtcpFeedback::parse(&format!("* {kind}")).unwrap();
            assert_eq!(read.kind, kind);
        }
    }
}
