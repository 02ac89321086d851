//! What real peers send, as it came out of SRTP and SRTCP, and inputs known to be bad.
//!
//! Chromium and Firefox (as installed in 2026) called aiortc 1.16 and sent a microphone's audio.
//! The inputs called "bad", the padding, the telephone event and the feedback are written by hand.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use skywave_rtp::{
    Counters, Malformed, NtpTime, ReportBlock, RtcpPacket, RtcpReader, RtpPacket, SenderInfo,
    is_rtcp, round_trip_time,
};

fn octets(hex: &str) -> Vec<u8> {
    let digits: Vec<u32> = hex.chars().map(|c| c.to_digit(16).unwrap()).collect();
    digits
        .chunks(2)
        .map(|pair| (pair[0] << 4 | pair[1]) as u8)
        .collect()
}

#[test]
fn chromium_receiver_report_comes_alone() {
    let datagram = octets("81c900071972ceaf3b6775fd00000000000072a60000002029e6457b0000c5c2");
    assert!(is_rtcp(&datagram));
    let mut reader = RtcpReader::new(&datagram);
    let Some(RtcpPacket::ReceiverReport { ssrc, mut reports }) = reader.next() else {
        panic!("no receiver report");
    };
    assert_eq!(ssrc, 0x1972_ceaf);
    let block = ReportBlock {
        ssrc: 0x3b67_75fd,
        fraction_lost: 0,
        cumulative_lost: 0,
        highest_sequence: 0x72a6,
        jitter: 32,
        last_sr: 0x29e6_457b,
        delay_since_last_sr: 0xc5c2,
    };
    assert_eq!(reports.next(), Some(block));
    assert_eq!(reports.next(), None);
    assert!(reader.next().is_none());
    assert_eq!(reader.malformed(), None);
}

#[test]
fn chromium_receiver_report_gives_the_round_trip_time() {
    let datagram = octets("81c900071972ceaf3b6775fd00000000000072a60000002029e6457b0000c5c2");
    let Some(RtcpPacket::ReceiverReport { mut reports, .. }) = RtcpReader::new(&datagram).next()
    else {
        panic!("no receiver report");
    };
    let block = reports.next().unwrap();
    // The sender report at 10,726.271 s of the clock's lower half, held for 0.772 s.
    let now = NtpTime((0x29e6_457b_u64 + 0xc5c2 + 655) << 16);
    let expected = Duration::from_nanos(655 * 1_000_000_000 / 65_536);
    assert_eq!(
        round_trip_time(now, block.last_sr, block.delay_since_last_sr),
        Some(expected)
    );
    let counters = Counters::default();
    counters.record_report(&block, now);
    assert_eq!(counters.round_trip_time(), Some(expected));
    assert_eq!(counters.jitter(), 32);
}

#[test]
fn chromium_sender_report_and_cname_are_read() {
    let datagram = octets(
        "80c800061972ceafeead29d8046b26bfd5a101a400000072000014fc\
         81ca00061972ceaf011037566c734e394644525a6c796b7a4e720000",
    );
    let mut reader = RtcpReader::new(&datagram);
    let Some(RtcpPacket::SenderReport {
        ssrc,
        info,
        reports,
    }) = reader.next()
    else {
        panic!("no sender report");
    };
    assert_eq!(ssrc, 0x1972_ceaf);
    let sent = SenderInfo {
        ntp: NtpTime(0xeead_29d8_046b_26bf),
        rtp_timestamp: 0xd5a1_01a4,
        packet_count: 114,
        octet_count: 5372,
    };
    assert_eq!((info, reports.len()), (sent, 0));
    let Some(RtcpPacket::SourceDescription(sdes)) = reader.next() else {
        panic!("no source description");
    };
    let chunk = sdes.chunks().next().unwrap();
    assert_eq!(
        (chunk.ssrc(), chunk.cname()),
        (0x1972_ceaf, Some(&b"7VlsN9FDRZlykzNr"[..]))
    );
    assert!(reader.next().is_none());
    assert_eq!(reader.malformed(), None);
}

#[test]
fn firefox_leaves_with_report_description_and_bye() {
    let datagram = octets(
        "80c90001c0bd95a4\
         81ca000cc0bd95a401267b63633537313037352d663837312d343936312d613765362d6639633736306364333664337d00000000\
         81cb0001c0bd95a4",
    );
    let mut reader = RtcpReader::new(&datagram);
    let packets: Vec<_> = reader.by_ref().collect();
    let [
        RtcpPacket::ReceiverReport {
            ssrc: 0xc0bd_95a4,
            reports,
        },
        RtcpPacket::SourceDescription(sdes),
        RtcpPacket::Bye(bye),
    ] = &packets[..]
    else {
        panic!("{packets:?}");
    };
    assert_eq!(reports.len(), 0);
    let cname = sdes.chunks().next().unwrap().cname();
    assert_eq!(cname, Some(&b"{cc571075-f871-4961-a7e6-f9c760cd36d3}"[..]));
    assert_eq!(bye.ssrcs().collect::<Vec<_>>(), [0xc0bd_95a4]);
    assert_eq!(bye.reason(), b"");
    assert_eq!(reader.malformed(), None);
}

#[test]
fn rtp_of_chromium_and_firefox_carries_level_and_mid() {
    // Chromium: level under id 1, mid "0" under id 4. Firefox: mid under id 3, level under id 1.
    let chromium = octets(
        "90ef6d84d59f55c41972ceafbede0001403010ff780be4c136ecc58d8c49469904c5aaed92e7634a3a1898ee62cb60ff6c1b2900",
    );
    let packet = RtpPacket::parse(&chromium).unwrap();
    assert!(!is_rtcp(&chromium) && packet.marker());
    assert_eq!(
        (packet.payload_type(), packet.sequence_number()),
        (111, 0x6d84)
    );
    assert_eq!(
        (packet.timestamp(), packet.ssrc()),
        (0xd59f_55c4, 0x1972_ceaf)
    );
    let elements: Vec<_> = packet.extensions().map(|e| (e.id, e.data)).collect();
    assert_eq!(elements, [(4, &b"0"[..]), (1, &[0xff][..])]);
    assert_eq!(packet.payload(), &chromium[20..]);

    let firefox = octets("906d02adc7e3e508c0bd95a4bede000130301097789cd63e");
    let packet = RtpPacket::parse(&firefox).unwrap();
    assert_eq!((packet.marker(), packet.payload_type()), (false, 109));
    let elements: Vec<_> = packet.extensions().map(|e| (e.id, e.data)).collect();
    assert_eq!(elements, [(3, &b"0"[..]), (1, &[0x97][..])]);
}

#[test]
fn rtp_of_nothing_but_padding_has_no_payload() {
    let mut packet = octets("b06200010000038400000007bede000122aabbcc");
    packet.resize(packet.len() + 223, 0);
    packet.push(224);
    let view = RtpPacket::parse(&packet).unwrap();
    assert!(view.payload().is_empty());
    let elements: Vec<_> = view.extensions().map(|e| (e.id, e.data)).collect();
    assert_eq!(elements, [(2, &[0xaa, 0xbb, 0xcc][..])]);
}

#[test]
fn telephone_event_is_read() {
    let packet = octets("80e5000200000064000000070b8a0320");
    let view = RtpPacket::parse(&packet).unwrap();
    assert_eq!((view.payload_type(), view.marker()), (101, true));
    assert_eq!(view.payload(), [11, 0x8a, 3, 0x20]);
    assert_eq!(view.extensions().count(), 0);
}

#[test]
fn bad_rtcp_is_dropped_with_its_reason() {
    let bad = [
        (
            "bye without its second half",
            "91cb000100000007",
            Malformed::Count,
        ),
        (
            "bye of padding only",
            "a0cb000102030405",
            Malformed::Padding,
        ),
        (
            "receiver report without its block",
            "81c9000100000007",
            Malformed::Count,
        ),
        (
            "sender report without its info",
            "81c8000100000007",
            Malformed::Count,
        ),
        (
            "item longer than its packet",
            "81ca00030000000701ff616263000000",
            Malformed::Count,
        ),
        (
            "packet longer than its datagram",
            "81ca0006000000070101",
            Malformed::Truncated,
        ),
    ];
    for (what, hex, reason) in bad {
        let datagram = octets(hex);
        let mut reader = RtcpReader::new(&datagram);
        assert!(reader.next().is_none(), "{what}");
        assert_eq!(reader.malformed(), Some(reason), "{what}");
    }
}
