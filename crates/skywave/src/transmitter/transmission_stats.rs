//! The figures of a transmitter in one plain structure.

use skywave_audio::AudioCodec;
use skywave_dtls::Version;

use super::{AudioTransmitter, Signaling};
use crate::state_change::StateReason;
use crate::stats::TransmissionStats;
use crate::status::Status;

impl AudioTransmitter {
    /// What was sent so far and how it arrived.
    pub fn transmission_stats(&self) -> TransmissionStats {
        let counters = self.counters.snapshot();
        let state = self.state();
        let status = self.status.borrow();
        let agreed = match &self.signaling {
            Signaling::Agreed(agreed) => Some(agreed),
            _ => None,
        };
        let codec = agreed.map(|agreed| agreed.codec);
        let clock_rate = codec.map(AudioCodec::clock_rate);
        let connection = status.connection.as_ref();
        TransmissionStats {
            reason: reason(&status),
            state,
            ssrc: status.ssrc.unwrap_or(self.local.ssrc),
            mid: agreed.and_then(|agreed| agreed.mid.clone()),
            mime_type: codec.map(AudioCodec::mime_type),
            payload_type: agreed.map(|agreed| agreed.payload_type),
            clock_rate,
            packets_sent: counters.packets_sent,
            bytes_sent: counters.bytes_sent,
            header_bytes_sent: counters.header_bytes_sent,
            retransmitted_packets_sent: counters.retransmitted_packets_sent,
            retransmitted_bytes_sent: counters.retransmitted_bytes_sent,
            redundant_bytes_sent: counters.redundant_bytes_sent,
            max_lateness: counters.max_lateness.as_secs_f64(),
            nack_count: counters.nack_count,
            available_outgoing_bitrate: counters.bandwidth_estimate,
            max_bitrate: status.max_bitrate,
            rtcp_packets_sent: counters.rtcp_packets_sent,
            reports_received: counters.reports_received,
            packets_lost: counters.packets_lost,
            fraction_lost: counters.fraction_lost,
            jitter: clock_rate.map_or(0.0, |rate| self.counters.jitter_seconds(rate)),
            round_trip_time: counters.round_trip_time.map(|time| time.as_secs_f64()),
            total_round_trip_time: counters.total_round_trip_time.as_secs_f64(),
            round_trip_time_measurements: counters.round_trip_time_measurements,
            estimated_mos: agreed.and_then(|agreed| agreed.estimated_mos(&counters)),
            remote_address: connection.map(|connection| connection.path.remote),
            srtp_cipher: connection.map(|connection| connection.profile.name()),
            tls_version: connection
                .and_then(|connection| connection.dtls_version)
                .map(tls_version),
        }
    }
}

fn reason(status: &Status) -> Option<String> {
    let closed = status.closed_by.map(StateReason::HungUp);
    let failed = status.failure.clone().map(StateReason::Failed);
    Some(failed.or(closed)?.to_string())
}

/// As the W3C's `tlsVersion`: four upper-case hexadecimal digits.
pub(super) fn tls_version(version: Version) -> &'static str {
    match version {
        Version::Dtls12 => "FEFD",
        Version::Dtls13 => "FEFC",
    }
}
