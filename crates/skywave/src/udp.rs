//! The media port: the only place that sends and receives.
//!
//! One port, one socket for each local address. An answer then leaves from the very address that
//! was asked, as ICE demands (RFC 8445 §7.3.1), on hosts with several networks too.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd};

use skywave_ice::Path;
use skywave_peer::Outbox;
use socket2::{Domain, Protocol, Socket, Type};

use crate::addresses::usable_addresses;
use crate::error::Error;

/// The sockets of one media port.
#[derive(Debug)]
pub(crate) struct UdpPort {
    /// In the order of `Path::base`.
    sockets: Vec<UdpSocket>,
    addresses: Vec<SocketAddr>,
    /// Datagrams that the kernel did not take.
    pub(crate) refused: u64,
}

impl UdpPort {
    /// Binds every usable address for a wildcard address, else the one given. Port 0 takes any
    /// port that is free on all of them.
    pub(crate) fn bind(address: SocketAddr) -> Result<Self, Error> {
        let failed = |source| Error::Bind { address, source };
        let hosts = if address.ip().is_unspecified() {
            usable_addresses(address.ip()).map_err(failed)?
        } else {
            vec![address.ip()]
        };
        let mut attempts = PORT_ATTEMPTS;
        loop {
            attempts -= 1;
            match Self::bind_all(&hosts, address.port()) {
                // The port that one address gave is taken on another: take the next.
                Err(error)
                    if error.kind() == ErrorKind::AddrInUse
                        && address.port() == 0
                        && attempts > 0 => {}
                result => return result.map_err(failed),
            }
        }
    }

    fn bind_all(hosts: &[IpAddr], mut port: u16) -> io::Result<Self> {
        let (mut sockets, mut addresses) = (Vec::new(), Vec::new());
        for &host in hosts {
            let socket = match bind_one(SocketAddr::new(host, port)) {
                Ok(socket) => socket,
                // An IPv6 address that is still being checked for duplicates, say.
                Err(error) if error.kind() == ErrorKind::AddrNotAvailable && hosts.len() > 1 => {
                    tracing::warn!(%host, "address left out: {error}");
                    continue;
                }
                Err(error) => return Err(error),
            };
            let address = socket.local_addr()?;
            port = address.port();
            sockets.push(socket);
            addresses.push(address);
        }
        if sockets.is_empty() {
            return Err(ErrorKind::AddrNotAvailable.into());
        }
        Ok(Self {
            sockets,
            addresses,
            refused: 0,
        })
    }

    /// The addresses bound, most useful first.
    pub(crate) fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// What to poll for reading.
    pub(crate) fn fds(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.sockets.iter().map(AsFd::as_fd)
    }

    /// Takes a waiting datagram from one of the sockets. None if there is none.
    pub(crate) fn receive(&self, base: usize, buffer: &mut [u8]) -> Option<(usize, Path)> {
        let (len, remote) = self.sockets.get(base)?.recv_from(buffer).ok()?;
        // There are at most MAX_ADDRESSES sockets.
        let base = base as u8;
        Some((len, Path { base, remote }))
    }

    /// Sends everything in the outbox and empties it. What the kernel refuses is counted, not
    /// tried again: the next frame is due soon, and handshakes repeat themselves.
    pub(crate) fn flush(&mut self, outbox: &mut Outbox) {
        let mut batch = Batch::new();
        for (datagram, path) in outbox.datagrams() {
            if batch.last().is_some_and(|(_, last)| last.base != path.base) {
                self.refused += self.send(&batch);
                batch.clear();
            }
            batch.push((datagram, path));
        }
        self.refused += self.send(&batch);
        drop(batch);
        outbox.clear();
    }

    /// Sends datagrams of one base; returns how many were refused.
    fn send(&self, batch: &Batch<'_>) -> u64 {
        match batch.first() {
            Some((_, path)) => match self.sockets.get(usize::from(path.base)) {
                Some(socket) => send_batch(socket, batch),
                None => batch.len() as u64,
            },
            None => 0,
        }
    }
}

/// Datagrams for one system call.
type Batch<'a> = arrayvec::ArrayVec<(&'a [u8], Path), { Outbox::SLOTS }>;

#[cfg(target_os = "linux")]
fn send_batch(socket: &UdpSocket, batch: &Batch<'_>) -> u64 {
    use arrayvec::ArrayVec;
    use rustix::net::{MMsgHdr, SendAncillaryBuffer, SendFlags, SocketAddrAny, sendmmsg};

    type Slots<T> = ArrayVec<T, { Outbox::SLOTS }>;
    let payloads: Slots<[io::IoSlice<'_>; 1]> = batch
        .iter()
        .map(|(datagram, _)| [io::IoSlice::new(datagram)])
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

#[cfg(not(target_os = "linux"))]
fn send_batch(socket: &UdpSocket, batch: &Batch<'_>) -> u64 {
    let failed = |(datagram, path): &&(&[u8], Path)| socket.send_to(datagram, path.remote).is_err();
    batch.iter().filter(failed).count() as u64
}

fn bind_one(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::DGRAM,
        Some(Protocol::UDP),
    )?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // The kernel grants what its limits allow.
    socket.set_recv_buffer_size(SOCKET_BUFFER)?;
    socket.set_send_buffer_size(SOCKET_BUFFER)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    set_dont_fragment(&socket, address)?;
    Ok(socket.into())
}

/// Our packets are far below any MTU; without fragments the kernel also spares itself the choice
/// of an IP identification, a tenth of the cost of a send.
#[cfg(target_os = "linux")]
fn set_dont_fragment(socket: &Socket, address: SocketAddr) -> io::Result<()> {
    use rustix::net::sockopt::{Ipv4PathMtuDiscovery, set_ip_mtu_discover};

    if address.is_ipv4() {
        set_ip_mtu_discover(socket, Ipv4PathMtuDiscovery::PROBE)?;
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn set_dont_fragment(_: &Socket, _: SocketAddr) -> io::Result<()> {
    Ok(())
}

/// Bytes asked for either buffer of a socket: 20 ms of a thousand listeners.
const SOCKET_BUFFER: usize = 4 << 20;

/// How often another port is tried when any will do.
const PORT_ATTEMPTS: u32 = 16;

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

    use super::*;

    #[test]
    fn wildcard_binds_one_port_on_every_address() {
        let port = UdpPort::bind(SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0))).unwrap();
        let number = port.addresses()[0].port();
        assert_ne!(number, 0);
        assert!(port.addresses().iter().all(|a| a.port() == number));
        assert!(port.addresses().iter().any(|a| a.ip().is_loopback()));
    }

    #[test]
    fn taken_port_is_an_error_with_the_address() {
        let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap();
        let error = UdpPort::bind(address).unwrap_err();
        assert!(error.to_string().contains(&address.to_string()), "{error}");
    }

    #[test]
    fn batch_reaches_every_destination_and_refusals_are_counted() {
        let mut port = UdpPort::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
        let path = |remote: SocketAddr| Path { base: 0, remote };
        let here = path(receiver.local_addr().unwrap());
        let mut outbox = Outbox::new();
        outbox.push(b"one", here);
        outbox.push(b"nowhere", path("[::1]:9".parse().unwrap()));
        outbox.push(b"two", here);
        outbox.push(b"unbound", Path { base: 7, ..here });
        port.flush(&mut outbox);
        assert!(outbox.is_empty());
        assert_eq!(port.refused, 2);
        let mut buffer = [0; 16];
        for expected in [&b"one"[..], b"two"] {
            let (len, from) = receiver.recv_from(&mut buffer).unwrap();
            assert_eq!((&buffer[..len], from), (expected, port.addresses()[0]));
        }
    }
}
