//! A header extension block of a stranger (RFC 8285), read through a packet that carries it.

use skywave_rtp::RtpPacket;

use crate::view::place;

/// Reads the block in `data`: the profile word, then its elements. True if there are elements.
///
/// # Panics
/// If an element does not follow its own header, if anything but padding is passed over, if the
/// reading ends before it has to, or goes on after its end.
pub fn header_extensions(data: &[u8]) -> bool {
    let Some((profile, block)) = data.split_first_chunk() else {
        return false;
    };
    let packet = packet(*profile, block);
    let view = RtpPacket::parse(&packet).expect("its lengths are right");
    assert_eq!(view.payload(), PAYLOAD);
    let block = &packet[BLOCK_AT..packet.len() - PAYLOAD.len()];
    let form = match profile {
        [0xbe, 0xde] => Form::OneByte,
        [0x10, 0x00..=0x0f] => Form::TwoByte,
        _ => {
            assert_eq!(view.extensions().count(), 0, "of no known form");
            return false;
        }
    };
    let mut elements = view.extensions();
    let mut at = 0;
    let mut found = false;
    for element in elements.by_ref() {
        at += padding(&block[at..]);
        let header = form.header(element.id, element.data.len());
        assert!(block[at..].starts_with(&header), "{element:?} at {at}");
        assert_eq!(place(block, element.data).start, at + header.len());
        at += header.len() + element.data.len();
        found = true;
    }
    assert_eq!(elements.next(), None, "the end is the end");
    at += padding(&block[at..]);
    assert!(form.ends_at(&block[at..]), "the reading ended at {at}");
    found
}

/// Version 2 with extension; the block is filled up with padding.
fn packet(profile: [u8; 2], block: &[u8]) -> Vec<u8> {
    let words = block.len().div_ceil(4).min(usize::from(u16::MAX));
    let len = block.len().min(4 * words);
    let mut packet = vec![0x90, 111, 0, 1, 0, 0, 3, 192, 0, 0, 0, 7];
    packet.extend(profile);
    packet.extend((words as u16).to_be_bytes());
    packet.extend(&block[..len]);
    packet.resize(BLOCK_AT + 4 * words, 0);
    packet.extend(PAYLOAD);
    packet
}

/// How many octets of padding come first.
fn padding(block: &[u8]) -> usize {
    block.iter().take_while(|octet| **octet == 0).count()
}

enum Form {
    OneByte,
    TwoByte,
}

impl Form {
    /// What stands before the data of an element.
    fn header(&self, id: u8, len: usize) -> Vec<u8> {
        match self {
            Self::OneByte => {
                assert!((1..=14).contains(&id) && (1..=16).contains(&len));
                vec![id << 4 | (len - 1) as u8]
            }
            Self::TwoByte => {
                assert!(id != 0 && len <= 255);
                vec![id, len as u8]
            }
        }
    }

    /// Whether no element can be read from what is left, which does not begin with padding.
    fn ends_at(&self, rest: &[u8]) -> bool {
        match (self, rest) {
            (_, []) | (Self::TwoByte, [_]) => true,
            (Self::OneByte, [0x01..=0x0f | 0xf0..=0xff, ..]) => true,
            (Self::OneByte, [first, data @ ..]) => data.len() <= usize::from(first & 0x0f),
            (Self::TwoByte, [_, len, data @ ..]) => data.len() < usize::from(*len),
        }
    }
}

/// Fixed header, profile and length.
const BLOCK_AT: usize = 16;
const PAYLOAD: &[u8] = b"payload";
