//! The least that sending costs: datagrams that are ready, from one socket to the same
//! destinations, in the same slots and batches as the engine, and nothing else but a clock read for
//! each batch.

use std::io::IoSlice;
use std::net::{SocketAddr, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use arrayvec::ArrayVec;
use rustix::net::sockopt::{
    Ipv4PathMtuDiscovery, set_ip_mtu_discover, set_socket_send_buffer_size_force,
};
use rustix::net::{MMsgHdr, SendAncillaryBuffer, SendFlags, SocketAddrAny, sendmmsg};
use rustix::thread::set_current_timer_slack;
use skywave::{Lateness, LatenessHistogram};
use skywave_benches::Schedule;

use crate::audience::Audience;
use crate::core;
use crate::network::Network;
use crate::offer::{DATAGRAM_OCTETS, FRAME};
use crate::stopwatch::thread_time;

/// What a loop sent.
pub(crate) struct Sent {
    /// Nanoseconds of the processor.
    pub(crate) cpu_per_packet: f64,
    /// Of each batch, against the beginning of its slot, as the engine counts it.
    pub(crate) lateness: Lateness,
}

/// A loop around the kernel's send.
pub(crate) struct BareSend {
    local: SocketAddr,
    destinations: Vec<SocketAddr>,
    core: usize,
    /// Before all normal threads.
    first: bool,
}

impl BareSend {
    /// To all listeners of an engine, from the address and by the scheduling of that.
    pub(crate) fn to_all(audience: &Audience, network: Network, core: usize) -> BareSend {
        BareSend {
            local: network.engine(),
            destinations: audience.destinations(),
            core,
            first: audience.is_realtime(),
        }
    }

    /// Sends frames for so long.
    pub(crate) fn run(&self, window: Duration) -> Sent {
        let run = || {
            core::keep_to(self.core);
            if self.first {
                core::run_first();
            }
            self.send_for(window)
        };
        thread::scope(|scope| scope.spawn(run).join().expect("the loop does not panic"))
    }

    fn send_for(&self, window: Duration) -> Sent {
        let socket = self.socket().expect("a second socket can be opened");
        // As the engine does.
        let _ = set_current_timer_slack(std::num::NonZeroU64::new(1));
        let datagrams = [[0x80; DATAGRAM_OCTETS]; Schedule::BATCH];
        let (mut due, end) = (Instant::now(), Instant::now() + window);
        let lateness = LatenessHistogram::default();
        let (mut sent, before) = (0, thread_time());
        while due < end {
            sent += self.send_frame(&socket, &datagrams, due, &lateness);
            due += FRAME;
        }
        Sent {
            cpu_per_packet: (thread_time() - before).as_nanos() as f64 / sent.max(1) as f64,
            lateness: lateness.snapshot(),
        }
    }

    /// With the options of the engine's.
    fn socket(&self) -> std::io::Result<UdpSocket> {
        let socket = UdpSocket::bind(SocketAddr::new(self.local.ip(), 0))?;
        socket.set_nonblocking(true)?;
        set_ip_mtu_discover(&socket, Ipv4PathMtuDiscovery::PROBE)?;
        // Where the process may not, the system's is left.
        let _ = set_socket_send_buffer_size_force(&socket, 4 << 20);
        Ok(socket)
    }

    /// Sends one to each, slot by slot; how many the kernel took.
    fn send_frame(
        &self,
        socket: &UdpSocket,
        datagrams: &Datagrams,
        due: Instant,
        lateness: &LatenessHistogram,
    ) -> usize {
        let schedule = Schedule::of(self.destinations.len(), FRAME);
        let (mut served, mut sent) = (0, 0);
        for slot in 0..=schedule.last_slot() {
            let begins = due + Schedule::SLOT * slot as u32;
            thread::sleep(begins.saturating_duration_since(Instant::now()));
            while served < schedule.due(slot) {
                let end = schedule.due(slot).min(served + Schedule::BATCH);
                lateness.record_many(begins.elapsed(), (end - served) as u64);
                sent += send_batch(socket, &self.destinations[served..end], datagrams);
                served = end;
            }
        }
        sent
    }
}

/// One system call. What it needs is made anew for each, in memory that stays in the nearest
/// cache: to read it ready-made for thousands of listeners costs more.
fn send_batch(socket: &UdpSocket, destinations: &[SocketAddr], datagrams: &Datagrams) -> usize {
    let addresses: Slots<SocketAddrAny> = destinations.iter().map(|&to| to.into()).collect();
    let payloads = datagrams.iter().map(|datagram| [IoSlice::new(datagram)]);
    let payloads: Slots<[IoSlice<'_>; 1]> = payloads.take(destinations.len()).collect();
    let mut controls: Slots<SendAncillaryBuffer<'_, '_, '_>> = (addresses.iter())
        .map(|_| SendAncillaryBuffer::default())
        .collect();
    let mut messages: Slots<MMsgHdr<'_>> = (addresses.iter().zip(&payloads))
        .zip(&mut controls)
        .map(|((to, payload), control)| MMsgHdr::new_with_addr(to, payload, control))
        .collect();
    sendmmsg(socket, &mut messages, SendFlags::NOSIGNAL).unwrap_or(0)
}

type Slots<T> = ArrayVec<T, { Schedule::BATCH }>;
type Datagrams = [[u8; DATAGRAM_OCTETS]; Schedule::BATCH];
