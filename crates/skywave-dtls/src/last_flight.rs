//! The server's last flight of DTLS 1.2, for a client that has not got it.
//!
//! Nobody acknowledges it, and a client without it repeats its own flight (RFC 6347
//! §4.2.4), after a second with most. The engine answers that, but no sooner than after a
//! time that doubles with each answer, so that a client that doubles its own comes too
//! early every other time. Here every repetition is answered, and the flight goes out
//! twice more unasked. The same octets are good enough: who has them takes no notice.

use std::time::{Duration, Instant};

/// What was sent when the handshake was complete.
pub(crate) struct LastFlight {
    records: Box<[u8]>,
    sent: Instant,
    unasked: &'static [Duration],
}

impl LastFlight {
    /// All its records fit one datagram, and may share it.
    pub(crate) fn new(records: Vec<u8>, now: Instant) -> Self {
        Self {
            records: records.into(),
            sent: now,
            unasked: &UNASKED,
        }
    }

    /// The engine has repeated it.
    pub(crate) fn note_sent(&mut self, now: Instant) {
        self.sent = now;
    }

    /// When to ask [`repeat_unasked`](Self::repeat_unasked) next.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.unasked.first().map(|&wait| self.sent + wait)
    }

    /// The flight, if it is time.
    pub(crate) fn repeat_unasked(&mut self, now: Instant) -> Option<&[u8]> {
        self.due().filter(|&due| due <= now)?;
        self.unasked = &self.unasked[1..];
        self.sent = now;
        Some(&self.records)
    }

    /// The flight, unless it was sent a moment ago: what asks for it is not authenticated.
    pub(crate) fn repeat(&mut self, now: Instant) -> Option<&[u8]> {
        if now.saturating_duration_since(self.sent) < MIN_INTERVAL {
            return None;
        }
        self.sent = now;
        Some(&self.records)
    }
}

/// Each after the one before.
const UNASKED: [Duration; 2] = [Duration::from_millis(100), Duration::from_millis(300)];
/// Shorter than a client waits before it repeats a flight.
const MIN_INTERVAL: Duration = Duration::from_millis(40);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flight_is_not_repeated_too_often() {
        let begin = Instant::now();
        let mut flight = LastFlight::new(vec![20, 1], begin);
        assert_eq!(flight.repeat(begin), None);
        let later = begin + MIN_INTERVAL;
        assert_eq!(flight.repeat(later), Some(&[20, 1][..]));
        assert_eq!(flight.repeat(later), None);
        flight.note_sent(later + MIN_INTERVAL);
        assert_eq!(flight.repeat(later + MIN_INTERVAL), None);
    }

    #[test]
    fn flight_is_repeated_twice_unasked() {
        let mut now = Instant::now();
        let mut flight = LastFlight::new(vec![20, 1], now);
        for wait in UNASKED {
            assert_eq!(flight.due(), Some(now + wait));
            assert_eq!(flight.repeat_unasked(now), None);
            now += wait;
            assert_eq!(flight.repeat_unasked(now), Some(&[20, 1][..]));
        }
        assert_eq!(flight.due(), None);
        assert_eq!(flight.repeat_unasked(now + UNASKED[1]), None);
    }
}
