//! Sums over all peers of a hub, those that left included.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use skywave_rtp::CountersSnapshot;

use crate::distribution::{Distribution, DistributionSnapshot};

/// What all peers of a hub were sent and reported. Nothing in it ever goes down. It is some
/// seconds old at most: each peer's counters are looked at when its timers are.
///
/// One thread writes, anybody reads.
#[derive(Debug)]
pub struct Totals {
    sums: [AtomicU64; SUMS],
    round_trip_times: Distribution,
    jitters: Distribution,
    losses: Distribution,
}

impl Totals {
    /// Adds what a peer's counters have gained, and what it has reported if it has.
    pub(crate) fn add(&self, before: &CountersSnapshot, after: &CountersSnapshot, clock_rate: u32) {
        for ((sum, before), after) in self.sums.iter().zip(parts(before)).zip(parts(after)) {
            let gain = after.saturating_sub(before);
            sum.store(sum.load(Relaxed).wrapping_add(gain), Relaxed);
        }
        if after.reports_received > before.reports_received {
            self.jitters
                .record(billionths(after.jitter_seconds(clock_rate)));
            self.losses.record(billionths(after.fraction_lost));
        }
        if let Some(time) = after.round_trip_time
            && after.round_trip_time_measurements > before.round_trip_time_measurements
        {
            self.round_trip_times.record(billionths(time.as_secs_f64()));
        }
    }

    /// All of it at one moment.
    pub fn snapshot(&self) -> TotalsSnapshot {
        let [
            packets_sent,
            bytes_sent,
            header_bytes_sent,
            retransmitted_packets_sent,
            retransmitted_bytes_sent,
            redundant_bytes_sent,
            nack_count,
            rtcp_packets_sent,
            reports_received,
        ] = std::array::from_fn(|index| self.sums[index].load(Relaxed));
        TotalsSnapshot {
            packets_sent,
            bytes_sent,
            header_bytes_sent,
            retransmitted_packets_sent,
            retransmitted_bytes_sent,
            redundant_bytes_sent,
            nack_count,
            rtcp_packets_sent,
            reports_received,
            round_trip_times: self.round_trip_times.snapshot(),
            jitters: self.jitters.snapshot(),
            losses: self.losses.snapshot(),
        }
    }
}

impl Default for Totals {
    fn default() -> Self {
        Self {
            sums: std::array::from_fn(|_| AtomicU64::new(0)),
            round_trip_times: Distribution::new(&ROUND_TRIP_TIMES),
            jitters: Distribution::new(&JITTERS),
            losses: Distribution::new(&LOSSES),
        }
    }
}

/// [`Totals`] at one moment.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct TotalsSnapshot {
    /// RTP packets sent, retransmissions included.
    pub packets_sent: u64,
    /// Payload octets in them.
    pub bytes_sent: u64,
    /// Header octets in them.
    pub header_bytes_sent: u64,
    /// Packets sent once more.
    pub retransmitted_packets_sent: u64,
    /// Payload octets sent once more.
    pub retransmitted_bytes_sent: u64,
    /// Payload octets that repeat earlier frames.
    pub redundant_bytes_sent: u64,
    /// Requests for lost packets received.
    pub nack_count: u64,
    /// RTCP compounds sent.
    pub rtcp_packets_sent: u64,
    /// Report blocks received.
    pub reports_received: u64,
    /// Round-trip times, as they were measured.
    pub round_trip_times: DistributionSnapshot,
    /// Interarrival jitter, as it was reported.
    pub jitters: DistributionSnapshot,
    /// Shares lost between two reports, as they were reported.
    pub losses: DistributionSnapshot,
}

impl TotalsSnapshot {
    /// Takes in what another one holds.
    pub fn merge(&mut self, other: &Self) {
        self.packets_sent += other.packets_sent;
        self.bytes_sent += other.bytes_sent;
        self.header_bytes_sent += other.header_bytes_sent;
        self.retransmitted_packets_sent += other.retransmitted_packets_sent;
        self.retransmitted_bytes_sent += other.retransmitted_bytes_sent;
        self.redundant_bytes_sent += other.redundant_bytes_sent;
        self.nack_count += other.nack_count;
        self.rtcp_packets_sent += other.rtcp_packets_sent;
        self.reports_received += other.reports_received;
        self.round_trip_times.merge(&other.round_trip_times);
        self.jitters.merge(&other.jitters);
        self.losses.merge(&other.losses);
    }
}

/// What is summed up, in the order of the sums.
fn parts(counters: &CountersSnapshot) -> [u64; SUMS] {
    [
        counters.packets_sent,
        counters.bytes_sent,
        counters.header_bytes_sent,
        counters.retransmitted_packets_sent,
        counters.retransmitted_bytes_sent,
        counters.redundant_bytes_sent,
        counters.nack_count,
        counters.rtcp_packets_sent,
        counters.reports_received,
    ]
}

fn billionths(value: f64) -> u64 {
    (value * 1e9) as u64
}

const SUMS: usize = 9;

const MILLISECOND: u64 = 1_000_000;

const ROUND_TRIP_TIMES: [u64; 10] = [
    10 * MILLISECOND,
    25 * MILLISECOND,
    50 * MILLISECOND,
    100 * MILLISECOND,
    150 * MILLISECOND,
    200 * MILLISECOND,
    300 * MILLISECOND,
    500 * MILLISECOND,
    1_000 * MILLISECOND,
    2_500 * MILLISECOND,
];

const JITTERS: [u64; 9] = [
    MILLISECOND,
    2 * MILLISECOND,
    5 * MILLISECOND,
    10 * MILLISECOND,
    20 * MILLISECOND,
    30 * MILLISECOND,
    50 * MILLISECOND,
    100 * MILLISECOND,
    250 * MILLISECOND,
];

const PERCENT: u64 = 10_000_000;

/// A report tells shares in 1/256.
const LOSSES: [u64; 7] = [
    0,
    PERCENT,
    2 * PERCENT,
    5 * PERCENT,
    10 * PERCENT,
    20 * PERCENT,
    50 * PERCENT,
];
