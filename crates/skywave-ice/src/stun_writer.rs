//! Writes a STUN message (RFC 8489 §5, §14) into a lent buffer.
//!
//! Padding is zero (RFC 8489 §14). MESSAGE-INTEGRITY and FINGERPRINT are written by
//! [`StunWriter::finish`], hence always last and in this order.

use std::net::{IpAddr, SocketAddr};

use crate::IntegrityKey;
use crate::attribute::{
    self, FAMILY_IPV4, FAMILY_IPV6, FINGERPRINT_XOR, HEADER_LEN, MAGIC_COOKIE, address_mask,
};
use crate::class::{Class, method_bits};

/// Writes one message into a lent buffer. Whether it had room is told at the end, by
/// [`finish`](Self::finish).
#[derive(Debug)]
pub struct StunWriter<'a> {
    buffer: &'a mut [u8],
    transaction_id: [u8; 12],
    len: usize,
    overflow: bool,
}

impl<'a> StunWriter<'a> {
    /// Begins a message; `method` has 12 bits.
    #[must_use]
    pub fn new(buffer: &'a mut [u8], class: Class, method: u16, transaction_id: [u8; 12]) -> Self {
        let mut writer = Self {
            buffer,
            transaction_id,
            len: 0,
            overflow: false,
        };
        writer.push(&(class.bits() | method_bits(method)).to_be_bytes());
        writer.push(&[0; 2]);
        writer.push(&MAGIC_COOKIE);
        writer.push(&transaction_id);
        writer
    }

    /// Writes USERNAME: in a request the fragment of the agent asked, a colon, and one's own.
    pub fn username(&mut self, username: &str) {
        self.attribute(attribute::USERNAME, username.as_bytes());
    }

    /// Writes PRIORITY.
    pub fn priority(&mut self, priority: u32) {
        self.attribute(attribute::PRIORITY, &priority.to_be_bytes());
    }

    /// Writes USE-CANDIDATE.
    pub fn use_candidate(&mut self) {
        self.attribute(attribute::USE_CANDIDATE, &[]);
    }

    /// Writes ICE-CONTROLLING with this tie-breaker.
    pub fn ice_controlling(&mut self, tie_breaker: u64) {
        self.attribute(attribute::ICE_CONTROLLING, &tie_breaker.to_be_bytes());
    }

    /// Writes ICE-CONTROLLED with this tie-breaker.
    pub fn ice_controlled(&mut self, tie_breaker: u64) {
        self.attribute(attribute::ICE_CONTROLLED, &tie_breaker.to_be_bytes());
    }

    /// Writes XOR-MAPPED-ADDRESS. An IPv4-mapped IPv6 address, as dual-stack sockets give it, is
    /// written as IPv4.
    pub fn xor_mapped_address(&mut self, address: SocketAddr) {
        let mask = address_mask(&self.transaction_id);
        let mut value = [0; 20];
        value[2..4].copy_from_slice(&address.port().to_be_bytes());
        let len = match address.ip().to_canonical() {
            IpAddr::V4(ip) => {
                value[1] = FAMILY_IPV4;
                value[4..8].copy_from_slice(&ip.octets());
                8
            }
            IpAddr::V6(ip) => {
                value[1] = FAMILY_IPV6;
                value[4..].copy_from_slice(&ip.octets());
                20
            }
        };
        xor(&mut value[2..4], &mask);
        xor(&mut value[4..], &mask);
        self.attribute(attribute::XOR_MAPPED_ADDRESS, &value[..len]);
    }

    /// Writes ERROR-CODE without a reason phrase; `code` is 300 to 699.
    pub fn error_code(&mut self, code: u16) {
        let value = [0, 0, (code / 100) as u8, (code % 100) as u8];
        self.attribute(attribute::ERROR_CODE, &value);
    }

    /// Writes UNKNOWN-ATTRIBUTES with these types.
    pub fn unknown_attributes(&mut self, types: &[u16]) {
        self.header(attribute::UNKNOWN_ATTRIBUTES, types.len() * 2);
        for kind in types {
            self.push(&kind.to_be_bytes());
        }
        self.pad();
    }

    /// Writes any other attribute.
    pub fn attribute(&mut self, kind: u16, value: &[u8]) {
        self.header(kind, value.len());
        self.push(value);
        self.pad();
    }

    /// Adds MESSAGE-INTEGRITY, if a key is given, and FINGERPRINT. Returns the length of the
    /// message, or `None` when it does not fit into the buffer or into a STUN message.
    #[must_use]
    pub fn finish(mut self, key: Option<&IntegrityKey>) -> Option<usize> {
        if let Some(key) = key {
            let tag = key.sign(self.written()?);
            self.attribute(attribute::MESSAGE_INTEGRITY, &tag);
        }
        // The CRC covers the length field, which counts FINGERPRINT already.
        let end = self.len + FINGERPRINT_LEN;
        let body = u16::try_from(end.checked_sub(HEADER_LEN)?).ok()?;
        self.buffer
            .get_mut(2..4)?
            .copy_from_slice(&body.to_be_bytes());
        let crc = crc32fast::hash(self.written()?) ^ FINGERPRINT_XOR;
        self.attribute(attribute::FINGERPRINT, &crc.to_be_bytes());
        self.written().map(<[u8]>::len)
    }

    fn written(&self) -> Option<&[u8]> {
        if self.overflow {
            None
        } else {
            self.buffer.get(..self.len)
        }
    }

    fn header(&mut self, kind: u16, len: usize) {
        self.push(&kind.to_be_bytes());
        match u16::try_from(len) {
            Ok(len) => self.push(&len.to_be_bytes()),
            Err(_) => self.overflow = true,
        }
    }

    fn pad(&mut self) {
        let padding = self.len.next_multiple_of(4) - self.len;
        self.push(&[0; 3][..padding]);
    }

    fn push(&mut self, bytes: &[u8]) {
        match self.buffer.get_mut(self.len..self.len + bytes.len()) {
            Some(room) => {
                room.copy_from_slice(bytes);
                self.len += bytes.len();
            }
            None => self.overflow = true,
        }
    }
}

const FINGERPRINT_LEN: usize = 8;

fn xor(bytes: &mut [u8], mask: &[u8; 16]) {
    bytes
        .iter_mut()
        .zip(mask)
        .for_each(|(byte, mask)| *byte ^= mask);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StunMessage;

    #[test]
    fn a_buffer_of_any_shorter_length_is_refused() {
        let key = IntegrityKey::new("VOkJxbRl1RmTxUk/WvJxBt");
        let write = |buffer: &mut [u8]| {
            let mut writer = StunWriter::new(buffer, Class::Success, 1, [9; 12]);
            writer.xor_mapped_address(([192, 0, 2, 1], 32853).into());
            writer.finish(Some(&key))
        };
        let mut buffer = [0xaa; 65];
        for len in 0..64 {
            assert_eq!(write(&mut buffer[..len]), None, "{len}");
        }
        assert_eq!(write(&mut buffer), Some(64));
        assert_eq!(buffer[64], 0xaa);
    }

    #[test]
    #[cfg_attr(miri, ignore = "hashes 65,000 bytes")]
    fn what_is_longer_than_a_stun_message_is_refused() {
        let key = IntegrityKey::new("password");
        let mut buffer = vec![0; 200_000];
        for lens in [&[65_536][..], &[65_500], &[40_000, 40_000]] {
            let mut writer = StunWriter::new(&mut buffer, Class::Request, 1, [0; 12]);
            for len in lens {
                writer.attribute(0x8022, &vec![0; *len]);
            }
            assert_eq!(writer.finish(Some(&key)), None, "{lens:?}");
        }
    }

    #[test]
    fn padding_is_zero_whatever_the_buffer_held() {
        let mut buffer = [0xff; 64];
        let mut writer = StunWriter::new(&mut buffer, Class::Request, 1, [0; 12]);
        writer.username("a:b");
        writer.unknown_attributes(&[0x7f01]);
        assert_eq!(writer.finish(None), Some(44));
        assert_eq!(buffer[20..28], *b"\0\x06\0\x03a:b\0");
        assert_eq!(buffer[28..36], [0, 0x0a, 0, 2, 0x7f, 0x01, 0, 0]);
    }

    #[test]
    fn ipv4_mapped_addresses_are_written_as_ipv4() {
        let mut buffer = [0; 64];
        let mut writer = StunWriter::new(&mut buffer, Class::Success, 1, [5; 12]);
        writer.xor_mapped_address("[::ffff:192.0.2.1]:5".parse().unwrap());
        let len = writer.finish(None).unwrap();
        let message = StunMessage::parse(&buffer[..len]).unwrap();
        assert_eq!(message.xor_mapped_address(), "192.0.2.1:5".parse().ok());
    }

    const TRANSACTION: [u8; 12] = *b"\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae";

    /// RFC 5769 pads with spaces, so the attributes that need padding are copied from it.
    fn finish(mut writer: StunWriter<'_>, fill: impl FnOnce(&mut StunWriter<'_>)) -> usize {
        fill(&mut writer);
        let key = IntegrityKey::new("VOkJxbRl1RmTxUk/WvJxBt");
        writer.finish(Some(&key)).unwrap()
    }

    #[test]
    fn the_request_of_rfc_5769_is_written() {
        let vector = include_bytes!("../tests/data/rfc5769-2.1-request.bin");
        let mut buffer = [0; 128];
        let writer = StunWriter::new(&mut buffer, Class::Request, 1, TRANSACTION);
        let len = finish(writer, |writer| {
            writer.attribute(0x8022, b"STUN test client");
            writer.priority(0x6e00_01ff);
            writer.ice_controlled(0x932f_f9b1_5126_3b36);
            writer.push(&vector[60..76]); // USERNAME
        });
        assert_eq!(buffer[..len], vector[..]);
    }

    #[test]
    fn the_responses_of_rfc_5769_are_written() {
        for (vector, address) in [
            (
                &include_bytes!("../tests/data/rfc5769-2.2-ipv4-response.bin")[..],
                "192.0.2.1:32853",
            ),
            (
                include_bytes!("../tests/data/rfc5769-2.3-ipv6-response.bin"),
                "[2001:db8:1234:5678:11:2233:4455:6677]:32853",
            ),
        ] {
            let mut buffer = [0; 128];
            let writer = StunWriter::new(&mut buffer, Class::Success, 1, TRANSACTION);
            let len = finish(writer, |writer| {
                writer.push(&vector[20..36]); // SOFTWARE
                writer.xor_mapped_address(address.parse().unwrap());
            });
            assert_eq!(buffer[..len], *vector);
        }
    }
}
