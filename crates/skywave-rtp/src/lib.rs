//! RTP for one audio sender: packets with their counters, header extensions, and RTCP.
//!
//! Pure arithmetic on bytes. The caller brings buffers, time and random numbers; nothing here
//! opens a socket, reads a clock, or allocates per packet.
//!
//! | what | type | standard |
//! |---|---|---|
//! | the frames of a stream, shared by its listeners | [`OwnedFrame`], [`History`] | |
//! | one frame into one RTP packet, counted; the same packet once more | [`Packetizer`], [`Counters`] | RFC 3550 §5.1, RFC 3551 §4.1 |
//! | media identification, audio level, times and numbers of packets | [`ExtensionIds`], [`Mid`], [`Departure`] | RFC 9143 §15, RFC 6464, RFC 8285 |
//! | frames repeated in later packets | [`Packing::Red`], [`RedBlocks`] | RFC 2198 |
//! | what may be retransmitted, and its own stream | [`SentLog`], [`RtxPacketizer`] | RFC 4585 §6.2.1, RFC 4588 |
//! | digits in place of audio | [`ToneSender`], [`TelephoneEvent`] | RFC 4733, RFC 7874 §3 |
//! | what a pause sounds like | [`ComfortNoise`] | RFC 3389 |
//! | a checked view of a received packet | [`RtpPacket`], [`HeaderExtension`] | RFC 3550 §5.1, RFC 8285 |
//! | reports, answers and farewell to send | [`CompoundReport`], [`Replies`], [`SenderActivity`] | RFC 3550 §6.1-6.6, RFC 5104, RFC 3611, RFC 5506 |
//! | when to report | [`ReportTimer`], [`ReportInterval`] | RFC 3550 §6.2, §6.3 |
//! | reports received | [`RtcpReader`], [`RtcpPacket`], [`ReportBlock`] | RFC 3550 §6, RFC 5506 |
//! | feedback received | [`Nack`], [`TransportCc`], [`Remb`], [`Tmmb`], [`ExtendedReport`] | RFC 4585, RFC 5104, RFC 3611 |
//! | when to stop sending | [`CircuitBreaker`] | RFC 8083 |
//!
//! It does **not** encrypt (see SRTP), or control a bit rate: what
//! the remote asks and reports is read, to act on it is the caller's.
//!
//! ```
//! use std::sync::Arc;
//! use skywave_rtp::{
//!     Counters, Departure, ExtensionIds, History, NtpTime, OwnedFrame, Packetizer,
//!     PacketizerConfig, Packing, RtpPacket,
//! };
//!
//! let counters = Arc::new(Counters::default());
//! let config = PacketizerConfig {
//!     ssrc: 0x1234_5678,
//!     payload_type: 111,
//!     comfort_noise: None,
//!     first_sequence_number: 4711, // drawn at random by the caller
//!     timestamp_offset: 90_210,    // likewise
//!     extensions: ExtensionIds { audio_level: Some(1), ..ExtensionIds::default() },
//! };
//! let mut packetizer = Packetizer::new(config, Arc::clone(&counters))?;
//!
//! let mut history = History::default();
//! let number = history.push(OwnedFrame {
//!     payload: [0xf8, 0xff, 0xfe].into(),
//!     comfort_noise: false,
//!     timestamp: 960,
//!     duration: 960,
//!     marker: false,
//!     audio_level: 30,
//!     voice: true,
//!     captured: NtpTime(0), // of no interest to this listener
//! });
//!
//! let departure = Departure { time: NtpTime(0), transport_number: 0 }; // likewise
//! let mut buffer = [0; 1500];
//! let written = packetizer.write(&history, number, Packing::Plain, departure, &mut buffer)?;
//!
//! let packet = RtpPacket::parse(&buffer[..written.len]).expect("what was written can be read");
//! assert_eq!(packet.timestamp(), 91_170);
//! assert_eq!(packet.payload(), [0xf8, 0xff, 0xfe]);
//! assert_eq!(counters.packets_sent(), 1);
//! # Ok::<(), skywave_rtp::Error>(())
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod body;
mod bye;
mod circuit_breaker;
mod comfort_noise;
mod compound_report;
mod counters;
mod counters_snapshot;
mod departure;
mod error;
mod extended_report;
mod extension_ids;
mod header_extension;
mod header_template;
mod history;
mod malformed;
mod mid;
mod nack;
mod ntp_time;
mod octets;
mod owned_frame;
mod packetizer;
mod packetizer_config;
mod packing;
mod red_blocks;
mod red_payload;
mod remb;
mod replies;
mod report_block;
mod report_interval;
mod report_timer;
mod round_trip_time;
mod rtcp_header;
mod rtcp_packet;
mod rtcp_reader;
mod rtp_packet;
mod rtp_timestamp;
mod rtx_packetizer;
mod sender_activity;
mod sender_info;
mod sent_log;
mod sent_packet;
mod source_description;
mod split_mix;
mod tcp_throughput;
mod telephone_event;
mod tmmb;
mod tone;
mod tone_sender;
mod transport_cc;
mod written;

pub use bye::{Bye, Ssrcs};
pub use circuit_breaker::{CircuitBreaker, CircuitBreakerConfig, Trip};
pub use comfort_noise::ComfortNoise;
pub use compound_report::{CompoundReport, RtxSource};
pub use counters::Counters;
pub use counters_snapshot::CountersSnapshot;
pub use departure::Departure;
pub use error::Error;
pub use extended_report::{Dlrr, DlrrBlocks, ExtendedReport};
pub use extension_ids::ExtensionIds;
pub use header_extension::{HeaderExtension, HeaderExtensions};
pub use header_template::MAX_HEADER_LEN;
pub use history::History;
pub use malformed::Malformed;
pub use mid::Mid;
pub use nack::{LostPackets, Nack};
pub use ntp_time::NtpTime;
pub use owned_frame::OwnedFrame;
pub use packetizer::Packetizer;
pub use packetizer_config::PacketizerConfig;
pub use packing::Packing;
pub use red_blocks::{RedBlock, RedBlocks};
pub use remb::Remb;
pub use replies::Replies;
pub use report_block::{ReportBlock, ReportBlocks};
pub use report_interval::ReportInterval;
pub use report_timer::ReportTimer;
pub use round_trip_time::round_trip_time;
pub use rtcp_packet::{RtcpPacket, is_rtcp};
pub use rtcp_reader::RtcpReader;
pub use rtp_packet::RtpPacket;
pub use rtp_timestamp::rtp_timestamp_at;
pub use rtx_packetizer::{RtxConfig, RtxPacketizer};
pub use sender_activity::SenderActivity;
pub use sender_info::SenderInfo;
pub use sent_log::{Refusal, Refusals, SentLog};
pub use sent_packet::SentPacket;
pub use source_description::{SdesChunk, SdesChunks, SdesItem, SdesItems, SourceDescription};
pub use split_mix::SplitMix;
pub use tcp_throughput::TcpThroughput;
pub use telephone_event::TelephoneEvent;
pub use tmmb::{Tmmb, TmmbEntries, TmmbEntry};
pub use tone::TonePacket;
pub use tone_sender::ToneSender;
pub use transport_cc::{PacketStatuses, TransportCc};
pub use written::Written;
