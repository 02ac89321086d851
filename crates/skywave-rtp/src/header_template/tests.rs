use super::*;
use crate::{Mid, RtpPacket};

const FIELDS: HeaderFields = HeaderFields {
    marker: false,
    payload_type: 111,
    sequence_number: 0x0102,
    timestamp: 0x1000_03c0,
    ssrc: 0x1234_5678,
    level: 0x9e,
    send_time: 0x00aa_bbcc,
    transport_number: 0x0708,
    capture_time: None,
};

const NONE: ExtensionIds = ExtensionIds {
    mid: None,
    audio_level: None,
    abs_send_time: None,
    abs_capture_time: None,
    transport_cc: None,
};

fn mid(id: u8, text: &str) -> Option<Mid> {
    Some(Mid::new(id, text).unwrap())
}

fn written(ids: ExtensionIds, fields: HeaderFields) -> Vec<u8> {
    let template = HeaderTemplate::new(&ids).unwrap();
    let mut header = vec![0xee; template.header_len(fields.capture_time.is_some())];
    template.write(&fields, &mut header);
    header
}

fn all(first_id: u8, mid_len: usize) -> ExtensionIds {
    ExtensionIds {
        mid: mid(first_id, &"m".repeat(mid_len)),
        audio_level: Some(first_id + 1),
        abs_send_time: Some(first_id + 2),
        abs_capture_time: Some(first_id + 3),
        transport_cc: Some(first_id + 4),
    }
}

#[test]
fn rfc3550_5_1_plain_header() {
    let header = written(NONE, FIELDS);
    assert_eq!(header, b"\x80\x6f\x01\x02\x10\x00\x03\xc0\x12\x34\x56\x78");
    let marker = HeaderFields {
        marker: true,
        ..FIELDS
    };
    assert_eq!(written(NONE, marker)[1], 0xef);
}

#[test]
fn rfc8285_4_2_short_elements_make_the_one_byte_form() {
    let ids = ExtensionIds {
        mid: mid(14, "0"),
        audio_level: Some(1),
        ..NONE
    };
    let header = written(ids, FIELDS);
    assert_eq!(header[0], 0x90);
    assert_eq!(header[12..], *b"\xbe\xde\x00\x01\x10\x9e\xe0\x30");
}

#[test]
fn rfc8285_4_1_2_padding_is_zeros_to_the_next_word() {
    let ids = ExtensionIds {
        mid: mid(4, "audio"),
        ..NONE
    };
    let header = written(ids, FIELDS);
    assert_eq!(header[12..], *b"\xbe\xde\x00\x02\x44audio\0\0");
}

#[test]
fn rfc8285_4_3_id_above_fourteen_makes_all_elements_two_byte() {
    let ids = ExtensionIds {
        mid: mid(15, "0"),
        audio_level: Some(1),
        ..NONE
    };
    let header = written(ids, FIELDS);
    assert_eq!(
        header[12..],
        *b"\x10\x00\x00\x02\x01\x01\x9e\x0f\x01\x30\0\0"
    );
}

/// The form is that of the longest header, or forms would be mixed within the stream.
#[test]
fn rfc8285_4_1_2_forms_are_not_mixed_for_an_element_of_some_packets() {
    let ids = ExtensionIds {
        audio_level: Some(1),
        abs_capture_time: Some(15),
        ..NONE
    };
    assert_eq!(written(ids, FIELDS)[12..14], [0x10, 0x00]);
}

#[test]
fn numbers_and_times_stand_behind_their_ids() {
    let ids = ExtensionIds {
        abs_send_time: Some(2),
        transport_cc: Some(3),
        ..NONE
    };
    let header = written(ids, FIELDS);
    let expected = b"\xbe\xde\x00\x02\x22\xaa\xbb\xcc\x31\x07\x08\0";
    assert_eq!(header[12..], *expected);
}

#[test]
fn capture_time_makes_some_headers_longer() {
    let ids = ExtensionIds {
        audio_level: Some(1),
        abs_capture_time: Some(5),
        ..NONE
    };
    let with_time = HeaderFields {
        capture_time: Some(NtpTime(0x0102_0304_0506_0708)),
        ..FIELDS
    };
    assert_eq!(written(ids, FIELDS)[12..], *b"\xbe\xde\x00\x01\x10\x9e\0\0");
    let expected = b"\xbe\xde\x00\x03\x10\x9e\x57\x01\x02\x03\x04\x05\x06\x07\x08\0";
    assert_eq!(written(ids, with_time)[12..], *expected);
}

#[test]
fn header_has_no_extension_while_its_only_element_is_not_there() {
    let ids = ExtensionIds {
        abs_capture_time: Some(5),
        ..NONE
    };
    assert_eq!(written(ids, FIELDS), written(NONE, FIELDS));
}

#[test]
fn usual_set_lies_inline_and_the_longest_does_not() {
    let short = HeaderTemplate::new(&all(1, 1)).unwrap();
    assert!(matches!(short, HeaderTemplate::Short { .. }));
    let long = HeaderTemplate::new(&all(1, 16)).unwrap();
    assert!(matches!(long, HeaderTemplate::Long(_)));
}

#[test]
fn every_element_is_read_back_in_either_form_and_place() {
    let fields = HeaderFields {
        capture_time: Some(NtpTime(0x0102_0304_0506_0708)),
        ..FIELDS
    };
    for (first_id, mid_len) in [(1, 1), (1, 16), (200, 1), (251, 16)] {
        let header = written(all(first_id, mid_len), fields);
        assert!(header.len() <= MAX_HEADER_LEN);
        let elements: Vec<_> = RtpPacket::parse(&header)
            .unwrap()
            .extensions()
            .map(|element| (element.id - first_id, element.data.to_vec()))
            .collect();
        let expected = [
            (1, vec![0x9e]),
            (2, vec![0xaa, 0xbb, 0xcc]),
            (4, vec![0x07, 0x08]),
            (0, vec![b'm'; mid_len]),
            (3, vec![1, 2, 3, 4, 5, 6, 7, 8]),
        ];
        assert_eq!(elements, expected);
    }
    assert_eq!(written(all(251, 16), fields).len(), MAX_HEADER_LEN);
}

#[test]
fn extension_ids_of_zero_and_used_twice_are_refused() {
    let refused = |ids| HeaderTemplate::new(&ids).unwrap_err();
    assert_eq!(refused(all(0, 1)), Error::ExtensionId(0));
    let zero = ExtensionIds {
        transport_cc: Some(0),
        ..NONE
    };
    assert_eq!(refused(zero), Error::ExtensionId(0));
    let twice = ExtensionIds {
        abs_capture_time: Some(3),
        mid: mid(3, "0"),
        ..NONE
    };
    assert_eq!(refused(twice), Error::DuplicateExtensionId(3));
}
