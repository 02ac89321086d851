//! When a peer is due, and when the patience with it ends.

use std::time::{Duration, Instant};

use skywave_rtp::Trip;

use super::{Peer, Phase};
use crate::event::{FailureReason, Io, PeerEvent};

impl Peer {
    /// The patience that has run out, if any has.
    pub(super) fn overdue(&self, now: Instant) -> Option<FailureReason> {
        let limits = &self.config.limits;
        let waited = now.saturating_duration_since(self.waiting_since);
        if self.remote.is_none() {
            // However far checks and the handshake have come: they may overtake the answer.
            let waited = now.saturating_duration_since(self.created);
            return (waited >= limits.answer_timeout).then_some(FailureReason::NoAnswer);
        }
        match self.phase {
            Phase::Checking if waited >= limits.connect_timeout => {
                Some(FailureReason::NoConnectivity)
            }
            Phase::Handshaking { .. } if waited >= limits.handshake_timeout => {
                Some(FailureReason::HandshakeTimeout)
            }
            Phase::Sending { .. } if self.without_consent(now) >= limits.consent_timeout => {
                Some(FailureReason::ConsentExpired)
            }
            _ => None,
        }
    }

    /// Waits anew for a handshake that goes on, unless it has gone on for too long: what keeps it
    /// alive is not authenticated.
    pub(super) fn prolong_handshake(&mut self, now: Instant) {
        let lasted = now.saturating_duration_since(self.handshake_began);
        let is_young = lasted < self.config.limits.handshake_timeout.saturating_mul(2);
        if matches!(self.phase, Phase::Handshaking { .. }) && is_young {
            self.waiting_since = now;
        }
    }

    /// How long no check has come: nothing else renews consent (RFC 7675 §5.1).
    fn without_consent(&self, now: Instant) -> Duration {
        self.ice
            .last_check()
            .map_or(Duration::ZERO, |last| now.saturating_duration_since(last))
    }

    /// Tells when the peer falls silent, and when it speaks again.
    pub(super) fn watch_signs_of_life(&mut self, io: &mut Io<'_>) {
        let patience = self.signs.patience(self.config.limits.disconnected_timeout);
        let disconnected = self.signs.silence(io.now) >= patience;
        if disconnected != self.disconnected {
            self.disconnected = disconnected;
            let event = if disconnected {
                PeerEvent::Disconnected
            } else {
                PeerEvent::Reconnected
            };
            io.events.push((self.config.id, event));
        }
    }

    /// Why the circuit breaker wants sending to end. From a peer that sends no checks either no
    /// reports are expected: how long that may last is a question of consent (RFC 7675).
    pub(super) fn tripped(&mut self, now: Instant) -> Option<Trip> {
        let Phase::Sending { reporter, .. } = &mut self.phase else {
            return None;
        };
        if self.disconnected {
            reporter.forgive();
        }
        reporter.watch(now)
    }

    /// Sets the time of the next call of [`Self::handle_timeout`].
    pub(super) fn schedule(&mut self, now: Instant) {
        let limits = &self.config.limits;
        let last_check = self.ice.last_check().unwrap_or(now);
        let patience = |limit| match self.remote {
            Some(_) => later(self.waiting_since, limit),
            None => later(self.created, limits.answer_timeout),
        };
        let due = match &self.phase {
            Phase::Checking => patience(limits.connect_timeout),
            Phase::Handshaking { dtls, .. } => {
                earliest(patience(limits.handshake_timeout), dtls.next_timeout())
            }
            Phase::Sending { dtls, reporter } => {
                let consent_ends = later(last_check, limits.consent_timeout);
                let due = reporter.next_due().min(consent_ends);
                let patience = self.signs.patience(limits.disconnected_timeout);
                let missed = self.signs.last().map(|last| later(last, patience));
                let due = earliest(due, missed.filter(|_| !self.disconnected));
                earliest(due, dtls.next_timeout())
            }
        };
        self.next_due = earliest(due, self.own_check_due()).max(now + MIN_TIMER);
    }
}

/// `start + time`, where that is in the calendar of the clock at all.
fn later(start: Instant, time: Duration) -> Instant {
    start.checked_add(time).unwrap_or_else(|| start + FOR_EVER)
}

fn earliest(due: Instant, other: Option<Instant>) -> Instant {
    other.map_or(due, |other| other.min(due))
}

/// No timer of a peer fires more often.
const MIN_TIMER: Duration = Duration::from_millis(10);

/// Longer than any process lives: a century.
const FOR_EVER: Duration = Duration::from_secs(100 * 365 * 24 * 3600);
