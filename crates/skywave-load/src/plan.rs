//! What to test, and how.

use std::net::IpAddr;
use std::time::Duration;

/// A test of one WHEP endpoint.
#[derive(Clone, Debug)]
pub struct Plan {
    /// `http://HOST[:PORT]/PATH`
    pub url: String,
    /// The address to prefer among the server's candidates.
    pub via: Option<IpAddr>,
    /// The process of the server, to be measured, if it runs on this machine.
    pub pid: Option<u32>,
    /// HTTP connections, which is how many offers are under way at a time.
    pub connections: usize,
    /// One of so many packets is authenticated, beside the first three of each listener.
    pub sample: u32,
    /// From the moment a listener is to join to its first packet; then it has failed.
    pub patience: Duration,
    /// What to do.
    pub mode: Mode,
}

/// What to do.
#[derive(Clone, Debug)]
pub enum Mode {
    /// An audience joins, and what it hears is measured.
    Steady {
        /// Sizes of the audience, each larger than the one before. The first that does not hold
        /// is the last that is tried.
        steps: Vec<usize>,
        /// Joins a second.
        ramp: f64,
        /// From the last join to the measurement.
        settle: Duration,
        /// How long to measure.
        time: Duration,
    },
    /// Waves of listeners come and go: what does the server keep of them?
    Churn {
        /// Joins in all.
        total: usize,
        /// Listeners in a wave.
        at_a_time: usize,
    },
    /// Listeners come at a fixed rate, however the server fares, and leave after a while.
    Storm {
        /// Joins a second.
        rate: f64,
        /// How long each stays, from its first packet.
        stay: Duration,
        /// How long listeners go on coming.
        time: Duration,
        /// Listeners who are there before and after: what do they notice?
        background: usize,
    },
}

impl Plan {
    /// A plan with usual values for what is not given: 32 connections, one packet in 64, 15 s of
    /// patience.
    #[must_use]
    pub fn new(url: &str, mode: Mode) -> Self {
        Self {
            url: url.to_owned(),
            via: None,
            pid: None,
            connections: 32,
            sample: 64,
            patience: Duration::from_secs(15),
            mode,
        }
    }

    /// Listeners that may be there at one time, if the server is not slow beyond measure.
    pub(crate) fn most(&self) -> usize {
        match &self.mode {
            Mode::Steady { steps, .. } => steps.iter().copied().max().unwrap_or(0),
            Mode::Churn { at_a_time, .. } => *at_a_time,
            Mode::Storm {
                rate,
                stay,
                background,
                ..
            } => background + (rate * (*stay + JOIN_TIME).as_secs_f64()).ceil() as usize,
        }
    }
}

/// Longer than a join takes where a storm can be borne.
const JOIN_TIME: Duration = Duration::from_secs(2);
