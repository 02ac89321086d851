//! What the counters of one listener said at one moment.

use std::time::Duration;

use crate::NtpTime;

/// All counters of one listener at one moment. The fields are as the accessors of
/// [`Counters`](crate::Counters) say that have their names.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct CountersSnapshot {
    /// RTP packets sent, retransmissions included.
    pub packets_sent: u64,
    /// Payload octets sent, retransmissions included.
    pub bytes_sent: u64,
    /// Octets of RTP header sent, header extensions included.
    pub header_bytes_sent: u64,
    /// Packets sent once more.
    pub retransmitted_packets_sent: u64,
    /// Payload octets sent once more.
    pub retransmitted_bytes_sent: u64,
    /// Octets of frames repeated in RED packets.
    pub redundant_bytes_sent: u64,
    /// How long after its time the latest packet left.
    pub max_lateness: Duration,
    /// Generic NACK messages received.
    pub nack_count: u64,
    /// What the path can carry by the remote's last estimate, in bit/s.
    pub bandwidth_estimate: Option<u64>,
    /// RTCP datagrams sent.
    pub rtcp_packets_sent: u64,
    /// Octets of RTCP sent, before SRTCP.
    pub rtcp_bytes_sent: u64,
    /// Report blocks received; 0 means that what follows is not known.
    pub reports_received: u64,
    /// When the last of them arrived.
    pub last_report: Option<NtpTime>,
    /// The extended highest sequence number.
    pub highest_sequence: u32,
    /// Share of packets lost between the last two reports, 0 to 1.
    pub fraction_lost: f64,
    /// Packets lost; may be negative.
    pub packets_lost: i64,
    /// Interarrival jitter in units of the RTP clock.
    pub jitter: u32,
    /// The last round-trip time measured.
    pub round_trip_time: Option<Duration>,
    /// Sum of all round-trip times measured.
    pub total_round_trip_time: Duration,
    /// How many were measured.
    pub round_trip_time_measurements: u64,
}

impl CountersSnapshot {
    /// Interarrival jitter in seconds, for a stream of `clock_rate` Hz; 0 if that is 0.
    pub fn jitter_seconds(&self, clock_rate: u32) -> f64 {
        jitter_seconds(self.jitter, clock_rate)
    }
}

pub(crate) fn jitter_seconds(jitter: u32, clock_rate: u32) -> f64 {
    if clock_rate == 0 {
        return 0.0;
    }
    f64::from(jitter) / f64::from(clock_rate)
}
