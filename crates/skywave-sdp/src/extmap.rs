//! `a=extmap`: RTP header extensions and their ids (RFC 8285 §5).

use crate::Direction;

/// A header extension and the id it has in this session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extmap {
    /// Local identifier. Ids above 255 are an offer's provisional ones and cannot be sent.
    pub id: u16,
    /// Which way the extension is sent; `None` if not written, which means the section's.
    pub direction: Option<Direction>,
    /// The line is about the encrypted version of the extension (RFC 6904 §4).
    pub encrypted: bool,
    /// What the extension is.
    pub uri: String,
    /// Words after the URI, separated by single blanks.
    pub attributes: String,
}

impl Extmap {
    /// Reads the value of `a=extmap`.
    pub(crate) fn parse(value: &str) -> Option<Self> {
        let mut words = value.split_ascii_whitespace();
        let entry = words.next()?;
        let first = words.next()?;
        let encrypted = first == ENCRYPT_URI;
        let uri = if encrypted { words.next()? } else { first };
        let (id, direction) = match entry.split_once('/') {
            Some((id, name)) => (id, Some(Direction::from_name(name)?)),
            None => (entry, None),
        };
        Some(Self {
            id: id.parse().ok()?,
            direction,
            encrypted,
            uri: uri.to_owned(),
            attributes: words.collect::<Vec<_>>().join(" "),
        })
    }

    /// Whether the end that wrote it accepts the extension from the other one.
    pub(crate) fn is_received(&self) -> bool {
        self.direction.is_none_or(Direction::receives)
    }

    /// The id as it is sent: 1 to 14, or up to 255 if one- and two-byte forms may be mixed. 15 is
    /// never valid, since it ends parsing in the one-byte form (RFC 8285 §4.2).
    pub(crate) fn wire_id(&self, allow_mixed: bool) -> Option<u8> {
        let id = u8::try_from(self.id).ok()?;
        match id {
            1..=14 => Some(id),
            16.. if allow_mixed => Some(id),
            _ => None,
        }
    }

    /// The line with which the other end agrees to send an extension that is received.
    pub(crate) fn answer_line(&self) -> String {
        let direction = match self.direction {
            None => "",
            Some(Direction::SendRecv) => "/sendrecv",
            Some(_) => "/sendonly",
        };
        let encrypt = if self.encrypted {
            format!("{ENCRYPT_URI} ")
        } else {
            String::new()
        };
        let vad = if self.is_vad_off() { " vad=off" } else { "" };
        format!("a=extmap:{}{direction} {encrypt}{}{vad}", self.id, self.uri)
    }

    /// Whether an audio level comes without voice activity (RFC 6464 §4).
    pub(crate) fn is_vad_off(&self) -> bool {
        let mut words = self.attributes.split(' ');
        self.uri == AUDIO_LEVEL_URI && words.any(|word| word == "vad=off")
    }
}

/// Identification of the section by its `a=mid` (RFC 9143 §15).
pub const MID_URI: &str = "urn:ietf:params:rtp-hdrext:sdes:mid";
/// Audio level from client to mixer (RFC 6464).
pub const AUDIO_LEVEL_URI: &str = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";
/// Time a packet left, in 24 bits (webrtc.org).
pub const ABS_SEND_TIME_URI: &str = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time";
/// Time the audio was captured (webrtc.org).
pub const ABS_CAPTURE_TIME_URI: &str =
    "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time";
/// Transport-wide sequence number (draft-holmer-rmcat-transport-wide-cc-extensions-01).
pub const TRANSPORT_CC_URI: &str =
    "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";
/// Stands before the URI of an extension that is encrypted (RFC 6904 §4).
const ENCRYPT_URI: &str = "urn:ietf:params:rtp-hdrext:encrypt";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn id_direction_and_uri_are_read() {
        let plain = Extmap::parse("1 urn:ietf:params:rtp-hdrext:ssrc-audio-level vad=on").unwrap();
        assert_eq!((plain.id, plain.direction), (1, None));
        assert_eq!(plain.uri, AUDIO_LEVEL_URI);
        let directed = Extmap::parse("4/recvonly urn:ietf:params:rtp-hdrext:sdes:mid").unwrap();
        assert_eq!(directed.direction, Some(Direction::RecvOnly));
        assert_eq!(
            directed.answer_line(),
            "a=extmap:4/sendonly urn:ietf:params:rtp-hdrext:sdes:mid"
        );
        for bad in [
            "",
            "1",
            "x urn:a",
            "1/both urn:a",
            "70000 urn:a",
            "1 urn:ietf:params:rtp-hdrext:encrypt",
        ] {
            assert_eq!(Extmap::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn ids_above_14_need_mixed_forms_and_15_is_never_used() {
        let with_id = |id| Extmap {
            id,
            direction: None,
            encrypted: false,
            uri: MID_URI.to_owned(),
            attributes: String::new(),
        };
        let valid = |allow_mixed| -> Vec<u16> {
            (0..if cfg!(miri) { 300 } else { 5000 })
                .filter(|id| with_id(*id).wire_id(allow_mixed).is_some())
                .collect()
        };
        assert_eq!(valid(false), (1..=14).collect::<Vec<_>>());
        assert_eq!(valid(true), (1..=14).chain(16..=255).collect::<Vec<_>>());
    }
}
