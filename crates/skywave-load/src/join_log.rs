//! How joins went: how long each part took, and why some failed.

use std::collections::BTreeMap;
use std::time::Instant;

use serde::Serialize;

use crate::histogram::{Histogram, Percentiles};
use crate::seat::Seat;

/// The joins of one group.
#[derive(Default)]
pub(crate) struct JoinLog {
    asked: u64,
    connected: u64,
    failures: BTreeMap<String, u64>,
    protections: BTreeMap<String, u64>,
    first_asked: Option<Instant>,
    last_heard: Option<Instant>,
    waited: Histogram,
    http: Histogram,
    ice: Histogram,
    dtls: Histogram,
    media: Histogram,
    total: Histogram,
}

/// How joins went. Times in milliseconds.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Joins {
    /// Listeners that were to join.
    pub asked: u64,
    /// Those that heard a genuine packet.
    pub connected: u64,
    /// Those that did not, and those that were hung up on later, by the reason.
    pub failures: BTreeMap<String, u64>,
    /// Those that connected, by the version of DTLS and the profile of SRTP.
    pub protections: BTreeMap<String, u64>,
    /// Joins a second, from the first that was to come to the last that heard.
    pub per_second: f64,
    /// From when a listener was to join to when its offer began to be sent: the test's own
    /// waiting for a free HTTP connection, which is the server's doing when it answers slowly.
    pub waited: Percentiles,
    /// From the offer to the whole answer.
    pub http: Percentiles,
    /// From the answer to the first check that was answered.
    pub ice: Percentiles,
    /// From there to the end of the handshake.
    pub dtls: Percentiles,
    /// From there to the first genuine packet.
    pub media: Percentiles,
    /// From the offer to the first genuine packet.
    pub total: Percentiles,
}

impl JoinLog {
    pub(crate) fn asked(&mut self, now: Instant) {
        self.asked += 1;
        self.first_asked.get_or_insert(now);
    }

    /// The seat's listener hears its first packet.
    pub(crate) fn connected(&mut self, seat: &Seat) {
        self.connected += 1;
        if let Some(protection) = seat.listener.protection() {
            *self.protections.entry(protection.to_string()).or_default() += 1;
        }
        let milestones = seat.listener.milestones();
        let (Some(sent), Some(answered)) = (seat.sent, seat.answered) else {
            return;
        };
        let (Some(secured), Some(heard)) = (milestones.secured, milestones.heard) else {
            return;
        };
        // The kernel's time of the first packet may lie before this program's of what came earlier.
        let secured = secured.min(heard);
        // Where the server begins the handshake it may be done before a check is answered.
        let checked = milestones.checked.unwrap_or(secured).min(secured);
        self.last_heard = self.last_heard.max(Some(heard));
        for (histogram, from, to) in [
            (&mut self.waited, seat.asked, sent),
            (&mut self.http, sent, answered),
            (&mut self.ice, answered, checked),
            (&mut self.dtls, checked, secured),
            (&mut self.media, secured, heard),
            (&mut self.total, sent, heard),
        ] {
            histogram.record_duration(to.saturating_duration_since(from));
        }
    }

    pub(crate) fn failed(&mut self, reason: String) {
        *self.failures.entry(reason).or_default() += 1;
    }

    pub(crate) fn summary(&self) -> Joins {
        let span = self.first_asked.zip(self.last_heard);
        let seconds = span.map_or(0.0, |(first, last)| {
            last.saturating_duration_since(first).as_secs_f64()
        });
        Joins {
            asked: self.asked,
            connected: self.connected,
            failures: self.failures.clone(),
            protections: self.protections.clone(),
            per_second: if seconds > 0.0 {
                self.connected as f64 / seconds
            } else {
                0.0
            },
            waited: self.waited.percentiles(),
            http: self.http.percentiles(),
            ice: self.ice.percentiles(),
            dtls: self.dtls.percentiles(),
            media: self.media.percentiles(),
            total: self.total.percentiles(),
        }
    }
}
