//! When the next report goes out (RFC 3550 §6.3.2 to §6.3.6), in a session of two members.

use std::time::{Duration, Instant};

use crate::ReportInterval;

/// Plans the reports of one participant. Each `random` number is uniform over all of `u32` and
/// drawn anew for every call.
///
/// ```
/// use std::time::{Duration, Instant};
/// use skywave_rtp::ReportTimer;
///
/// let start = Instant::now();
/// let mut timer = ReportTimer::new(96_000, 80, 0x1234_5678, start);
/// let now = timer.due_at();
/// if timer.expire(1, 0x0345_6789, now) {
///     // Send a compound of 76 octets, then:
///     timer.sent(76, 0xcdef_0123, now);
/// }
/// assert!(timer.due_at() > now);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ReportTimer {
    interval: ReportInterval,
    last: Instant,
    next: Instant,
}

impl ReportTimer {
    /// For a session of so many bit/s whose first report will have about `size` octets.
    pub fn new(session_bandwidth: u32, size: usize, random: u32, now: Instant) -> Self {
        let interval = ReportInterval {
            session_bandwidth,
            average_size: on_the_wire(size),
            senders: 0,
            first: true,
        };
        Self {
            interval,
            last: now,
            next: now + interval.randomized(random),
        }
    }

    /// When to call [`Self::expire`].
    pub fn due_at(&self) -> Instant {
        self.next
    }

    /// Whether to report now, if `senders` of the two members send RTP. If not, the time of
    /// [`Self::due_at`] has moved: every wait is reconsidered at its end (§6.3.6).
    pub fn expire(&mut self, senders: u8, random: u32, now: Instant) -> bool {
        if now < self.next {
            return false;
        }
        self.interval.senders = senders;
        self.next = self.last + self.interval.randomized(random);
        self.next <= now
    }

    /// A report of `size` octets, SRTCP's included, went out.
    pub fn sent(&mut self, size: usize, random: u32, now: Instant) {
        self.average(size);
        self.interval.first = false;
        self.last = now;
        self.next = now + self.interval.randomized(random);
    }

    /// An RTCP datagram of `size` octets came in.
    pub fn received(&mut self, size: usize) {
        self.average(size);
    }

    /// The deterministic interval, the measure for time-outs: see
    /// [`ReportInterval::deterministic`].
    pub fn deterministic(&self) -> Duration {
        self.interval.deterministic()
    }

    /// §6.3.3, for packets sent and received alike.
    fn average(&mut self, size: usize) {
        let average = &mut self.interval.average_size;
        *average += (on_the_wire(size) - *average) / 16.0;
    }
}

/// §6.2: the size counts the headers of the transport and the network below RTCP.
fn on_the_wire(size: usize) -> f64 {
    size as f64 + UDP_IP_HEADER_LEN
}

/// UDP's 8 octets and IPv4's 20.
const UDP_IP_HEADER_LEN: f64 = 28.0;

#[cfg(test)]
mod tests {
    use super::*;

    const MIDDLE: u32 = 1 << 31;

    fn timer() -> (ReportTimer, Instant) {
        let start = Instant::now();
        (ReportTimer::new(64_000, 72, MIDDLE, start), start)
    }

    #[test]
    fn rfc3550_6_2_first_report_comes_after_half_the_interval() {
        let (mut timer, start) = timer();
        let first = timer.due_at() - start;
        assert!((first.as_secs_f64() - 2.5 / 1.218_281_828).abs() < 1e-6);
        assert!(!timer.expire(1, 0, timer.due_at() - Duration::from_nanos(1)));
        assert!(timer.expire(1, MIDDLE, timer.due_at()));
        timer.sent(72, MIDDLE, start + first);
        let second = timer.due_at() - (start + first);
        assert!((second.as_secs_f64() - 5.0 / 1.218_281_828).abs() < 1e-6);
    }

    #[test]
    fn rfc3550_6_3_6_longer_draw_at_the_end_of_the_wait_puts_the_report_off() {
        let (mut timer, start) = timer();
        let now = timer.due_at();
        assert!(!timer.expire(1, u32::MAX, now));
        let put_off = timer.due_at() - start;
        assert!((put_off.as_secs_f64() - 3.75 / 1.218_281_828).abs() < 1e-6);
        assert!(timer.expire(1, 0, timer.due_at()), "a shorter one does not");
    }

    #[test]
    fn rfc3550_6_3_1_mean_interval_is_the_deterministic_one() {
        let (mut timer, start) = timer();
        let mut state = 1_u64;
        let mut random = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 32) as u32
        };
        let (mut reports, mut now) = (0, start);
        while reports < 2000 {
            now = timer.due_at();
            if timer.expire(1, random(), now) {
                timer.sent(72, random(), now);
                reports += 1;
            }
        }
        let mean = (now - start).as_secs_f64() / f64::from(reports);
        assert!((4.75..5.25).contains(&mean), "{mean}");
    }

    #[test]
    fn rfc3550_6_3_1_one_who_sends_changes_the_shares() {
        // Two times 100 octets at 5 % of 4000 bit/s; or at three quarters of that.
        for (senders, seconds) in [(0, 32.0 / 3.0), (1, 8.0), (2, 8.0)] {
            let mut timer = ReportTimer::new(4000, 72, 0, Instant::now());
            assert!(!timer.expire(senders, MIDDLE, timer.due_at()));
            let wait = (timer.due_at() - timer.last).as_secs_f64();
            assert!((wait - seconds / 1.218_281_828).abs() < 1e-6, "{senders}");
        }
    }

    #[test]
    fn rfc3550_6_3_3_average_moves_by_a_sixteenth() {
        let (mut timer, start) = timer();
        assert_eq!(timer.interval.average_size, 100.0);
        timer.received(88);
        assert_eq!(timer.interval.average_size, 101.0);
        timer.sent(73, 0, start);
        assert_eq!(timer.interval.average_size, 101.0);
    }
}
