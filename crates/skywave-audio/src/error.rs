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
    #[error("{}: not a whole audio file of a known format (WAV, AIFF, FLAC, MP3, AAC, MP4 or Ogg)", path.display())]
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
    /// The Opus encoder refused its settings or a frame.
    #[error("Opus encoder: {0}")]
    Opus(String),
    /// The resampler refused its settings or a block.
    #[error("resampler: {0}")]
    Resampler(String),
}
