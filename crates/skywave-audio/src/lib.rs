//! Audio sources, encoders and the arithmetic of the RTP clock.
//!
//! What lies between "here is some audio" and "here is the payload of the packet
//! due now": sources of 48 kHz stereo ([`AudioSource`]), the player that turns
//! them into whole frames ([`SourcePlayer`]), the clock that says how much of them
//! is due when ([`FrameClock`]), what collects and encodes it packet by packet
//! ([`PacketEncoder`]), and the level of a packet ([`audio_level`]).
//!
//! Audio that a program has in another format goes through a [`PcmConverter`].
//!
//! It knows no network and no RTP header. Nothing in it reads a clock or waits;
//! only [`FileSource`], [`Playlist`], [`PcmReader`] and [`Prefetched`] have a thread each, which
//! reads ahead.
//!
//! ```
//! use skywave_audio::{
//!     Encoder, Encoding, OpusOptions, Packetization, Ptime, SourcePlayer, Tone,
//! };
//!
//! let mut player = SourcePlayer::new();
//! player.replace(Some(Box::new(Tone::new(440.0)?)));
//! let packetization = Packetization::new(Encoding::OPUS_STEREO, Ptime::Ms20);
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
mod contained_source;
mod container;
mod containment;
mod decoder;
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
mod gain;
#[cfg(test)]
mod goertzel;
#[cfg(test)]
mod level;
mod melody;
#[cfg(feature = "microphone")]
mod microphone;
mod mixer;
mod narrowband;
mod opus_bandwidth;
mod opus_bitrate;
mod opus_complexity;
mod opus_decoder;
mod opus_encoder;
mod opus_file;
mod opus_options;
mod opus_reader;
mod opus_receiver;
mod packet_encoder;
mod packet_grid;
mod packetization;
mod pcm_converter;
mod pcm_reader;
mod pcm_samples;
mod playback;
mod playback_queue;
mod playback_thread;
mod playlist;
mod playlist_files;
mod prefetch;
mod prefetched;
mod ptime;
mod ramp;
mod retired_source;
mod reverb;
mod sequence;
mod silence_gate;
mod silence_policy;
mod source;
mod source_player;
mod stream_decoder;
mod stream_resampler;
mod string_voice;
mod tone;
mod track_event;
mod voice;

pub use audio_level::{VoiceActivity, audio_level};
pub use codec::{AudioCodec, Encoding};
pub use contained_source::ContainedSource;
pub use containment::{contain, discard};
pub use encoded_frame::EncodedFrame;
pub use encoded_packet::EncodedPacket;
pub use encoded_source::{EncodedSource, EncodedSupply};
pub use encoder::Encoder;
pub use error::Error;
pub use file_source::FileSource;
pub use frame_clock::{FrameClock, rtp_timestamp};
pub use gain::{Gain, Volume};
pub use melody::Melody;
#[cfg(feature = "microphone")]
pub use microphone::Microphone;
pub use mixer::{Mixer, MixerInput, MixerInputs};
pub use opus_bandwidth::OpusBandwidth;
pub use opus_bitrate::OpusBitrate;
pub use opus_complexity::OpusComplexity;
pub use opus_file::OpusFile;
pub use opus_options::{ExpectedLoss, OpusApplication, OpusOptions, OpusRateControl, OpusSignal};
pub use opus_receiver::OpusReceiver;
pub use packet_encoder::PacketEncoder;
pub use packet_grid::PacketGrid;
pub use packetization::{EncoderSettings, Packetization};
pub use pcm_converter::PcmConverter;
pub use pcm_reader::{PcmFormat, PcmReader, PcmSample};
pub use pcm_samples::PcmSamples;
pub use playback::{PlaybackControl, Repeat};
pub use playlist::{Playlist, PlaylistEvent};
pub use playlist_files::{playlist_entries, playlist_files};
pub use prefetched::Prefetched;
pub use ptime::Ptime;
pub use retired_source::RetiredSource;
pub use sequence::Sequence;
pub use silence_policy::SilencePolicy;
pub use source::{AudioSource, Silence};
pub use source_player::{SourcePlayer, Supply};
pub use stream_decoder::StreamDecoder;
pub use tone::Tone;
pub use track_event::TrackEvent;

/// Samples a second and channel of all audio here.
pub const SAMPLE_RATE: u32 = 48_000;

// Tracks move between worker threads.
const _: () = {
    const fn assert_send<T: Send>() {}
    assert_send::<PacketEncoder>();
    assert_send::<SourcePlayer>();
    assert_send::<FileSource>();
    assert_send::<PcmConverter>();
    assert_send::<PcmReader>();
    assert_send::<Prefetched>();
    assert_send::<Playlist>();
    assert_send::<Sequence>();
    assert_send::<Mixer>();
    assert_send::<MixerInputs>();
    assert_send::<StreamDecoder>();
    #[cfg(feature = "microphone")]
    assert_send::<Microphone>();
};
