//! Statistics, with the names and units of the W3C's webrtc-stats where it has them.

mod candidate_pair;
mod certificate;
mod codec;
mod ice_candidate;
mod media_source;
mod outbound_rtp;
mod peer_connection;
mod remote_inbound_rtp;
mod report;
mod transport;

use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde::Serialize;
use skywave_audio::EncoderSettings;
use skywave_peer::TotalsSnapshot;

use crate::lateness::Lateness;
use crate::scheduling::Scheduling;
use crate::status::TransmitterState;

pub use candidate_pair::CandidatePairStats;
pub use certificate::CertificateStats;
pub use codec::CodecStats;
pub use ice_candidate::IceCandidateStats;
pub use media_source::MediaSourceStats;
pub use outbound_rtp::OutboundRtpStats;
pub use peer_connection::PeerConnectionStats;
pub use remote_inbound_rtp::RemoteInboundRtpStats;
pub use report::{Stats, StatsReport};
pub use transport::{DtlsRole, DtlsState, IceRole, IceState, TransportStats};

/// What one transmitter sent and what its listener reports, all totals since it began.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TransmissionStats {
    /// The state of the connection.
    pub state: TransmitterState,
    /// Why it failed or was closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The stream.
    pub ssrc: u32,
    /// The `mid` of the section, once negotiated.
    pub mid: Option<String>,
    /// The codec, once negotiated: `audio/opus`.
    pub mime_type: Option<&'static str>,
    /// Its payload type.
    pub payload_type: Option<u8>,
    /// Its RTP clock in Hz.
    pub clock_rate: Option<u32>,
    /// RTP packets sent: handed to the kernel, which may refuse some in distress
    /// ([`EngineStats::sends_refused`]).
    pub packets_sent: u64,
    /// Payload octets sent in them, without headers, padding and authentication tags.
    pub bytes_sent: u64,
    /// Header octets sent in them, header extensions included.
    pub header_bytes_sent: u64,
    /// Packets of these that were sent once more at the listener's request.
    pub retransmitted_packets_sent: u64,
    /// Payload octets in them.
    pub retransmitted_bytes_sent: u64,
    /// Payload octets that repeat earlier frames (RED).
    pub redundant_bytes_sent: u64,
    /// How long after it was due the latest packet was handed to the kernel, in seconds.
    pub max_lateness: f64,
    /// Requests for lost packets received (Generic NACK).
    pub nack_count: u64,
    /// What the path can carry by the listener's estimate, in bit/s.
    pub available_outgoing_bitrate: Option<u64>,
    /// The limit that the listener asked for, in bit/s.
    pub max_bitrate: Option<u64>,
    /// RTCP compounds sent.
    pub rtcp_packets_sent: u64,
    /// Reports about this stream received.
    pub reports_received: u64,
    /// Packets lost by the listener's last report; negative if duplicates outnumber losses.
    pub packets_lost: i64,
    /// Share lost between its last two reports, 0 to 1.
    pub fraction_lost: f64,
    /// Interarrival jitter by its last report, in seconds.
    pub jitter: f64,
    /// The last round-trip time measured, in seconds.
    pub round_trip_time: Option<f64>,
    /// The sum of all measured, in seconds.
    pub total_round_trip_time: f64,
    /// How many were measured.
    pub round_trip_time_measurements: u64,
    /// How the listener would rate what it hears, 1 (bad) to 4.4, estimated from its last report by
    /// the E-model (ITU-T G.107): for speech, and without regard to redundancy. Absent before the
    /// first report.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimated_mos: Option<f64>,
    /// Where media goes.
    pub remote_address: Option<SocketAddr>,
    /// The protection of media, as `AEAD_AES_128_GCM`.
    pub srtp_cipher: Option<&'static str>,
    /// The DTLS version in hexadecimal, `FEFD` for 1.2, `FEFC` for 1.3.
    pub tls_version: Option<&'static str>,
}

/// Numbers of a whole engine.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EngineStats {
    /// Transmitters, connected or not.
    pub transmitters: usize,
    /// Those of them that negotiate or shake hands.
    pub handshakes: usize,
    /// Datagrams that the kernel did not take.
    pub sends_refused: u64,
    /// Frames left out for all listeners because one before was far behind its time. Those that
    /// a media thread was too busy to take at all are in [`TrackStats::frames_dropped`].
    pub frames_dropped: u64,
    /// Times that packets were handed to the kernel a slot (1 ms) or more after they were due.
    /// They went at once then, and nothing after them is late for it.
    pub slots_late: u64,
    /// How long after they were due packets were handed to the kernel: from the time that their
    /// frame, or the slot of their part of the audience, was due.
    pub lateness: Lateness,
    /// Sessions in which media began to flow.
    pub connected: u64,
    /// Sessions that ended, by reason: who hung up, or what failed.
    pub ended: BTreeMap<&'static str, u64>,
    /// What all transmitters sent and their listeners reported, those that are gone included; some
    /// seconds old at most. Nothing in it goes down. Not serialised.
    #[serde(skip)]
    pub totals: TotalsSnapshot,
    /// Datagrams received and not used, by reason.
    pub dropped: BTreeMap<&'static str, u64>,
    /// Each media port and its thread.
    pub shards: Vec<ShardStats>,
}

/// Numbers of one media port and its thread.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ShardStats {
    /// Transmitters of this port, connected or not.
    pub transmitters: usize,
    /// How the system lets its thread run.
    pub scheduling: Scheduling,
    /// Bytes of the smallest receive buffer of its sockets, as the system granted it.
    pub receive_buffer: usize,
    /// Bytes of the smallest send buffer.
    pub send_buffer: usize,
    /// As [`EngineStats::lateness`].
    pub lateness: Lateness,
}

/// Numbers of one track.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TrackStats {
    /// Frames read from the source, each up to the next boundary between packets of any length
    /// that is listened to.
    pub frames: u64,
    /// Frames of [`TrackConfig::ptime`](crate::TrackConfig::ptime) left out because the encoder
    /// thread came a whole frame too late, or later than
    /// [`TrackConfig::max_catch_up`](crate::TrackConfig::max_catch_up) if that is more; a part of
    /// one counts as one. Their time is skipped, and with it all packets that have a part in it.
    pub frames_skipped: u64,
    /// Encoded frames that nobody got because the media thread was too busy to take them.
    pub frames_dropped: u64,
    /// Samples of silence, of 48,000 a second, played because a living source had nothing ready.
    pub underrun_samples: u64,
    /// Sources that panicked.
    pub source_panics: u64,
    /// How often a source was put in or taken out, as far as it came to be played.
    pub swaps: u64,
    /// Times that reading took [`TrackConfig::slow_read`](crate::TrackConfig::slow_read) or more.
    pub slow_reads: u64,
    /// Frames that an encoder refused.
    pub encoder_errors: u64,
    /// Encoders that run now: one for each encoding and length of packets that is listened to.
    /// [`AudioTrack::encodings`](crate::AudioTrack::encodings) has the details.
    pub encodings: u64,
    /// Whether the source has come to its end, so that silence is sent or the fallback plays.
    pub ended: bool,
    /// Whether a source plays now, or the fallback of one that has ended.
    pub playing: bool,
    /// The share of packets that each of the worst tenth of the listeners reports lost at least,
    /// 0 to 1, in steps of a few per cent.
    pub worst_decile_loss: f64,
    /// How long after they were due frames had been encoded.
    pub lateness: Lateness,
}

/// One way in which a track is encoded now.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EncodingStats {
    /// The codec: `audio/opus`.
    pub mime_type: &'static str,
    /// Channels that are encoded; if packets of Opus come encoded, 2 at most.
    pub channels: u8,
    /// How much a packet carries, in milliseconds; if it comes encoded, at most.
    pub ptime: f64,
    /// The bit rate of the payload in bit/s: what the encoder is set to. None if packets come
    /// encoded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bitrate: Option<u32>,
    /// Connected listeners that get it.
    pub listeners: u64,
}

impl EncodingStats {
    pub(crate) fn new(settings: &EncoderSettings, listeners: u64) -> Self {
        Self {
            mime_type: settings.codec().mime_type(),
            channels: settings.channels(),
            ptime: settings.ptime().duration().as_secs_f64() * 1_000.0,
            bitrate: Some(settings.bit_rate()),
            listeners,
        }
    }
}

/// A codec that can be sent.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AudioCodecCapability {
    /// As `audio/opus`.
    pub mime_type: &'static str,
    /// RTP clock in Hz.
    pub clock_rate: u32,
    /// Channels in the `rtpmap`.
    pub channels: u8,
    /// The format parameters that are offered, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sdp_fmtp_line: Option<&'static str>,
}
