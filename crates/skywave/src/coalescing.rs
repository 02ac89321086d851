//! Frames of many tracks that leave together.
//!
//! With hundreds of tracks a frame comes every 100 us or sooner. To wake up for each costs several
//! times what its packet costs, and takes the core from an encoder each time.

use std::time::{Duration, Instant};

/// How closely frames follow each other, and until when the next ones gather.
#[derive(Default)]
pub(crate) struct Coalescing {
    last: Option<Instant>,
    /// So many times in a row frames came soon after those before.
    close: u32,
    until: Option<Instant>,
}

impl Coalescing {
    /// Takes note of a wake-up at which frames were there.
    pub(crate) fn frames_came(&mut self, now: Instant) {
        let since = self.last.map(|last| now.saturating_duration_since(last));
        self.close = match since {
            Some(since) if since < CLOSE => self.close.saturating_add(1),
            _ => 0,
        };
        self.last = Some(now);
        self.until = (self.close >= STREAK).then(|| now + GATHERING);
    }

    /// Until when frames may wait for others. None if the next is to be sent as it comes.
    pub(crate) fn until(&self, now: Instant) -> Option<Instant> {
        self.until.filter(|&until| now < until)
    }
}

/// How long frames gather: half a slot, which no listener hears.
const GATHERING: Duration = Duration::from_micros(500);

/// What is soon. More than [`GATHERING`], or it would end itself.
const CLOSE: Duration = Duration::from_millis(1);

/// A track with some encodings has a frame of each at the same time. Eight of these do not wait.
const STREAK: u32 = 8;

#[cfg(test)]
mod tests {
    use super::*;

    const fn micros(micros: u64) -> Duration {
        Duration::from_micros(micros)
    }

    #[test]
    fn frames_of_few_tracks_never_wait() {
        let (mut coalescing, mut now) = (Coalescing::default(), Instant::now());
        for _ in 0..100 {
            now += micros(1_000);
            coalescing.frames_came(now);
            assert_eq!(coalescing.until(now), None);
        }
    }

    #[test]
    fn frames_of_one_track_in_several_encodings_do_not_wait() {
        let (mut coalescing, mut now) = (Coalescing::default(), Instant::now());
        for _ in 0..100 {
            now += micros(20_000);
            for encoding in 0..8 {
                coalescing.frames_came(now + micros(encoding * 100));
                assert_eq!(coalescing.until(now), None);
            }
        }
    }

    #[test]
    fn frames_of_many_tracks_gather_for_half_a_slot() {
        let (mut coalescing, mut now) = (Coalescing::default(), Instant::now());
        for _ in 0..=STREAK {
            now += micros(70);
            coalescing.frames_came(now);
        }
        // The next come when they gathered, and so on.
        for _ in 0..100 {
            let end = now + GATHERING;
            assert_eq!(coalescing.until(now), Some(end));
            assert_eq!(coalescing.until(end), None);
            now = end + micros(70);
            coalescing.frames_came(now);
        }
        now += CLOSE;
        coalescing.frames_came(now);
        assert_eq!(coalescing.until(now), None);
    }
}
