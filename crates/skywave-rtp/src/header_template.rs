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
mod tests;
