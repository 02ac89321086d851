//! A payload type of an `m=` line: a codec, or what is sent beside one or around it: redundancy
//! (RFC 2198), telephone events (RFC 4733), comfort noise (RFC 3389), retransmission (RFC 4588).

use crate::telephone_event::list;
use crate::{CodecDescription, FeedbackKind, Rtpmap};

/// A payload type and the lines about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Format {
    pub(crate) rtpmap: Rtpmap,
    /// Parameters, or empty for none.
    pub(crate) fmtp: String,
    /// What a receiver of it may send.
    pub(crate) feedback: Vec<FeedbackKind>,
    pub(crate) role: Role,
}

/// What a payload type is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The codec of that index in the capabilities.
    Codec(usize),
    /// Of the codec with that payload type.
    Redundancy(u8),
    /// At that clock rate in hertz.
    TelephoneEvent(u32),
    /// At that clock rate in hertz.
    ComfortNoise(u32),
    /// Of the codec with that payload type.
    Retransmission(u8),
}

impl Format {
    pub(crate) fn codec(
        index: usize,
        codec: &CodecDescription,
        payload_type: u8,
        feedback: Vec<FeedbackKind>,
    ) -> Self {
        Self {
            rtpmap: codec.rtpmap(payload_type),
            fmtp: codec.fmtp.to_owned(),
            feedback,
            role: Role::Codec(index),
        }
    }

    /// Redundant audio in which all blocks are of one codec.
    pub(crate) fn redundancy(rtpmap: Rtpmap, codec: u8) -> Self {
        let fmtp = format!("{codec}/{codec}");
        Self::beside(rtpmap, fmtp, Role::Redundancy(codec))
    }

    pub(crate) fn telephone_event(rtpmap: Rtpmap, events: u16) -> Self {
        let role = Role::TelephoneEvent(rtpmap.clock_rate);
        Self::beside(rtpmap, list(events), role)
    }

    pub(crate) fn comfort_noise(rtpmap: Rtpmap) -> Self {
        let role = Role::ComfortNoise(rtpmap.clock_rate);
        Self::beside(rtpmap, String::new(), role)
    }

    /// `time` in milliseconds is how long packets can be retransmitted.
    pub(crate) fn retransmission(rtpmap: Rtpmap, codec: u8, time: u32) -> Self {
        let fmtp = format!("apt={codec};rtx-time={time}");
        Self::beside(rtpmap, fmtp, Role::Retransmission(codec))
    }

    /// A format beside a codec, which has no feedback of its own.
    fn beside(rtpmap: Rtpmap, fmtp: String, role: Role) -> Self {
        Self {
            rtpmap,
            fmtp,
            feedback: Vec::new(),
            role,
        }
    }

    pub(crate) fn payload_type(&self) -> u8 {
        self.rtpmap.payload_type
    }

    /// `a=rtpmap`, `a=rtcp-fb`, `a=fmtp`.
    pub(crate) fn lines(&self) -> Vec<String> {
        let payload_type = self.payload_type();
        let mut lines = vec![self.rtpmap.line()];
        let feedback = self.feedback.iter();
        lines.extend(feedback.map(|kind| format!("a=rtcp-fb:{payload_type} {kind}")));
        if !self.fmtp.is_empty() {
            lines.push(format!("a=fmtp:{payload_type} {}", self.fmtp));
        }
        lines
    }
}
