//! `a=rtpmap` (RFC 8866 §6.6) and the static payload types of RFC 3551 §6 that are used here.

use std::fmt;

use crate::payload_type::parse_payload_type;

/// What a payload type number stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rtpmap {
    /// 0 to 127.
    pub payload_type: u8,
    /// Encoding name as written; compare it without regard to case.
    pub encoding: String,
    /// Hertz.
    pub clock_rate: u32,
    /// Number of channels; 1 if not written.
    pub channels: u8,
}

impl Rtpmap {
    /// The meaning of a static payload type that needs no `a=rtpmap`; those not used here are
    /// `None`.
    #[must_use]
    pub fn from_static(payload_type: u8) -> Option<Self> {
        let encoding = match payload_type {
            0 => "PCMU",
            8 => "PCMA",
            // Its clock rate is 8000, though it has samples of 16 kHz (RFC 3551 §4.5.2).
            9 => "G722",
            13 => "CN",
            _ => return None,
        };
        Some(Self {
            payload_type,
            encoding: encoding.to_owned(),
            clock_rate: 8000,
            channels: 1,
        })
    }

    /// Whether the number stands for the same encoding. Channels are not compared: some peers leave
    /// them out where there is only one possibility.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.payload_type == other.payload_type
            && self.clock_rate == other.clock_rate
            && self.encoding.eq_ignore_ascii_case(&other.encoding)
    }

    /// The whole line.
    pub(crate) fn line(&self) -> String {
        format!("a=rtpmap:{} {self}", self.payload_type)
    }

    /// Reads the value of `a=rtpmap`.
    pub(crate) fn parse(value: &str) -> Option<Self> {
        let (payload_type, encoding) = value.split_once(' ')?;
        let mut parts = encoding.trim().split('/');
        Some(Self {
            payload_type: parse_payload_type(payload_type)?,
            encoding: parts.next().filter(|name| !name.is_empty())?.to_owned(),
            clock_rate: parts.next()?.parse().ok()?,
            channels: parts.next().map_or(Some(1), |text| text.parse().ok())?,
        })
    }
}

/// The encoding as in `a=rtpmap`, such as `opus/48000/2` or `PCMU/8000`.
impl fmt::Display for Rtpmap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.encoding, self.clock_rate)?;
        if self.channels > 1 {
            write!(f, "/{}", self.channels)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_default_to_one() {
        let mono = Rtpmap::parse("0 PCMU/8000").unwrap();
        assert_eq!((mono.payload_type, mono.channels), (0, 1));
        assert_eq!(mono.to_string(), "PCMU/8000");
        let stereo = Rtpmap::parse("111 opus/48000/2").unwrap();
        assert_eq!((stereo.clock_rate, stereo.channels), (48_000, 2));
        assert_eq!(stereo.to_string(), "opus/48000/2");
    }

    #[test]
    fn broken_lines_are_refused() {
        for bad in [
            "",
            "111",
            "111 opus",
            "111 /48000",
            "128 opus/48000/2",
            "0111 opus/48000/2",
            "111 opus/x/2",
            "111 opus/48000/two",
        ] {
            assert_eq!(Rtpmap::parse(bad), None, "{bad}");
        }
    }
}
