//! A listener on its way to media: offer, answer, checks and handshake over a real socket.

use std::net::{SocketAddr, UdpSocket};
use std::time::Instant;

use skywave::{AudioTransmitter, TransmitterState};
use skywave_load::{Answer, Listener, Phase};
use socket2::SockRef;

use crate::offer::{Listeners, PROFILE};

/// The listener, its socket, and the engine's end.
pub(crate) struct Joining {
    listener: Listener,
    transmitter: AudioTransmitter,
    socket: UdpSocket,
    engine: SocketAddr,
}

impl Joining {
    /// Negotiates and sends the first check, from a socket bound to `address`.
    pub(crate) fn start(
        mut transmitter: AudioTransmitter,
        address: SocketAddr,
        listeners: &Listeners,
        now: Instant,
    ) -> Joining {
        let socket = UdpSocket::bind(address).expect("a socket can be bound");
        let nonblocking = socket.set_nonblocking(true);
        nonblocking.expect("a socket can be made not to block");
        let address = socket.local_addr().expect("it is bound");
        let (mut listener, offer) = listeners.listener(address, now);
        let answer = transmitter.accept_offer(&offer);
        let answer = Answer::read(&answer.expect("the engine takes our offer"));
        let answer = answer.expect("our answers can be read");
        let engine = answer.candidates[0];
        listener.accept(now, &answer, engine, &mut |bytes| {
            send(&socket, engine, bytes);
        });
        Joining {
            listener,
            transmitter,
            socket,
            engine,
        }
    }

    /// Reads what has come and does what is due. False if there was nothing to do.
    pub(crate) fn work(&mut self) -> bool {
        let mut buffer = [0; 2048];
        let (socket, engine) = (&self.socket, self.engine);
        let mut emit = |bytes: &[u8]| send(socket, engine, bytes);
        let mut busy = false;
        while let Ok(len) = socket.recv(&mut buffer) {
            let datagram = &mut buffer[..len];
            self.listener
                .handle_datagram(Instant::now(), datagram, &mut emit);
            busy = true;
        }
        let now = Instant::now();
        if self.listener.next_due().is_some_and(|due| due <= now) {
            self.listener.handle_timeout(now, &mut emit);
            busy = true;
        }
        assert_eq!(self.listener.failure(), None);
        busy
    }

    /// Whether both ends have finished.
    pub(crate) fn is_connected(&self) -> bool {
        self.listener.phase() >= Phase::Waiting
            && self.transmitter.state() == TransmitterState::Connected
    }

    /// What is left of it once it is connected: nobody reads the socket any more, and it keeps
    /// no more than the system makes it.
    pub(crate) fn finish(self) -> (AudioTransmitter, UdpSocket) {
        let protection = self.listener.protection();
        assert_eq!(protection.map(|agreed| agreed.profile), Some(PROFILE));
        let shrunk = SockRef::from(&self.socket).set_recv_buffer_size(0);
        shrunk.expect("a receive buffer can be made smaller");
        (self.transmitter, self.socket)
    }
}

/// What is not taken is lost, as on any path; whatever matters is sent again.
fn send(socket: &UdpSocket, to: SocketAddr, bytes: &[u8]) {
    let _ = socket.send_to(bytes, to);
}
