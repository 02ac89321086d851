//! A network path (RFC 8445 §4, "candidate pair").

use std::net::SocketAddr;

/// One end of a network path: the local socket it uses and the peer's address.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Path {
    /// Which local base (RFC 8445 §4), counted by the caller.
    pub base: u8,
    /// The peer's address, as the socket gave it.
    pub remote: SocketAddr,
}
