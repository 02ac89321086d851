//! For all inputs: hostile bytes are read without a panic and to an end, and what is written is
//! read back as it was meant.
#![allow(clippy::unwrap_used)]

use std::time::{Duration, Instant};

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use skywave_rtp::{
    CircuitBreaker, CircuitBreakerConfig, CompoundReport, Dlrr, NtpTime, Replies, ReportBlock,
    ReportInterval, RtcpPacket, RtcpReader, RtpPacket, RtxSource, SenderInfo, TcpThroughput,
    TmmbEntry, round_trip_time,
};

/// Reads all there is to read; gives the number of things seen.
fn read_everything(packet: &RtcpPacket<'_>) -> usize {
    assert!(!format!("{packet:?}").is_empty());
    packet.is_from(0);
    match packet {
        RtcpPacket::SenderReport { reports, .. } | RtcpPacket::ReceiverReport { reports, .. } => {
            reports.clone().count()
        }
        RtcpPacket::SourceDescription(sdes) => {
            sdes.chunks().map(|chunk| chunk.items().count()).sum()
        }
        RtcpPacket::Bye(bye) => bye.ssrcs().count() + bye.reason().len(),
        RtcpPacket::Nack(nack) => nack.lost().count(),
        RtcpPacket::TransportCc(feedback) => feedback.statuses().count(),
        RtcpPacket::Remb(remb) => remb.ssrcs().count(),
        RtcpPacket::Tmmbr(tmmb) | RtcpPacket::Tmmbn(tmmb) => tmmb.entries().count(),
        RtcpPacket::ExtendedReport(report) => {
            report.dlrr().count() + usize::from(report.reference_time().is_some())
        }
        RtcpPacket::Unknown { body, .. } => body.len(),
        _ => 0,
    }
}

/// Transport-wide feedback in chunks of seven symbols, padded.
fn transport_cc(base: u16, deltas: &[Option<i16>]) -> Vec<u8> {
    let mut body = [&[0, 0, 0, 1, 0, 0, 0, 2][..], &base.to_be_bytes()].concat();
    body.extend((deltas.len() as u16).to_be_bytes());
    body.extend([0, 0, 1, 2]);
    let is_small = |delta: i16| u8::try_from(delta).is_ok();
    for seven in deltas.chunks(7) {
        let word = (0..).zip(seven).fold(0xc000, |word, (place, delta)| {
            let symbol = delta.map_or(0, |delta| if is_small(delta) { 1 } else { 2 });
            word | symbol << (12 - 2 * place)
        });
        body.extend(u16::to_be_bytes(word));
    }
    for delta in deltas.iter().flatten() {
        let octets = delta.to_be_bytes();
        body.extend(&octets[usize::from(is_small(*delta))..]);
    }
    let padding = 4 - body.len() % 4;
    body.resize(body.len() + padding - 1, 0);
    body.push(padding as u8);
    let [high, low] = ((body.len() / 4) as u16).to_be_bytes();
    [&[0xaf, 205, high, low][..], &body].concat()
}

/// Bytes that get past the first checks: version 2, a known packet type, a length that fits.
fn rtcp_like() -> impl Strategy<Value = Vec<u8>> {
    (0_u8..64, 199_u8..209, vec(any::<u8>(), 0..120)).prop_map(|(first, packet_type, mut body)| {
        body.truncate(body.len() / 4 * 4);
        let words = (body.len() / 4) as u8;
        [&[0x80 | first, packet_type, 0, words][..], &body].concat()
    })
}

fn rtp_like() -> impl Strategy<Value = Vec<u8>> {
    let profile = prop_oneof![Just([0xbe, 0xde]), Just([0x10, 0x00]), any::<[u8; 2]>()];
    (0_u8..64, profile, 0_u8..16, vec(any::<u8>(), 0..100)).prop_map(
        |(first, profile, words, rest)| {
            let extension = [profile[0], profile[1], 0, words];
            [&[0x80 | first][..], &[111; 11], &extension, &rest].concat()
        },
    )
}

/// Few cases where each takes long.
fn cases() -> ProptestConfig {
    if cfg!(miri) {
        // There are no files to keep failures in.
        return ProptestConfig {
            cases: 3,
            failure_persistence: None,
            ..ProptestConfig::default()
        };
    }
    ProptestConfig::default()
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn arbitrary_bytes_are_read_as_rtcp_without_a_panic(datagram in vec(any::<u8>(), 0..200)) {
        let packets = RtcpReader::new(&datagram).inspect(|packet| { read_everything(packet); });
        prop_assert!(packets.count() <= datagram.len() / 4);
    }

    #[test]
    fn bytes_like_rtcp_are_read_without_a_panic(packets in vec(rtcp_like(), 0..4)) {
        let datagram = packets.concat();
        // Sixteen octets of transport-wide feedback stand for 65,535 statuses at most.
        let seen: usize = RtcpReader::new(&datagram).map(|packet| read_everything(&packet)).sum();
        prop_assert!(seen <= packets.len() * 65_535);
    }

    #[test]
    fn arbitrary_bytes_are_read_as_rtp_without_a_panic(
        packet in prop_oneof![vec(any::<u8>(), 0..100), rtp_like()],
    ) {
        if let Ok(view) = RtpPacket::parse(&packet) {
            let data: usize = view.extensions().map(|element| element.data.len()).sum();
            prop_assert!(12 + data + view.payload().len() <= packet.len());
            prop_assert!(view.extensions().all(|element| element.id != 0));
        }
    }

    #[test]
    fn compound_is_read_back_as_written(
        ssrc in any::<u32>(),
        sender in option::of(any::<(u64, u32, u32, u32)>()),
        cname in "[ -~]{1,255}",
        mid in option::of("[a-z]{1,40}"),
        bye in option::of("[ -~]{0,255}"),
        rtx in option::of((any::<u32>(), any::<bool>())),
    ) {
        let sender = sender.map(|(ntp, rtp_timestamp, packet_count, octet_count)| SenderInfo {
            ntp: NtpTime(ntp), rtp_timestamp, packet_count, octet_count,
        });
        let report = CompoundReport {
            ssrc,
            sender,
            cname: &cname,
            rtx: rtx.map(|(ssrc, active)| RtxSource { ssrc, sender: sender.filter(|_| active) }),
            mid: mid.as_deref(),
            replies: Replies::default(),
            bye: bye.as_deref(),
        };
        let mut buffer = [0xee; 1300];
        let len = report.write(&mut buffer).unwrap();
        prop_assert_eq!(len % 4, 0);
        let sources: Vec<u32> = std::iter::once(ssrc).chain(rtx.map(|(ssrc, _)| ssrc)).collect();
        let mut reader = RtcpReader::new(&buffer[..len]);
        let packets: Vec<_> = reader.by_ref().collect();
        prop_assert_eq!(reader.malformed(), None);
        prop_assert_eq!(packets.len(), 1 + sources.len() + usize::from(bye.is_some()));
        match &packets[0] {
            RtcpPacket::SenderReport { ssrc: from, info, .. } => {
                prop_assert_eq!((*from, Some(*info)), (ssrc, sender));
            }
            RtcpPacket::ReceiverReport { ssrc: from, .. } => {
                prop_assert_eq!((*from, None), (ssrc, sender));
            }
            other => prop_assert!(false, "{other:?}"),
        }
        let RtcpPacket::SourceDescription(sdes) = &packets[sources.len()] else {
            panic!("{packets:?}")
        };
        prop_assert!(sdes.chunks().map(|chunk| chunk.ssrc()).eq(sources.iter().copied()));
        for chunk in sdes.chunks() {
            prop_assert_eq!(chunk.cname(), Some(cname.as_bytes()));
            prop_assert_eq!(chunk.mid(), mid.as_deref().map(str::as_bytes));
        }
        if let Some(reason) = &bye {
            let Some(RtcpPacket::Bye(bye)) = packets.last() else { panic!("{packets:?}") };
            prop_assert_eq!(bye.ssrcs().collect::<Vec<_>>(), sources);
            prop_assert_eq!(bye.reason(), reason.as_bytes());
        }
    }

    #[test]
    fn nack_lists_what_was_put_in(entries in vec(any::<(u16, u16)>(), 1..20)) {
        let mut expected = Vec::new();
        let mut datagram = vec![0x81, 205, 0, 2 + entries.len() as u8, 0, 0, 0, 1, 0, 0, 0, 2];
        for (first, mask) in entries {
            datagram.extend([first.to_be_bytes(), mask.to_be_bytes()].concat());
            expected.push(first);
            let following = (0..16).filter(|bit| mask >> bit & 1 == 1);
            expected.extend(following.map(|bit| first.wrapping_add(bit + 1)));
        }
        let Some(RtcpPacket::Nack(nack)) = RtcpReader::new(&datagram).next() else {
            panic!("no NACK");
        };
        prop_assert!(nack.lost().eq(expected));
    }

    #[test]
    fn transport_cc_gives_the_deltas_that_were_put_in(
        base in any::<u16>(),
        deltas in vec(option::of(any::<i16>()), 0..200),
    ) {
        let datagram = transport_cc(base, &deltas);
        let Some(RtcpPacket::TransportCc(feedback)) = RtcpReader::new(&datagram).next() else {
            panic!("no feedback");
        };
        let numbers = (0..).map(|offset| base.wrapping_add(offset));
        prop_assert!(feedback.statuses().eq(numbers.zip(deltas)));
    }

    #[test]
    fn replies_are_read_back_as_written(
        ssrc in any::<u32>(),
        dlrr in vec(any::<(u32, u32, u32)>(), 0..=Replies::MAX_COUNT),
        tmmbn in option::of(vec((any::<u32>(), 0_u64..1 << 17, 0_u32..=47, 0_u16..512), 0..=31)),
    ) {
        let dlrr: Vec<_> = (dlrr.into_iter())
            .map(|(ssrc, last_rr, delay)| Dlrr { ssrc, last_rr, delay })
            .collect();
        let tmmbn: Option<Vec<_>> = tmmbn.map(|limits| {
            (limits.into_iter())
                .map(|(ssrc, mantissa, exponent, overhead)| TmmbEntry {
                    ssrc, max_bitrate: mantissa << exponent, overhead,
                })
                .collect()
        });
        let replies = Replies { dlrr: &dlrr, tmmbn: tmmbn.as_deref() };
        let mut buffer = [0xee; 900];
        let len = replies.write_reduced(ssrc, &mut buffer).unwrap();
        let mut reader = RtcpReader::new(&buffer[..len]);
        let (mut dlrr_read, mut tmmbn_read) = (Vec::new(), None);
        for packet in reader.by_ref() {
            prop_assert!(packet.is_from(ssrc));
            match packet {
                RtcpPacket::ExtendedReport(report) => dlrr_read.extend(report.dlrr()),
                RtcpPacket::Tmmbn(limits) => tmmbn_read = Some(limits.entries().collect()),
                other => prop_assert!(false, "{other:?}"),
            }
        }
        prop_assert_eq!(reader.malformed(), None);
        prop_assert_eq!((dlrr_read, tmmbn_read), (dlrr, tmmbn));
    }

    #[test]
    fn round_trip_time_is_what_was_put_in(sent in any::<u64>(), held in 0_u32..1 << 30, trip in 0_u32..1 << 23) {
        let last_sr = NtpTime(sent).middle();
        prop_assume!(last_sr != 0);
        let now = NtpTime(sent.wrapping_add(u64::from(held + trip) << 16));
        let measured = round_trip_time(now, last_sr, held);
        let expected = (u128::from(trip) * 1_000_000_000) >> 16;
        if trip <= 60 << 16 {
            prop_assert_eq!(measured.unwrap().as_nanos(), expected);
        } else {
            prop_assert_eq!(measured, None);
        }
    }

    #[test]
    fn interval_grows_with_the_random_number(
        (a, b, session_bandwidth) in any::<(u32, u32, u32)>(),
        average_size in 0.0..1e9,
        senders in any::<u8>(),
        first in any::<bool>(),
    ) {
        let interval = ReportInterval { session_bandwidth, average_size, senders, first };
        prop_assert!(interval.randomized(a.min(b)) <= interval.randomized(a.max(b)));
        prop_assert!(interval.deterministic() >= Duration::from_secs(5));
    }

    #[test]
    fn circuit_breaker_takes_any_report_and_keeps_its_judgement(
        reports in vec((any::<(u8, u32, u64)>(), 0_u64..20_000, option::of(0_u64..60_000)), 0..100),
        report_interval in 0_u64..100_000,
    ) {
        let mut breaker = CircuitBreaker::new(CircuitBreakerConfig {
            report_interval: Duration::from_millis(report_interval),
            frame_interval: Duration::from_millis(20),
            throughput: TcpThroughput::Full,
        });
        let mut now = Instant::now();
        let mut tripped = None;
        for ((fraction_lost, highest_sequence, packets), wait, trip) in reports {
            now += Duration::from_millis(wait);
            let polled = breaker.poll(now, packets);
            prop_assert!(tripped.is_none() || polled == tripped);
            let block = ReportBlock {
                ssrc: 1, fraction_lost, cumulative_lost: 0, highest_sequence,
                jitter: 0, last_sr: 0, delay_since_last_sr: 0,
            };
            let said = breaker.report(now, &block, trip.map(Duration::from_millis), packets);
            prop_assert!(polled.is_none() || said == polled);
            tripped = said;
        }
    }
}
