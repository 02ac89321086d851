//! How often sessions came about, and why they ended.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use skywave_peer::{CloseReason, FailureReason, PeerEvent};

use crate::counter::add;

/// Written by the media thread, read by anybody.
#[derive(Debug, Default)]
pub(crate) struct SessionCounters {
    connected: AtomicU64,
    ended: [AtomicU64; END_NAMES.len()],
}

impl SessionCounters {
    /// Counts what happened to a peer.
    pub(crate) fn record(&self, event: &PeerEvent) {
        match event {
            PeerEvent::Connected(_) => add(&self.connected, 1),
            PeerEvent::Closed(reason) => add(&self.ended[closed(*reason)], 1),
            PeerEvent::Failed(reason) => add(&self.ended[failed(reason)], 1),
            _ => {}
        }
    }

    /// Sessions in which media began to flow.
    pub(crate) fn connected(&self) -> u64 {
        self.connected.load(Relaxed)
    }

    /// Adds sessions that ended, by reason; all reasons are there.
    pub(crate) fn add_ended_to(&self, ended: &mut BTreeMap<&'static str, u64>) {
        for (name, count) in END_NAMES.into_iter().zip(&self.ended) {
            *ended.entry(name).or_default() += count.load(Relaxed);
        }
    }
}

/// Who hung up, and what failed.
const END_NAMES: [&str; 12] = [
    "local",
    "bye",
    "dtlsClosed",
    "noConnectivity",
    "handshakeTimeout",
    "fingerprintMismatch",
    "handshake",
    "circuitBreaker",
    "consentExpired",
    "duplicateUfrag",
    "noAnswer",
    "other",
];

const OTHER: usize = END_NAMES.len() - 1;

fn closed(reason: CloseReason) -> usize {
    match reason {
        CloseReason::Local => 0,
        CloseReason::Bye => 1,
        CloseReason::DtlsClosed => 2,
        _ => OTHER,
    }
}

fn failed(reason: &FailureReason) -> usize {
    match reason {
        FailureReason::NoConnectivity => 3,
        FailureReason::HandshakeTimeout => 4,
        FailureReason::Handshake(skywave_dtls::Error::FingerprintMismatch) => 5,
        FailureReason::Handshake(_) => 6,
        FailureReason::CircuitBreaker(_) => 7,
        FailureReason::ConsentExpired => 8,
        FailureReason::DuplicateUfrag => 9,
        FailureReason::NoAnswer => 10,
        _ => OTHER,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_end_has_a_counter_of_its_name() {
        let counters = SessionCounters::default();
        let mismatch = FailureReason::Handshake(skywave_dtls::Error::FingerprintMismatch);
        let ends = [
            (PeerEvent::Closed(CloseReason::Local), "local"),
            (PeerEvent::Closed(CloseReason::Bye), "bye"),
            (PeerEvent::Closed(CloseReason::DtlsClosed), "dtlsClosed"),
            (
                PeerEvent::Failed(FailureReason::NoConnectivity),
                "noConnectivity",
            ),
            (
                PeerEvent::Failed(FailureReason::HandshakeTimeout),
                "handshakeTimeout",
            ),
            (PeerEvent::Failed(mismatch), "fingerprintMismatch"),
            (
                PeerEvent::Failed(FailureReason::ConsentExpired),
                "consentExpired",
            ),
            (
                PeerEvent::Failed(FailureReason::DuplicateUfrag),
                "duplicateUfrag",
            ),
            (PeerEvent::Failed(FailureReason::NoAnswer), "noAnswer"),
        ];
        for (event, name) in ends {
            let count = || {
                let mut ended = BTreeMap::new();
                counters.add_ended_to(&mut ended);
                ended[name]
            };
            assert_eq!(count(), 0, "{name}");
            counters.record(&event);
            assert_eq!(count(), 1, "{name}");
        }
        counters.record(&PeerEvent::Disconnected);
        assert_eq!(counters.connected(), 0);
    }
}
