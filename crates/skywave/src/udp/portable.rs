//! The same one datagram at a time, for systems without `sendmmsg` and `recvmmsg`.

use std::io::{self, ErrorKind};
use std::net::UdpSocket;

use super::Batch;
use super::inbox::{Buffers, Filled};

/// Sends a batch; returns how many datagrams the kernel refused.
pub(super) fn send_batch(socket: &UdpSocket, batch: &Batch<'_>) -> u64 {
    let failed = |(datagram, path): &&(&[u8], skywave_ice::Path)| {
        socket.send_to(datagram, path.remote).is_err()
    };
    batch.iter().filter(failed).count() as u64
}

/// What one socket needs to receive a batch: nothing.
pub(super) struct BatchReceiver;

impl BatchReceiver {
    pub(super) fn new() -> Self {
        Self
    }

    /// Takes waiting datagrams, without waiting for any.
    pub(super) fn receive(
        &mut self,
        socket: &UdpSocket,
        buffers: &mut Buffers,
        filled: &mut Filled,
    ) -> io::Result<()> {
        for buffer in buffers.iter_mut() {
            match socket.recv_from(buffer) {
                Ok((len, remote)) => filled.push((len, Some(remote))),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if filled.is_empty() => return Err(error),
                // Told again with the next call, if it lasts.
                Err(_) => break,
            }
        }
        Ok(())
    }
}
