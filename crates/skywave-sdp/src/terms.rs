//! What of an audio section is up to negotiation, besides the transport: what an offer asks for, and
//! what is left of it when both ends have had their say.

use crate::agreed_formats::agreed_formats;
use crate::format::{Format, Role};
use crate::offered_formats::offered_formats;
use crate::payload_type::parse_payload_type;
use crate::{Extmap, FeedbackKind, MediaSection, RcvrRtt, SendCapabilities, TRANSPORT_CC_URI};

/// Terms that are offered or agreed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Terms {
    /// What may be sent. As terms agreed to, no role occurs twice.
    pub(crate) formats: Vec<Format>,
    /// As terms agreed to, these are the peer's lines.
    pub(crate) extmaps: Vec<Extmap>,
    pub(crate) cryptex: bool,
    pub(crate) rcvr_rtt: Option<RcvrRtt>,
}

impl Terms {
    /// Everything this end is able to send.
    pub(crate) fn offered(capabilities: &SendCapabilities<'_>) -> Self {
        let extmaps = crate::extensions::offered(capabilities);
        let feedback = usable_feedback(capabilities, &extmaps);
        Self {
            formats: offered_formats(capabilities, &feedback),
            extmaps,
            cryptex: capabilities.cryptex,
            // This end is a sender, so that is enough for a peer that only receives to be answered.
            rcvr_rtt: Some(RcvrRtt::Sender),
        }
    }

    /// What the peer's section has of it.
    pub(crate) fn agreed(section: &MediaSection, capabilities: &SendCapabilities<'_>) -> Self {
        let (extmaps, cryptex) = crate::extensions::agreed(section, capabilities);
        let feedback = usable_feedback(capabilities, &extmaps);
        Self {
            formats: agreed_formats(section, capabilities, &feedback),
            extmaps,
            cryptex,
            rcvr_rtt: section.rcvr_rtt,
        }
    }

    /// The codec to send, the first of all, and its index in the capabilities.
    pub(crate) fn codec(&self) -> Option<(usize, &Format)> {
        self.formats.iter().find_map(|format| match format.role {
            Role::Codec(index) => Some((index, format)),
            _ => None,
        })
    }

    /// The payload type for that role.
    pub(crate) fn payload_type(&self, role: Role) -> Option<u8> {
        let format = self.formats.iter().find(|format| format.role == role);
        format.map(Format::payload_type)
    }

    /// Whether packets are retransmitted in a stream of their own.
    pub(crate) fn has_retransmission(&self) -> bool {
        let mut roles = self.formats.iter().map(|format| format.role);
        roles.any(|role| matches!(role, Role::Retransmission(_)))
    }

    /// The formats for the `m=` line.
    pub(crate) fn numbers(&self) -> String {
        let numbers = self
            .formats
            .iter()
            .map(|own| own.payload_type().to_string());
        numbers.collect::<Vec<_>>().join(" ")
    }

    /// `a=extmap`, as the end that sends writes it.
    pub(crate) fn extmap_lines(&self) -> Vec<String> {
        self.extmaps.iter().map(Extmap::answer_line).collect()
    }

    /// `a=cryptex`, `a=rtcp-xr`, and all about the formats.
    pub(crate) fn format_lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if self.cryptex {
            lines.push("a=cryptex".to_owned());
        }
        lines.extend(self.rcvr_rtt.map(|mode| format!("a=rtcp-xr:{mode}")));
        lines.extend(self.formats.iter().flat_map(Format::lines));
        lines
    }

    /// Takes out of an answer to these terms what they do not have: an answer must neither add
    /// payload types and extensions nor give their numbers another meaning (RFC 3264 §6.1,
    /// RFC 8285 §7).
    pub(crate) fn restrict(&self, answer: &mut MediaSection) {
        let formats: Vec<_> = (answer.formats.iter())
            .filter(|format| self.has_format(answer, format))
            .cloned()
            .collect();
        answer.formats = formats;
        answer.extmaps.retain(|extmap| {
            let is_same = |own: &Extmap| {
                (own.id, own.encrypted, &own.uri) == (extmap.id, extmap.encrypted, &extmap.uri)
            };
            self.extmaps.iter().any(is_same)
        });
    }

    fn has_format(&self, answer: &MediaSection, format: &str) -> bool {
        let rtpmap = parse_payload_type(format).and_then(|number| answer.rtpmap(number));
        rtpmap.is_some_and(|rtpmap| self.formats.iter().any(|own| own.rtpmap.is_same(&rtpmap)))
    }
}

/// The feedback this end has a use for. Arrival times are told by transport-wide sequence numbers.
fn usable_feedback(capabilities: &SendCapabilities<'_>, extmaps: &[Extmap]) -> Vec<FeedbackKind> {
    let is_usable = |kind: &FeedbackKind| match kind {
        FeedbackKind::Nack => capabilities.nack,
        FeedbackKind::TransportCc => extmaps.iter().any(|extmap| extmap.uri == TRANSPORT_CC_URI),
        FeedbackKind::Tmmbr => true,
    };
    FeedbackKind::ALL.into_iter().filter(is_usable).collect()
}
