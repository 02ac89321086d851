//! The media port: the only place that sends and receives.
//!
//! One port, one socket for each local address. An answer then leaves from the very address that
//! was asked, as ICE demands (RFC 8445 §7.3.1), on hosts with several networks too.

mod inbox;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(any(test, not(target_os = "linux")))]
mod portable;
mod socket;

#[cfg(target_os = "linux")]
use self::linux as system;
#[cfg(not(target_os = "linux"))]
use self::portable as system;

use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr, UdpSocket};

use arrayvec::ArrayVec;
use rustix::fd::{AsFd, BorrowedFd};
use skywave_ice::Path;
use skywave_peer::Outbox;

use crate::addresses::usable_addresses;
use crate::error::Error;

pub(crate) use self::inbox::Inbox;
pub(crate) use self::socket::SocketOptions;

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
    pub(crate) fn bind(address: SocketAddr, options: SocketOptions) -> Result<Self, Error> {
        let failed = |source| Error::Bind { address, source };
        let hosts = if address.ip().is_unspecified() {
            usable_addresses(address.ip()).map_err(failed)?
        } else {
            vec![address.ip()]
        };
        let mut attempts = PORT_ATTEMPTS;
        loop {
            attempts -= 1;
            match Self::bind_all(&hosts, address.port(), options) {
                // The port that one address gave is taken on another: take the next.
                Err(error)
                    if error.kind() == ErrorKind::AddrInUse
                        && address.port() == 0
                        && attempts > 0 => {}
                result => return result.map_err(failed),
            }
        }
    }

    fn bind_all(hosts: &[IpAddr], mut port: u16, options: SocketOptions) -> io::Result<Self> {
        let (mut sockets, mut addresses) = (Vec::new(), Vec::new());
        for &host in hosts {
            let socket = match socket::open(SocketAddr::new(host, port), options) {
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

    /// Bytes of the smallest receive and the smallest send buffer that the system granted.
    pub(crate) fn buffers(&self) -> (usize, usize) {
        let granted = self
            .sockets
            .iter()
            .filter_map(|one| socket::buffers(one).ok());
        granted
            .reduce(|(receive, send), next| (receive.min(next.0), send.min(next.1)))
            .unwrap_or_default()
    }

    /// What to poll for reading.
    pub(crate) fn fds(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.sockets.iter().map(AsFd::as_fd)
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
                Some(socket) => system::send_batch(socket, batch),
                None => batch.len() as u64,
            },
            None => 0,
        }
    }
}

/// Datagrams for one system call.
type Batch<'a> = ArrayVec<(&'a [u8], Path), { Outbox::SLOTS }>;

/// How often another port is tried when any will do.
const PORT_ATTEMPTS: u32 = 16;

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

    use super::*;

    const OPTIONS: SocketOptions = SocketOptions {
        buffer: 1 << 16,
        dscp: 0,
    };

    fn loopback() -> UdpPort {
        UdpPort::bind("127.0.0.1:0".parse().unwrap(), OPTIONS).unwrap()
    }

    #[test]
    fn wildcard_binds_one_port_on_every_address() {
        let port = UdpPort::bind(SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)), OPTIONS).unwrap();
        let number = port.addresses()[0].port();
        assert_ne!(number, 0);
        assert!(port.addresses().iter().all(|a| a.port() == number));
        assert!(port.addresses().iter().any(|a| a.ip().is_loopback()));
    }

    #[test]
    fn taken_port_is_an_error_with_the_address() {
        let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap();
        let error = UdpPort::bind(address, OPTIONS).unwrap_err();
        assert!(error.to_string().contains(&address.to_string()), "{error}");
    }

    /// RFC 8837 §5: audio may be marked for expedited forwarding.
    #[cfg(unix)]
    #[test]
    fn rfc8837_5_sockets_of_both_families_are_marked_as_asked() {
        use rustix::net::sockopt::{ip_tos, ipv6_tclass};

        let marked = |dscp, host: &str| {
            let options = SocketOptions { dscp, ..OPTIONS };
            UdpPort::bind(host.parse().unwrap(), options).unwrap()
        };
        let unmarked = loopback();
        assert_eq!(ip_tos(&unmarked.sockets[0]).unwrap(), 0);
        let four = marked(46, "127.0.0.1:0");
        assert_eq!(ip_tos(&four.sockets[0]).unwrap(), 46 << 2);
        let six = marked(46, "[::1]:0");
        assert_eq!(ipv6_tclass(&six.sockets[0]).unwrap(), 46 << 2);
    }

    #[test]
    fn buffers_are_told_as_the_system_granted_them() {
        assert_eq!(loopback().buffers(), (OPTIONS.buffer, OPTIONS.buffer));
    }

    #[test]
    fn batch_reaches_every_destination_and_refusals_are_counted() {
        let mut port = loopback();
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

    #[test]
    fn portable_batch_reaches_every_destination_too() {
        let [sender, receiver] = [(); 2].map(|()| UdpSocket::bind("127.0.0.1:0").unwrap());
        let path = |remote: SocketAddr| Path { base: 0, remote };
        let here = path(receiver.local_addr().unwrap());
        let nowhere = path("[::1]:9".parse().unwrap());
        let batch = [(&b"one"[..], here), (b"nowhere", nowhere), (b"two", here)];
        assert_eq!(
            portable::send_batch(&sender, &batch.into_iter().collect()),
            1
        );
        let mut buffer = [0; 16];
        for expected in [&b"one"[..], b"two"] {
            let (len, from) = receiver.recv_from(&mut buffer).unwrap();
            assert_eq!(
                (&buffer[..len], from),
                (expected, sender.local_addr().unwrap())
            );
        }
    }

    /// Sends 40 datagrams to a port; what arrives, batch by batch, of which the first is full.
    fn check_batches(
        sender: &UdpSocket,
        port: &UdpPort,
        mut receive: impl FnMut() -> Vec<(Vec<u8>, SocketAddr)>,
    ) {
        let expected: Vec<_> = (0..40u8)
            .map(|n| (vec![n; usize::from(n)], sender.local_addr().unwrap()))
            .collect();
        for (datagram, _) in &expected {
            sender.send_to(datagram, port.addresses()[0]).unwrap();
        }
        assert_eq!(receive(), expected[..inbox::BATCH]);
        assert_eq!(receive(), expected[inbox::BATCH..]);
        assert_eq!(receive(), []);
    }

    #[test]
    fn waiting_datagrams_are_received_together() {
        for host in ["127.0.0.1:0", "[::1]:0"] {
            let port = UdpPort::bind(host.parse().unwrap(), OPTIONS).unwrap();
            let mut inbox = Inbox::new(&port);
            check_batches(&UdpSocket::bind(host).unwrap(), &port, || {
                let count = inbox.receive(&port, 0);
                let owned = |index| {
                    let (datagram, path) = inbox.datagram(index).unwrap();
                    (datagram.to_vec(), path.remote)
                };
                (0..count).map(owned).collect()
            });
        }
    }

    #[test]
    fn waiting_datagrams_are_received_one_by_one_where_nothing_else_is_to_be_had() {
        let port = loopback();
        let mut buffers = Box::new([[0; 2048]; inbox::BATCH]);
        check_batches(&UdpSocket::bind("127.0.0.1:0").unwrap(), &port, || {
            let mut filled = inbox::Filled::new();
            let mut receiver = portable::BatchReceiver::new();
            receiver
                .receive(&port.sockets[0], &mut buffers, &mut filled)
                .unwrap();
            let owned = |(&(len, remote), buffer): (&(usize, Option<SocketAddr>), &[u8; 2048])| {
                (buffer[..len].to_vec(), remote.unwrap())
            };
            filled.iter().zip(buffers.iter()).map(owned).collect()
        });
    }
}
