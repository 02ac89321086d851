//! One socket of the media port.

use std::io;
use std::net::{SocketAddr, UdpSocket};

use socket2::{Domain, Protocol, Socket, Type};

/// What is asked of the system for each socket.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SocketOptions {
    /// Bytes of each buffer; the system may grant less.
    pub(crate) buffer: usize,
    /// Differentiated services code point of what is sent, 0 to 63.
    pub(crate) dscp: u8,
}

/// Opens a socket that neither blocks nor fragments.
pub(super) fn open(address: SocketAddr, options: SocketOptions) -> io::Result<UdpSocket> {
    let domain = Domain::for_address(address);
    let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    set_buffers(&socket, options.buffer)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    set_dont_fragment(&socket, address)?;
    if options.dscp != 0 {
        set_dscp(&socket, address, options.dscp)?;
    }
    Ok(socket.into())
}

/// Bytes of the receive and the send buffer as the system granted them.
pub(super) fn buffers(socket: &UdpSocket) -> io::Result<(usize, usize)> {
    let socket = socket2::SockRef::from(socket);
    // Linux tells twice what it was asked for, and counts its own bookkeeping against that.
    let doubled = if cfg!(target_os = "linux") { 2 } else { 1 };
    let receive = socket.recv_buffer_size()? / doubled;
    Ok((receive, socket.send_buffer_size()? / doubled))
}

#[cfg(target_os = "linux")]
fn set_buffers(socket: &Socket, bytes: usize) -> io::Result<()> {
    use rustix::net::sockopt::{
        set_socket_recv_buffer_size_force, set_socket_send_buffer_size_force,
    };

    // Beyond net.core.rmem_max and wmem_max, where the process may (CAP_NET_ADMIN); else up to
    // them.
    if set_socket_recv_buffer_size_force(socket, bytes).is_err() {
        socket.set_recv_buffer_size(bytes)?;
    }
    if set_socket_send_buffer_size_force(socket, bytes).is_err() {
        socket.set_send_buffer_size(bytes)?;
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn set_buffers(socket: &Socket, bytes: usize) -> io::Result<()> {
    socket.set_recv_buffer_size(bytes)?;
    socket.set_send_buffer_size(bytes)
}

/// The code point is the upper six bits of the octet (RFC 2474 §3); the others are the system's,
/// for congestion notification.
#[cfg(unix)]
fn set_dscp(socket: &Socket, address: SocketAddr, dscp: u8) -> io::Result<()> {
    use rustix::net::sockopt::{set_ip_tos, set_ipv6_tclass};

    if address.is_ipv4() {
        set_ip_tos(socket, dscp << 2)?;
    } else {
        set_ipv6_tclass(socket, u32::from(dscp << 2))?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn set_dscp(_: &Socket, _: SocketAddr, _: u8) -> io::Result<()> {
    Err(io::Error::new(
        io::ErrorKind::Unsupported,
        "a code point (dscp) cannot be set on this system",
    ))
}

/// Our packets are far below any MTU; without fragments the kernel also spares itself the choice
/// of an IP identification, a tenth of the cost of a send.
#[cfg(target_os = "linux")]
fn set_dont_fragment(socket: &Socket, address: SocketAddr) -> io::Result<()> {
    use rustix::net::sockopt::{
        Ipv4PathMtuDiscovery, Ipv6PathMtuDiscovery, set_ip_mtu_discover, set_ipv6_mtu_discover,
    };

    if address.is_ipv4() {
        set_ip_mtu_discover(socket, Ipv4PathMtuDiscovery::PROBE)?;
    } else {
        set_ipv6_mtu_discover(socket, Ipv6PathMtuDiscovery::PROBE)?;
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn set_dont_fragment(_: &Socket, _: SocketAddr) -> io::Result<()> {
    Ok(())
}
