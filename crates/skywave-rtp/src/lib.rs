//! RTP for one audio sender: packets with their counters, header extensions, and RTCP.
//!
//! Pure arithmetic on bytes. The caller brings buffers, time and random numbers; nothing here
//! opens a socket, reads a clock, or allocates per packet.
//!
//! | what | type | standard |
//! |---|---|---|
//! | one frame into one RTP packet, counted | [`Packetizer`], [`Counters`] | RFC 3550 §5.1, RFC 3551 §4.1 |
//! | media identification, client-to-mixer audio level | [`Mid`], [`Frame`] | RFC 9143 §15, RFC 6464, RFC 8285 |
//! | a checked view of a received packet | [`RtpPacket`], [`HeaderExtension`] | RFC 3550 §5.1, RFC 8285 |
//! | reports and farewell to send | [`CompoundReport`], [`SenderActivity`], [`report_interval`] | RFC 3550 §6.1-6.6 |
//! | reports received | [`RtcpReader`], [`RtcpPacket`], [`ReportBlock`] | RFC 3550 §6, RFC 5506 |
//!
//! It does **not** encrypt (see SRTP), retransmit, add redundancy, or read feedback messages
//! (RFC 4585): those come out of the reader as [`RtcpPacket::Unknown`] with their body.
//!
//! ```
//! use std::sync::Arc;
//! use skywave_rtp::{Counters, Frame, Packetizer, PacketizerConfig, RtpPacket};
//!
//! let counters = Arc::new(Counters::default());
//! let config = PacketizerConfig {
//!     ssrc: 0x1234_5678,
//!     payload_type: 111,
//!     first_sequence_number: 4711, // drawn at random by the caller
//!     timestamp_offset: 90_210,    // likewise
//!     mid: None,
//!     audio_level: Some(1),
//! };
//! let mut packetizer = Packetizer::new(config, Arc::clone(&counters))?;
//!
//! let frame = Frame { payload: &[0xf8, 0xff, 0xfe], timestamp: 960, marker: false, audio_level: 30, voice: true };
//! let mut buffer = [0; 1500];
//! let written = packetizer.write(&frame, &mut buffer)?;
//!
//! let packet = RtpPacket::parse(&buffer[..written.len]).expect("what was written can be read");
//! assert_eq!(packet.timestamp(), 91_170);
//! assert_eq!(packet.payload(), frame.payload);
//! assert_eq!(counters.packets_sent(), 1);
//! # Ok::<(), skywave_rtp::Error>(())
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod bye;
mod compound_report;
mod counters;
mod error;
mod frame;
mod header_extension;
mod malformed;
mod mid;
mod ntp_time;
mod octets;
mod packetizer;
mod report_block;
mod report_interval;
mod round_trip_time;
mod rtcp_packet;
mod rtcp_reader;
mod rtp_packet;
mod rtp_timestamp;
mod sender_activity;
mod sender_info;
mod source_description;

pub use bye::{Bye, Ssrcs};
pub use compound_report::CompoundReport;
pub use counters::{Counters, CountersSnapshot};
pub use error::Error;
pub use frame::Frame;
pub use header_extension::{HeaderExtension, HeaderExtensions};
pub use malformed::Malformed;
pub use mid::Mid;
pub use ntp_time::NtpTime;
pub use packetizer::{MAX_HEADER_LEN, Packetizer, PacketizerConfig, Written};
pub use report_block::{ReportBlock, ReportBlocks};
pub use report_interval::report_interval;
pub use round_trip_time::round_trip_time;
pub use rtcp_packet::{RtcpPacket, is_rtcp};
pub use rtcp_reader::RtcpReader;
pub use rtp_packet::RtpPacket;
pub use rtp_timestamp::rtp_timestamp_at;
pub use sender_activity::SenderActivity;
pub use sender_info::SenderInfo;
pub use source_description::{SdesChunk, SdesChunks, SdesItem, SdesItems, SourceDescription};
