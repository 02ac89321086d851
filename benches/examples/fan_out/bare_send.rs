//! The least that sending costs: datagrams that are ready, from one socket to the same
//! destinations, in the same slots and batches as the engine, and nothing else.

use std::io::IoSlice;
use std::net::{SocketAddr, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use rustix::net::sockopt::{
    Ipv4PathMtuDiscovery, set_ip_mtu_discover, set_socket_send_buffer_size_force,
};
use rustix::net::{MMsgHdr, SendAncillaryBuffer, SendFlags, SocketAddrAny, sendmmsg};
use rustix::thread::set_current_timer_slack;
use skywave_benches::Schedule;

use crate::audience::Audience;
use crate::core;
use crate::network::Network;
use crate::offer::{DATAGRAM_OCTETS, FRAME};
use crate::stopwatch::thread_time;

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

    /// Sends frames for so long; nanoseconds of the processor a datagram.
    pub(crate) fn run(&self, window: Duration) -> f64 {
        let run = || {
            core::keep_to(self.core);
            if self.first {
                core::run_first();
            }
            self.send_for(window)
        };
        thread::scope(|scope| scope.spawn(run).join().expect("the loop does not panic"))
    }

    fn send_for(&self, window: Duration) -> f64 {
        let socket = self.socket().expect("a second socket can be opened");
        // As the engine does.
        let _ = set_current_timer_slack(std::num::NonZeroU64::new(1));
        let datagrams = vec![[0x80; DATAGRAM_OCTETS]; Schedule::BATCH];
        let addresses = self.destinations.iter().map(|&to| to.into());
        let addresses: Vec<SocketAddrAny> = addresses.collect();
        let payloads = datagrams.iter().map(|datagram| [IoSlice::new(datagram)]);
        let payloads: Vec<[IoSlice<'_>; 1]> = payloads.collect();
        let mut controls: Vec<_> = (addresses.iter())
            .map(|_| SendAncillaryBuffer::default())
            .collect();
        let mut messages: Vec<MMsgHdr<'_>> = (addresses.iter().zip(&mut controls))
            .zip(payloads.iter().cycle())
            .map(|((to, control), payload)| MMsgHdr::new_with_addr(to, payload, control))
            .collect();
        let (mut due, end) = (Instant::now(), Instant::now() + window);
        let (mut sent, before) = (0, thread_time());
        while due < end {
            sent += send_frame(&socket, &mut messages, due);
            due += FRAME;
        }
        (thread_time() - before).as_nanos() as f64 / sent.max(1) as f64
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
}

/// Sends one to each, slot by slot; how many the kernel took.
fn send_frame(socket: &UdpSocket, messages: &mut [MMsgHdr<'_>], due: Instant) -> usize {
    let schedule = Schedule::of(messages.len(), FRAME);
    let (mut served, mut sent) = (0, 0);
    for slot in 0..=schedule.last_slot() {
        let begins = due + Schedule::SLOT * slot as u32;
        thread::sleep(begins.saturating_duration_since(Instant::now()));
        while served < schedule.due(slot) {
            let end = schedule.due(slot).min(served + Schedule::BATCH);
            let batch = &mut messages[served..end];
            sent += sendmmsg(socket, batch, SendFlags::NOSIGNAL).unwrap_or(0);
            served = end;
        }
    }
    sent
}
