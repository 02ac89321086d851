//! The payload copied to its place behind the header, and nothing else.

use crate::{HEADER_OCTETS, Listener, Session};

/// Copies.
pub struct PlainCopy;

impl Session for PlainCopy {
    const NAME: &'static str = "plain_copy";

    fn new(_listener: &Listener) -> PlainCopy {
        PlainCopy
    }

    fn send(&mut self, payload: &[u8], _timestamp: u32, buffer: &mut Vec<u8>) -> impl AsRef<[u8]> {
        let end = HEADER_OCTETS + payload.len();
        buffer[HEADER_OCTETS..end].copy_from_slice(payload);
        &buffer[..end]
    }
}
