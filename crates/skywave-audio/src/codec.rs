//! The audio codecs and their names in SDP (RFC 7587 for Opus, RFC 3551 for
//! G.711), and the ways in which a track is encoded with them.

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
    /// Opus, both channels mixed into one, 48 kb/s.
    OpusMono,
    /// Opus in stereo, 96 kb/s.
    OpusStereo,
    /// G.711 mu-law, 64 kb/s.
    Pcmu,
    /// G.711 A-law, 64 kb/s.
    Pcma,
}

impl Encoding {
    /// The bit rate in bit/s, of the payload alone.
    #[must_use]
    pub fn bit_rate(self) -> u32 {
        match self {
            Encoding::OpusMono => MONO_BIT_RATE,
            Encoding::OpusStereo => STEREO_BIT_RATE,
            Encoding::Pcmu | Encoding::Pcma => 64_000,
        }
    }

    /// All encodings, each at its [`index`](Encoding::index).
    pub const ALL: [Encoding; 4] = [
        Encoding::OpusMono,
        Encoding::OpusStereo,
        Encoding::Pcmu,
        Encoding::Pcma,
    ];

    /// The codec that carries it.
    #[must_use]
    pub fn codec(self) -> AudioCodec {
        match self {
            Encoding::OpusMono | Encoding::OpusStereo => AudioCodec::Opus,
            Encoding::Pcmu => AudioCodec::Pcmu,
            Encoding::Pcma => AudioCodec::Pcma,
        }
    }

    /// Its place in [`ALL`](Encoding::ALL), for tables indexed by encoding.
    #[must_use]
    pub fn index(self) -> usize {
        self as usize
    }
}

pub(crate) const STEREO_BIT_RATE: u32 = 96_000;
pub(crate) const MONO_BIT_RATE: u32 = 48_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn index_is_the_place_in_all() {
        for (place, encoding) in Encoding::ALL.into_iter().enumerate() {
            assert_eq!(encoding.index(), place);
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
