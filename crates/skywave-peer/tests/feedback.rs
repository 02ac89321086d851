//! What a listener asks and reports (RFC 4585, RFC 5104, RFC 3611).
#![allow(clippy::unwrap_used)]

mod support;

use std::time::{Duration, Instant};

use skywave_peer::{DropReason, FailureReason, PeerEvent, Remote};
use skywave_rtp::{NtpTime, RtcpPacket, RtcpReader};

use support::{World, rtcp};

fn with_tmmbr(remote: &mut Remote) {
    remote.rtp.tmmbr = true;
}

/// When limits were confirmed, which they were, and whether in a packet of reduced size.
fn confirmations(world: &World, index: usize) -> Vec<(Instant, u64, bool)> {
    let mut confirmed = Vec::new();
    for (time, datagram) in &world.listeners[index].reports {
        let packets: Vec<_> = RtcpReader::new(datagram).collect();
        for packet in &packets {
            if let RtcpPacket::Tmmbn(limits) = packet {
                let [limit] = limits.entries().collect::<Vec<_>>()[..] else {
                    panic!("{limits:?}");
                };
                assert_eq!((limit.ssrc, limit.overhead), (rtcp::LISTENER, 40));
                let alone = packets.len() == 1;
                let regular = matches!(packets[0], RtcpPacket::SenderReport { .. });
                assert!(alone || regular);
                confirmed.push((*time, limit.max_bitrate, alone));
            }
        }
    }
    confirmed
}

#[test]
fn rfc5104_4_2_1_limit_is_confirmed_at_once_in_the_size_agreed_to() {
    for reduced in [true, false] {
        let mut world = World::new();
        let index = world.connect_as(|remote| {
            with_tmmbr(remote);
            remote.rtp.rtcp_rsize = reduced;
        });
        // Nothing else is due for a while.
        world.run(Duration::from_millis(500));
        let ssrc = world.listeners[index].media_ssrc;
        world.hear(index, &rtcp::tmmbr(ssrc, 2, 16_000));
        let asked = world.now;
        world.run(support::TICK * 2);
        let [(time, 64_000, alone)] = confirmations(&world, index)[..] else {
            panic!("{:?}", world.listeners[index].reports);
        };
        assert!(time <= asked + support::TICK * 2);
        assert_eq!(alone, reduced, "RFC 5506 §4.1");
        let limited = PeerEvent::BitrateLimited(64_000);
        assert_eq!(world.events_of(index).last(), Some(&limited));
    }
}

#[test]
fn confirmations_are_sent_once_a_second_at_most_and_limits_told_when_they_change() {
    let mut world = World::new();
    let index = world.connect_as(with_tmmbr);
    let ssrc = world.listeners[index].media_ssrc;
    for request in 0..400 {
        world.hear(index, &rtcp::tmmbr(ssrc, 0, 50_000 + request / 100));
        world.run(support::TICK);
    }
    world.run(Duration::from_secs(2));
    let confirmed = confirmations(&world, index);
    assert!((4..=6).contains(&confirmed.len()), "{confirmed:?}");
    for pair in confirmed.windows(2) {
        // A report that is due anyway takes it along.
        let ((before, ..), (time, _, alone)) = (pair[0], pair[1]);
        assert!(!alone || time - before >= Duration::from_secs(1));
    }
    assert_eq!(confirmed.last().unwrap().1, 50_003);
    let limited = |event: &&PeerEvent| matches!(event, PeerEvent::BitrateLimited(_));
    assert_eq!(world.events_of(index).iter().filter(limited).count(), 4);
}

#[test]
fn requests_that_were_not_agreed_to_or_concern_others_are_ignored() {
    let mut world = World::new();
    let (stranger, index) = (world.connect(), world.connect_as(with_tmmbr));
    let ssrc = world.listeners[stranger].media_ssrc;
    world.hear(stranger, &rtcp::tmmbr(ssrc, 0, 50_000));
    world.hear(index, &rtcp::tmmbr(ssrc, 0, 50_000));
    world.run(Duration::from_secs(8));
    for index in [stranger, index] {
        assert!(confirmations(&world, index).is_empty());
        assert_eq!(world.events_of(index).len(), 1, "connected");
    }
}

#[test]
fn one_compound_may_limit_the_rate_and_miss_packets() {
    let mut world = World::new();
    let index = world.connect_as(|remote| {
        with_tmmbr(remote);
        remote.rtp.nack = true;
    });
    let listener = &world.listeners[index];
    let (ssrc, number) = (listener.media_ssrc, listener.sequence_numbers()[0]);
    let both = [rtcp::tmmbr(ssrc, 0, 50_000), rtcp::nack(ssrc, &[number])].concat();
    world.hear(index, &both);
    assert_eq!(world.listeners[index].replays, 1);
    let limited = PeerEvent::BitrateLimited(50_000);
    assert!(world.events_of(index).contains(&limited));
}

#[test]
fn rfc3611_4_5_reference_time_is_answered_in_the_next_report() {
    for agreed in [true, false] {
        let mut world = World::new();
        let index = world.connect_as(|remote| remote.rtp.rcvr_rtt = agreed);
        world.run(Duration::from_millis(700));
        world.listeners[index].clear();
        let asked = world.now;
        world.hear(index, &rtcp::reference_time(0x1122_3344_5566_7788));
        let reported = |world: &World| world.listeners[index].reports.len() >= 2;
        assert!(world.run_until(Duration::from_secs(20), reported));
        let mut answers = Vec::new();
        for (time, report) in &world.listeners[index].reports {
            for packet in RtcpReader::new(report) {
                if let RtcpPacket::ExtendedReport(report) = packet {
                    answers.extend(report.dlrr().map(|answer| (*time, answer)));
                }
            }
        }
        let [(time, answer)] = answers[..] else {
            assert!(!agreed && answers.is_empty(), "{answers:?}");
            continue;
        };
        assert!(agreed);
        assert_eq!(time, world.listeners[index].reports[0].0, "once, and soon");
        assert_eq!(answer.ssrc, rtcp::LISTENER);
        assert_eq!(answer.last_rr, 0x3344_5566);
        let held = (time - asked).as_millis() as u32 * 65_536 / 1_000;
        assert!(answer.delay.abs_diff(held) <= 1);
    }
}

#[test]
fn estimate_reaches_the_counters() {
    let mut world = World::new();
    let index = world.connect();
    let counters = world.listeners[index].counters.clone();
    assert_eq!(counters.bandwidth_estimate(), None);
    world.hear(
        index,
        &rtcp::remb(world.listeners[index].media_ssrc, 3, 40_000),
    );
    assert_eq!(counters.bandwidth_estimate(), Some(320_000));
}

#[test]
fn rfc8834_4_1_reports_are_used_whatever_unknown_stands_beside_them() {
    let mut world = World::new();
    let index = world.connect_as(with_tmmbr);
    let mut block = world.listeners[index].report_block();
    (block.jitter, block.fraction_lost) = (77, 128);
    let ssrc = world.listeners[index].media_ssrc;
    let feedback = rtcp::octets(&[rtcp::LISTENER, ssrc]);
    let name = rtcp::octets(&[rtcp::LISTENER, u32::from_be_bytes(*b"name"), 7]);
    let unknown = [
        rtcp::packet(1, 206, &feedback),
        rtcp::packet(4, 206, &[&feedback[..], &[0; 8]].concat()),
        rtcp::packet(3, 204, &name),
        rtcp::packet(0, 250, &[]),
        // A NACK without a number, and an extended report with a block of no known type.
        rtcp::packet(1, 205, &feedback),
        rtcp::packet(0, 207, &rtcp::octets(&[rtcp::LISTENER, 99 << 24])),
    ]
    .concat();
    let compound = [
        rtcp::empty_report(rtcp::LISTENER),
        unknown.clone(),
        rtcp::receiver_report(&block),
        unknown,
    ]
    .concat();
    world.hear(index, &compound);
    let counters = world.listeners[index].counters.snapshot();
    assert_eq!(counters.reports_received, 1);
    assert_eq!((counters.jitter, counters.fraction_lost), (77, 0.5));
    let events = world.events_of(index).len();
    world.listeners[index].clear();
    world.run(Duration::from_secs(1));
    assert_eq!(world.events_of(index).len(), events);
    assert_eq!(world.listeners[index].packets.len(), 50);
    assert_eq!(world.hub.drops().count(DropReason::MalformedRtcp), 0);
}

#[test]
fn broken_compounds_are_counted_and_harm_nobody() {
    let mut world = World::new();
    let index = world.connect_as(|remote| {
        with_tmmbr(remote);
        remote.rtp.nack = true;
        remote.rtp.rcvr_rtt = true;
    });
    let ssrc = world.listeners[index].media_ssrc;
    let feedback = rtcp::octets(&[rtcp::LISTENER, ssrc]);
    let cases = [
        // More blocks than there are, no entry, a length past the end, padding past the start.
        rtcp::packet(31, 201, &feedback),
        rtcp::packet(3, 205, &feedback),
        [&[0x81, 205, 0xff, 0xff][..], &feedback].concat(),
        [&[0xa1, 205, 0, 2][..], &feedback[..7], &[255]].concat(),
        rtcp::packet(15, 206, b"\0\0\0\x01\0\0\0\0REMB\xff\0\0\0"),
        rtcp::packet(0, 207, &rtcp::octets(&[1, 4 << 24 | 200])),
    ];
    for (count, case) in (1..).zip(&cases) {
        world.hear(index, case);
        let counted = world.hub.drops().count(DropReason::MalformedRtcp);
        assert_eq!(counted, count, "{case:?}");
    }
    // Of what no datagram could hold, the longest that it can.
    let all: Vec<u16> = (0..350).collect();
    world.hear(index, &rtcp::nack(ssrc, &all));
    world.listeners[index].clear();
    world.run(Duration::from_secs(1));
    assert_eq!(world.events_of(index).len(), 1, "connected");
    assert_eq!(world.listeners[index].packets.len(), 50);
}

#[test]
fn rfc7675_5_1_reports_are_no_consent_and_do_not_hold_timers_up() {
    let mut world = World::new();
    let index = world.connect();
    world.listeners[index].checks = false;
    let report = rtcp::empty_report(rtcp::LISTENER);
    for _ in 0..3_100 {
        if !world.hub.is_empty() {
            world.listeners[index].send_rtcp(&report);
        }
        world.run(support::TICK);
    }
    let expired = PeerEvent::Failed(FailureReason::ConsentExpired);
    assert_eq!(world.events_of(index).pop(), Some(expired));
}

#[test]
fn forged_rtcp_does_not_delay_reports() {
    let mut world = World::new();
    let index = world.connect();
    let path = world.listeners[index].path;
    let mut forged = [0x80; 1400];
    forged[1] = 201;
    for _ in 0..1_000 {
        world.receive(path, &forged);
    }
    world.run(Duration::from_secs(60));
    let reports = world.listeners[index].reports.len();
    assert!(reports >= 8, "{reports} in a minute");
}

#[test]
fn rfc3550_6_4_1_round_trip_time_comes_from_the_last_sender_report() {
    let mut world = World::new();
    let index = world.connect();
    let reported = |world: &World| !world.listeners[index].reports.is_empty();
    assert!(world.run_until(Duration::from_secs(8), reported));
    let (_, report) = &world.listeners[index].reports[0];
    let Some(RtcpPacket::SenderReport { info, .. }) = RtcpReader::new(report).next() else {
        panic!("not a sender report");
    };
    let NtpTime(ntp) = info.ntp;
    let mut block = world.listeners[index].report_block();
    block.last_sr = (ntp >> 16) as u32;
    block.delay_since_last_sr = 65_536 / 2;
    world.run(Duration::from_millis(620));
    world.hear(index, &rtcp::receiver_report(&block));
    let counters = world.listeners[index].counters.snapshot();
    let time = counters.round_trip_time.unwrap();
    assert!((119..=131).contains(&time.as_millis()), "{time:?}");
}

#[test]
fn rfc3550_6_5_mid_too_long_for_an_item_takes_no_report_away() {
    let mut world = World::new();
    let index = world.connect_as(|remote| remote.mid = Some("m".repeat(256)));
    assert!(world.run_until(Duration::from_secs(60), |world| {
        !world.listeners[index].reports.is_empty()
    }));
}
