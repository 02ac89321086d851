use super::*;

fn block() -> ReportBlock {
    ReportBlock {
        ssrc: 1,
        fraction_lost: 64,
        cumulative_lost: -3,
        highest_sequence: 7,
        jitter: 480,
        last_sr: 0x0001_0000,
        delay_since_last_sr: 0x0000_8000,
    }
}

#[test]
fn counters_start_at_zero_with_no_round_trip_time() {
    assert_eq!(Counters::default().snapshot(), CountersSnapshot::default());
    assert_eq!(Counters::default().round_trip_time(), None);
}

#[test]
fn report_sets_loss_jitter_and_round_trip_time() {
    let counters = Counters::default();
    counters.record_report(&block(), NtpTime(0x0002_0000_0000));
    let seen = counters.snapshot();
    assert_eq!((seen.fraction_lost, seen.packets_lost), (0.25, -3));
    assert_eq!((seen.jitter, seen.jitter_seconds(48_000)), (480, 0.01));
    assert_eq!(counters.jitter_seconds(8000), 0.06);
    assert_eq!(seen.round_trip_time, Some(Duration::from_millis(500)));
    assert_eq!(seen.reports_received, 1);
    assert_eq!(seen.last_report, Some(NtpTime(0x0002_0000_0000)));
    assert_eq!(seen.highest_sequence, 7);
}

#[test]
fn round_trip_times_add_up_and_the_last_one_stays() {
    let counters = Counters::default();
    counters.record_report(&block(), NtpTime(0x0002_0000_0000));
    counters.record_report(&block(), NtpTime(0x0001_8000_0000));
    assert_eq!(counters.round_trip_time(), Some(Duration::ZERO));
    let unmeasured = ReportBlock {
        last_sr: 0,
        fraction_lost: 0,
        ..block()
    };
    counters.record_report(&unmeasured, NtpTime(0x0003_0000_0000));
    assert_eq!(counters.round_trip_time(), Some(Duration::ZERO));
    assert_eq!(counters.total_round_trip_time(), Duration::from_millis(500));
    assert_eq!(counters.round_trip_time_measurements(), 2);
    assert_eq!(
        (counters.fraction_lost(), counters.reports_received()),
        (0.0, 3)
    );
}

#[test]
fn rtcp_is_counted_apart_from_rtp() {
    let counters = Counters::default();
    counters.record_packet(20, 80);
    counters.record_rtcp(52);
    counters.record_rtcp(60);
    counters.record_nack();
    let seen = counters.snapshot();
    assert_eq!(
        (seen.packets_sent, seen.bytes_sent, seen.header_bytes_sent),
        (1, 80, 20)
    );
    assert_eq!((seen.rtcp_packets_sent, seen.rtcp_bytes_sent), (2, 112));
    assert_eq!(seen.nack_count, 1);
}

/// W3C webrtc-stats: `retransmittedPacketsSent` and `retransmittedBytesSent` are part of
/// `packetsSent` and `bytesSent`, whichever stream they went in.
#[test]
fn retransmissions_are_counted_among_all_packets_and_apart() {
    let counters = Counters::default();
    counters.record_packet(20, 80);
    counters.record_retransmission(20, 80);
    counters.record_rtx(24, 82);
    let seen = counters.snapshot();
    assert_eq!((seen.packets_sent, seen.bytes_sent), (3, 242));
    assert_eq!(seen.header_bytes_sent, 64);
    let again = (
        seen.retransmitted_packets_sent,
        seen.retransmitted_bytes_sent,
    );
    assert_eq!(again, (2, 162));
}

#[test]
fn latest_packet_counts() {
    let counters = Counters::default();
    for micros in [3, 900, 40] {
        counters.record_lateness(micros);
    }
    assert_eq!(counters.max_lateness(), Duration::from_micros(900));
}

#[test]
fn jitter_without_a_clock_rate_is_zero() {
    let snapshot = CountersSnapshot {
        jitter: 5,
        ..CountersSnapshot::default()
    };
    assert_eq!(snapshot.jitter_seconds(0), 0.0);
}
