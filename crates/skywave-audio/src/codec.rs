//! The audio codecs and their names in SDP (RFC 7587 for Opus, RFC 3551 for the
//! others), and the ways in which a track is encoded with them.

use crate::{OpusReceiver, Ptime};

/// A codec as it is negotiated.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum AudioCodec {
    /// Opus (RFC 6716, payload format RFC 7587).
    Opus,
    /// ITU-T G.711 mu-law (RFC 3551 §4.5.14).
    Pcmu,
    /// ITU-T G.711 A-law (RFC 3551 §4.5.14).
    Pcma,
    /// ITU-T G.722 at 64 kb/s: 7 kHz of audio (RFC 3551 §4.5.2).
    G722,
    /// Samples of 16 bits at 48 kHz, not compressed: 768 kb/s (RFC 3551 §4.5.11).
    L16,
    /// The same at 16 kHz: 256 kb/s.
    L16Wideband,
}

impl AudioCodec {
    /// All codecs in the order of preference (RFC 7874 §3 wants Opus first).
    pub const ALL: [AudioCodec; 6] = [
        AudioCodec::Opus,
        AudioCodec::Pcmu,
        AudioCodec::Pcma,
        AudioCodec::G722,
        AudioCodec::L16,
        AudioCodec::L16Wideband,
    ];

    /// Those that RFC 7874 §3 has every endpoint know.
    pub const MANDATORY: [AudioCodec; 3] = [AudioCodec::Opus, AudioCodec::Pcmu, AudioCodec::Pcma];

    /// The encoding name, as in an `rtpmap` attribute.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            AudioCodec::Opus => "opus",
            AudioCodec::Pcmu => "PCMU",
            AudioCodec::Pcma => "PCMA",
            AudioCodec::G722 => "G722",
            AudioCodec::L16 | AudioCodec::L16Wideband => "L16",
        }
    }

    /// The media type, as W3C statistics show it.
    #[must_use]
    pub fn mime_type(self) -> &'static str {
        match self {
            AudioCodec::Opus => "audio/opus",
            AudioCodec::Pcmu => "audio/PCMU",
            AudioCodec::Pcma => "audio/PCMA",
            AudioCodec::G722 => "audio/G722",
            AudioCodec::L16 | AudioCodec::L16Wideband => "audio/L16",
        }
    }

    /// The RTP clock rate in Hz. Opus has 48,000 whatever it carries (RFC 7587 §4.1), and G.722
    /// 8,000 though it has samples of 16 kHz (RFC 3551 §4.5.2).
    #[must_use]
    pub fn clock_rate(self) -> u32 {
        match self {
            AudioCodec::Opus | AudioCodec::L16 => 48_000,
            AudioCodec::L16Wideband => 16_000,
            AudioCodec::Pcmu | AudioCodec::Pcma | AudioCodec::G722 => 8_000,
        }
    }

    /// The number of channels in the `rtpmap`. Opus has 2 whatever it carries (RFC 7587 §7).
    #[must_use]
    pub fn channels(self) -> u8 {
        match self {
            AudioCodec::Opus => 2,
            _ => 1,
        }
    }

    /// The longest packet that fits into a datagram of 1,280 octets.
    #[must_use]
    pub fn max_ptime(self) -> Ptime {
        match self {
            AudioCodec::L16 => Ptime::Ms10,
            AudioCodec::L16Wideband => Ptime::Ms20,
            _ => Ptime::MAX,
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
    /// G.722, 64 kb/s.
    G722,
    /// 16 bits at 48 kHz.
    L16,
    /// 16 bits at 16 kHz.
    L16Wideband,
}

impl Encoding {
    /// Opus for receivers that declare nothing: both channels mixed into one.
    pub const OPUS_MONO: Self = Self::Opus(OpusReceiver::MONO);
    /// Opus for receivers that declare nothing but stereo.
    pub const OPUS_STEREO: Self = Self::Opus(OpusReceiver::STEREO);

    /// Those of receivers that declare nothing more.
    #[cfg(test)]
    pub(crate) const PLAIN: [Self; 5] = [
        Self::OPUS_MONO,
        Self::OPUS_STEREO,
        Self::Pcmu,
        Self::Pcma,
        Self::G722,
    ];

    /// The encoding by a codec; if it is Opus, for such receivers.
    #[must_use]
    pub fn new(codec: AudioCodec, receiver: OpusReceiver) -> Self {
        match codec {
            AudioCodec::Opus => Self::Opus(receiver),
            AudioCodec::Pcmu => Self::Pcmu,
            AudioCodec::Pcma => Self::Pcma,
            AudioCodec::G722 => Self::G722,
            AudioCodec::L16 => Self::L16,
            AudioCodec::L16Wideband => Self::L16Wideband,
        }
    }

    /// The codec that carries it.
    #[must_use]
    pub fn codec(self) -> AudioCodec {
        match self {
            Encoding::Opus(_) => AudioCodec::Opus,
            Encoding::Pcmu => AudioCodec::Pcmu,
            Encoding::Pcma => AudioCodec::Pcma,
            Encoding::G722 => AudioCodec::G722,
            Encoding::L16 => AudioCodec::L16,
            Encoding::L16Wideband => AudioCodec::L16Wideband,
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
        let expected = [
            "opus/48000/2",
            "PCMU/8000/1",
            "PCMA/8000/1",
            "G722/8000/1",
            "L16/48000/1",
            "L16/16000/1",
        ];
        assert_eq!(rtpmaps, expected);
        for codec in AudioCodec::ALL {
            assert_eq!(codec.mime_type(), format!("audio/{}", codec.name()));
        }
    }
}
