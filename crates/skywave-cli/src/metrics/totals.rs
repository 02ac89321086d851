//! What all listeners together were sent and reported, those that left included.

use skywave::{DistributionSnapshot, TotalsSnapshot};

use crate::exposition::Exposition;

pub(super) fn expose(metrics: &mut Exposition, totals: &TotalsSnapshot) {
    expose_counters(metrics, totals);
    expose_reports(metrics, totals);
}

fn expose_counters(metrics: &mut Exposition, totals: &TotalsSnapshot) {
    for (name, help, count) in [
        (
            "skywave_rtp_packets_sent_total",
            "RTP packets sent, retransmissions included.",
            totals.packets_sent,
        ),
        (
            "skywave_rtp_payload_bytes_sent_total",
            "Payload octets in them.",
            totals.bytes_sent,
        ),
        (
            "skywave_rtp_header_bytes_sent_total",
            "Header octets in them.",
            totals.header_bytes_sent,
        ),
        (
            "skywave_rtp_retransmitted_packets_sent_total",
            "RTP packets sent once more.",
            totals.retransmitted_packets_sent,
        ),
        (
            "skywave_rtp_retransmitted_bytes_sent_total",
            "Payload octets sent once more.",
            totals.retransmitted_bytes_sent,
        ),
        (
            "skywave_rtp_redundant_bytes_sent_total",
            "Payload octets that repeat earlier frames (RED).",
            totals.redundant_bytes_sent,
        ),
        (
            "skywave_nacks_received_total",
            "Requests for lost packets received.",
            totals.nack_count,
        ),
        (
            "skywave_rtcp_packets_sent_total",
            "RTCP compounds sent.",
            totals.rtcp_packets_sent,
        ),
        (
            "skywave_rtcp_reports_received_total",
            "Reports of listeners received.",
            totals.reports_received,
        ),
    ] {
        metrics.counter(name, help, count);
    }
}

fn expose_reports(metrics: &mut Exposition, totals: &TotalsSnapshot) {
    distribution(
        metrics,
        "skywave_round_trip_time_seconds",
        "Round-trip times, one for each report that tells one.",
        &totals.round_trip_times,
    );
    distribution(
        metrics,
        "skywave_jitter_seconds",
        "Interarrival jitter, one for each report.",
        &totals.jitters,
    );
    distribution(
        metrics,
        "skywave_loss_ratio",
        "Share of packets lost since the report before, one for each report.",
        &totals.losses,
    );
}

fn distribution(metrics: &mut Exposition, name: &str, help: &str, values: &DistributionSnapshot) {
    let all = (values.sum(), values.count());
    metrics.histogram(name, help, values.cumulative(), all);
}
