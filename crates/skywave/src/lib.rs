//! Sends live audio to browsers and other WebRTC peers.
//!
//! An [`AudioTransmitter`] sets up a send-only audio connection with one peer, paces and encodes
//! an [`AudioSource`], sends it, and lets the source be replaced while it plays. For many
//! listeners of one source bind an [`Engine`], make an [`AudioTrack`], and ask for a transmitter
//! a listener: everything is encoded once and sent from one port.
//!
//! What a program makes itself, a voice agent's speech above all, goes through a [`SpeechQueue`].
//!
//! It sends only: no audio is received, no video, no data channels. It is ICE-lite: it must be
//! reachable from its peers, and uses neither STUN nor TURN servers. Signalling, the way of
//! offer and answer between the two ends, is the application's; `skywave-whip` has WHEP.
//!
//! ```
//! use skywave::{AudioTransmitter, Config, Tone};
//!
//! # fn send_to_peer(_: String) {}
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut transmitter = AudioTransmitter::new(Config::default())?;
//! transmitter.start_transmission(Tone::new(440.0)?);
//! send_to_peer(transmitter.create_offer()?);
//! // transmitter.accept_answer(&answer_of_peer)?;
//! // transmitter.connected().await?;
//! transmitter.replace_audio_source(Tone::new(880.0)?); // live, nothing is renegotiated
//! println!("{} packets", transmitter.transmission_stats().packets_sent);
//! # Ok(())
//! # }
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod addresses;
mod admission;
mod audience;
mod audio_energy;
mod audio_track;
mod breather;
mod coalescing;
mod config;
mod counter;
mod delivery;
mod disposal;
mod encoded_inlet;
mod encoded_track;
mod encoder_deadlines;
mod encoding_table;
mod engine;
mod error;
mod fan_out;
mod fec_response;
mod lateness;
mod listener_counters;
mod listening_quality;
mod loss_distribution;
mod mailbox;
mod media_thread;
mod negotiation;
mod overload;
mod patience;
mod playing;
mod playing_encoded_track;
mod playing_track;
mod poll;
mod port_counters;
mod queue;
mod scheduling;
mod seat;
mod session_counters;
mod shard;
mod slow_reads;
mod speech;
mod state_change;
mod stats;
mod status;
mod track_encodings;
mod track_events;
mod track_worker;
mod track_workers;
mod transmitter;
mod udp;
mod waker;
mod wall_clock;

pub use audio_track::AudioTrack;
pub use config::{Config, EngineConfig, RtpConfig, TrackConfig};
pub use encoded_track::{EncodedTrack, EncodedTrackConfig};
pub use engine::Engine;
pub use error::Error;
pub use lateness::{Lateness, LatenessHistogram};
pub use scheduling::Scheduling;
#[cfg(feature = "microphone")]
pub use skywave_audio::Microphone;
pub use skywave_audio::{
    AudioCodec, AudioSource, EncodedPacket, EncodedSource, EncodedSupply, Error as AudioError,
    ExpectedLoss, FileSource, Gain, Melody, Mixer, MixerInput, MixerInputs, OpusApplication,
    OpusBandwidth, OpusBitrate, OpusComplexity, OpusFile, OpusOptions, OpusRateControl, OpusSignal,
    PcmConverter, PcmFormat, PcmReader, PcmSample, PcmSamples, PlaybackControl, Playlist,
    PlaylistEvent, Prefetched, Ptime, Repeat, RetiredSource, Sequence, Silence, SilencePolicy,
    Tone, TrackEvent, Volume, playlist_files,
};
pub use skywave_dtls::Error as DtlsError;
pub use skywave_peer::{CloseReason, DistributionSnapshot, FailureReason, Limits, TotalsSnapshot};
pub use skywave_sdp::Error as DescriptionError;
pub use skywave_sdp::IceCredentials;
pub use speech::{SpeechEvent, SpeechPosition, SpeechQueue, SpeechQueueConfig, SpeechSource};
pub use state_change::{StateChange, StateChanges, StateReason};
pub use stats::{
    AudioCodecCapability, EncodingStats, EngineStats, ShardStats, TrackStats, TransmissionStats,
};
pub use stats::{
    CandidatePairStats, CertificateStats, CodecStats, DtlsRole, DtlsState, IceCandidateStats,
    IceRole, IceState, MediaSourceStats, OutboundRtpStats, PeerConnectionStats,
    RemoteInboundRtpStats, Stats, StatsReport, TransportStats,
};
pub use status::TransmitterState;
pub use track_events::TrackEvents;
pub use transmitter::AudioTransmitter;

/// The examples of the README, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
