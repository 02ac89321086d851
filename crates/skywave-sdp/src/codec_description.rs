//! A codec of this end, as SDP names it.

use crate::Rtpmap;

/// A codec as this end can send it. A slice of them is in the order of preference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodecDescription {
    /// Encoding name: `opus`, `PCMU`, `PCMA`.
    pub name: &'static str,
    /// Hertz, as in SDP.
    pub clock_rate: u32,
    /// Number of channels, as in SDP; Opus always says 2 (RFC 7587 §7).
    pub channels: u8,
    /// The payload type used in offers: a static one, or 96 to 127. An answer uses the offer's.
    pub payload_type: u8,
    /// Parameters of `a=fmtp`, or empty for none. They are written as they are, so a sender of
    /// stereo says `sprop-stereo=1` here: RFC 7587 §7.1 makes it a declaration about this end's
    /// sending, to which the peer's `stereo=1` (a declaration about its receiving) adds nothing.
    pub fmtp: &'static str,
}

impl CodecDescription {
    /// Whether the peer's line names this codec.
    ///
    /// GStreamer leaves out Opus's channels, of which there are always 2 (RFC 7587 §7).
    pub(crate) fn matches(&self, rtpmap: &Rtpmap) -> bool {
        let opus_without_channels = rtpmap.channels == 1 && self.name == "opus";
        rtpmap.encoding.eq_ignore_ascii_case(self.name)
            && rtpmap.clock_rate == self.clock_rate
            && (rtpmap.channels == self.channels || opus_without_channels)
    }

    /// What `a=rtpmap` says of it under the given number.
    pub(crate) fn rtpmap(&self, payload_type: u8) -> Rtpmap {
        Rtpmap {
            payload_type,
            encoding: self.name.to_owned(),
            clock_rate: self.clock_rate,
            channels: self.channels,
        }
    }
}
