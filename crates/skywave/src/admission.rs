//! Who may come in: places for listeners, for handshakes, and a rate of joins.
//!
//! Places are given back when their guard is dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use crate::config::EngineConfig;
use crate::error::Error;

/// The door of an engine.
#[derive(Debug)]
pub(crate) struct Admission {
    max_listeners: usize,
    max_handshakes: usize,
    joins: Option<JoinRate>,
    listeners: AtomicUsize,
    handshakes: AtomicUsize,
}

impl Admission {
    pub(crate) fn new(config: &EngineConfig, now: Instant) -> Self {
        let rate = config.max_joins_per_second;
        Self {
            max_listeners: config.max_listeners,
            max_handshakes: config.max_handshakes,
            joins: rate.map(|rate| JoinRate::new(rate.get(), now)),
            listeners: AtomicUsize::new(0),
            handshakes: AtomicUsize::new(0),
        }
    }

    /// Transmitters there are.
    pub(crate) fn listeners(&self) -> usize {
        self.listeners.load(Relaxed)
    }

    /// Transmitters that negotiate or shake hands.
    pub(crate) fn handshakes(&self) -> usize {
        self.handshakes.load(Relaxed)
    }

    /// Takes one of the places for transmitters.
    pub(crate) fn take_place(self: &Arc<Self>) -> Result<Place, Error> {
        let limit = self.max_listeners;
        take(&self.listeners, limit).ok_or(Error::Full { limit })?;
        Ok(Place(Arc::clone(self)))
    }

    /// Lets one join, and takes one of the places for handshakes.
    pub(crate) fn join(self: &Arc<Self>, now: Instant) -> Result<HandshakePlace, Error> {
        let limit = self.max_handshakes;
        take(&self.handshakes, limit).ok_or(Error::TooManyHandshakes { limit })?;
        let place = HandshakePlace(Arc::clone(self));
        if let Some(joins) = &self.joins {
            joins.pass(now)?;
        }
        Ok(place)
    }
}

/// A transmitter's place.
#[derive(Debug)]
pub(crate) struct Place(Arc<Admission>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.listeners.fetch_sub(1, Relaxed);
    }
}

/// The place of a peer that is not connected yet.
#[derive(Debug)]
pub(crate) struct HandshakePlace(Arc<Admission>);

impl Drop for HandshakePlace {
    fn drop(&mut self) {
        self.0.handshakes.fetch_sub(1, Relaxed);
    }
}

/// One more, if there are fewer than `limit`.
fn take(taken: &AtomicUsize, limit: usize) -> Option<usize> {
    let one_more = |taken| (taken < limit).then_some(taken + 1);
    taken.fetch_update(Relaxed, Relaxed, one_more).ok()
}

/// So many joins a second, as many of them at once: the generic cell rate algorithm.
#[derive(Debug)]
struct JoinRate {
    per_second: u32,
    start: Instant,
    /// When all joins so far would be over if they came evenly, in nanoseconds since the start.
    busy_until: AtomicU64,
}

impl JoinRate {
    fn new(per_second: u32, start: Instant) -> Self {
        Self {
            per_second,
            start,
            busy_until: AtomicU64::new(0),
        }
    }

    fn pass(&self, now: Instant) -> Result<(), Error> {
        // 2^64 ns are 584 years.
        let now = now.saturating_duration_since(self.start).as_nanos() as u64;
        let interval = NANOS / u64::from(self.per_second);
        let next = |busy_until: u64| busy_until.max(now) + interval;
        let pass = |busy_until| Some(next(busy_until)).filter(|&next| next <= now + NANOS);
        match self.busy_until.fetch_update(Relaxed, Relaxed, pass) {
            Ok(_) => Ok(()),
            Err(busy_until) => Err(Error::TooManyJoins {
                per_second: self.per_second,
                retry_after: Duration::from_nanos(next(busy_until) - now - NANOS),
            }),
        }
    }
}

/// A second.
const NANOS: u64 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    fn admission(listeners: usize, handshakes: usize, rate: u32, now: Instant) -> Arc<Admission> {
        let config = EngineConfig {
            max_listeners: listeners,
            max_handshakes: handshakes,
            max_joins_per_second: NonZeroU32::new(rate),
            ..EngineConfig::default()
        };
        Arc::new(Admission::new(&config, now))
    }

    #[test]
    fn places_are_limited_and_given_back() {
        let now = Instant::now();
        let admission = admission(2, 1, 0, now);
        let first = admission.take_place().unwrap();
        let _second = admission.take_place().unwrap();
        assert!(matches!(
            admission.take_place(),
            Err(Error::Full { limit: 2 })
        ));
        let handshake = admission.join(now).unwrap();
        let refused = admission.join(now);
        assert!(matches!(
            refused,
            Err(Error::TooManyHandshakes { limit: 1 })
        ));
        drop((first, handshake));
        assert_eq!((admission.listeners(), admission.handshakes()), (1, 0));
        admission.take_place().unwrap();
        admission.join(now).unwrap();
    }

    #[test]
    fn a_second_of_joins_may_come_at_once_and_then_one_at_a_time() {
        let start = Instant::now();
        let admission = admission(1000, 1000, 100, start);
        let pass = |now| admission.join(now).map(drop);
        for _ in 0..100 {
            pass(start).unwrap();
        }
        let Err(Error::TooManyJoins { retry_after, .. }) = pass(start) else {
            panic!("one too many");
        };
        assert_eq!(retry_after, Duration::from_millis(10));
        assert_eq!(admission.handshakes(), 0);
        pass(start + retry_after).unwrap();
        assert!(pass(start + retry_after).is_err());
        // Nothing is saved up beyond a second.
        let later = start + Duration::from_secs(60);
        let passed = (0..1000).filter(|_| pass(later).is_ok()).count();
        assert_eq!(passed, 100);
    }
}
