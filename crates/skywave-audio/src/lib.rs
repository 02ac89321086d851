//! Audio sources, encoders and the arithmetic of the RTP clock.
//!
//! What lies between "here is some audio" and "here is the payload of the packet
//! due now": sources of 48 kHz stereo ([`AudioSource`]), the player that turns
//! them into whole frames ([`SourcePlayer`]), the clock that says how much of them
//! is due when ([`FrameClock`]), what collects and encodes it packet by packet
//! ([`PacketEncoder`]), and the level of a packet ([`audio_level`]).
//!
//! It knows no network and no RTP header. Nothing in it reads a clock or waits;
//! only [`FileSource`] and [`PcmReader`] have a thread each, which reads ahead.
//!
//! ```
//! use skywave_audio::{
//!     Encoder, Encoding, OpusOptions, Packetization, Ptime, SourcePlayer, Tone,
//! };
//!
//! let mut player = SourcePlayer::new();
//! player.replace(Some(Box::new(Tone::new(440.0)?)));
//! let packetization = Packetization {
//!     encoding: Encoding::OPUS_STEREO,
//!     ptime: Ptime::Ms20,
//! };
//! let mut encoder = Encoder::new(packetization.settings(OpusOptions::default()))?;
//!
//! let mut pcm = [[0.0; 2]; Ptime::Ms20.samples()];
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
mod encoded_packet;
mod encoded_source;
mod encoder;
mod error;
mod file_decoder;
mod file_source;
mod frame_clock;
mod g711;
mod g722;
#[cfg(test)]
mod goertzel;
mod melody;
mod narrowband;
mod opus_bandwidth;
mod opus_bitrate;
mod opus_complexity;
mod opus_decoder;
mod opus_encoder;
mod opus_file;
mod opus_options;
mod opus_receiver;
mod packet_encoder;
mod packet_grid;
mod packetization;
mod pcm_reader;
mod prefetch;
mod ptime;
mod resampler;
mod reverb;
mod source;
mod source_player;
mod string_voice;
mod tone;

pub use audio_level::{VoiceActivity, audio_level};
pub use codec::{AudioCodec, Encoding};
pub use encoded_frame::EncodedFrame;
pub use encoded_packet::EncodedPacket;
pub use encoded_source::{EncodedSource, EncodedSupply};
pub use encoder::Encoder;
pub use error::Error;
pub use file_source::FileSource;
pub use frame_clock::{FrameClock, rtp_timestamp};
pub use melody::Melody;
pub use opus_bandwidth::OpusBandwidth;
pub use opus_bitrate::OpusBitrate;
pub use opus_complexity::OpusComplexity;
pub use opus_file::OpusFile;
pub use opus_options::{ExpectedLoss, OpusApplication, OpusOptions, OpusRateControl, OpusSignal};
pub use opus_receiver::OpusReceiver;
pub use packet_encoder::PacketEncoder;
pub use packet_grid::PacketGrid;
pub use packetization::{EncoderSettings, Packetization};
pub use pcm_reader::PcmReader;
pub use ptime::Ptime;
pub use source::{AudioSource, Silence};
pub use source_player::{SourcePlayer, Supply};
pub use tone::Tone;

/// Samples a second and channel of all audio here.
pub const SAMPLE_RATE: u32 = 48_000;

// Tracks move between worker threads.
const _: () = {
    const fn assert_send<T: Send>() {}
    assert_send::<PacketEncoder>();
    assert_send::<SourcePlayer>();
    assert_send::<FileSource>();
    assert_send::<PcmReader>();
};
