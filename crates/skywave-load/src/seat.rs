//! One listener with its socket.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::Instant;

use socket2::{Domain, Protocol, Socket, Type};

use crate::group::Group;
use crate::inbox::Inbox;
use crate::{Arrival, Listener, Phase};

/// A listener, its socket, and what the crowd knows of it.
pub(crate) struct Seat {
    pub(crate) listener: Listener,
    pub(crate) socket: UdpSocket,
    pub(crate) group: Group,
    /// Tells those who had the seat one after another apart.
    pub(crate) turn: u64,
    /// When it was to join.
    pub(crate) asked: Instant,
    /// When its offer went out, and when the answer was there.
    pub(crate) sent: Option<Instant>,
    pub(crate) answered: Option<Instant>,
    /// The URL to delete.
    pub(crate) session: Option<String>,
    /// As the crowd has counted it last.
    pub(crate) counted: Phase,
    /// The earliest time that is set for it.
    pub(crate) due: Option<Instant>,
}

impl Seat {
    /// Takes a datagram that came at `came`, and is looked at `now`.
    #[inline]
    pub(crate) fn handle(
        &mut self,
        datagram: &mut [u8],
        came: Instant,
        now: Instant,
    ) -> Option<Arrival> {
        // RTP and RTCP are measured; all else has timers, which never go back.
        let is_media = matches!(datagram.first(), Some(128..=191));
        let time = if is_media { came } else { now };
        let (listener, socket) = (&mut self.listener, &self.socket);
        listener.handle_datagram(time, datagram, &mut |bytes| send(socket, bytes))
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        let (listener, socket) = (&mut self.listener, &self.socket);
        listener.handle_timeout(now, &mut |bytes| send(socket, bytes));
    }

    pub(crate) fn leave(&mut self, now: Instant) {
        let (listener, socket) = (&mut self.listener, &self.socket);
        listener.leave(now, &mut |bytes| send(socket, bytes));
    }

    /// Begins to talk to the server's address.
    pub(crate) fn connect(
        &mut self,
        now: Instant,
        answer: &crate::Answer,
        remote: SocketAddr,
    ) -> io::Result<()> {
        self.socket.connect(remote)?;
        let (listener, socket) = (&mut self.listener, &self.socket);
        listener.accept(now, answer, remote, &mut |bytes| send(socket, bytes));
        Ok(())
    }
}

/// A socket of any free port at this address.
pub(crate) fn bind(ip: IpAddr) -> io::Result<UdpSocket> {
    let address = SocketAddr::new(ip, 0);
    let domain = Domain::for_address(address);
    let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_recv_buffer_size(RECEIVE_BUFFER)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    let socket = socket.into();
    Inbox::prepare(&socket)?;
    Ok(socket)
}

/// What is not taken is lost, as on any path; whatever matters is sent again.
fn send(socket: &UdpSocket, bytes: &[u8]) {
    let _ = socket.send(bytes);
}

/// Bytes, of which the kernel counts three times the packet or more: some seconds of audio.
const RECEIVE_BUFFER: usize = 256 * 1024;
