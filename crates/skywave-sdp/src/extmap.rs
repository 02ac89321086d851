//! `a=extmap`: RTP header extensions and their ids (RFC 8285 §5).

use crate::Direction;

/// A header extension and the id it has in this session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extmap {
    /// Local identifier. Ids above 255 are an offer's provisional ones and cannot be sent.
    pub id: u16,
    /// Which way the extension is sent; `None` if not written, which means the section's.
    pub direction: Option<Direction>,
    /// What the extension is.
    pub uri: String,
}

impl Extmap {
    /// Reads the value of `a=extmap`; extension attributes after the URI are not kept.
    pub(crate) fn parse(value: &str) -> Option<Self> {
        let mut words = value.split_ascii_whitespace();
        let entry = words.next()?;
        let uri = words.next()?.to_owned();
        let (id, direction) = match entry.split_once('/') {
            Some((id, name)) => (id, Some(Direction::from_name(name)?)),
            None => (entry, None),
        };
        Some(Self {
            id: id.parse().ok()?,
            direction,
            uri,
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
        format!("a=extmap:{}{direction} {}", self.id, self.uri)
    }
}

/// Identification of the section by its `a=mid` (RFC 9143 §15).
pub const MID_URI: &str = "urn:ietf:params:rtp-hdrext:sdes:mid";
/// Audio level from client to mixer (RFC 6464).
pub const AUDIO_LEVEL_URI: &str = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";

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
        for bad in ["", "1", "x urn:a", "1/both urn:a", "70000 urn:a"] {
            assert_eq!(Extmap::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn ids_above_14_need_mixed_forms_and_15_is_never_used() {
        let with_id = |id| Extmap {
            id,
            direction: None,
            uri: MID_URI.to_owned(),
        };
        let valid = |allow_mixed| -> Vec<u16> {
            (0..5000)
                .filter(|id| with_id(*id).wire_id(allow_mixed).is_some())
                .collect()
        };
        assert_eq!(valid(false), (1..=14).collect::<Vec<_>>());
        assert_eq!(valid(true), (1..=14).chain(16..=255).collect::<Vec<_>>());
    }
}
