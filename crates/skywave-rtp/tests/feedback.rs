//! Feedback messages and compounds as other implementations write them.
//!
//! Chromium's (156) and Firefox's (153) come from their own packet logs of calls within one page;
//! "aiortc" is what aiortc 1.16 makes of the values given.
#![allow(clippy::unwrap_used)]

use skywave_rtp::{Dlrr, Malformed, NtpTime, RtcpPacket, RtcpReader};

fn octets(hex: &str) -> Vec<u8> {
    let digits: Vec<u32> = hex.chars().map(|c| c.to_digit(16).unwrap()).collect();
    digits
        .chunks(2)
        .map(|pair| (pair[0] << 4 | pair[1]) as u8)
        .collect()
}

/// The deltas of transport-wide feedback, its base and its reference time.
fn transport_cc(hex: &str) -> (u16, i32, Vec<Option<i16>>) {
    let datagram = octets(hex);
    let mut reader = RtcpReader::new(&datagram);
    let Some(RtcpPacket::TransportCc(feedback)) = reader.next() else {
        panic!("no transport-wide feedback");
    };
    assert!(reader.next().is_none() && reader.malformed().is_none());
    assert_eq!(
        feedback.statuses().count(),
        usize::from(feedback.status_count())
    );
    let base = feedback.base_sequence_number();
    for (offset, (sequence_number, _)) in (0..).zip(feedback.statuses()) {
        assert_eq!(sequence_number, base.wrapping_add(offset));
    }
    let deltas = feedback.statuses().map(|(_, delta)| delta).collect();
    (base, feedback.reference_time(), deltas)
}

#[test]
fn chromium_transport_cc_is_read() {
    let (base, reference, deltas) =
        transport_cc("8fcd0005fa17fa1732bd19940001000202a7120020027a54");
    assert_eq!((base, reference), (1, 0x02_a712));
    assert_eq!(deltas, [0x7a, 0x54].map(Some));
    let (base, _, deltas) =
        transport_cc("8fcd0006fa17fa1719e3c3be0100000602a820542006524f4f22111d");
    assert_eq!(base, 256);
    assert_eq!(deltas, [0x52, 0x4f, 0x4f, 0x22, 0x11, 0x1d].map(Some));
}

#[test]
fn chromium_transport_cc_with_padding_is_read() {
    let (base, reference, deltas) =
        transport_cc("afcd0006fa17fa1732bd19940003000302a71301200319524e000003");
    assert_eq!((base, reference), (3, 0x02_a713));
    assert_eq!(deltas, [0x19, 0x52, 0x4e].map(Some));
}

#[test]
fn firefox_transport_cc_of_many_packets_is_read() {
    let (base, _, deltas) = transport_cc(concat!(
        "8fcd000acb8e616d21c542010010001600106500",
        "2016030d040b12011602000103000c010d01070107000a00",
    ));
    assert_eq!((base, deltas.len()), (16, 22));
    assert_eq!(deltas[..4], [3, 13, 4, 11].map(Some));
    assert_eq!(deltas[20..], [10, 0].map(Some));
}

#[test]
fn chromium_reference_time_is_read_behind_its_report() {
    let datagram = octets(concat!(
        "81c90007fa17fa1732bd199400000000000080670000004450188692000001b2",
        "80cf0004fa17fa1704000002eead5018888bda94",
    ));
    let packets: Vec<_> = RtcpReader::new(&datagram).collect();
    let [
        RtcpPacket::ReceiverReport { reports, .. },
        RtcpPacket::ExtendedReport(report),
    ] = &packets[..]
    else {
        panic!("{packets:?}");
    };
    assert_eq!(reports.clone().next().unwrap().jitter, 0x44);
    assert_eq!(report.ssrc(), 0xfa17_fa17);
    let time = NtpTime(0xeead_5018_888b_da94);
    assert_eq!(report.reference_time(), Some(time));
    assert_eq!(report.dlrr().count(), 0);
}

#[test]
fn chromium_answer_to_a_reference_time_is_read() {
    let datagram = octets("80cf000532bd199405000003fa17fa175018888b000423bd");
    let Some(RtcpPacket::ExtendedReport(report)) = RtcpReader::new(&datagram).next() else {
        panic!("no extended report");
    };
    let answer = Dlrr {
        ssrc: 0xfa17_fa17,
        last_rr: 0x5018_888b,
        delay: 0x0004_23bd,
    };
    assert!(report.dlrr().eq([answer]));
    assert_eq!(report.reference_time(), None);
}

#[test]
fn firefox_farewell_is_read_to_its_end() {
    let datagram = octets(concat!(
        "80c9000121c5420181ca000c21c5420101267b34376535373037312d643464382d343631652d3966",
        "63352d3861656363343161353461327d0000000081cb000121c54201",
    ));
    let mut reader = RtcpReader::new(&datagram);
    let packets: Vec<_> = reader.by_ref().collect();
    assert_eq!(reader.malformed(), None);
    assert!(matches!(
        packets[..],
        [
            RtcpPacket::ReceiverReport { .. },
            RtcpPacket::SourceDescription(_),
            RtcpPacket::Bye(_),
        ]
    ));
    assert!(packets.iter().all(|packet| packet.is_from(0x21c5_4201)));
}

const AIORTC_RR: &str = "81c90007deadbeef112233441afffffe0001abcd0000001f29e6457b0000c5c2";
const AIORTC_SDES: &str = "81ca0006deadbeef01106c697374656e65722d3740726164696f0000";
const AIORTC_NACK: &str = "81cd0004deadbeef11223344abc00101ac000000";
const AIORTC_REMB: &str = "8fce0005deadbeef0000000052454d420113f7a011223344";
const AIORTC_PLI: &str = "81ce0002deadbeef11223344";
const AIORTC_BYE: &str = "81cb0001deadbeef";

#[test]
fn aiortc_compound_is_read() {
    let compound = [
        AIORTC_RR,
        AIORTC_SDES,
        AIORTC_NACK,
        AIORTC_REMB,
        AIORTC_PLI,
        AIORTC_BYE,
    ];
    let datagram = octets(&compound.concat());
    let mut reader = RtcpReader::new(&datagram);
    let packets: Vec<_> = reader.by_ref().collect();
    assert_eq!(reader.malformed(), None);
    assert!(packets.iter().all(|packet| packet.is_from(0xdead_beef)));
    let [
        RtcpPacket::ReceiverReport { reports, .. },
        RtcpPacket::SourceDescription(sdes),
        RtcpPacket::Nack(nack),
        RtcpPacket::Remb(remb),
        RtcpPacket::PictureLossIndication { .. },
        RtcpPacket::Bye(_),
    ] = &packets[..]
    else {
        panic!("{packets:?}");
    };
    let block = reports.clone().next().unwrap();
    assert_eq!((block.fraction_lost, block.cumulative_lost), (26, -2));
    let cname = sdes.chunks().next().unwrap().cname();
    assert_eq!(cname, Some(&b"listener-7@radio"[..]));
    assert_eq!(nack.media_ssrc(), 0x1122_3344);
    assert!(nack.lost().eq([0xabc0, 0xabc1, 0xabc9, 0xac00]));
    assert_eq!(remb.bitrate(), 4_160_000);
    assert!(remb.ssrcs().eq([0x1122_3344]));
}

#[test]
fn rfc8834_4_1_known_packets_are_used_beside_unknown_and_broken_ones() {
    // APP, a NACK of nothing, a REMB without its stream, slice loss, an XR block past the end.
    let compound = [
        AIORTC_RR,
        AIORTC_SDES,
        "80cc0002deadbeef41424344",
        "81cd0002deadbeef11223344",
        "8fce0004deadbeef0000000052454d420113f7a0",
        "82ce0003deadbeef1122334400000000",
        "80cf0002deadbeef04000009",
        AIORTC_NACK,
    ];
    let datagram = octets(&compound.concat());
    let mut reader = RtcpReader::new(&datagram);
    let packets: Vec<_> = reader.by_ref().collect();
    assert_eq!(reader.malformed(), Some(Malformed::Count));
    assert!(matches!(
        packets[..],
        [
            RtcpPacket::ReceiverReport { .. },
            RtcpPacket::SourceDescription(_),
            RtcpPacket::Unknown {
                packet_type: 204,
                ..
            },
            RtcpPacket::Unknown {
                packet_type: 206,
                format: 2,
                ..
            },
            RtcpPacket::Nack(_),
        ]
    ));
}

#[test]
fn rfc8834_4_6_reduced_size_feedback_is_read_without_a_report() {
    for (hex, what) in [
        (AIORTC_NACK, "Nack"),
        (AIORTC_REMB, "Remb"),
        (AIORTC_PLI, "PictureLossIndication"),
        (
            "84ce0004deadbeef000000001122334401000000",
            "FullIntraRequest",
        ),
        ("83cd0004deadbeef000000001122334401f40028", "Tmmbr"),
        ("84cd0002deadbeef00000000", "Tmmbn"),
    ] {
        let datagram = octets(hex);
        let packets: Vec<_> = RtcpReader::new(&datagram).collect();
        assert_eq!(packets.len(), 1);
        assert!(format!("{:?}", packets[0]).starts_with(what), "{packets:?}");
    }
}
