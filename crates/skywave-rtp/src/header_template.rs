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
            (ELEMENTS_AT + len - element.data.len()) as u8
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
    pub(crate) fn has_capture_time(&self) -> bool {
        self.parts().0.capture_id != 0
    }

    /// Octets of a header, with or without the element that only some packets have.
    pub(crate) fn header_len(&self, capture_time: bool) -> usize {
        let (layout, _) = self.parts();
        let mut len = usize::from(layout.len);
        if capture_time && layout.capture_id != 0 {
            len += layout.form.element_header_len() + CAPTURE_TIME_LEN;
        }
        match len {
            0 => FIXED_LEN,
            _ => ELEMENTS_AT + len.next_multiple_of(4),
        }
    }

    /// Fills `header`, which has the length that [`Self::header_len`] gave for these fields.
    pub(crate) fn write(&self, fields: &HeaderFields, header: &mut [u8]) {
        let marker = if fields.marker { MARKER } else { 0 };
        header[0] = VERSION;
        header[1] = marker | fields.payload_type;
        header[2..4].copy_from_slice(&fields.sequence_number.to_be_bytes());
        header[4..8].copy_from_slice(&fields.timestamp.to_be_bytes());
        header[8..FIXED_LEN].copy_from_slice(&fields.ssrc.to_be_bytes());
        if header.len() > FIXED_LEN {
            header[0] |= EXTENSION;
            self.write_extensions(fields, header);
        }
    }

    fn write_extensions(&self, fields: &HeaderFields, header: &mut [u8]) {
        let (layout, elements) = self.parts();
        let words = ((header.len() - ELEMENTS_AT) / 4) as u16;
        header[FIXED_LEN..][..2].copy_from_slice(&layout.form.profile().to_be_bytes());
        header[FIXED_LEN + 2..][..2].copy_from_slice(&words.to_be_bytes());
        let end = ELEMENTS_AT + elements.len();
        header[ELEMENTS_AT..end].copy_from_slice(elements);
        header[end..].fill(0);
        if layout.level_at != 0 {
            header[usize::from(layout.level_at)] = fields.level;
        }
        if layout.send_time_at != 0 {
            let [_, octets @ ..] = fields.send_time.to_be_bytes();
            header[usize::from(layout.send_time_at)..][..3].copy_from_slice(&octets);
        }
        if layout.transport_at != 0 {
            let octets = fields.transport_number.to_be_bytes();
            header[usize::from(layout.transport_at)..][..2].copy_from_slice(&octets);
        }
        if let (Some(time), id @ 1..) = (fields.capture_time, layout.capture_id) {
            let data = &time.0.to_be_bytes();
            let element = HeaderExtension { id, data };
            layout.form.write(&element, &mut header[end..]);
        }
    }

    fn parts(&self) -> (&Layout, &[u8]) {
        let (layout, elements) = match self {
            Self::Short { layout, elements } => (layout, &elements[..]),
            Self::Long(long) => (&long.layout, &long.elements[..]),
        };
        (layout, &elements[..usize::from(layout.len)])
    }
}

/// Elements that do not fit inline.
#[derive(Debug)]
pub(crate) struct Long {
    layout: Layout,
    elements: [u8; LONG_LEN],
}

/// Where in a header what stands; 0, the place of the version, is "not there".
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

/// The longest header of a packet, in octets: two-byte form and every extension, with a
/// [`Mid`](crate::Mid) of full length.
pub const MAX_HEADER_LEN: usize =
    ELEMENTS_AT + (LONG_LEN + 2 + CAPTURE_TIME_LEN).next_multiple_of(4);

/// Audio level, send time, transport number, and a mid of one octet are 13 octets.
const SHORT_LEN: usize = 16;
/// The same in two-byte form, with the longest mid.
const LONG_LEN: usize = (2 + 1) + (2 + 3) + (2 + 2) + (2 + crate::Mid::MAX_LEN);
const CAPTURE_TIME_LEN: usize = 8;
/// Header without contributing sources and extensions.
const FIXED_LEN: usize = 12;
const ELEMENTS_AT: usize = FIXED_LEN + BLOCK_HEADER_LEN;
const VERSION: u8 = 2 << 6;
const EXTENSION: u8 = 1 << 4;
const MARKER: u8 = 1 << 7;

const _: () = assert!(size_of::<HeaderTemplate>() <= 24);
