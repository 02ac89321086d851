//! The payload copied to its place behind the header, and nothing else.

use crate::{Frame, HEADER_OCTETS, Listener, Session};

/// Copies.
pub struct PlainCopy;

impl Session for PlainCopy {
    const NAME: &'static str = "plain_copy";

    fn new(_listener: &Listener) -> PlainCopy {
        PlainCopy
    }

    fn send(&mut self, frame: &Frame, buffer: &mut Vec<u8>) -> impl AsRef<[u8]> {
        let end = HEADER_OCTETS + frame.payload.len();
        buffer[HEADER_OCTETS..end].copy_from_slice(&frame.payload);
        &buffer[..end]
    }
}
