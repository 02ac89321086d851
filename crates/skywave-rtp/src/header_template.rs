//! The header of all packets of one stream (RFC 3550 §5.1, RFC 8285): laid out once, patched for
//! each packet.

use crate::header_extension::{self, BLOCK_HEADER_LEN, Form, HeaderExtension};
use crate::{Error, ExtensionIds, NtpTime};

/// The extension elements of every packet, with zeros where packets differ.
///
/// The usual set lies inline, so that a listener's state is one piece of memory.
#[derive(Debug)]
pub(crate) enum HeaderTemplate {
    Short {
        layout: Layout,
        elements: [u8; SHORT_LEN],
    },
    Long(Box<Long>),
}

impl HeaderTemplate {
    /// Lays out the elements in the order of [`ExtensionIds`].
    pub(crate) fn new(ids: &ExtensionIds) -> Result<Self, Error> {
        let element = |id: Option<u8>, data| id.map(|id| HeaderExtension { id, data });
        let level = element(ids.audio_level, &[0]);
        let send_time = element(ids.abs_send_time, &[0; 3]);
        let transport = element(ids.transport_cc, &[0; 2]);
        let mid = ids.mid.as_ref().map(|mid| HeaderExtension {
            id: mid.extension_id(),
            data: mid.as_bytes(),
        });
        let capture = element(ids.abs_capture_time, &[0; CAPTURE_TIME_LEN]);
        let all = [level, send_time, transport, mid, capture];
        let all: Vec<_> = all.into_iter().flatten().collect();
        header_extension::check_ids(&all)?;

        let form = Form::of(&all);
        let mut elements = [0; LONG_LEN];
        let mut len = 0;
        let mut append = |element: Option<HeaderExtension<'_>>| {
            let Some(element) = element else { return 0 };
            len += form.write(&element, &mut elements[len..]);
            (len - element.data.len()) as u8
        };
        let level_at = append(level);
        let send_time_at = append(send_time);
        let transport_at = append(transport);
        append(mid);
        let layout = Layout {
            form,
            len: len as u8,
            level_at,
            send_time_at,
            transport_at,
            capture_id: ids.abs_capture_time.unwrap_or(0),
        };
        Ok(match elements.split_first_chunk() {
            Some((&elements, _)) if len <= SHORT_LEN => Self::Short { layout, elements },
            _ => Self::Long(Box::new(Long { layout, elements })),
        })
    }

    /// Whether packets may say when their frame was captured.
    #[inline]
    pub(crate) fn has_capture_time(&self) -> bool {
        self.parts().0.capture_id != 0
    }

    /// Octets of a header, with or without the capture time, which only some packets have and only
    /// if it was negotiated.
    #[inline]
    pub(crate) fn header_len(&self, capture_time: bool) -> usize {
        let (layout, _) = self.parts();
        let mut len = usize::from(layout.len);
        if capture_time {
            len += layout.form.element_header_len() + CAPTURE_TIME_LEN;
        }
        match len {
            0 => FIXED_LEN,
            _ => ELEMENTS_AT + len.next_multiple_of(4),
        }
    }

    /// Fills `header`, which has the length that [`Self::header_len`] gave for these fields.
    #[inline(always)]
    pub(crate) fn write(&self, fields: &HeaderFields, header: &mut [u8]) {
        let (layout, elements) = self.parts();
        let Some((place, rest)) = header.split_first_chunk_mut::<ELEMENTS_AT>() else {
            header.copy_from_slice(&fields.fixed(VERSION).to_be_bytes()[..FIXED_LEN]);
            return;
        };
        let words = rest.len() / 4;
        let extension = u128::from(layout.form.profile()) << 16 | words as u128;
        *place = (fields.fixed(VERSION | EXTENSION) | extension).to_be_bytes();
        match fields.capture_time {
            // Behind the elements there are zeros up to the next word.
            None => layout.write_elements(elements, fields, rest),
            Some(time) => layout.write_with_capture_time(elements, time, rest),
        }
        if layout.send_time_at != 0 || layout.transport_at != 0 || fields.capture_time.is_some() {
            layout.patch(fields, rest);
        }
    }

    #[inline]
    fn parts(&self) -> (&Layout, &[u8]) {
        match self {
            Self::Short { layout, elements } => (layout, elements),
            Self::Long(long) => (&long.layout, &long.elements),
        }
    }
}

/// Elements that do not fit inline.
#[derive(Debug)]
pub(crate) struct Long {
    layout: Layout,
    elements: [u8; LONG_LEN],
}

/// Where among the elements what stands; 0, where the first one's id is, is "not there".
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    form: Form,
    /// Octets of elements, without what follows in some packets only.
    len: u8,
    level_at: u8,
    send_time_at: u8,
    transport_at: u8,
    capture_id: u8,
}

impl Layout {
    /// Fills `place` with the elements and the level, which comes first: in the first word, put
    /// together in a register as the fixed header is.
    #[inline]
    fn write_elements(self, elements: &[u8], fields: &HeaderFields, place: &mut [u8]) {
        let (Some((word, rest)), Some((first, others))) =
            (place.split_first_chunk_mut(), elements.split_first_chunk())
        else {
            return;
        };
        let level = match self.level_at {
            0 => 0,
            at => u32::from(fields.level) << (24 - 8 * u32::from(at)),
        };
        *word = (u32::from_be_bytes(*first) | level).to_be_bytes();
        if !rest.is_empty() {
            rest.copy_from_slice(&others[..rest.len()]);
        }
    }

    /// Fills in all that differs, at its place among the elements.
    #[cold]
    fn patch(self, fields: &HeaderFields, elements: &mut [u8]) {
        if self.level_at != 0 {
            elements[usize::from(self.level_at)] = fields.level;
        }
        if self.send_time_at != 0 {
            let [_, octets @ ..] = fields.send_time.to_be_bytes();
            elements[usize::from(self.send_time_at)..][..3].copy_from_slice(&octets);
        }
        if self.transport_at != 0 {
            let octets = fields.transport_number.to_be_bytes();
            elements[usize::from(self.transport_at)..][..2].copy_from_slice(&octets);
        }
    }

    /// Fills `place` with the elements, the capture time, and padding.
    #[cold]
    fn write_with_capture_time(self, elements: &[u8], time: NtpTime, place: &mut [u8]) {
        let (before, place) = place.split_at_mut(self.len.into());
        before.copy_from_slice(&elements[..before.len()]);
        let id = self.capture_id;
        let data = &time.0.to_be_bytes();
        let end = self.form.write(&HeaderExtension { id, data }, place);
        place[end..].fill(0);
    }
}

/// What differs from packet to packet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HeaderFields {
    pub(crate) marker: bool,
    pub(crate) payload_type: u8,
    pub(crate) sequence_number: u16,
    pub(crate) timestamp: u32,
    pub(crate) ssrc: u32,
    /// V bit and level (RFC 6464 §3).
    pub(crate) level: u8,
    /// 6.18 fixed point, 24 bits.
    pub(crate) send_time: u32,
    pub(crate) transport_number: u16,
    pub(crate) capture_time: Option<NtpTime>,
}

impl HeaderFields {
    /// The fixed header in the upper twelve of sixteen octets, put together in registers: what
    /// encrypts it reads it at once, and would have to wait for octets that were stored singly.
    #[inline]
    fn fixed(&self, first: u8) -> u128 {
        let marker = if self.marker { MARKER } else { 0 };
        u128::from(first) << 120
            | u128::from(marker | self.payload_type) << 112
            | u128::from(self.sequence_number) << 96
            | u128::from(self.timestamp) << 64
            | u128::from(self.ssrc) << 32
    }
}

/// The longest header of a packet, in octets: two-byte form and every extension, with a
/// [`Mid`](crate::Mid) of full length.
pub const MAX_HEADER_LEN: usize =
    ELEMENTS_AT + (MAX_ELEMENTS_LEN + 2 + CAPTURE_TIME_LEN).next_multiple_of(4);

/// In two-byte form: audio level, send time, transport number, and the longest mid.
const MAX_ELEMENTS_LEN: usize = (2 + 1) + (2 + 3) + (2 + 2) + (2 + crate::Mid::MAX_LEN);
/// The same to the next word.
const LONG_LEN: usize = MAX_ELEMENTS_LEN.next_multiple_of(4);
/// In one-byte form these are 13 octets with a mid of one octet.
const SHORT_LEN: usize = 16;
const CAPTURE_TIME_LEN: usize = 8;
/// Header without contributing sources and extensions.
const FIXED_LEN: usize = 12;
const ELEMENTS_AT: usize = FIXED_LEN + BLOCK_HEADER_LEN;
const VERSION: u8 = 2 << 6;
const EXTENSION: u8 = 1 << 4;
const MARKER: u8 = 1 << 7;

const _: () = assert!(size_of::<HeaderTemplate>() <= 24);

#[cfg(test)]
mod tests {
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
}
