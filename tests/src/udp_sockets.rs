//! What the kernel says of datagrams that did not arrive (`proc(5)`).

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};

/// One IPv4 socket.
pub struct UdpSocketInfo {
    /// Where it is bound.
    pub local: SocketAddr,
    /// Where it is connected to; unspecified if it is not.
    pub remote: SocketAddr,
    /// Datagrams that came when its receive buffer was full.
    drops: u64,
}

/// Datagrams for which the receive buffers of those sockets had no room.
pub fn overflowed(which: impl Fn(&UdpSocketInfo) -> bool) -> u64 {
    let table = fs::read_to_string("/proc/net/udp").expect("Linux has a table of UDP sockets");
    let sockets = table
        .lines()
        .skip(1)
        .map(|line| socket(line).expect("a socket"));
    sockets.filter(which).map(|socket| socket.drops).sum()
}

/// Packets of this host, whoever's, for which the kernel had no room before it looked for their
/// sockets: a processor did not get to them in time.
pub fn unlooked_at() -> u64 {
    let table = fs::read_to_string("/proc/net/softnet_stat").expect("Linux counts packets");
    let dropped = |line: &str| {
        let count = line.split_whitespace().nth(1);
        count.and_then(|count| u64::from_str_radix(count, 16).ok())
    };
    table
        .lines()
        .map(|line| dropped(line).expect("a counter"))
        .sum()
}

fn socket(line: &str) -> Option<UdpSocketInfo> {
    let mut fields = line.split_whitespace().skip(1);
    Some(UdpSocketInfo {
        local: address(fields.next()?)?,
        remote: address(fields.next()?)?,
        drops: fields.last()?.parse().ok()?,
    })
}

/// The octets of the address are those of a word of the host, in base 16.
fn address(text: &str) -> Option<SocketAddr> {
    let (ip, port) = text.split_once(':')?;
    let ip = u32::from_str_radix(ip, 16).ok()?.to_ne_bytes();
    let port = u16::from_str_radix(port, 16).ok()?;
    Some(SocketAddr::from((Ipv4Addr::from(ip), port)))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::net::UdpSocket;

    use rustix::net::sockopt::set_socket_recv_buffer_size;

    use super::*;

    #[test]
    fn datagrams_that_a_full_socket_did_not_take_are_counted() {
        let full = UdpSocket::bind("127.0.0.1:0").expect("a free port");
        let (sender, local) = (UdpSocket::bind("127.0.0.1:0"), full.local_addr());
        let (sender, local) = (sender.expect("a free port"), local.expect("it is bound"));
        sender.connect(local).expect("an address of this host");
        set_socket_recv_buffer_size(&full, 16 << 10).expect("an option of sockets");
        for _ in 0..2_000 {
            sender.send(&[0; 1000]).expect("loopback takes it");
        }
        full.set_nonblocking(true).expect("a socket");
        let read = std::iter::from_fn(|| full.recv(&mut [0; 1000]).ok()).count() as u64;
        assert!(read < 2_000);
        assert_eq!(overflowed(|one| one.local == local), 2_000 - read);
        assert_eq!(overflowed(|one| one.remote == local), 0);
    }
}
