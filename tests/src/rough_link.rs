//! A UDP path to a server that loses, doubles, delays and reorders in both directions.
//!
//! `tc-netem(8)` would do it too, and many kernels come without.

use std::collections::{BTreeMap, HashMap};
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

/// What a path does to datagrams.
#[derive(Clone, Copy, Debug)]
pub struct Roughness {
    /// Of a thousand so many are lost.
    pub lost: u64,
    /// Of a thousand so many arrive twice.
    pub doubled: u64,
    /// What every datagram takes.
    pub delay: Duration,
    /// What it takes longer at most, each by itself: more than a frame reorders.
    pub jitter: Duration,
}

/// The path, for as long as the process lives.
pub struct RoughLink {
    counts: Arc<Counts>,
}

/// RTP packets towards listeners.
#[derive(Default)]
struct Counts {
    sent: AtomicU64,
    lost: AtomicU64,
}

impl RoughLink {
    /// A path to `server` for all who send to `address`.
    pub fn start(address: SocketAddr, server: SocketAddr, roughness: Roughness) -> Self {
        let outside = UdpSocket::bind(address);
        let outside = Arc::new(outside.unwrap_or_else(|error| panic!("{address}: {error}")));
        let counts = Arc::new(Counts::default());
        let (wire, parcels) = mpsc::channel();
        thread::spawn(move || deliver(&parcels));
        let mut link = Link {
            roughness,
            wire,
            random: 1,
            counts: Arc::clone(&counts),
        };
        thread::spawn(move || to_server(&outside, server, &mut link));
        Self { counts }
    }

    /// RTP packets that were sent to listeners, and how many of them were lost.
    pub fn packets(&self) -> (u64, u64) {
        let Counts { sent, lost } = &*self.counts;
        (sent.load(Ordering::Relaxed), lost.load(Ordering::Relaxed))
    }
}

/// A datagram on its way.
struct Parcel {
    due: Instant,
    datagram: Vec<u8>,
    socket: Arc<UdpSocket>,
    to: SocketAddr,
}

#[derive(Clone)]
struct Link {
    roughness: Roughness,
    wire: Sender<Parcel>,
    random: u64,
    counts: Arc<Counts>,
}

impl Link {
    /// Sends it on its way, or not; says if it was lost.
    fn send(&mut self, datagram: &[u8], socket: &Arc<UdpSocket>, to: SocketAddr) -> bool {
        let Roughness {
            lost,
            doubled,
            delay,
            jitter,
        } = self.roughness;
        if self.random(1000) < lost {
            return true;
        }
        for _ in 0..1 + u64::from(self.random(1000) < doubled) {
            let longer = self.random(jitter.as_micros() as u64 + 1);
            let parcel = Parcel {
                due: Instant::now() + delay + Duration::from_micros(longer),
                datagram: datagram.to_vec(),
                socket: Arc::clone(socket),
                to,
            };
            let _ = self.wire.send(parcel);
        }
        false
    }

    /// Below `limit`, by Knuth's MMIX generator.
    fn random(&mut self, limit: u64) -> u64 {
        self.random = self
            .random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) % limit
    }
}

/// Each who sends gets a socket towards the server, as behind a NAT.
fn to_server(outside: &Arc<UdpSocket>, server: SocketAddr, link: &mut Link) {
    let mut inside: HashMap<SocketAddr, Arc<UdpSocket>> = HashMap::new();
    let mut datagram = [0; 2048];
    while let Ok((len, from)) = outside.recv_from(&mut datagram) {
        let socket = inside.entry(from).or_insert_with(|| {
            let socket = UdpSocket::bind((server.ip(), 0)).expect("a free port");
            let socket = Arc::new(socket);
            let (own, outside, mut link) = (Arc::clone(&socket), Arc::clone(outside), link.clone());
            // Each way with other losses.
            link.random = from.port().into();
            thread::spawn(move || from_server(&own, &outside, from, &mut link));
            socket
        });
        link.send(&datagram[..len], socket, server);
    }
}

fn from_server(inside: &UdpSocket, outside: &Arc<UdpSocket>, to: SocketAddr, link: &mut Link) {
    let mut datagram = [0; 2048];
    while let Ok(len) = inside.recv(&mut datagram) {
        let lost = link.send(&datagram[..len], outside, to);
        // RFC 7983 §7, RFC 5761 §4.
        if matches!(datagram, [128..=191, second, ..] if !(192..=223).contains(&second)) {
            link.counts.sent.fetch_add(1, Ordering::Relaxed);
            link.counts.lost.fetch_add(lost.into(), Ordering::Relaxed);
        }
    }
}

/// Delivers each when it is due.
fn deliver(parcels: &Receiver<Parcel>) {
    let mut waiting: BTreeMap<(Instant, u64), Parcel> = BTreeMap::new();
    for number in 0.. {
        let now = Instant::now();
        while let Some(first) = waiting.first_entry().filter(|first| first.key().0 <= now) {
            let parcel = first.remove();
            let _ = parcel.socket.send_to(&parcel.datagram, parcel.to);
        }
        let next = waiting.keys().next().map_or(IDLE, |(due, _)| *due - now);
        match parcels.recv_timeout(next) {
            Ok(parcel) => drop(waiting.insert((parcel.due, number), parcel)),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

const IDLE: Duration = Duration::from_secs(1);
