//! RTP header extensions (RFC 8285), one-byte and two-byte form: written as one block prepared
//! for a whole stream, read element by element.
//!
//! A stream has one form throughout: forms are never mixed, so nobody needs to negotiate it.

use crate::Error;
use crate::octets::Octets;

/// One received extension element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeaderExtension<'a> {
    /// The local identifier that `a=extmap` maps to a URI; never 0.
    pub id: u8,
    /// The element's data: 1 to 16 octets in the one-byte form, 0 to 255 in the two-byte form.
    pub data: &'a [u8],
}

/// The extension elements of a received packet; ends at the first one that is broken.
#[derive(Clone, Debug)]
pub struct HeaderExtensions<'a> {
    form: Form,
    octets: Octets<'a>,
}

impl<'a> HeaderExtensions<'a> {
    /// Reads the block under a `profile` word; a block of no known form has no elements.
    pub(crate) fn new(profile: u16, block: &'a [u8]) -> Self {
        let (form, block) = match profile {
            ONE_BYTE_PROFILE => (Form::OneByte, block),
            // The lower four bits are "appbits", to be ignored (RFC 8285 §4.3).
            _ if profile & 0xfff0 == TWO_BYTE_PROFILE => (Form::TwoByte, block),
            _ => (Form::OneByte, &[][..]),
        };
        Self {
            form,
            octets: Octets(block),
        }
    }

    fn element(&mut self) -> Option<HeaderExtension<'a>> {
        let mut first = self.octets.u8()?;
        while first == PADDING {
            first = self.octets.u8()?;
        }
        let (id, len) = match self.form {
            Form::OneByte => (first >> 4, usize::from(first & 0x0f) + 1),
            Form::TwoByte => (first, usize::from(self.octets.u8()?)),
        };
        // RFC 8285 §4.1.2: processing stops at id 15, and at id 0 with a length.
        if self.form == Form::OneByte && matches!(id, 0 | 15) {
            return None;
        }
        let data = self.octets.slice(len)?;
        Some(HeaderExtension { id, data })
    }
}

impl<'a> Iterator for HeaderExtensions<'a> {
    type Item = HeaderExtension<'a>;

    fn next(&mut self) -> Option<HeaderExtension<'a>> {
        let element = self.element();
        if element.is_none() {
            self.octets = Octets(&[]);
        }
        element
    }
}

/// How long the headers of a stream's elements are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    OneByte,
    TwoByte,
}

impl Form {
    /// The shortest form that takes all `elements`.
    pub(crate) fn of(elements: &[HeaderExtension<'_>]) -> Self {
        let fits = |element: &HeaderExtension<'_>| {
            matches!(element.id, 1..=14) && matches!(element.data.len(), 1..=16)
        };
        if elements.iter().all(fits) {
            Self::OneByte
        } else {
            Self::TwoByte
        }
    }

    /// Octets before the data of an element.
    pub(crate) fn element_header_len(self) -> usize {
        match self {
            Self::OneByte => 1,
            Self::TwoByte => 2,
        }
    }

    /// Writes `element` to the front of `block`, which has room for it; gives its whole length.
    pub(crate) fn write(self, element: &HeaderExtension<'_>, block: &mut [u8]) -> usize {
        let len = element.data.len();
        match self {
            // 1 to 16 octets, the check of `of`.
            Self::OneByte => block[0] = element.id << 4 | (len as u8 - 1),
            Self::TwoByte => block[..2].copy_from_slice(&[element.id, len as u8]),
        }
        let end = self.element_header_len() + len;
        block[self.element_header_len()..end].copy_from_slice(element.data);
        end
    }

    /// The word a block of this form begins with.
    pub(crate) fn profile(self) -> u16 {
        match self {
            Self::OneByte => ONE_BYTE_PROFILE,
            Self::TwoByte => TWO_BYTE_PROFILE,
        }
    }
}

/// Refuses ids that are padding or not unique.
pub(crate) fn check_ids(elements: &[HeaderExtension<'_>]) -> Result<(), Error> {
    for (index, element) in elements.iter().enumerate() {
        if element.id == 0 {
            return Err(Error::ExtensionId(element.id));
        }
        if elements[..index].iter().any(|other| other.id == element.id) {
            return Err(Error::DuplicateExtensionId(element.id));
        }
    }
    Ok(())
}

/// Profile word and length.
pub(crate) const BLOCK_HEADER_LEN: usize = 4;
const ONE_BYTE_PROFILE: u16 = 0xbede;
const TWO_BYTE_PROFILE: u16 = 0x1000;
const PADDING: u8 = 0;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(profile: u16, block: &[u8]) -> Vec<(u8, &[u8])> {
        HeaderExtensions::new(profile, block)
            .map(|element| (element.id, element.data))
            .collect()
    }

    /// The example of RFC 8285 §4.2: lengths 1, 2 and 4 with padding between them.
    #[test]
    fn rfc8285_4_2_one_byte_elements_with_padding_between() {
        let block = b"\x10a\x21bb\0\0\x33cccc";
        assert_eq!(
            read(0xbede, block),
            [(1, &b"a"[..]), (2, b"bb"), (3, b"cccc")]
        );
    }

    /// The example of RFC 8285 §4.3: lengths 0, 1 and 4.
    #[test]
    fn rfc8285_4_3_two_byte_elements_may_be_empty() {
        let block = b"\x01\x00\x02\x01b\0\xff\x04dddd";
        assert_eq!(
            read(0x1000, block),
            [(1, &b""[..]), (2, b"b"), (255, b"dddd")]
        );
        assert_eq!(read(0x100f, block).len(), 3, "appbits are ignored");
    }

    #[test]
    fn rfc8285_4_1_2_reading_stops_at_id_fifteen_and_at_id_zero_with_a_length() {
        assert_eq!(read(0xbede, b"\x10a\xf0b\x20c"), [(1, &b"a"[..])]);
        assert_eq!(read(0xbede, b"\x10a\x01bb\x20c"), [(1, &b"a"[..])]);
    }

    #[test]
    fn element_past_the_end_ends_the_reading() {
        assert_eq!(read(0xbede, b"\x10a\x23bb"), [(1, &b"a"[..])]);
        assert_eq!(read(0x1000, b"\x01\x01a\x02"), [(1, &b"a"[..])]);
        let mut elements = HeaderExtensions::new(0xbede, b"\x2f\x10a");
        assert_eq!((elements.next(), elements.next()), (None, None));
    }

    #[test]
    fn block_of_unknown_form_has_no_elements() {
        assert!(read(0xbeef, b"\x10a").is_empty());
        assert!(read(0x1100, b"\x01\x01a").is_empty());
    }
}
