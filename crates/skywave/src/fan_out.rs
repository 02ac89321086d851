//! Frames on their way to their audiences.
//!
//! The first batch of a frame goes at once; a larger audience is spread over the frame, so that
//! small ones gain no latency and large ones make no burst of 20 ms.

use std::time::{Duration, Instant};

use skywave_peer::{Cursor, Hub, Io, Outbox, StreamFrame, StreamKey};

/// The frames that have not reached everybody.
#[derive(Default)]
pub(crate) struct FanOut {
    on_their_way: Vec<OnItsWay>,
}

struct OnItsWay {
    stream: StreamKey,
    /// When the frame was due.
    due: Instant,
    /// The last listener has it this long after the first.
    spread: Duration,
    cursor: Cursor,
    audience: usize,
    /// The next frame of the stream is here: all that is left goes at once.
    hurry: bool,
    served: usize,
    /// Everybody has it.
    done: bool,
}

impl FanOut {
    /// Starts a frame. If the stream's frame before is still on its way, that one hurries; if it
    /// was hurried already, the new one is left out for everybody: false. `due` is when it was to
    /// be sent, `interval` the time until the next of the stream.
    pub(crate) fn start(
        &mut self,
        frame: StreamFrame,
        (due, interval): (Instant, Duration),
        hub: &mut Hub,
    ) -> bool {
        let stream = frame.stream;
        let mut waiting = self
            .on_their_way
            .iter_mut()
            .filter(|other| other.stream == stream);
        let (first, second) = (waiting.next(), waiting.next());
        if second.is_some() {
            return false;
        }
        if let Some(first) = first {
            first.hurry = true;
        }
        if let Some(cursor) = hub.begin(frame) {
            self.on_their_way.push(OnItsWay {
                stream,
                due,
                spread: spread(interval),
                audience: hub.listeners(stream),
                cursor,
                hurry: false,
                served: 0,
                done: false,
            });
        }
        true
    }

    /// Writes packets that are due until the outbox is full. True if more are due: send these
    /// and call again.
    pub(crate) fn fill(&mut self, hub: &mut Hub, io: &mut Io<'_>) -> bool {
        for frame in &mut self.on_their_way {
            frame.fill(hub, io);
            if io.outbox.free() == 0 {
                break;
            }
        }
        self.on_their_way.retain(|frame| !frame.done);
        io.outbox.free() == 0
    }

    /// When the next packets are due. None if no frame is on its way.
    pub(crate) fn next_slot(&self, now: Instant) -> Option<Instant> {
        self.on_their_way
            .iter()
            .map(|frame| frame.next_slot(now))
            .min()
    }
}

impl OnItsWay {
    fn fill(&mut self, hub: &mut Hub, io: &mut Io<'_>) {
        let due = self.audience_due(io.now).saturating_sub(self.served);
        let limit = due.min(io.outbox.free());
        self.done = hub.fill(&mut self.cursor, limit, io) == 0;
        self.served += limit;
    }

    /// How many listeners should have the frame at `now`. In the end that is everybody, those who
    /// came after its beginning too.
    fn audience_due(&self, now: Instant) -> usize {
        // Counted from when the frame was due: one that comes late has less time.
        let elapsed = now.saturating_duration_since(self.due);
        let share = elapsed.as_secs_f64() / self.spread.as_secs_f64();
        if self.hurry || share >= 1.0 {
            return usize::MAX;
        }
        let later = self.audience.saturating_sub(Outbox::SLOTS);
        Outbox::SLOTS + (later as f64 * share) as usize
    }

    fn next_slot(&self, now: Instant) -> Instant {
        let elapsed = now.saturating_duration_since(self.due);
        let passed = elapsed.as_nanos() / SLOT.as_nanos();
        // A frame is on its way for far less than 2^32 slots.
        self.due + SLOT * (passed as u32 + 1)
    }
}

/// How long a frame is on its way, where the next comes after `interval`.
fn spread(interval: Duration) -> Duration {
    SPREAD.min(interval * 3 / 4)
}

/// The last listener has the frame this long after the first, or after three quarters of a shorter
/// interval: time is left before the next.
const SPREAD: Duration = Duration::from_millis(15);

/// The grid of sending while an audience is being served.
const SLOT: Duration = Duration::from_millis(1);

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use skywave_rtp::{NtpTime, OwnedFrame};

    use super::*;

    fn on_its_way(audience: usize, due: Instant) -> OnItsWay {
        OnItsWay {
            stream: StreamKey(1),
            due,
            spread: SPREAD,
            cursor: Cursor::default(),
            audience,
            hurry: false,
            served: 0,
            done: false,
        }
    }

    #[test]
    fn first_batch_is_due_at_once_and_the_rest_evenly() {
        let start = Instant::now();
        let frame = on_its_way(1064, start);
        assert_eq!(frame.audience_due(start), 64);
        assert_eq!(frame.audience_due(start + SPREAD / 2), 564);
        assert_eq!(frame.audience_due(start + SPREAD * 14 / 15), 64 + 933);
        assert_eq!(frame.audience_due(start + SPREAD), usize::MAX);
    }

    #[test]
    fn late_frame_catches_up_within_its_own_time() {
        let start = Instant::now();
        let late = start + Duration::from_millis(14);
        assert!(on_its_way(1064, start).audience_due(late) > 990);
    }

    #[test]
    fn slots_lie_on_a_grid_of_the_frames_own_time() {
        let start = Instant::now();
        let frame = on_its_way(1064, start);
        assert_eq!(frame.next_slot(start), start + SLOT);
        assert_eq!(frame.next_slot(start + SLOT / 3), start + SLOT);
        assert_eq!(frame.next_slot(start + SLOT * 5 / 2), start + SLOT * 3);
    }

    #[test]
    fn frame_is_through_before_the_next_and_no_later_for_being_long() {
        let spread = [10, 20, 60].map(|ms| spread(Duration::from_millis(ms)).as_micros());
        assert_eq!(spread, [7_500, 15_000, 15_000]);
    }

    #[test]
    fn frame_that_is_overtaken_hurries() {
        let start = Instant::now();
        let mut frame = on_its_way(1064, start);
        frame.hurry = true;
        assert_eq!(frame.audience_due(start), usize::MAX);
    }

    #[test]
    fn frame_of_a_stream_without_an_audience_is_done_at_once() {
        let mut fan_out = FanOut::default();
        let mut hub = Hub::new();
        let now = Instant::now();
        let frame = OwnedFrame {
            payload: Arc::default(),
            timestamp: 0,
            marker: false,
            audio_level: 127,
            voice: false,
            captured: NtpTime(0),
        };
        let frame = StreamFrame {
            stream: StreamKey(1),
            frame,
            captured: now,
            clock_rate: 48_000,
        };
        let pace = (now, Duration::from_millis(20));
        assert!(fan_out.start(frame, pace, &mut hub));
        assert_eq!(fan_out.next_slot(now), None);
    }
}
