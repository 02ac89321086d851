//! A UDP relay between a sender and one browser, which loses packets when told to.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::thread;

/// A relay on a port of its own, for as long as the process lives.
pub struct Relay {
    sender: u16,
    port: u16,
    path: Arc<Path>,
}

/// What happens to RTP packets on their way to the browser.
#[derive(Default)]
struct Path {
    /// Of so many one is lost; 0 for none.
    interval: AtomicU64,
    /// Of a hundred so many are lost, by chance.
    percent: AtomicU64,
    lost: AtomicU64,
    extension_profile: AtomicU16,
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
            path: Arc::default(),
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
        let path = Arc::clone(&relay.path);
        thread::spawn(move || to_browser(&inside, &outside, &browser, &path));
        relay
    }

    /// The description with candidates that lead to the relay.
    pub fn redirect(&self, description: &str) -> String {
        let [sender, relay] = [self.sender, self.port].map(|port| format!(" {port} typ host"));
        description.replace(&sender, &relay)
    }

    /// Loses one of so many RTP packets from now on, none if `interval` is 0.
    pub fn lose_every(&self, interval: u64) {
        self.path.interval.store(interval, Ordering::Relaxed);
    }

    /// Loses so many RTP packets of a hundred from now on, by chance: also several in a row.
    pub fn lose_percent(&self, percent: u64) {
        self.path.percent.store(percent, Ordering::Relaxed);
    }

    /// How many were lost so far.
    pub fn lost(&self) -> u64 {
        self.path.lost.load(Ordering::Relaxed)
    }

    /// The kind of the header extension of the last RTP packet (RFC 3550 §5.3.1), 0 for none.
    pub fn extension_profile(&self) -> u16 {
        self.path.extension_profile.load(Ordering::Relaxed)
    }
}

/// What the sender writes goes to where the browser wrote from last.
fn to_browser(inside: &UdpSocket, outside: &UdpSocket, told: &Receiver<SocketAddr>, path: &Path) {
    let (mut datagram, mut browser, mut packets) = ([0; 2048], None, 0);
    let mut random = 1_u64;
    while let Ok(len) = inside.recv(&mut datagram) {
        browser = told.try_iter().last().or(browser);
        if is_rtp(&datagram[..len]) {
            let profile = extension_profile(&datagram[..len]).unwrap_or(0);
            path.extension_profile.store(profile, Ordering::Relaxed);
            packets += 1;
            let interval = path.interval.load(Ordering::Relaxed);
            // Knuth's MMIX generator.
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let by_chance = (random >> 33) % 100 < path.percent.load(Ordering::Relaxed);
            if by_chance || (interval != 0 && packets % interval == 0) {
                path.lost.fetch_add(1, Ordering::Relaxed);
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

fn extension_profile(packet: &[u8]) -> Option<u16> {
    let first = packet.first()?;
    let at = 12 + 4 * usize::from(first & 0x0f);
    let profile = packet.get(at..at + 2)?.try_into().ok()?;
    (first & 0x10 != 0).then(|| u16::from_be_bytes(profile))
}

/// Of the first candidate; all of one sender have the same.
fn port(description: &str) -> Option<u16> {
    let (before, _) = description.split_once(" typ host")?;
    before.rsplit(' ').next()?.parse().ok()
}
