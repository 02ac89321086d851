//! Frames on their way to their audiences.
//!
//! The first batch of a frame goes at once; a larger audience is spread over the frame in slots, so
//! that small ones gain no latency and large ones make no burst of 20 ms.

use std::time::{Duration, Instant};

use skywave_peer::{Cursor, Hub, Io, Outbox, StreamFrame, StreamKey};

use crate::counter::add;
use crate::port_counters::PortCounters;

/// The frames that have not reached everybody.
#[derive(Default)]
pub(crate) struct FanOut {
    on_their_way: Vec<OnItsWay>,
}

struct OnItsWay {
    stream: StreamKey,
    cursor: Cursor,
    schedule: Schedule,
    /// The next frame of the stream is here: all that is left goes at once.
    hurry: bool,
    served: usize,
    /// Everybody has it.
    done: bool,
}

impl FanOut {
    /// Starts a frame. What is left of the stream's frames before goes at once then. If one of
    /// them is too late for that to help, the new one is left out for everybody: false. `due` is
    /// when it was to be sent, `interval` the time until the next of the stream.
    pub(crate) fn start(
        &mut self,
        frame: StreamFrame,
        (due, interval): (Instant, Duration),
        now: Instant,
        hub: &mut Hub,
    ) -> bool {
        let stream = frame.stream;
        let limit = MAX_BACKLOG.max(interval * 2);
        for before in &mut self.on_their_way {
            if before.stream == stream {
                if now.saturating_duration_since(before.schedule.due) > limit {
                    return false;
                }
                before.hurry = true;
            }
        }
        if let Some(cursor) = hub.begin(frame) {
            self.on_their_way.push(OnItsWay {
                stream,
                cursor,
                schedule: Schedule::new(due, interval, hub.listeners(stream)),
                hurry: false,
                served: 0,
                done: false,
            });
        }
        true
    }

    /// Writes packets that are due until the outbox is full, and records how late they are. True
    /// if more are due: send these and call again.
    pub(crate) fn fill(&mut self, hub: &mut Hub, counters: &PortCounters, io: &mut Io<'_>) -> bool {
        for frame in &mut self.on_their_way {
            frame.fill(hub, counters, io);
            if io.outbox.free() == 0 {
                break;
            }
        }
        self.on_their_way.retain(|frame| !frame.done);
        io.outbox.free() == 0
    }

    /// When the next packets are due, which may have been a while ago. None if no frame is on its
    /// way.
    pub(crate) fn next_slot(&self) -> Option<Instant> {
        self.on_their_way.iter().map(OnItsWay::next_slot).min()
    }
}

impl OnItsWay {
    fn fill(&mut self, hub: &mut Hub, counters: &PortCounters, io: &mut Io<'_>) {
        let due = if self.hurry {
            usize::MAX
        } else {
            self.schedule.due(io.now)
        };
        let limit = due.saturating_sub(self.served).min(io.outbox.free());
        // That of the first, who has waited longest.
        let slot = self.schedule.slot_of(self.served);
        let late = io.now.saturating_duration_since(slot);
        let free = io.outbox.free();
        self.done = hub.fill(&mut self.cursor, limit, late, io) == 0;
        let sent = free - io.outbox.free();
        if sent > 0 {
            counters.lateness.record_many(late, sent as u64);
            if late >= SLOT {
                add(&counters.slots_late, 1);
            }
        }
        self.served += limit;
    }

    /// That of the next listener, not the next of the clock: that may have begun a moment ago,
    /// after the last look for packets.
    fn next_slot(&self) -> Instant {
        if self.hurry {
            self.schedule.due
        } else {
            self.schedule.slot_of(self.served)
        }
    }
}

/// When which part of an audience is due.
struct Schedule {
    /// When the frame was due.
    due: Instant,
    /// The last listener has it so many slots after the first.
    slots: usize,
    audience: usize,
}

impl Schedule {
    /// Takes nearly all the time until the next frame: in less, a core would be out of time for
    /// its packets before it is out of work.
    fn new(due: Instant, interval: Duration, audience: usize) -> Self {
        let slots = (interval * 19 / 20).as_nanos() / SLOT.as_nanos();
        Self {
            due,
            slots: (slots as usize).max(1),
            audience,
        }
    }

    /// How many listeners should have the frame at `now`. In the end that is everybody, those who
    /// came after its beginning too.
    fn due(&self, now: Instant) -> usize {
        // Counted from when the frame was due: one that comes late has less time.
        let slot = self.slot(now) as usize;
        if slot >= self.slots {
            return usize::MAX;
        }
        Outbox::SLOTS + self.later() * slot / self.slots
    }

    /// When the first slot begins by which the listener is due that comes after so many others.
    fn slot_of(&self, served: usize) -> Instant {
        let others = (served + 1).saturating_sub(Outbox::SLOTS);
        let slot = match (others, self.later()) {
            (0, _) => 0,
            (others, later) => (others * self.slots).div_ceil(later.max(1)).min(self.slots),
        };
        self.due + SLOT * slot as u32
    }

    /// Listeners that do not get the frame at once.
    fn later(&self) -> usize {
        self.audience.saturating_sub(Outbox::SLOTS)
    }

    /// The slot that runs at `now`.
    fn slot(&self, now: Instant) -> u32 {
        let elapsed = now.saturating_duration_since(self.due);
        // A frame is on its way for far less than 2^32 slots.
        (elapsed.as_nanos() / SLOT.as_nanos()) as u32
    }
}

/// How late a frame may be on its way before those after it are left out. Later it would come to
/// many a listener in vain.
const MAX_BACKLOG: Duration = Duration::from_millis(100);

/// The grid of sending while an audience is being served.
const SLOT: Duration = Duration::from_millis(1);

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use skywave_rtp::{NtpTime, OwnedFrame};

    use super::*;

    fn schedule(audience: usize) -> Schedule {
        Schedule::new(Instant::now(), Duration::from_millis(20), audience)
    }

    #[test]
    fn frame_is_through_before_the_next() {
        let slots = [10, 20, 40, 60].map(|interval| {
            Schedule::new(Instant::now(), Duration::from_millis(interval), 9).slots
        });
        assert_eq!(slots, [9, 19, 38, 57]);
    }

    #[test]
    fn first_batch_is_due_at_once_and_the_rest_evenly_by_slots() {
        let schedule = schedule(1064);
        let due_after = |micros| schedule.due(schedule.due + Duration::from_micros(micros));
        assert_eq!(due_after(0), 64);
        assert_eq!(due_after(999), 64);
        assert_eq!(due_after(1_000), 64 + 52);
        assert_eq!(due_after(3_500), 64 + 157);
        assert_eq!(due_after(18_000), 64 + 947);
        assert_eq!(due_after(19_000), usize::MAX);
    }

    #[test]
    fn late_frame_catches_up_within_its_own_time() {
        let schedule = schedule(1064);
        assert!(schedule.due(schedule.due + SLOT * 18) > 990);
    }

    #[test]
    fn listener_is_due_in_the_first_slot_that_counts_it() {
        for audience in [1, 64, 65, 70, 1064, 9_999] {
            let schedule = schedule(audience);
            for slot in 0..=schedule.slots as u32 {
                let begins = schedule.due + SLOT * slot;
                // Whoever became due by this slot.
                let first = match slot {
                    0 => 0,
                    _ => schedule.due(begins - SLOT).min(audience),
                };
                for served in first..schedule.due(begins).min(audience) {
                    assert_eq!(schedule.slot_of(served), begins, "{audience}");
                }
            }
        }
    }

    #[test]
    fn those_who_came_after_its_beginning_are_due_at_its_end() {
        for audience in [1, 64, 1_064] {
            let schedule = schedule(audience);
            let end = schedule.slot_of(audience.max(64));
            assert_eq!(end, schedule.due + SLOT * 19);
            assert_eq!(schedule.due(end), usize::MAX);
        }
    }

    #[test]
    fn slot_that_began_after_the_last_look_is_not_left_out() {
        let fan_out = FanOut {
            on_their_way: vec![on_its_way(Instant::now(), Duration::from_millis(20))],
        };
        let due = fan_out.on_their_way[0].schedule.due;
        // However late it is asked.
        assert_eq!(fan_out.next_slot(), Some(due + SLOT));
    }

    #[test]
    fn frame_of_a_stream_without_an_audience_is_done_at_once() {
        let mut fan_out = FanOut::default();
        let mut hub = Hub::new();
        let now = Instant::now();
        assert!(fan_out.start(frame(now), (now, SLOT), now, &mut hub));
        assert_eq!(fan_out.next_slot(), None);
    }

    fn frame(captured: Instant) -> StreamFrame {
        StreamFrame {
            stream: StreamKey(1),
            frame: OwnedFrame {
                payload: Arc::default(),
                comfort_noise: false,
                timestamp: 0,
                duration: 960,
                marker: false,
                audio_level: 127,
                voice: false,
                captured: NtpTime(0),
            },
            captured,
            clock_rate: 48_000,
        }
    }

    /// A frame for a thousand, of whom the first batch has it.
    fn on_its_way(due: Instant, interval: Duration) -> OnItsWay {
        OnItsWay {
            stream: StreamKey(1),
            cursor: Cursor::default(),
            schedule: Schedule::new(due, interval, 1_000),
            hurry: false,
            served: Outbox::SLOTS,
            done: false,
        }
    }

    /// Whether a frame may start while that one of the same stream is not through.
    fn starts_behind(late: Duration, interval: Duration) -> bool {
        let due = Instant::now();
        let mut fan_out = FanOut {
            on_their_way: vec![on_its_way(due, interval)],
        };
        let now = due + late;
        let started = fan_out.start(frame(now), (now, interval), now, &mut Hub::new());
        let before = &fan_out.on_their_way[0];
        assert_eq!(before.hurry, started);
        let next = if started { due } else { due + SLOT };
        assert_eq!(before.next_slot(), next);
        started
    }

    #[test]
    fn frame_behind_one_that_can_still_be_heard_starts_and_that_one_hurries() {
        let ms = Duration::from_millis;
        assert!(starts_behind(ms(20), ms(20)));
        assert!(starts_behind(ms(100), ms(20)));
        assert!(starts_behind(ms(120), ms(60)));
    }

    #[test]
    fn frame_behind_one_that_is_hopelessly_late_is_left_out() {
        let ms = Duration::from_millis;
        assert!(!starts_behind(ms(101), ms(20)));
        assert!(!starts_behind(ms(121), ms(60)));
    }
}
