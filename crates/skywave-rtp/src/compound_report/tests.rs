use std::time::Duration;

use super::*;
use crate::{Counters, Dlrr, NtpTime, RtcpPacket, RtcpReader};

const REPORT: CompoundReport<'static> = CompoundReport {
    ssrc: 0x0102_0304,
    sender: None,
    cname: "cname",
    mid: None,
    rtx: None,
    replies: Replies {
        dlrr: &[],
        tmmbn: None,
    },
    bye: None,
};
const INFO: SenderInfo = SenderInfo {
    ntp: NtpTime(0x1112_1314_1516_1718),
    rtp_timestamp: 0x2122_2324,
    packet_count: 0x3132_3334,
    octet_count: 0x4142_4344,
};

fn written(report: &CompoundReport<'_>) -> Vec<u8> {
    let mut buffer = [0xee; 1024];
    let len = report.write(&mut buffer).unwrap();
    assert!(buffer[len..].iter().all(|&octet| octet == 0xee));
    buffer[..len].to_vec()
}

/// The packet types in a compound, and whether all of it was read.
fn types(compound: &[u8]) -> Vec<u8> {
    let mut reader = RtcpReader::new(compound);
    let types = reader
        .by_ref()
        .map(|packet| match packet {
            RtcpPacket::SenderReport { .. } => 200,
            RtcpPacket::ReceiverReport { .. } => 201,
            RtcpPacket::SourceDescription(_) => 202,
            RtcpPacket::Bye(_) => 203,
            RtcpPacket::ExtendedReport(_) => 207,
            RtcpPacket::Tmmbn(_) => 205,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(reader.malformed(), None);
    types
}

#[test]
fn rfc3550_6_1_compound_begins_with_sr_and_carries_cname() {
    let compound = written(&CompoundReport {
        sender: Some(INFO),
        ..REPORT
    });
    assert_eq!(compound[..8], *b"\x80\xc8\x00\x06\x01\x02\x03\x04");
    assert_eq!(
        compound[8..28],
        *b"\x11\x12\x13\x14\x15\x16\x17\x18\x21\x22\x23\x24\x31\x32\x33\x34\x41\x42\x43\x44"
    );
    assert_eq!(
        compound[28..],
        *b"\x81\xca\x00\x03\x01\x02\x03\x04\x01\x05cname\0"
    );
}

#[test]
fn rfc3550_6_4_2_who_sent_nothing_begins_with_an_empty_rr() {
    let compound = written(&REPORT);
    assert_eq!(compound[..8], *b"\x80\xc9\x00\x01\x01\x02\x03\x04");
    assert_eq!(types(&compound), [201, 202]);
}

#[test]
fn rfc3550_6_1_bye_is_last_and_not_alone() {
    let leaving = CompoundReport {
        bye: Some(""),
        ..REPORT
    };
    assert_eq!(types(&written(&leaving)), [201, 202, 203]);
    let leaving = CompoundReport {
        sender: Some(INFO),
        ..leaving
    };
    let compound = written(&leaving);
    assert_eq!(types(&compound), [200, 202, 203]);
    assert!(compound.ends_with(b"\x81\xcb\x00\x01\x01\x02\x03\x04"));
}

#[test]
fn rfc4585_6_answers_follow_report_and_cname_and_the_bye_stays_last() {
    let dlrr = [Dlrr::new(1, NtpTime(2), Duration::ZERO)];
    let replies = Replies {
        dlrr: &dlrr,
        tmmbn: Some(&[]),
    };
    let compound = CompoundReport {
        replies,
        bye: Some(""),
        ..REPORT
    };
    assert_eq!(types(&written(&compound)), [201, 202, 207, 205, 203]);
    let many = CompoundReport {
        replies: Replies {
            dlrr: &[dlrr[0]; 32],
            tmmbn: None,
        },
        ..REPORT
    };
    assert_eq!(many.write(&mut [0; 2000]), Err(Error::ReplyCount(32)));
}

#[test]
fn rfc3550_6_6_reason_is_padded_to_the_next_word() {
    let with_reason = |reason| {
        written(&CompoundReport {
            bye: Some(reason),
            ..REPORT
        })
    };
    assert!(with_reason("bye").ends_with(b"\x81\xcb\x00\x02\x01\x02\x03\x04\x03bye"));
    assert!(with_reason("gone").ends_with(b"\x81\xcb\x00\x03\x01\x02\x03\x04\x04gone\0\0\0"));
}

#[test]
fn rfc3550_6_5_list_of_items_ends_with_a_null_octet_at_least() {
    for (cname, end) in [
        ("a", "\x01\x01a\0"),
        ("ab", "\x01\x02ab\0\0\0\0"),
        ("abc", "\x01\x03abc\0\0\0"),
    ] {
        assert!(written(&CompoundReport { cname, ..REPORT }).ends_with(end.as_bytes()));
    }
}

#[test]
fn rfc9143_15_1_mid_item_follows_the_cname() {
    let compound = written(&CompoundReport {
        mid: Some("0"),
        ..REPORT
    });
    assert!(compound.ends_with(b"\x81\xca\x00\x04\x01\x02\x03\x04\x01\x05cname\x0f\x010\0\0"));
}

#[test]
fn rfc8108_5_3_1_retransmissions_are_reported_in_the_same_compound_with_the_same_cname() {
    let rtx = |sender| {
        written(&CompoundReport {
            sender: Some(INFO),
            rtx: Some(RtxSource {
                ssrc: 0x0506_0708,
                sender,
            }),
            bye: Some("bye"),
            ..REPORT
        })
    };
    let compound = rtx(Some(SenderInfo {
        packet_count: 9,
        ..INFO
    }));
    assert_eq!(types(&compound), [200, 200, 202, 203]);
    assert_eq!(
        compound[28..56],
        *b"\x80\xc8\x00\x06\x05\x06\x07\x08\x11\x12\x13\x14\x15\x16\x17\x18\x21\x22\x23\x24\
           \0\0\0\x09\x41\x42\x43\x44"
    );
    assert_eq!(
        compound[56..],
        *b"\x82\xca\x00\x06\x01\x02\x03\x04\x01\x05cname\0\x05\x06\x07\x08\x01\x05cname\0\
           \x82\xcb\x00\x03\x01\x02\x03\x04\x05\x06\x07\x08\x03bye"
    );
    let idle = rtx(None);
    assert_eq!(types(&idle), [200, 201, 202, 203]);
    assert_eq!(idle[28..36], *b"\x80\xc9\x00\x01\x05\x06\x07\x08");
}

#[test]
fn rfc3550_6_4_1_counts_are_the_totals_of_the_counters() {
    let counters = Counters::default();
    counters.record_packet(20, 80);
    counters.record_packet(20, 60);
    let info = SenderInfo::new(NtpTime(5), 6, &counters);
    assert_eq!((info.packet_count, info.octet_count), (2, 140));
    assert_eq!((info.ntp, info.rtp_timestamp), (NtpTime(5), 6));
}

#[test]
fn rfc3550_6_4_1_octet_count_wraps() {
    let counters = Counters::default();
    counters.record_packet(12, 0xffff_ffff);
    counters.record_packet(12, 3);
    assert_eq!(SenderInfo::new(NtpTime(0), 0, &counters).octet_count, 2);
}

#[test]
fn texts_of_impossible_length_are_refused() {
    let long = "x".repeat(256);
    let refused = |report: CompoundReport<'_>| report.write(&mut [0; 2000]).unwrap_err();
    assert_eq!(
        refused(CompoundReport {
            cname: "",
            ..REPORT
        }),
        Error::CnameLength(0)
    );
    assert_eq!(
        refused(CompoundReport {
            cname: &long,
            ..REPORT
        }),
        Error::CnameLength(256)
    );
    assert_eq!(
        refused(CompoundReport {
            mid: Some(""),
            ..REPORT
        }),
        Error::MidLength(0)
    );
    assert_eq!(
        refused(CompoundReport {
            mid: Some(&long),
            ..REPORT
        }),
        Error::MidLength(256)
    );
    assert_eq!(
        refused(CompoundReport {
            bye: Some(&long),
            ..REPORT
        }),
        Error::ReasonLength(256)
    );
}

#[test]
fn buffer_too_small_is_left_as_it_was() {
    let mut buffer = [0xee; 23];
    let error = REPORT.write(&mut buffer).unwrap_err();
    assert_eq!(
        error,
        Error::BufferTooSmall {
            needed: 24,
            available: 23
        }
    );
    assert_eq!(buffer, [0xee; 23]);
}
