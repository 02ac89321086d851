//! The audio codecs and their names in SDP (RFC 7587 for Opus, RFC 3551 for
//! G.711), and the ways in which a track is encoded with them.

use crate::OpusReceiver;

/// A codec as it is negotiated.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum AudioCodec {
    /// Opus (RFC 6716, payload format RFC 7587).
    Opus,
    /// ITU-T G.711 mu-law (RFC 3551 §4.5.14).
    Pcmu,
    /// ITU-T G.711 A-law (RFC 3551 §4.5.14).
    Pcma,
}

impl AudioCodec {
    /// All codecs in the order of preference (RFC 7874 §3 wants Opus first).
    pub const ALL: [AudioCodec; 3] = [AudioCodec::Opus, AudioCodec::Pcmu, AudioCodec::Pcma];

    /// The encoding name, as in an `rtpmap` attribute.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            AudioCodec::Opus => "opus",
            AudioCodec::Pcmu => "PCMU",
            AudioCodec::Pcma => "PCMA",
        }
    }

    /// The media type, as W3C statistics show it.
    #[must_use]
    pub fn mime_type(self) -> &'static str {
        match self {
            AudioCodec::Opus => "audio/opus",
            AudioCodec::Pcmu => "audio/PCMU",
            AudioCodec::Pcma => "audio/PCMA",
        }
    }

    /// The RTP clock rate in Hz. Opus has 48,000 whatever it carries (RFC 7587 §4.1).
    #[must_use]
    pub fn clock_rate(self) -> u32 {
        match self {
            AudioCodec::Opus => 48_000,
            AudioCodec::Pcmu | AudioCodec::Pcma => 8_000,
        }
    }

    /// The number of channels in the `rtpmap`. Opus has 2 whatever it carries (RFC 7587 §7).
    #[must_use]
    pub fn channels(self) -> u8 {
        match self {
            AudioCodec::Opus => 2,
            AudioCodec::Pcmu | AudioCodec::Pcma => 1,
        }
    }
}

/// One way of encoding a track; listeners that agree on it share its frames.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Encoding {
    /// Opus, for receivers that declare the same.
    Opus(OpusReceiver),
    /// G.711 mu-law, 64 kb/s.
    Pcmu,
    /// G.711 A-law, 64 kb/s.
    Pcma,
}

impl Encoding {
    /// Opus for receivers that declare nothing: both channels mixed into one.
    pub const OPUS_MONO: Self = Self::Opus(OpusReceiver::MONO);
    /// Opus for receivers that declare nothing but stereo.
    pub const OPUS_STEREO: Self = Self::Opus(OpusReceiver::STEREO);

    /// Those of receivers that declare nothing more.
    #[cfg(test)]
    pub(crate) const PLAIN: [Self; 4] =
        [Self::OPUS_MONO, Self::OPUS_STEREO, Self::Pcmu, Self::Pcma];

    /// The codec that carries it.
    #[must_use]
    pub fn codec(self) -> AudioCodec {
        match self {
            Encoding::Opus(_) => AudioCodec::Opus,
            Encoding::Pcmu => AudioCodec::Pcmu,
            Encoding::Pcma => AudioCodec::Pcma,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codecs_are_numbered_by_their_place_in_all() {
        for (place, codec) in AudioCodec::ALL.into_iter().enumerate() {
            assert_eq!(codec as usize, place);
        }
    }

    #[test]
    fn rtpmap_values_are_those_of_the_registrations() {
        let rtpmaps =
            AudioCodec::ALL.map(|c| format!("{}/{}/{}", c.name(), c.clock_rate(), c.channels()));
        assert_eq!(rtpmaps, ["opus/48000/2", "PCMU/8000/1", "PCMA/8000/1"]);
        for codec in AudioCodec::ALL {
            assert_eq!(codec.mime_type(), format!("audio/{}", codec.name()));
        }
    }
}
