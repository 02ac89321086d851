//! Batches by `sendmmsg` and `recvmmsg`: one system call for many datagrams.

use std::io::{self, IoSlice, IoSliceMut};
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;

use arrayvec::ArrayVec;
use nix::sys::socket::{MsgFlags, MultiHeaders, SockaddrStorage, recvmmsg};
use rustix::net::{MMsgHdr, SendAncillaryBuffer, SendFlags, SocketAddrAny, sendmmsg};
use skywave_peer::Outbox;

use super::Batch;
use super::inbox::{BATCH, Buffers, Filled};

/// Sends a batch; returns how many datagrams the kernel refused.
pub(super) fn send_batch(socket: &UdpSocket, batch: &Batch<'_>) -> u64 {
    let payloads: Slots<[IoSlice<'_>; 1]> = batch
        .iter()
        .map(|(datagram, _)| [IoSlice::new(datagram)])
        .collect();
    let addresses: Slots<SocketAddrAny> =
        batch.iter().map(|(_, path)| path.remote.into()).collect();
    let mut controls: Slots<SendAncillaryBuffer<'_, '_, '_>> = batch
        .iter()
        .map(|_| SendAncillaryBuffer::default())
        .collect();
    let mut messages: Slots<MMsgHdr<'_>> = payloads
        .iter()
        .zip(&addresses)
        .zip(&mut controls)
        .map(|((payload, address), control)| MMsgHdr::new_with_addr(address, payload, control))
        .collect();

    let (mut rest, mut refused) = (&mut messages[..], 0);
    while !rest.is_empty() {
        match sendmmsg(socket, rest, SendFlags::NOSIGNAL) {
            Ok(sent) if sent > 0 => rest = &mut rest[sent..],
            // The error is that of the first datagram; the others may fare better.
            _ => {
                refused += 1;
                rest = &mut rest[1..];
            }
        }
    }
    refused
}

type Slots<T> = ArrayVec<T, { Outbox::SLOTS }>;

/// What one socket needs to receive a batch. The kernel writes the length of an address where it
/// found that of the room for it, so sockets of two families must not share one.
pub(super) struct BatchReceiver(MultiHeaders<SockaddrStorage>);

impl BatchReceiver {
    pub(super) fn new() -> Self {
        Self(MultiHeaders::preallocate(BATCH, None))
    }

    /// Takes waiting datagrams, without waiting for any.
    pub(super) fn receive(
        &mut self,
        socket: &UdpSocket,
        buffers: &mut Buffers,
        filled: &mut Filled,
    ) -> io::Result<()> {
        let mut slices = buffers.each_mut().map(|buffer| [IoSliceMut::new(buffer)]);
        let flags = MsgFlags::MSG_DONTWAIT;
        let messages = recvmmsg(
            socket.as_raw_fd(),
            &mut self.0,
            slices.iter_mut(),
            flags,
            None,
        )?;
        filled.extend(messages.map(|message| (message.bytes, message.address.and_then(address))));
        Ok(())
    }
}

fn address(storage: SockaddrStorage) -> Option<SocketAddr> {
    let v4 = storage.as_sockaddr_in().map(|&address| address.into());
    v4.map(SocketAddr::V4).or_else(|| {
        let v6 = storage.as_sockaddr_in6().map(|&address| address.into());
        v6.map(SocketAddr::V6)
    })
}
