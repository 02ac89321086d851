//! An RTCP datagram of a stranger (RFC 3550 §6, RFC 5506, RFC 4585), read packet by packet and,
//! where our own writer can say the same, written again.

use skywave_rtp::{
    Bye, CompoundReport, ExtendedReport, Malformed, Nack, Replies, ReportBlocks, RtcpPacket,
    RtcpReader, SdesChunk, SenderInfo, SourceDescription, Tmmb, TransportCc,
};

use crate::view::assert_inside;

/// Reads the datagram in `data`; true if all of it is good.
///
/// # Panics
/// If a count does not hold, a view leaves the datagram, reading twice gives different packets,
/// a packet behind a good datagram is not found or one behind padding is, or our own report is read otherwise.
pub fn rtcp(data: &[u8]) -> bool {
    let mut reader = RtcpReader::new(data);
    let mut said = String::new();
    let mut count = 0;
    let mut statuses = 0;
    for packet in reader.by_ref() {
        let _ = packet.is_from(7);
        assert_packet(data, &packet);
        if let RtcpPacket::TransportCc(feedback) = &packet {
            statuses += assert_transport_cc(feedback, MAX_STATUSES - statuses);
        }
        said += &format!("{packet:?}");
        count += 1;
    }
    assert!(count <= data.len() / 4, "{count} packets");
    assert!(reader.next().is_none(), "the end is the end");
    let good = reader.malformed().is_none();
    if good {
        assert_goes_on(data, &said);
    }
    good
}

fn assert_packet(data: &[u8], packet: &RtcpPacket<'_>) {
    match packet {
        RtcpPacket::SenderReport {
            ssrc,
            info,
            reports,
        } => {
            assert_reports(reports);
            assert_report_again(*ssrc, Some(*info));
        }
        RtcpPacket::ReceiverReport { ssrc, reports } => {
            assert_reports(reports);
            assert_report_again(*ssrc, None);
        }
        RtcpPacket::SourceDescription(description) => assert_description(data, description),
        RtcpPacket::Bye(bye) => assert_bye(data, bye),
        RtcpPacket::Nack(nack) => assert_nack(data, nack),
        RtcpPacket::Remb(remb) => assert!(remb.ssrcs().count() < 256),
        RtcpPacket::Tmmbr(tmmb) | RtcpPacket::Tmmbn(tmmb) => assert_tmmb(tmmb),
        RtcpPacket::ExtendedReport(report) => assert_extended_report(report),
        RtcpPacket::Unknown {
            packet_type,
            format,
            body,
        } => {
            assert!(!(200..=203).contains(packet_type) && *format < 32);
            assert_inside(data, body);
        }
        _ => {}
    }
}

fn assert_nack(data: &[u8], nack: &Nack<'_>) {
    let lost = nack.lost().count();
    assert!((1..=17 * data.len() / 4).contains(&lost), "{lost} lost");
}

/// Walks through `limit` statuses at most; gives how many there were.
fn assert_transport_cc(feedback: &TransportCc<'_>, limit: usize) -> usize {
    let mut expected = feedback.base_sequence_number();
    let mut count = 0;
    for (sequence_number, _) in feedback.statuses().take(limit) {
        assert_eq!(sequence_number, expected);
        expected = expected.wrapping_add(1);
        count += 1;
    }
    assert!(count <= usize::from(feedback.status_count()));
    count
}

fn assert_tmmb(tmmb: &Tmmb<'_>) {
    let entries: Vec<_> = tmmb.entries().take(Replies::MAX_COUNT).collect();
    let replies = Replies {
        tmmbn: Some(&entries),
        ..Replies::default()
    };
    assert_replies(&replies, |packet| match packet {
        RtcpPacket::Tmmbn(again) => assert!(again.entries().eq(entries.iter().copied())),
        other => panic!("no notification: {other:?}"),
    });
}

fn assert_extended_report(report: &ExtendedReport<'_>) {
    let dlrr: Vec<_> = report.dlrr().take(Replies::MAX_COUNT).collect();
    if dlrr.is_empty() {
        return;
    }
    let replies = Replies {
        dlrr: &dlrr,
        ..Replies::default()
    };
    assert_replies(&replies, |packet| match packet {
        RtcpPacket::ExtendedReport(again) => assert!(again.dlrr().eq(dlrr.iter().copied())),
        other => panic!("no extended report: {other:?}"),
    });
}

/// Writes answers alone and in a compound, and checks how they are read.
fn assert_replies(replies: &Replies<'_>, check: impl Fn(&RtcpPacket<'_>)) {
    let mut buffer = [0; 1024];
    let len = replies.write_reduced(7, &mut buffer);
    let len = len.expect("the answers can be written");
    let mut reader = RtcpReader::new(&buffer[..len]);
    check(&reader.next().expect("what was written can be read"));
    assert!(reader.next().is_none() && reader.malformed().is_none());
    let report = CompoundReport {
        replies: *replies,
        ..REPORT
    };
    assert_read_again(&report, |packets| check(&packets[2]));
}

fn assert_reports(reports: &ReportBlocks<'_>) {
    let announced = reports.len();
    assert_eq!(reports.clone().count(), announced);
    assert!(announced < 32);
    for block in reports.clone() {
        assert!((-0x80_0000..0x80_0000).contains(&block.cumulative_lost));
    }
}

fn assert_description(data: &[u8], description: &SourceDescription<'_>) {
    assert!(description.chunks().count() < 32);
    for chunk in description.chunks() {
        let mut cname = None;
        for item in chunk.items() {
            assert_ne!(item.item_type, 0);
            assert!(item.value.len() < 256);
            assert_inside(data, item.value);
            if item.item_type == 1 {
                cname.get_or_insert(item.value);
            }
        }
        assert_eq!(chunk.cname(), cname);
        assert_chunk_again(&chunk);
    }
}

fn assert_bye(data: &[u8], bye: &Bye<'_>) {
    assert!(bye.ssrcs().count() < 32 && bye.reason().len() < 256);
    assert_inside(data, bye.reason());
    let Ok(reason) = std::str::from_utf8(bye.reason()) else {
        return;
    };
    for ssrc in bye.ssrcs() {
        let report = CompoundReport {
            ssrc,
            bye: Some(reason),
            ..REPORT
        };
        assert_read_again(&report, |packets| {
            let Some(RtcpPacket::Bye(again)) = packets.last() else {
                panic!("no bye: {packets:?}");
            };
            assert!(again.ssrcs().eq([ssrc]));
            assert_eq!(again.reason(), reason.as_bytes());
        });
    }
}

fn assert_report_again(ssrc: u32, sender: Option<SenderInfo>) {
    let report = CompoundReport {
        ssrc,
        sender,
        ..REPORT
    };
    assert_read_again(&report, |packets| match &packets[0] {
        RtcpPacket::SenderReport {
            ssrc: again, info, ..
        } => assert_eq!((*again, Some(*info)), (ssrc, sender)),
        RtcpPacket::ReceiverReport { ssrc: again, .. } => {
            assert_eq!((*again, None), (ssrc, sender));
        }
        other => panic!("no report: {other:?}"),
    });
}

fn assert_chunk_again(chunk: &SdesChunk<'_>) {
    let text = |value: Option<&'_ [u8]>| {
        let text = String::from_utf8(value?.to_vec()).ok();
        text.filter(|text| !text.is_empty())
    };
    let (Some(cname), mid) = (text(chunk.cname()), text(chunk.mid())) else {
        return;
    };
    let report = CompoundReport {
        ssrc: chunk.ssrc(),
        cname: &cname,
        rtx: None,
        mid: mid.as_deref(),
        ..REPORT
    };
    assert_read_again(&report, |packets| {
        let RtcpPacket::SourceDescription(description) = &packets[1] else {
            panic!("no description: {packets:?}");
        };
        let again = description.chunks().next().expect("one chunk is written");
        assert_eq!(again.ssrc(), chunk.ssrc());
        assert_eq!(again.cname(), Some(cname.as_bytes()));
        assert_eq!(again.mid(), mid.as_deref().map(str::as_bytes));
    });
}

fn assert_read_again(report: &CompoundReport<'_>, check: impl Fn(&[RtcpPacket<'_>])) {
    let mut buffer = [0; 1024];
    let len = report.write(&mut buffer).expect("texts and buffer fit");
    let mut reader = RtcpReader::new(&buffer[..len]);
    let packets: Vec<_> = reader.by_ref().collect();
    assert_eq!(reader.malformed(), None);
    check(&packets);
}

/// Reads a good datagram with a packet behind it, which is found unless padding stands before it
/// (RFC 3550 §6.4.1).
fn assert_goes_on(data: &[u8], said: &str) {
    let longer = [data, EMPTY_REPORT].concat();
    let mut reader = RtcpReader::new(&longer);
    let again: Vec<_> = reader.by_ref().collect();
    if is_padded(data) {
        assert_eq!(reader.malformed(), Some(Malformed::Padding));
        return;
    }
    assert_eq!(reader.malformed(), None);
    let (last, before) = again.split_last().expect("one packet at least");
    assert!(matches!(last, RtcpPacket::ReceiverReport { ssrc: 7, .. }));
    let before: String = before.iter().map(|packet| format!("{packet:?}")).collect();
    assert_eq!(before, said);
}

/// Whether the last packet of a good datagram has the P bit.
fn is_padded(data: &[u8]) -> bool {
    let mut rest = data;
    let mut padded = false;
    while let [first, _, high, low, ..] = rest {
        padded = first & 0x20 != 0;
        let words = u16::from_be_bytes([*high, *low]);
        rest = &rest[4 + 4 * usize::from(words)..];
    }
    padded
}

/// That are walked through in a datagram, two of the longest runs and more. A few hundred octets
/// can announce millions (see `TransportCc::statuses`), and nothing else would be tried then.
const MAX_STATUSES: usize = 20_000;

const REPORT: CompoundReport<'_> = CompoundReport {
    ssrc: 7,
    sender: None,
    cname: "c4bv1n",
    rtx: None,
    mid: None,
    bye: None,
    replies: Replies {
        dlrr: &[],
        tmmbn: None,
    },
};
const EMPTY_REPORT: &[u8] = &[0x80, 201, 0, 1, 0, 0, 0, 7];
