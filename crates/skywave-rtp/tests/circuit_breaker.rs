//! Traces of calls on a virtual clock, and what the circuit breaker (RFC 8083) says of them.

use std::time::{Duration, Instant};

use skywave_rtp::{CircuitBreaker, CircuitBreakerConfig, ReportBlock, TcpThroughput, Trip};

/// A stream of 50 packets a second and a receiver that reports every five seconds.
struct Call {
    now: Instant,
    breaker: CircuitBreaker,
    packets: u64,
    highest_sequence: u32,
}

/// What happens within five seconds.
#[derive(Clone, Copy)]
struct Five {
    sends: bool,
    arrives: bool,
    reports: bool,
    /// In 1/256.
    lost: u8,
    trip_ms: u64,
}

const GOOD: Five = Five {
    sends: true,
    arrives: true,
    reports: true,
    lost: 3,
    trip_ms: 80,
};
const SILENT: Five = Five {
    reports: false,
    ..GOOD
};
const STUCK: Five = Five {
    arrives: false,
    ..GOOD
};
const PAUSED: Five = Five {
    sends: false,
    arrives: false,
    lost: 0,
    ..GOOD
};
const HALF_LOST: Five = Five {
    lost: 128,
    trip_ms: 200,
    ..GOOD
};

impl Call {
    fn new(throughput: TcpThroughput) -> Self {
        Self {
            now: Instant::now(),
            breaker: CircuitBreaker::new(CircuitBreakerConfig {
                report_interval: Duration::from_secs(5),
                frame_interval: Duration::from_millis(20),
                throughput,
            }),
            packets: 0,
            // Soon to wrap.
            highest_sequence: 0xffff_ff00,
        }
    }

    fn pass(&mut self, five: Five) -> Option<Trip> {
        let mut tripped = None;
        for _ in 0..5 {
            self.now += Duration::from_secs(1);
            self.packets += if five.sends { 50 } else { 0 };
            tripped = self.breaker.poll(self.now, self.packets);
        }
        let arrived = if five.arrives { 250 } else { 0 };
        self.highest_sequence = self.highest_sequence.wrapping_add(arrived);
        if five.reports {
            let trip = Some(Duration::from_millis(five.trip_ms));
            tripped = self.report(five.lost, trip);
        }
        tripped
    }

    fn report(&mut self, fraction_lost: u8, round_trip_time: Option<Duration>) -> Option<Trip> {
        let block = ReportBlock {
            ssrc: 1,
            fraction_lost,
            cumulative_lost: 0,
            highest_sequence: self.highest_sequence,
            jitter: 0,
            last_sr: 0,
            delay_since_last_sr: 0,
        };
        (self.breaker).report(self.now, &block, round_trip_time, self.packets)
    }

    /// How many times five seconds until it trips, and why.
    fn until_trip(&mut self, five: Five) -> Option<(usize, Trip)> {
        (1..=100).find_map(|count| self.pass(five).map(|trip| (count, trip)))
    }
}

#[test]
fn rfc8083_4_healthy_call_of_ten_hours_never_trips() {
    for throughput in [TcpThroughput::Simplified, TcpThroughput::Full] {
        let mut call = Call::new(throughput);
        // Miri is given six minutes of them.
        let fives = if cfg!(miri) { 72 } else { 10 * 3600 / 5 };
        for _ in 0..fives {
            assert_eq!(call.pass(GOOD), None);
        }
    }
}

#[test]
fn rfc8083_4_1_three_intervals_without_a_report_are_a_timeout() {
    let mut call = Call::new(TcpThroughput::Simplified);
    call.pass(GOOD);
    assert_eq!(call.until_trip(SILENT), Some((3, Trip::RtcpTimeout)));
    assert_eq!(call.pass(GOOD), Some(Trip::RtcpTimeout), "it stays");
}

#[test]
fn rfc8083_4_1_receiver_that_never_reports_is_a_timeout() {
    let mut call = Call::new(TcpThroughput::Simplified);
    // Fifteen seconds from the first packet, one second after the start.
    assert_eq!(call.until_trip(SILENT), Some((4, Trip::RtcpTimeout)));
}

#[test]
fn rfc8083_4_1_interval_is_five_seconds_at_least() {
    let mut call = Call::new(TcpThroughput::Simplified);
    call.breaker = CircuitBreaker::new(CircuitBreakerConfig {
        report_interval: Duration::ZERO,
        frame_interval: Duration::from_millis(20),
        throughput: TcpThroughput::Simplified,
    });
    call.pass(GOOD);
    assert_eq!(call.until_trip(SILENT), Some((3, Trip::RtcpTimeout)));
}

#[test]
fn rfc8083_4_1_report_in_time_is_no_timeout() {
    let mut call = Call::new(TcpThroughput::Simplified);
    call.pass(GOOD);
    for _ in 0..100 {
        assert_eq!((call.pass(SILENT), call.pass(SILENT)), (None, None));
        call.now -= Duration::from_millis(1);
        assert_eq!(call.pass(GOOD), None);
    }
}

#[test]
fn rfc8083_4_1_who_sends_nothing_waits_for_no_report() {
    let mut call = Call::new(TcpThroughput::Simplified);
    let paused = Five {
        reports: false,
        ..PAUSED
    };
    assert_eq!(call.until_trip(paused), None, "nothing was sent yet");
    call.pass(GOOD);
    assert_eq!(call.until_trip(paused), None);
    // Counted from the first packet after the pause.
    assert_eq!(call.until_trip(SILENT), Some((4, Trip::RtcpTimeout)));
}

#[test]
fn rfc8083_4_2_five_reports_of_nothing_new_are_a_timeout() {
    let mut call = Call::new(TcpThroughput::Simplified);
    call.pass(GOOD);
    assert_eq!(call.until_trip(STUCK), Some((5, Trip::MediaTimeout)));
}

#[test]
fn rfc8083_4_2_recovery_before_the_fifth_report_is_in_time() {
    let mut call = Call::new(TcpThroughput::Simplified);
    for _ in 0..10 {
        assert_eq!(call.pass(GOOD), None);
        for _ in 0..4 {
            assert_eq!(call.pass(STUCK), None);
        }
    }
}

#[test]
fn rfc8083_4_2_numbers_that_go_back_are_nothing_new() {
    let mut call = Call::new(TcpThroughput::Simplified);
    call.pass(GOOD);
    for count in 1..=5 {
        call.highest_sequence -= 1;
        let expected = (count == 5).then_some(Trip::MediaTimeout);
        assert_eq!(call.pass(STUCK), expected);
    }
}

#[test]
fn rfc8083_4_2_nothing_new_of_nothing_sent_is_no_timeout() {
    let mut call = Call::new(TcpThroughput::Simplified);
    call.pass(GOOD);
    assert_eq!(call.until_trip(PAUSED), None);
}

#[test]
fn rfc8083_4_2_long_round_trip_lengthens_the_timeout() {
    let mut call = Call::new(TcpThroughput::Simplified);
    let far = Five {
        trip_ms: 10_000,
        lost: 0,
        ..STUCK
    };
    // ceil(5 * 10 s / 5 s) reports; the first is what the others are compared with.
    assert_eq!(call.until_trip(far), Some((11, Trip::MediaTimeout)));
}

#[test]
fn rfc8083_4_3_half_lost_at_200_ms_trips_the_full_equation_on_the_third_report() {
    let mut call = Call::new(TcpThroughput::Full);
    call.pass(GOOD);
    assert_eq!(call.until_trip(HALF_LOST), Some((3, Trip::Congestion)));
}

#[test]
fn rfc8083_4_3_simplified_equation_allows_it_at_200_ms_but_not_at_400() {
    let mut call = Call::new(TcpThroughput::Simplified);
    assert_eq!(call.until_trip(HALF_LOST), None);
    let far = Five {
        trip_ms: 400,
        ..HALF_LOST
    };
    let mut call = Call::new(TcpThroughput::Simplified);
    assert_eq!(call.until_trip(far), Some((4, Trip::Congestion)));
}

#[test]
fn rfc8083_4_3_ten_times_the_rate_of_tcp_is_the_limit() {
    // 50 packets a second are ten times TCP's rate at 245.4 ms, if 255 of 256 are lost.
    for (trip_ms, expected) in [(245, None), (246, Some((4, Trip::Congestion)))] {
        let mut call = Call::new(TcpThroughput::Simplified);
        let lost = Five {
            lost: 255,
            trip_ms,
            ..GOOD
        };
        assert_eq!(call.until_trip(lost), expected, "{trip_ms}");
    }
}

#[test]
fn rfc8083_4_3_single_long_round_trip_is_smoothed() {
    let mut call = Call::new(TcpThroughput::Simplified);
    let slow = Five {
        lost: 26,
        trip_ms: 2000,
        ..GOOD
    };
    for five in [GOOD, GOOD, GOOD, slow, GOOD, GOOD] {
        assert_eq!(call.pass(five), None);
    }
}

#[test]
fn rfc8083_4_3_long_pause_does_not_make_one_report_decide() {
    let mut call = Call::new(TcpThroughput::Full);
    let good = Five {
        trip_ms: 200,
        ..GOOD
    };
    let paused = Five {
        reports: false,
        ..PAUSED
    };
    let bad = Five { lost: 64, ..good };
    call.pass(good);
    call.until_trip(paused);
    for five in [good, good, good, bad] {
        assert_eq!(call.pass(five), None);
    }
}

#[test]
fn rfc8083_4_3_loss_is_averaged_so_that_one_bad_interval_passes() {
    let mut call = Call::new(TcpThroughput::Full);
    let bad = Five {
        lost: 64,
        ..HALF_LOST
    };
    for _ in 0..100 {
        for five in [GOOD, GOOD, bad] {
            assert_eq!(call.pass(five), None);
        }
    }
}

#[test]
fn rfc8083_4_3_without_a_round_trip_time_there_is_no_judgement() {
    let mut call = Call::new(TcpThroughput::Full);
    for _ in 0..10 {
        call.pass(SILENT);
        assert_eq!(call.report(255, None), None);
    }
}

#[test]
fn rfc4585_3_2_early_reports_are_signs_of_life_only() {
    let mut call = Call::new(TcpThroughput::Full);
    call.pass(GOOD);
    let trip = Some(Duration::from_secs(1));
    for _ in 0..49 {
        call.now += Duration::from_millis(10);
        call.packets += 1;
        assert_eq!(
            call.report(255, trip),
            None,
            "49 of nothing new, and all lost"
        );
    }
    call.now -= Duration::from_millis(1000);
    assert_eq!((call.pass(SILENT), call.pass(SILENT)), (None, None));
    assert_eq!(call.pass(SILENT), None, "the last of them was heard");
}
