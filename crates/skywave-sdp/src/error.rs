//! Why a description was refused, in sentences fit for the person at the other end.

use crate::{Direction, MAX_SDP_BYTES};

/// Why a description could not be read or could not be agreed to.
///
/// The sentences may be shown to the peer: they quote at most 80 characters of its own text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text is longer than [`MAX_SDP_BYTES`].
    #[error("the session description has {bytes} bytes, more than the {MAX_SDP_BYTES} allowed")]
    TooLarge {
        /// Length of the text.
        bytes: usize,
    },
    /// A line is not SDP.
    #[error("line {line} is not valid SDP: {what}")]
    Malformed {
        /// Number of the line, from 1.
        line: usize,
        /// What was expected.
        what: &'static str,
    },
    /// An `a=fingerprint` that cannot be read, or whose length does not fit its algorithm.
    #[error("{0:?} is not a certificate fingerprint")]
    InvalidFingerprint(String),
    /// A text that is no candidate with a UDP transport and an IP address.
    #[error("{0:?} is not a UDP candidate with an IP address")]
    InvalidCandidate(String),
    /// An `a=setup` other than `actpass`, `active` and `passive`; RFC 8842 §5.1 forbids `holdconn`.
    #[error("a=setup:{0} is not supported; it must be actpass, active or passive")]
    InvalidSetup(String),
    /// There is no `m=audio` section.
    #[error("the session description has no audio section")]
    NoAudio,
    /// The audio section is disabled: port 0 without `a=bundle-only`.
    #[error("the audio section is disabled (port 0)")]
    AudioDisabled,
    /// The peer does not want to receive audio.
    #[error("the audio section is {0}; only audio the peer receives can be served")]
    NotReceiving(Direction),
    /// The section's protocol is not one over DTLS-SRTP.
    #[error("the audio section's protocol {0} is media without DTLS-SRTP")]
    UnprotectedMedia(String),
    /// The offer does not have RTP and RTCP on one port.
    #[error("the audio section lacks a=rtcp-mux")]
    MissingRtcpMux,
    /// No codec is known to both ends.
    #[error("none of the codecs offered ({offered}) can be sent here")]
    NoCommonCodec {
        /// The codecs the peer listed, separated by commas.
        offered: String,
    },
    /// The peer takes packets of less audio only than any that are sent have.
    #[error(
        "a=maxptime:{maxptime} is too short: packets sent here have {shortest} ms of audio or more"
    )]
    MaxptimeTooShort {
        /// What the peer takes at most, in milliseconds.
        maxptime: u32,
        /// The shortest that are sent, in milliseconds.
        shortest: u32,
    },
    /// No ICE user name fragment or no password.
    #[error("the audio section lacks a=ice-ufrag or a=ice-pwd")]
    MissingIceCredentials,
    /// Both ends say `a=ice-lite`, so neither would send a connectivity check.
    #[error("both ends are ICE-lite, so no connection can be made")]
    BothIceLite,
    /// No certificate fingerprint.
    #[error("the audio section lacks a=fingerprint")]
    MissingFingerprint,
    /// Fingerprints only by algorithms that are not understood.
    #[error("no fingerprint is by sha-256, sha-384 or sha-512, only by {offered}")]
    UnsupportedFingerprint {
        /// The algorithms of the peer's fingerprints, separated by commas.
        offered: String,
    },
    /// The answer has another number of sections than the offer, or another kind or mid.
    #[error("the answer does not fit the offer: {0}")]
    AnswerMismatch(&'static str),
    /// The answer sets the audio section's port to 0.
    #[error("the peer rejected the audio section")]
    Rejected,
    /// The answer agrees to no payload type of the offer with that payload type's codec.
    #[error("the answer lists codecs ({answered}) that were not offered")]
    CodecNotOffered {
        /// The codecs the answer lists, separated by commas.
        answered: String,
    },
    /// The answer does not say who starts DTLS.
    #[error("the answer must say a=setup:active or a=setup:passive")]
    UndecidedSetup,
}

impl Error {
    /// Whether the description is well-formed but asks for something that is not served here.
    ///
    /// An HTTP server answers 406 (Not Acceptable) if true and 400 (Bad Request) if false.
    #[must_use]
    pub fn is_unacceptable(&self) -> bool {
        match self {
            Self::NoAudio
            | Self::AudioDisabled
            | Self::NotReceiving(_)
            | Self::UnprotectedMedia(_)
            | Self::NoCommonCodec { .. }
            | Self::MaxptimeTooShort { .. }
            | Self::BothIceLite
            | Self::UnsupportedFingerprint { .. }
            | Self::Rejected => true,
            Self::TooLarge { .. }
            | Self::Malformed { .. }
            | Self::InvalidFingerprint(_)
            | Self::InvalidCandidate(_)
            | Self::InvalidSetup(_)
            | Self::MissingRtcpMux
            | Self::MissingIceCredentials
            | Self::MissingFingerprint
            | Self::AnswerMismatch(_)
            | Self::CodecNotOffered { .. }
            | Self::UndecidedSetup => false,
        }
    }
}

/// The beginning of a peer's text, short enough to be quoted.
pub(crate) fn excerpt(text: &str) -> String {
    text.chars().take(EXCERPT_CHARS).collect()
}

const EXCERPT_CHARS: usize = 80;
