//! A UDP relay between a sender and one browser, which loses packets when told to.

use std::net::{Ipv4Addr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::thread;

/// A relay on a port of its own, for as long as the process lives.
pub struct Relay {
    sender: u16,
    port: u16,
    loss: Arc<Loss>,
}

#[derive(Default)]
struct Loss {
    /// Of so many RTP packets to the browser one is lost; 0 for none.
    interval: AtomicU64,
    lost: AtomicU64,
}

impl Relay {
    /// A relay to the sender on this computer that wrote the description.
    pub fn start(description: &str) -> Relay {
        let [outside, inside] = [(); 2].map(|()| {
            let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0));
            Arc::new(socket.expect("a free port"))
        });
        let relay = Relay {
            sender: port(description).expect("a description with a candidate"),
            port: outside.local_addr().expect("it is bound").port(),
            loss: Arc::default(),
        };
        let (tell, browser) = mpsc::channel();
        let (from, to, sender) = (outside.clone(), inside.clone(), relay.sender);
        thread::spawn(move || {
            let mut datagram = [0; 2048];
            while let Ok((len, browser)) = from.recv_from(&mut datagram) {
                let _ = tell.send(browser);
                let _ = to.send_to(&datagram[..len], (Ipv4Addr::LOCALHOST, sender));
            }
        });
        let loss = Arc::clone(&relay.loss);
        thread::spawn(move || to_browser(&inside, &outside, &browser, &loss));
        relay
    }

    /// The description with candidates that lead to the relay.
    pub fn redirect(&self, description: &str) -> String {
        let [sender, relay] = [self.sender, self.port].map(|port| format!(" {port} typ host"));
        description.replace(&sender, &relay)
    }

    /// Loses one of so many RTP packets from now on, none if `interval` is 0.
    pub fn lose_every(&self, interval: u64) {
        self.loss.interval.store(interval, Ordering::Relaxed);
    }

    /// How many were lost so far.
    pub fn lost(&self) -> u64 {
        self.loss.lost.load(Ordering::Relaxed)
    }
}

/// What the sender writes goes to where the browser wrote from last.
fn to_browser(
    inside: &UdpSocket,
    outside: &UdpSocket,
    told: &Receiver<std::net::SocketAddr>,
    loss: &Loss,
) {
    let (mut datagram, mut browser, mut packets) = ([0; 2048], None, 0);
    while let Ok(len) = inside.recv(&mut datagram) {
        browser = told.try_iter().last().or(browser);
        if is_rtp(&datagram[..len]) {
            packets += 1;
            let interval = loss.interval.load(Ordering::Relaxed);
            if interval != 0 && packets % interval == 0 {
                loss.lost.fetch_add(1, Ordering::Relaxed);
                continue;
            }
        }
        if let Some(browser) = browser {
            let _ = outside.send_to(&datagram[..len], browser);
        }
    }
}

/// RFC 7983 §7; RTCP has packet types of 192 to 223 (RFC 5761 §4).
fn is_rtp(datagram: &[u8]) -> bool {
    matches!(datagram, [128..=191, second, ..] if !(192..=223).contains(second))
}

/// Of the first candidate; all of one sender have the same.
fn port(description: &str) -> Option<u16> {
    let (before, _) = description.split_once(" typ host")?;
    before.rsplit(' ').next()?.parse().ok()
}
