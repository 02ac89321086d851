//! One stretch of time in which everything is measured: packets, the server, the test itself.

use std::time::{Duration, Instant};

use serde::Serialize;

use crate::Error;
use crate::crowd::Crowd;
use crate::figures::Arrivals;
use crate::group::Group;
use crate::process::{CpuUse, Process, Size};
use crate::stream::Reception;

/// What was measured in a stretch of time.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Window {
    /// Its length.
    pub seconds: f64,
    /// Listeners at its beginning.
    pub listeners: u64,
    /// Packets a second of one listener's stream, by its timestamps.
    pub rate: f64,
    /// Packets that the time and the rate let expect of all listeners.
    pub expected_by_time: f64,
    /// What came, and what the sequence numbers let expect.
    pub reception: Reception,
    /// The share of packets that is missing: the larger of both ways to reckon, 0 to 1.
    pub loss: f64,
    /// When packets came.
    pub arrivals: Arrivals,
    /// The server.
    pub server: Option<ServerUse>,
    /// This program's own threads.
    pub own_cpu: CpuUse,
}

/// What the server cost.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ServerUse {
    /// Its processor time.
    pub cpu: CpuUse,
    /// Microseconds of it for each packet that came.
    pub micros_per_packet: f64,
    /// In user mode.
    pub user_micros_per_packet: f64,
    /// In the kernel.
    pub kernel_micros_per_packet: f64,
    /// At the end of the window.
    pub size: Size,
}

/// Measures a group for so long.
pub(crate) fn measure(
    crowd: &mut Crowd,
    group: Group,
    pid: Option<u32>,
    time: Duration,
) -> Result<Window, Error> {
    let opened = Opened::new(crowd, group, pid)?;
    crowd.turn_for(time)?;
    opened.close(crowd)
}

/// A window that is not closed yet.
pub(crate) struct Opened {
    group: Group,
    pid: Option<u32>,
    start: Instant,
    listeners: usize,
    before: Reception,
    server: Option<Process>,
    own: Process,
}

impl Opened {
    /// Begins to measure.
    pub(crate) fn new(crowd: &mut Crowd, group: Group, pid: Option<u32>) -> Result<Self, Error> {
        let server = pid.map(Process::read).transpose()?;
        let own = Process::read(std::process::id())?;
        crowd.measure(group);
        Ok(Self {
            group,
            pid,
            listeners: crowd.listening(group),
            before: crowd.reception(group),
            start: Instant::now(),
            server,
            own,
        })
    }

    /// Ends it.
    pub(crate) fn close(self, crowd: &mut Crowd) -> Result<Window, Error> {
        let seconds = self.start.elapsed().as_secs_f64();
        let reception = crowd.reception(self.group).since(self.before);
        let own = Process::read(std::process::id())?;
        let server = match (self.pid, self.server) {
            (Some(pid), Some(before)) => Some(ServerUse::new(
                &before,
                &Process::read(pid)?,
                reception.received,
            )),
            _ => None,
        };
        let listeners = self.listeners as f64;
        let frame = crowd.frame(self.group);
        let rate = frame.map_or(0.0, |micros| 1e6 / f64::from(micros));
        let expected_by_time = listeners * seconds * rate;
        Ok(Window {
            seconds,
            listeners: self.listeners as u64,
            rate,
            expected_by_time,
            reception,
            loss: loss(reception, expected_by_time, listeners),
            arrivals: crowd.take_figures(self.group).summary(),
            server,
            own_cpu: own.cpu_since(&self.own),
        })
    }
}

impl ServerUse {
    fn new(before: &Process, after: &Process, packets: u64) -> Self {
        let cpu = after.cpu_since(before);
        let micros = cpu.nanos as f64 / 1000.0 / packets.max(1) as f64;
        let user_share = cpu.user_percent / cpu.percent.max(1e-9);
        Self {
            micros_per_packet: micros,
            user_micros_per_packet: micros * user_share,
            kernel_micros_per_packet: micros * (1.0 - user_share),
            size: after.size,
            cpu,
        }
    }
}

/// By the numbers what was sent and did not come; by the time what was not even sent, or cannot
/// be told from it. A window that opens within a frame may hold one packet fewer of each listener.
fn loss(reception: Reception, expected_by_time: f64, listeners: f64) -> f64 {
    let received = reception.received as f64;
    let missing = |expected: f64| ((expected - received) / expected.max(1.0)).max(0.0);
    if reception.received == 0 {
        return f64::from(listeners > 0.0);
    }
    missing(reception.expected as f64).max(missing(expected_by_time - listeners))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reception(received: u64, expected: u64) -> Reception {
        Reception {
            received,
            expected,
            ..Reception::default()
        }
    }

    #[test]
    fn loss_is_what_either_way_to_reckon_misses() {
        assert_eq!(loss(reception(990, 1000), 1000.0, 2.0), 0.01);
        assert_eq!(loss(reception(999, 999), 1000.0, 2.0), 0.0);
        assert_eq!(loss(reception(800, 800), 1000.0, 0.0), 0.2);
        assert_eq!(loss(Reception::default(), 0.0, 3.0), 1.0);
    }
}
