//! What can go wrong, with the offending value.

use std::io;
use std::path::PathBuf;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A tone outside 20 Hz to 20 kHz.
    #[error("a tone of {0} Hz is outside 20 Hz to 20,000 Hz")]
    Frequency(f64),
    /// A complexity of Opus beyond 10.
    #[error("an Opus complexity of {0} is outside 0 to 10")]
    Complexity(u8),
    /// A bit rate that Opus has not.
    #[error("an Opus bit rate of {0} bit/s is outside 6,000 to 510,000")]
    Bitrate(u32),
    /// A share of lost packets beyond 100 %.
    #[error("an expected loss of {0} % is outside 0 to 100")]
    ExpectedLoss(u8),
    /// The file cannot be opened or read.
    #[error("{}: {cause}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        #[source]
        cause: io::Error,
    },
    /// The content is no audio format known here, or breaks off before any audio.
    #[error("{}: not a whole audio file of a known format (WAV, AIFF, FLAC, MP3, AAC, MP4, Ogg, WebM or Matroska)", path.display())]
    NotAudio {
        /// The file.
        path: PathBuf,
    },
    /// An audio file that cannot be decoded here.
    #[error("{}: {what} is not supported", path.display())]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// What is not supported: a codec, a sample rate, a number of channels.
        what: String,
    },
    /// A known format, but broken.
    #[error("{}: damaged: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What the decoder found wrong.
        reason: String,
    },
    /// A readable audio file without audio, or with less than 240 samples of it.
    #[error("{}: holds no audio, or too little to play", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// Raw PCM of a rate or a number of channels that cannot be.
    #[error("raw PCM of {} channels at {} Hz: 1 to 64 channels at 1,000 to 768,000 Hz can be read", .0.channels, .0.rate)]
    PcmFormat(crate::PcmFormat),
    /// All places of a mixer are taken, or the mixer is gone.
    #[error("the mixer is gone, or all its {limit} places are taken")]
    MixerFull {
        /// The limit.
        limit: usize,
    },
    /// The microphone cannot be had.
    #[cfg(feature = "microphone")]
    #[error("microphone: {0}")]
    Microphone(String),
    /// A list without files.
    #[error("the list has no files")]
    EmptyPlaylist,
    /// The thread that reads ahead could not be started.
    #[error("cannot start the reading thread")]
    Thread(#[source] io::Error),
    /// A packet to encode that has not the samples of its length.
    #[error("a packet of {samples} samples instead of {expected}")]
    PacketLength {
        /// Samples given.
        samples: usize,
        /// Those of a packet of this encoder.
        expected: usize,
    },
    /// What was given as an encoded packet cannot be sent as one.
    #[error("not a packet that can be sent: {0}")]
    EncodedPacket(&'static str),
    /// The Opus encoder refused its settings or a frame.
    #[error("Opus encoder: {0}")]
    Opus(String),
    /// The resampler refused its settings or a block.
    #[error("resampler: {0}")]
    Resampler(String),
    /// Pushed audio of a rate outside 8 to 192 kHz.
    #[error("audio of {0} Hz cannot be converted, only of 8,000 to 192,000 Hz")]
    SampleRate(u32),
    /// Pushed audio of no channel, or of more than 8.
    #[error("{0} channels cannot be converted, only 1 to 8")]
    Channels(u16),
    /// Pushed audio that ends within a sample.
    #[error("{values} values are no whole samples of {channels} channels")]
    PartialSample {
        /// Values given.
        values: usize,
        /// Channels that each sample has.
        channels: u16,
    },
}
