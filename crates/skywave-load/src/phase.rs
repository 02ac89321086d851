//! How far a listener has come, and when.

use std::time::Instant;

/// How far a listener has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Its offer has no answer yet.
    Offering,
    /// No check was answered yet.
    Checking,
    /// The handshake is under way.
    Securing,
    /// No genuine packet has come yet.
    Waiting,
    /// It listens.
    Listening,
    /// It has failed or left.
    Over,
}

/// When a listener came how far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Milestones {
    /// The first check was answered.
    pub checked: Option<Instant>,
    /// The handshake was done and the server's certificate is the one it signalled.
    pub secured: Option<Instant>,
    /// The first genuine packet came.
    pub heard: Option<Instant>,
}
