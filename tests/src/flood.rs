//! A flood of datagrams that nobody asked for.

use std::io::IoSlice;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::net::{MMsgHdr, SendAncillaryBuffer, SendFlags, sendmmsg};

/// Random and damaged datagrams to a port at a steady rate, from its start to its end.
pub struct Flood {
    stop: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
    started: Instant,
    threads: Vec<JoinHandle<()>>,
}

impl Flood {
    /// Sends so many a second to `target`: noise of all lengths, noise that begins as each protocol
    /// does, and `genuine` datagrams with an octet changed.
    pub fn start(target: SocketAddr, per_second: u32, genuine: &[&[u8]]) -> Self {
        let datagrams = Arc::new(datagrams(genuine));
        let (stop, sent) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(AtomicU64::new(0)),
        );
        let started = Instant::now();
        let work = || {
            let (datagrams, stop) = (Arc::clone(&datagrams), Arc::clone(&stop));
            let sent = Arc::clone(&sent);
            move || {
                // Each burst comes from another port.
                let any = SocketAddr::new(target.ip(), 0);
                let sockets = [(); 8].map(|()| UdpSocket::bind(any).expect("a free port"));
                for socket in &sockets {
                    socket.connect(target).expect("an address of this host");
                }
                let (mut sockets, mut bursts) = (
                    sockets.iter().cycle(),
                    datagrams.chunks_exact(BURST).cycle(),
                );
                while !stop.load(Ordering::Relaxed) {
                    let due = started.elapsed().as_secs_f64() * f64::from(per_second);
                    if sent.load(Ordering::Relaxed) as f64 >= due {
                        thread::sleep(Duration::from_micros(200));
                        continue;
                    }
                    if let (Some(burst), Some(socket)) = (bursts.next(), sockets.next()) {
                        sent.fetch_add(send(burst, socket), Ordering::Relaxed);
                    }
                }
            }
        };
        let threads = (0..THREADS).map(|_| thread::spawn(work())).collect();
        Self {
            stop,
            sent,
            started,
            threads,
        }
    }

    /// Ends it: how many datagrams were sent, and how many that is a second.
    pub fn end(mut self) -> (u64, f64) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            thread.join().expect("a flood does not panic");
        }
        let sent = self.sent.load(Ordering::Relaxed);
        (sent, sent as f64 / self.started.elapsed().as_secs_f64())
    }
}

/// In one system call; how many the kernel took.
fn send(burst: &[Vec<u8>], socket: &UdpSocket) -> u64 {
    let payloads: Vec<_> = burst.iter().map(|bytes| [IoSlice::new(bytes)]).collect();
    let mut controls: Vec<_> = burst
        .iter()
        .map(|_| SendAncillaryBuffer::default())
        .collect();
    let messages = payloads.iter().zip(&mut controls);
    let mut messages: Vec<_> = messages
        .map(|(payload, control)| MMsgHdr::new(payload, control))
        .collect();
    sendmmsg(socket, &mut messages, SendFlags::NOSIGNAL).map_or(0, |sent| sent as u64)
}

fn datagrams(genuine: &[&[u8]]) -> Vec<Vec<u8>> {
    let mut state = 1_u64;
    // Knuth's MMIX generator.
    let mut random = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize
    };
    let mut datagrams = Vec::new();
    for number in 0..DATAGRAMS {
        let mut datagram: Vec<u8> = match number % 2 {
            0 => (0..random() % 600).map(|_| random() as u8).collect(),
            _ => genuine[random() % genuine.len()].to_vec(),
        };
        let len = datagram.len().max(1);
        if let Some(octet) = datagram.get_mut(random() % len) {
            *octet ^= 1 << (random() % 8);
        }
        if let (0, Some(first)) = (number % 4, datagram.first_mut()) {
            *first = FIRST_OCTETS[random() % FIRST_OCTETS.len()];
        }
        datagrams.push(datagram);
    }
    datagrams
}

/// One of them may not get a core for long enough.
const THREADS: usize = 4;
const DATAGRAMS: usize = 4096;
const BURST: usize = 64;
/// Of STUN, DTLS and RTP (RFC 7983).
const FIRST_OCTETS: [u8; 8] = [0, 1, 20, 22, 23, 44, 128, 144];
