//! What a test has found.

use serde::Serialize;

use crate::figures::Arrivals;
use crate::join_log::Joins;
use crate::process::{CpuUse, Size};
use crate::window::Window;

/// What a test has found.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The endpoint.
    pub url: String,
    /// The server before anybody came.
    pub server_before: Option<Size>,
    /// The server when all had left, some seconds later.
    pub server_after: Option<Size>,
    /// What the mode of the test asks for.
    pub findings: Findings,
}

/// What the mode of a test asks for.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Findings {
    /// One for each size of the audience that was tried.
    Steady(Vec<Audience>),
    /// What coming and going left behind.
    Churn(Box<Churn>),
    /// What a storm of joins met and did.
    Storm(Box<Storm>),
}

/// An audience of one size.
#[derive(Clone, Debug, Serialize)]
pub struct Audience {
    /// Listeners that were to be there.
    pub listeners: u64,
    /// How those joined who were not there at the size before.
    pub joins: Joins,
    /// What they heard once all were there.
    pub window: Window,
    /// What the server's memory grew by since nobody was there, for each listener, in KiB.
    pub rss_per_listener_kib: Option<f64>,
    /// The verdict.
    pub held: bool,
    /// What keeps the verdict from being `held`, or from being trusted.
    pub remarks: Vec<String>,
}

/// What coming and going left behind.
#[derive(Clone, Debug, Serialize)]
pub struct Churn {
    /// How the joins went.
    pub joins: Joins,
    /// Listeners in a wave.
    pub at_a_time: u64,
    /// How long all took.
    pub seconds: f64,
    /// Joins after which `early` was read, nobody being there.
    pub early_after: u64,
    /// The server then.
    pub early: Option<Size>,
    /// The server at the end, nobody being there.
    pub late: Option<Size>,
    /// Sessions that the server would not end when it was told to.
    pub refused_farewells: u64,
    /// This program's own threads.
    pub own_cpu: CpuUse,
    /// What keeps the figures from being trusted.
    pub remarks: Vec<String>,
}

/// What a storm of joins met and did.
#[derive(Clone, Debug, Serialize)]
pub struct Storm {
    /// Joins a second that were asked for.
    pub rate: f64,
    /// How those who came and went fared.
    pub joins: Joins,
    /// Refusals with status 503.
    pub refused_as_full: u64,
    /// What those who stayed heard before.
    pub before: Option<Window>,
    /// What they heard while others came and went.
    pub during: Option<Window>,
    /// What those who came and went heard.
    pub passing: Arrivals,
    /// The server meanwhile.
    pub server_cpu: Option<CpuUse>,
    /// This program's own threads meanwhile.
    pub own_cpu: CpuUse,
    /// What keeps the figures from being trusted.
    pub remarks: Vec<String>,
}

impl Audience {
    /// Judges: held is when all are connected, 99.9 % of the packets came and 99 % of the gaps
    /// are within 60 ms, or three packets if these are longer than 20 ms.
    pub(crate) fn judge(
        listeners: u64,
        joins: Joins,
        window: Window,
        server_before: Option<Size>,
    ) -> Self {
        let mut remarks = Vec::new();
        let there = window.listeners;
        if there < listeners {
            remarks.push(format!("{there} of {listeners} are connected"));
        }
        let failures: u64 = joins.failures.values().sum();
        if failures > 0 {
            remarks.push(format!("{failures} have failed"));
        }
        if window.loss > MOST_LOSS {
            remarks.push(format!(
                "{:.3} % of the packets are missing",
                window.loss * 100.0
            ));
        }
        let gap = window.arrivals.gaps.p99;
        if gap > longest_gap(window.rate) {
            remarks.push(format!("the p99 of the gaps is {gap:.1} ms"));
        }
        let unauthentic = window.reception.unauthentic;
        if unauthentic > 0 {
            remarks.push(format!("{unauthentic} packets are not genuine"));
        }
        let held = remarks.is_empty();
        remarks.extend(overload(&window.own_cpu));
        remarks.extend(
            window
                .server
                .as_ref()
                .and_then(|server| crowded(&server.cpu)),
        );
        let size = window.server.as_ref().map(|server| server.size);
        let rss_per_listener_kib = size.zip(server_before).map(|(after, before)| {
            (after.rss_kib as f64 - before.rss_kib as f64) / there.max(1) as f64
        });
        Self {
            listeners,
            joins,
            window,
            rss_per_listener_kib,
            held,
            remarks,
        }
    }
}

impl Report {
    /// Whether everything that was tried held; joins without failures, where nothing else is
    /// asked.
    #[must_use]
    pub fn held(&self) -> bool {
        match &self.findings {
            Findings::Steady(steps) => steps.iter().all(|step| step.held),
            Findings::Churn(churn) => churn.joins.failures.is_empty(),
            Findings::Storm(storm) => storm.joins.failures.is_empty(),
        }
    }
}

/// Milliseconds that a gap may last in a stream of so many packets a second.
fn longest_gap(rate: f64) -> f64 {
    // Before a stream has told its rate that is 0.
    let three_packets = if rate > 0.0 { 3_000.0 / rate } else { 0.0 };
    three_packets.max(SHORTEST_LIMIT)
}

/// A warning when this program may be what was slow.
pub(crate) fn overload(own: &CpuUse) -> Vec<String> {
    let percent = own.percent + own.waiting_percent;
    let warning = format!(
        "this program itself took or waited for {percent:.0} % of a core: \
         it may be what is slow, not the server"
    );
    (percent > OWN_LIMIT)
        .then_some(warning)
        .into_iter()
        .collect()
}

/// A warning when it may be for want of a core that the server was late.
fn crowded(server: &CpuUse) -> Option<String> {
    let (percent, name) = (server.waiting_percent, &server.waiting_thread);
    let warning = format!(
        "the server's thread {name} waited for a core {percent:.0} % of the time: \
         other programs had it, or other threads of the server"
    );
    (percent > MOST_WAITING).then_some(warning)
}

/// The share of packets that may be missing.
const MOST_LOSS: f64 = 0.001;
/// Milliseconds.
const SHORTEST_LIMIT: f64 = 60.0;
/// Percent of a core.
const OWN_LIMIT: f64 = 85.0;
/// Percent of the time; a thread beside idle ones on its core waits for 1 or 2.
const MOST_WAITING: f64 = 10.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_packets_may_come_further_apart() {
        let limits = [0.0, 100.0, 50.0, 25.0].map(longest_gap);
        assert_eq!(limits, [60.0, 60.0, 60.0, 120.0]);
        assert!((longest_gap(1_000.0 / 60.0) - 180.0).abs() < 1e-9);
    }
}
