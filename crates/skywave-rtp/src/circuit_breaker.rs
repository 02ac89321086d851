//! When a sender must stop, as its network or its receiver is gone (RFC 8083 §4).
//!
//! Media usability (§4.4) is not judged here: it needs to know what a codec makes of the loss.

use std::time::{Duration, Instant};

use crate::{ReportBlock, TcpThroughput};

/// The circuit breaker of one stream.
///
/// Feed it with every report block about the stream and poll it at least once a second. When it
/// gives a reason, stop sending RTP for this stream; a new breaker begins anew, which is only
/// for when there is cause to think that the path is better (§4.5).
#[derive(Clone, Debug)]
pub struct CircuitBreaker {
    config: CircuitBreakerConfig,
    tripped: Option<Trip>,
    /// When the number of packets last grew, and to what.
    sent: Option<(Instant, u64)>,
    /// Since when there is no report.
    silent_since: Option<Instant>,
    last: Option<LastReport>,
    /// Reports in a row that say that nothing more arrived.
    stuck: u32,
    /// `Tdr`: the mean time between the remote's reports, in seconds.
    remote_interval: f64,
    /// `Tr` in seconds, smoothed.
    round_trip_time: Option<f64>,
    history: [Interval; MAX_INTERVALS],
    intervals: usize,
}

/// What a [`CircuitBreaker`] needs to know of the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CircuitBreakerConfig {
    /// `Td`: our own deterministic interval between reports (see
    /// [`ReportInterval::deterministic`](crate::ReportInterval::deterministic)); less than 5 s
    /// is taken for 5 s (§4.1).
    pub report_interval: Duration,
    /// `Tf`: the time from packet to packet.
    pub frame_interval: Duration,
    /// What TCP is taken to send at most.
    pub throughput: TcpThroughput,
}

/// Why to stop sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Trip {
    /// No report came for three intervals (§4.1).
    #[error("no reports from the receiver")]
    RtcpTimeout,
    /// Reports come, but say that no packet arrives (§4.2).
    #[error("the receiver gets no packets")]
    MediaTimeout,
    /// Far more is sent than TCP would send at this loss and round-trip time (§4.3).
    #[error("the path is congested")]
    Congestion,
}

impl CircuitBreaker {
    /// A breaker for a stream of which nothing was sent yet.
    pub fn new(config: CircuitBreakerConfig) -> Self {
        let report_interval = config.report_interval.max(LEAST_REPORT_INTERVAL);
        Self {
            config: CircuitBreakerConfig {
                report_interval,
                ..config
            },
            tripped: None,
            sent: None,
            silent_since: None,
            last: None,
            stuck: 0,
            remote_interval: report_interval.as_secs_f64(),
            round_trip_time: None,
            history: [Interval::default(); MAX_INTERVALS],
            intervals: 0,
        }
    }

    /// Why to stop, if so. `packets_sent` is the total of the stream until now.
    pub fn poll(&mut self, now: Instant, packets_sent: u64) -> Option<Trip> {
        self.note_sending(now, packets_sent);
        let silence = self.silent_since.map(|since| now.duration_since(since));
        if self.is_sending(now) && silence >= Some(self.rtcp_timeout()) {
            self.tripped.get_or_insert(Trip::RtcpTimeout);
        }
        self.tripped
    }

    /// Takes a report block about the stream, and the round-trip time if that gives one; says
    /// why to stop, if so.
    pub fn report(
        &mut self,
        now: Instant,
        block: &ReportBlock,
        round_trip_time: Option<Duration>,
        packets_sent: u64,
    ) -> Option<Trip> {
        self.note_sending(now, packets_sent);
        self.silent_since = Some(now);
        if let Some(time) = round_trip_time {
            let time = time.as_secs_f64();
            smooth(self.round_trip_time.get_or_insert(time), time);
        }
        let report = LastReport {
            at: now,
            highest_sequence: block.highest_sequence,
            packets_sent,
        };
        let Some(last) = self.last else {
            self.last = Some(report);
            return self.tripped;
        };
        let seconds = now.duration_since(last.at).as_secs_f64();
        // What comes sooner is an early report (RFC 4585 §3.2) and taken for a sign of life only.
        if seconds < MIN_SPACING {
            return self.tripped;
        }
        self.last = Some(report);
        let packets = packets_sent.saturating_sub(last.packets_sent);
        // Who sends nothing cannot be heard, nor congest anything.
        if packets > 0 {
            // A gap that lost reports leave counts as long as it takes to time out at most.
            let longest = self.rtcp_timeout().as_secs_f64();
            smooth(&mut self.remote_interval, seconds.min(longest));
            let advance = block.highest_sequence.wrapping_sub(last.highest_sequence);
            self.judge_arrival(advance as i32);
            self.judge_congestion(Interval {
                seconds,
                packets: packets as f64,
                lost: f64::from(block.fraction_lost) / 256.0,
            });
        }
        self.tripped
    }

    /// Silence counts from the first packet, and anew from the first after a pause.
    fn note_sending(&mut self, now: Instant, packets_sent: u64) {
        if packets_sent == self.sent.map_or(0, |(_, packets)| packets) {
            return;
        }
        if !self.is_sending(now) {
            self.silent_since = Some(now);
        }
        self.sent = Some((now, packets_sent));
    }

    fn is_sending(&self, now: Instant) -> bool {
        let since = self.sent.map(|(at, _)| now.duration_since(at));
        since.is_some_and(|since| since < self.config.report_interval)
    }

    /// §4.1: three deterministic intervals, after which the receiver would have timed out us.
    fn rtcp_timeout(&self) -> Duration {
        (self.config.report_interval).saturating_mul(RTCP_TIMEOUT_INTERVALS)
    }

    /// §4.2.
    fn judge_arrival(&mut self, advance: i32) {
        self.stuck = if advance > 0 { 0 } else { self.stuck + 1 };
        if f64::from(self.stuck) >= self.media_timeout() {
            self.tripped.get_or_insert(Trip::MediaTimeout);
        }
    }

    /// §4.2: `MEDIA_TIMEOUT = ceil(k * max(Tf, Tr, Tdr) / Tdr)`, in reports.
    fn media_timeout(&self) -> f64 {
        let frame = self.config.frame_interval.as_secs_f64();
        let longest = frame
            .max(self.round_trip_time.unwrap_or_default())
            .max(self.remote_interval);
        (NON_REPORTING_THRESHOLD * longest / self.remote_interval).ceil()
    }

    /// §4.3, over the last `CB_INTERVAL` reports, each weighted by its duration.
    fn judge_congestion(&mut self, interval: Interval) {
        self.history.rotate_right(1);
        self.history[0] = interval;
        self.intervals = (self.intervals + 1).min(MAX_INTERVALS);
        let Some(round_trip_time) = self.round_trip_time else {
            return;
        };
        let wanted = self.cb_interval(round_trip_time);
        if self.intervals < wanted {
            return;
        }
        let (mut seconds, mut packets, mut lost) = (0.0, 0.0, 0.0);
        for interval in &self.history[..wanted] {
            seconds += interval.seconds;
            packets += interval.packets;
            lost += interval.lost * interval.seconds;
        }
        // Both rates have the packet size as a factor, so packets are compared, not octets.
        let tcp = (self.config.throughput).packets_per_second(lost / seconds, round_trip_time);
        if packets / seconds > TCP_FACTOR * tcp {
            self.tripped.get_or_insert(Trip::Congestion);
        }
    }

    /// §4.3: `CB_INTERVAL = ceil(3 * min(max(10 * G * Tf, 10 * Tr, 3 * Tdr), max(15, 3 * Td)) /
    /// (3 * Tdr))`, in reports; `G` is 1, as every frame of audio is a group of its own.
    fn cb_interval(&self, round_trip_time: f64) -> usize {
        let frames = 10.0 * self.config.frame_interval.as_secs_f64();
        let reports = 3.0 * self.remote_interval;
        let limit = (3.0 * self.config.report_interval.as_secs_f64()).max(15.0);
        let span = frames.max(10.0 * round_trip_time).max(reports).min(limit);
        ((3.0 * span / reports).ceil() as usize).clamp(1, MAX_INTERVALS)
    }
}

#[derive(Clone, Copy, Debug)]
struct LastReport {
    at: Instant,
    highest_sequence: u32,
    packets_sent: u64,
}

/// What one report says of the time since the one before.
#[derive(Clone, Copy, Debug, Default)]
struct Interval {
    seconds: f64,
    packets: f64,
    /// Fraction, 0 to 1.
    lost: f64,
}

/// Moves a mean by an eighth of what a new value is away from it.
fn smooth(mean: &mut f64, value: f64) {
    *mean += (value - *mean) / 8.0;
}

/// §4.1: `Td` is computed with the fixed minimum, even where RTCP is sent more often.
const LEAST_REPORT_INTERVAL: Duration = Duration::from_secs(5);
/// §4.1.
const RTCP_TIMEOUT_INTERVALS: u32 = 3;
/// §4.2: `k`, RECOMMENDED to be 5.
const NON_REPORTING_THRESHOLD: f64 = 5.0;
/// §4.3: an order of magnitude.
const TCP_FACTOR: f64 = 10.0;
/// In seconds: reports are judged no more often than that.
const MIN_SPACING: f64 = 0.5;
/// `CB_INTERVAL` at most: 15 s of reports at the least spacing, and two to spare.
const MAX_INTERVALS: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc8083_4_3_cb_interval_is_that_of_the_equation() {
        let reports = |remote_interval, round_trip_time| {
            let mut breaker = CircuitBreaker::new(CircuitBreakerConfig {
                report_interval: Duration::from_secs(6),
                frame_interval: Duration::from_millis(120),
                throughput: TcpThroughput::Simplified,
            });
            breaker.remote_interval = remote_interval;
            breaker.cb_interval(round_trip_time)
        };
        assert_eq!(reports(5.0, 0.1), 3, "3 * Tdr");
        assert_eq!(reports(1.0, 0.5), 5, "10 * Tr");
        assert_eq!(reports(0.25, 0.0), 5, "10 * G * Tf, rounded up");
        assert_eq!(reports(1.0, 9.0), 18, "no more than 3 * Td");
        assert_eq!(reports(40.0, 0.1), 1, "likewise");
        assert_eq!(reports(0.5, 9.0), 32, "no more than are remembered");
    }
}
