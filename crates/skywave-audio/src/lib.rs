//! Audio sources, encoders and the arithmetic of the RTP clock.
//!
//! What lies between "here is some audio" and "here is the payload of the packet
//! due now": sources of 48 kHz stereo ([`AudioSource`]), the player that turns
//! them into whole frames ([`SourcePlayer`]), the level of a frame
//! ([`audio_level`]), encoders ([`Encoder`]) and the clock ([`FrameClock`]).
//!
//! It knows no network and no RTP header. Nothing in it reads a clock or waits;
//! only [`FileSource`] and [`PcmReader`] have a thread each, which reads ahead.
//!
//! ```
//! use skywave_audio::{Encoder, Encoding, FRAME_SAMPLES, SourcePlayer, Tone};
//!
//! let mut player = SourcePlayer::new();
//! player.replace(Some(Box::new(Tone::new(440.0)?)));
//! let mut encoder = Encoder::new(Encoding::OpusStereo)?;
//!
//! let mut pcm = [[0.0; 2]; FRAME_SAMPLES];
//! player.read(&mut pcm);
//! let mut payload = Vec::new();
//! let level = encoder.encode(&pcm, &mut payload)?;
//! assert!(!payload.is_empty());
//! assert!(level < 20, "-{level} dBov");
//! # Ok::<(), skywave_audio::Error>(())
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod audio_level;
mod codec;
mod downmix;
mod encoded_frame;
mod encoder;
mod error;
mod file_decoder;
mod file_source;
mod frame_clock;
mod g711;
#[cfg(test)]
mod goertzel;
mod melody;
mod narrowband;
mod opus_decoder;
mod opus_encoder;
mod pcm_reader;
mod prefetch;
mod resampler;
mod reverb;
mod source;
mod source_player;
mod string_voice;
mod tone;

pub use audio_level::{VoiceActivity, audio_level};
pub use codec::{AudioCodec, Encoding};
pub use encoded_frame::EncodedFrame;
pub use encoder::Encoder;
pub use error::Error;
pub use file_source::FileSource;
pub use frame_clock::FrameClock;
pub use melody::Melody;
pub use pcm_reader::PcmReader;
pub use source::{AudioSource, Silence};
pub use source_player::{SourcePlayer, Supply};
pub use tone::Tone;

/// Samples a second and channel of all audio here.
pub const SAMPLE_RATE: u32 = 48_000;

/// Samples of a frame: 20 ms.
pub const FRAME_SAMPLES: usize = 960;

// Tracks move between worker threads.
const _: () = {
    const fn assert_send<T: Send>() {}
    assert_send::<Encoder>();
    assert_send::<SourcePlayer>();
    assert_send::<FileSource>();
    assert_send::<PcmReader>();
};
