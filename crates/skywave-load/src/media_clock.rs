//! When packets come, against when their timestamps say they are due.
//!
//! The best line through a stream is that of its earliest packet: every other is as late as it
//! lies behind that line. So a constant delay is no lateness, and neither is a listener's place
//! within the frame.

/// The arrivals of one stream.
#[derive(Clone, Debug)]
pub(crate) struct MediaClock {
    rate: i64,
    timestamp: u32,
    /// Ticks since the first packet, without wrapping.
    ticks: i64,
    /// Microseconds, as given.
    arrival: i64,
    transit: i64,
    /// The least transit of all.
    best: i64,
    /// RFC 3550 §A.8, in sixteenths of a microsecond.
    jitter: i64,
    /// The least step ahead, in ticks; 0 before the first.
    frame: i64,
}

/// When one packet came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Microseconds since the packet before it.
    pub gap: u32,
    /// Microseconds behind the best line of the stream so far.
    pub lateness: u32,
}

impl MediaClock {
    /// A stream with this clock in hertz, of which the first packet came at `arrival`, in
    /// microseconds from a time of the caller's choice.
    pub(crate) fn new(rate: u32, timestamp: u32, arrival: i64) -> Self {
        Self {
            rate: i64::from(rate.max(1)),
            timestamp,
            ticks: 0,
            arrival,
            transit: arrival,
            best: arrival,
            jitter: 0,
            frame: 0,
        }
    }

    /// Takes the newest packet of the stream.
    #[inline]
    pub(crate) fn record(&mut self, timestamp: u32, arrival: i64) -> Arrival {
        let step = i64::from(timestamp.wrapping_sub(self.timestamp) as i32);
        let gap = arrival - self.arrival;
        self.timestamp = timestamp;
        self.ticks += step;
        self.arrival = arrival;
        if step > 0 && (step < self.frame || self.frame == 0) {
            self.frame = step;
        }
        let transit = arrival - self.ticks * MICROS / self.rate;
        let difference = (transit - self.transit).abs();
        self.transit = transit;
        if difference > DISCONTINUITY {
            self.best = transit;
        } else {
            self.jitter += difference - ((self.jitter + 8) >> 4);
            self.best = self.best.min(transit);
        }
        Arrival {
            gap: clamped(gap),
            lateness: clamped(transit - self.best),
        }
    }

    /// The interarrival jitter in ticks (RFC 3550 §A.8).
    pub(crate) fn jitter(&self) -> u32 {
        clamped((self.jitter >> 4) * self.rate / MICROS)
    }

    /// Microseconds of a frame: the least by which timestamps went ahead.
    pub(crate) fn frame(&self) -> Option<u32> {
        (self.frame > 0).then(|| clamped(self.frame * MICROS / self.rate))
    }
}

fn clamped(value: i64) -> u32 {
    value.clamp(0, u32::MAX.into()) as u32
}

const MICROS: i64 = 1_000_000;

/// A step of so many microseconds between the clocks is a new source, not a delay.
const DISCONTINUITY: i64 = 5_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steady_streams_are_never_late_whatever_their_delay() {
        let mut clock = MediaClock::new(48_000, u32::MAX - 959, 7_000_000);
        for frame in 1..100_u32 {
            let timestamp = (u32::MAX - 959).wrapping_add(frame * 960);
            let arrival = clock.record(timestamp, 7_000_000 + i64::from(frame) * 20_000);
            let expected = Arrival {
                gap: 20_000,
                lateness: 0,
            };
            assert_eq!(arrival, expected);
        }
        assert_eq!((clock.jitter(), clock.frame()), (0, Some(20_000)));
    }

    #[test]
    fn one_late_packet_is_late_and_the_next_is_not() {
        let mut clock = MediaClock::new(8000, 0, 0);
        assert_eq!(clock.record(160, 23_000).lateness, 3000);
        let on_time = clock.record(320, 40_000);
        assert_eq!((on_time.gap, on_time.lateness), (17_000, 0));
        assert!(clock.jitter() > 0);
    }

    #[test]
    fn frame_is_known_although_some_are_left_out() {
        let mut clock = MediaClock::new(48_000, 0, 0);
        assert_eq!(clock.frame(), None);
        for timestamp in [1920, 2880, 4800] {
            clock.record(timestamp, 0);
        }
        assert_eq!(clock.frame(), Some(20_000));
    }

    #[test]
    fn earlier_packets_move_the_line() {
        let mut clock = MediaClock::new(48_000, 0, 0);
        assert_eq!(clock.record(960, 15_000).lateness, 0);
        assert_eq!(clock.record(1920, 40_000).lateness, 5000);
    }

    #[test]
    fn another_source_begins_another_line() {
        let mut clock = MediaClock::new(48_000, 0, 0);
        assert_eq!(clock.record(1 << 30, 20_000).lateness, 0);
        assert_eq!(clock.record((1 << 30) + 960, 41_000).lateness, 1000);
        assert_eq!(clock.record(0, 60_000).lateness, 0);
    }
}
