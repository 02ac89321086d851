//! Datagrams that were received together.

use std::net::SocketAddr;

use arrayvec::ArrayVec;
use skywave_ice::Path;

use super::{UdpPort, system};

/// Room for a batch of received datagrams. It stays with the thread that made it.
pub(crate) struct Inbox {
    buffers: Box<Buffers>,
    filled: Filled,
    /// The socket that the batch came from.
    base: u8,
    /// One for each socket.
    receivers: Vec<system::BatchReceiver>,
}

impl Inbox {
    /// An empty one for the sockets of a port.
    pub(crate) fn new(port: &UdpPort) -> Self {
        let receivers = port.sockets.iter();
        Self {
            buffers: Box::new([[0; DATAGRAM]; BATCH]),
            filled: Filled::new(),
            base: 0,
            receivers: receivers.map(|_| system::BatchReceiver::new()).collect(),
        }
    }

    /// Takes waiting datagrams from one of the sockets in place of those before; returns how many.
    pub(crate) fn receive(&mut self, port: &UdpPort, base: usize) -> usize {
        self.filled.clear();
        // There are at most MAX_ADDRESSES sockets.
        self.base = base as u8;
        if let (Some(socket), Some(receiver)) =
            (port.sockets.get(base), self.receivers.get_mut(base))
        {
            // Nothing is there, or the system is out of memory: the next turn tries again. What
            // an earlier send met with (ICMP) is told here as well, and is nobody's concern.
            let _ = receiver.receive(socket, &mut self.buffers, &mut self.filled);
        }
        self.filled.len()
    }

    /// One of those received: the octets, and where they came from.
    pub(crate) fn datagram(&mut self, index: usize) -> Option<(&mut [u8], Path)> {
        let &(len, remote) = self.filled.get(index)?;
        let path = Path {
            base: self.base,
            remote: remote?,
        };
        Some((self.buffers.get_mut(index)?.get_mut(..len)?, path))
    }
}

pub(super) type Buffers = [[u8; DATAGRAM]; BATCH];

/// Length and sender of each buffer that was filled.
pub(super) type Filled = ArrayVec<(usize, Option<SocketAddr>), BATCH>;

/// Datagrams received by one system call.
pub(super) const BATCH: usize = 32;

/// Above any datagram that a peer sends: ClientHellos come in pieces of up to 1,408 bytes.
const DATAGRAM: usize = 2048;
