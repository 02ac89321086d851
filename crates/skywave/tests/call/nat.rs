//! What may lie between a peer and the engine.

use std::net::{SocketAddr, UdpSocket};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

/// Passes datagrams on between one peer and the engine.
pub(crate) struct Nat {
    commands: Sender<Command>,
}

enum Command {
    Rebind,
    Inject(&'static [u8]),
}

impl Nat {
    /// One whose outer address is in the offer instead of the engine's.
    pub(crate) fn in_between(offer: &str) -> (String, Self) {
        let candidate = offer.lines().find(|line| line.starts_with("a=candidate:"));
        let port = candidate.unwrap().split(' ').nth(5).unwrap();
        let engine = SocketAddr::from(([127, 0, 0, 1], port.parse().unwrap()));
        let towards_peer = socket();
        let own_port = towards_peer.local_addr().unwrap().port();
        let offer = offer.replace(&format!(" {port} typ"), &format!(" {own_port} typ"));
        let (commands, taken) = mpsc::channel();
        thread::spawn(move || pass_on(engine, &towards_peer, &taken));
        (offer, Self { commands })
    }

    /// Gives the peer another address; what still comes to the old one is lost.
    pub(crate) fn rebind(&self) {
        self.commands.send(Command::Rebind).unwrap();
    }

    /// Sends the peer a datagram as if it came from the engine.
    pub(crate) fn inject(&self, datagram: &'static [u8]) {
        self.commands.send(Command::Inject(datagram)).unwrap();
    }
}

/// Until the test ends.
fn pass_on(engine: SocketAddr, towards_peer: &UdpSocket, commands: &Receiver<Command>) {
    // The last is in use; the others are open, so that nobody is told that nobody is there.
    let mut towards_engine = vec![socket()];
    let mut peer = None;
    let mut datagram = [0; 2048];
    loop {
        match (commands.try_recv(), peer) {
            (Ok(Command::Rebind), _) => towards_engine.push(socket()),
            (Ok(Command::Inject(injected)), Some(peer)) => {
                let _ = towards_peer.send_to(injected, peer);
            }
            _ => {}
        }
        let current = &towards_engine[towards_engine.len() - 1];
        while let Ok((len, from)) = towards_peer.recv_from(&mut datagram) {
            peer = Some(from);
            let _ = current.send_to(&datagram[..len], engine);
        }
        while let (Some(peer), Ok(len)) = (peer, current.recv(&mut datagram)) {
            let _ = towards_peer.send_to(&datagram[..len], peer);
        }
        thread::sleep(Duration::from_millis(1));
    }
}

fn socket() -> UdpSocket {
    let socket = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
    socket.set_nonblocking(true).unwrap();
    socket
}
