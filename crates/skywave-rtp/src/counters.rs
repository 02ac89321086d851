//! What was sent to one listener, and how it arrived by the listener's own reports.
//!
//! One thread writes (the one that sends and receives for this listener), anybody reads at any
//! time without asking it. As there is one writer, a counter is a relaxed load and store, which
//! costs what a plain integer costs; two counters read in a row may differ by a packet.

use std::sync::atomic::{AtomicI32, AtomicU8, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crate::counters_snapshot::jitter_seconds;
use crate::{CountersSnapshot, NtpTime, ReportBlock, round_trip_time};

/// The counters of one listener: totals of its SSRC since it began to listen.
// What every packet counts comes first and lies in one cache line.
#[derive(Debug, Default)]
#[repr(C, align(64))]
pub struct Counters {
    packets_sent: AtomicU64,
    bytes_sent: AtomicU64,
    header_bytes_sent: AtomicU64,
    retransmitted_packets_sent: AtomicU64,
    retransmitted_bytes_sent: AtomicU64,
    redundant_bytes_sent: AtomicU64,
    /// In microseconds.
    max_lateness: AtomicU32,
    rtx_packets_sent: AtomicU64,
    rtx_bytes_sent: AtomicU64,
    nack_count: AtomicU64,
    /// In bit/s; 0 is "not told".
    bandwidth_estimate: AtomicU64,
    rtcp_packets_sent: AtomicU64,
    rtcp_bytes_sent: AtomicU64,
    reports_received: AtomicU64,
    /// NTP time; 0 is "never".
    last_report: AtomicU64,
    highest_sequence: AtomicU32,
    /// In 1/256.
    fraction_lost: AtomicU8,
    packets_lost: AtomicI32,
    jitter: AtomicU32,
    /// In nanoseconds plus one; 0 is "not measured".
    round_trip_time: AtomicU64,
    /// In nanoseconds.
    total_round_trip_time: AtomicU64,
    round_trip_time_measurements: AtomicU64,
}

impl Counters {
    /// RTP packets sent, retransmissions included.
    pub fn packets_sent(&self) -> u64 {
        self.packets_sent.load(Relaxed)
    }

    /// Payload octets sent in RTP packets, retransmissions included: no header, no padding, no
    /// authentication tag.
    pub fn bytes_sent(&self) -> u64 {
        self.bytes_sent.load(Relaxed)
    }

    /// Octets of RTP header sent, header extensions included.
    pub fn header_bytes_sent(&self) -> u64 {
        self.header_bytes_sent.load(Relaxed)
    }

    /// Packets sent once more, on the stream's own SSRC or on that of RTX.
    pub fn retransmitted_packets_sent(&self) -> u64 {
        self.retransmitted_packets_sent.load(Relaxed)
    }

    /// Payload octets of [`Self::retransmitted_packets_sent`].
    pub fn retransmitted_bytes_sent(&self) -> u64 {
        self.retransmitted_bytes_sent.load(Relaxed)
    }

    /// Octets of frames repeated in RED packets, without block headers; a part of
    /// [`Self::bytes_sent`].
    pub fn redundant_bytes_sent(&self) -> u64 {
        self.redundant_bytes_sent.load(Relaxed)
    }

    /// How long after its time the latest packet left: microseconds, 71 minutes at most.
    pub fn max_lateness(&self) -> Duration {
        Duration::from_micros(self.max_lateness.load(Relaxed).into())
    }

    /// Generic NACK messages received (RFC 4585 §6.2.1).
    pub fn nack_count(&self) -> u64 {
        self.nack_count.load(Relaxed)
    }

    /// The packet count of a sender report (RFC 3550 §6.4.1): without the packets of RTX, which
    /// have an SSRC of their own (RFC 4588 §4). Wraps. For the writing thread only.
    pub fn sender_packet_count(&self) -> u32 {
        self.packets_sent()
            .wrapping_sub(self.rtx_packets_sent.load(Relaxed)) as u32
    }

    /// The octet count of a sender report, in the same way.
    pub fn sender_octet_count(&self) -> u32 {
        self.bytes_sent()
            .wrapping_sub(self.rtx_bytes_sent.load(Relaxed)) as u32
    }

    /// The packet count of a sender report on the packets of RTX. Wraps. For the writing thread
    /// only.
    pub fn rtx_packet_count(&self) -> u32 {
        self.rtx_packets_sent.load(Relaxed) as u32
    }

    /// The octet count of such a report: the original numbers are part of the payload
    /// (RFC 4588 §4).
    pub fn rtx_octet_count(&self) -> u32 {
        self.rtx_bytes_sent.load(Relaxed) as u32
    }

    /// What the path can carry by the remote's last estimate (REMB), in bit/s.
    pub fn bandwidth_estimate(&self) -> Option<u64> {
        Some(self.bandwidth_estimate.load(Relaxed)).filter(|&bits| bits > 0)
    }

    /// RTCP compounds, or single packets of reduced size, sent.
    pub fn rtcp_packets_sent(&self) -> u64 {
        self.rtcp_packets_sent.load(Relaxed)
    }

    /// Octets of RTCP sent, before SRTCP.
    pub fn rtcp_bytes_sent(&self) -> u64 {
        self.rtcp_bytes_sent.load(Relaxed)
    }

    /// Report blocks received for this SSRC. Before the first, what the remote says is all zero.
    pub fn reports_received(&self) -> u64 {
        self.reports_received.load(Relaxed)
    }

    /// When the last of them arrived.
    pub fn last_report(&self) -> Option<NtpTime> {
        Some(NtpTime(self.last_report.load(Relaxed))).filter(|time| time.0 > 0)
    }

    /// The extended highest sequence number by the remote's last report.
    pub fn highest_sequence(&self) -> u32 {
        self.highest_sequence.load(Relaxed)
    }

    /// Share of the packets lost between the remote's last two reports, 0 to 1.
    pub fn fraction_lost(&self) -> f64 {
        f64::from(self.fraction_lost.load(Relaxed)) / 256.0
    }

    /// Packets lost by the remote's last report; negative if duplicates outnumber losses.
    pub fn packets_lost(&self) -> i64 {
        self.packets_lost.load(Relaxed).into()
    }

    /// Interarrival jitter by the remote's last report, in units of the RTP clock.
    pub fn jitter(&self) -> u32 {
        self.jitter.load(Relaxed)
    }

    /// Interarrival jitter in seconds, for a stream of `clock_rate` Hz; 0 if that is 0.
    pub fn jitter_seconds(&self, clock_rate: u32) -> f64 {
        jitter_seconds(self.jitter(), clock_rate)
    }

    /// The last round-trip time measured.
    pub fn round_trip_time(&self) -> Option<Duration> {
        let nanos = self.round_trip_time.load(Relaxed).checked_sub(1)?;
        Some(Duration::from_nanos(nanos))
    }

    /// Sum of all round-trip times measured.
    pub fn total_round_trip_time(&self) -> Duration {
        Duration::from_nanos(self.total_round_trip_time.load(Relaxed))
    }

    /// How many round-trip times make up [`Self::total_round_trip_time`].
    pub fn round_trip_time_measurements(&self) -> u64 {
        self.round_trip_time_measurements.load(Relaxed)
    }

    /// All of them at once.
    pub fn snapshot(&self) -> CountersSnapshot {
        CountersSnapshot {
            packets_sent: self.packets_sent(),
            bytes_sent: self.bytes_sent(),
            header_bytes_sent: self.header_bytes_sent(),
            retransmitted_packets_sent: self.retransmitted_packets_sent(),
            retransmitted_bytes_sent: self.retransmitted_bytes_sent(),
            redundant_bytes_sent: self.redundant_bytes_sent(),
            max_lateness: self.max_lateness(),
            nack_count: self.nack_count(),
            bandwidth_estimate: self.bandwidth_estimate(),
            rtcp_packets_sent: self.rtcp_packets_sent(),
            rtcp_bytes_sent: self.rtcp_bytes_sent(),
            reports_received: self.reports_received(),
            last_report: self.last_report(),
            highest_sequence: self.highest_sequence(),
            fraction_lost: self.fraction_lost(),
            packets_lost: self.packets_lost(),
            jitter: self.jitter(),
            round_trip_time: self.round_trip_time(),
            total_round_trip_time: self.total_round_trip_time(),
            round_trip_time_measurements: self.round_trip_time_measurements(),
        }
    }

    /// Takes a report block about this listener's SSRC that arrived at `now`; gives the round-trip
    /// time if it tells.
    ///
    /// The caller has compared the SSRC. For the writing thread only.
    pub fn record_report(&self, block: &ReportBlock, now: NtpTime) -> Option<Duration> {
        add(&self.reports_received, 1);
        self.last_report.store(now.0, Relaxed);
        self.highest_sequence.store(block.highest_sequence, Relaxed);
        self.fraction_lost.store(block.fraction_lost, Relaxed);
        self.packets_lost.store(block.cumulative_lost, Relaxed);
        self.jitter.store(block.jitter, Relaxed);
        let time = round_trip_time(now, block.last_sr, block.delay_since_last_sr)?;
        // At most 2^15 s in nanoseconds.
        let nanos = time.as_nanos() as u64;
        self.round_trip_time.store(nanos + 1, Relaxed);
        add(&self.total_round_trip_time, nanos);
        add(&self.round_trip_time_measurements, 1);
        Some(time)
    }

    /// Takes how many microseconds after its time a packet left. For the writing thread only.
    #[inline]
    pub fn record_lateness(&self, micros: u32) {
        if micros > self.max_lateness.load(Relaxed) {
            self.max_lateness.store(micros, Relaxed);
        }
    }

    /// Counts a Generic NACK message. For the writing thread only.
    pub fn record_nack(&self) {
        add(&self.nack_count, 1);
    }

    /// Takes the remote's estimate of what the path can carry, in bit/s. For the writing thread
    /// only.
    pub fn record_bandwidth_estimate(&self, bits: u64) {
        self.bandwidth_estimate.store(bits.max(1), Relaxed);
    }

    /// Counts an RTCP datagram of `len` octets before SRTCP. For the writing thread only.
    pub fn record_rtcp(&self, len: usize) {
        add(&self.rtcp_packets_sent, 1);
        add(&self.rtcp_bytes_sent, len as u64);
    }

    /// Counts an RTP packet.
    #[inline]
    pub(crate) fn record_packet(&self, header_len: usize, payload_len: usize) {
        add(&self.packets_sent, 1);
        add(&self.bytes_sent, payload_len as u64);
        add(&self.header_bytes_sent, header_len as u64);
    }

    /// Counts octets that a packet already counted repeats.
    pub(crate) fn record_redundancy(&self, len: usize) {
        add(&self.redundant_bytes_sent, len as u64);
    }

    /// Counts a packet sent once more on the stream's SSRC.
    pub(crate) fn record_retransmission(&self, header_len: usize, payload_len: usize) {
        self.record_packet(header_len, payload_len);
        add(&self.retransmitted_packets_sent, 1);
        add(&self.retransmitted_bytes_sent, payload_len as u64);
    }

    /// Counts a packet sent once more on the SSRC of RTX.
    pub(crate) fn record_rtx(&self, header_len: usize, payload_len: usize) {
        self.record_retransmission(header_len, payload_len);
        add(&self.rtx_packets_sent, 1);
        add(&self.rtx_bytes_sent, payload_len as u64);
    }
}

/// One writer: no read-modify-write instruction is needed.
fn add(counter: &AtomicU64, amount: u64) {
    counter.store(counter.load(Relaxed).wrapping_add(amount), Relaxed);
}

#[cfg(test)]
mod tests;
