//! DTMF digits as telephone-events (RFC 4733, RFC 7874 §3), in place of the audio while a tone
//! lasts.
//!
//! Refuses digits the receiver did not say it takes, and durations outside of RFC 7874.

use std::time::Duration;

use crate::tone::Tone;
use crate::{Error, TonePacket};

/// The digits that one listener is still to hear.
#[derive(Debug)]
pub struct ToneSender {
    /// Bit n: the receiver takes event n.
    accepted: u16,
    /// Checked and in upper case.
    digits: String,
    /// How many of them have begun.
    begun: usize,
    duration: Duration,
    gap: Duration,
    state: State,
}

impl ToneSender {
    /// How long a tone lasts unless said otherwise (RFC 7874 §3).
    pub const DEFAULT_DURATION: Duration = Duration::from_millis(100);
    /// How long the gap after a tone lasts unless said otherwise (RFC 7874 §3).
    pub const DEFAULT_GAP: Duration = Duration::from_millis(70);
    /// The events 0-15: what a receiver takes that says nothing else (RFC 4733 §2.4.1).
    pub const ALL_DIGITS: u16 = 0xffff;

    /// A sender without digits, to a receiver that takes event n if bit n of `accepted` is set
    /// (RFC 4733 §2.5.1.1).
    pub fn new(accepted: u16) -> Self {
        Self {
            accepted,
            digits: String::new(),
            begun: 0,
            duration: Self::DEFAULT_DURATION,
            gap: Self::DEFAULT_GAP,
            state: State::Idle,
        }
    }

    /// Replaces the digits that have not begun; a tone that has begun ends as it was to end.
    ///
    /// `digits` are 0-9, `*`, `#`, A-D in upper or lower case, and `,` for a pause of two seconds.
    /// A tone lasts for `duration`, 40 ms to 8 s; the next one begins at the first frame after
    /// `gap`, 30 ms to 60 s, when the tone's last report was repeated.
    ///
    /// # Errors
    /// [`Error::Digit`], [`Error::ToneDuration`] and [`Error::ToneGap`]; then nothing changes.
    pub fn insert(&mut self, digits: &str, duration: Duration, gap: Duration) -> Result<(), Error> {
        let sendable = |&digit: &char| {
            digit == PAUSE || event(digit).is_some_and(|event| self.accepted >> event & 1 != 0)
        };
        let upper = digits.to_ascii_uppercase();
        if let Some(digit) = upper.chars().find(|digit| !sendable(digit)) {
            return Err(Error::Digit(digit));
        }
        if !(MIN_DURATION..=MAX_DURATION).contains(&duration) {
            return Err(Error::ToneDuration(duration));
        }
        if !(MIN_GAP..=MAX_GAP).contains(&gap) {
            return Err(Error::ToneGap(gap));
        }
        self.digits = upper;
        self.begun = 0;
        self.duration = duration;
        self.gap = gap;
        Ok(())
    }

    /// The digits that have not begun.
    pub fn remaining(&self) -> &str {
        &self.digits[self.begun..]
    }

    /// Whether nothing is left to send, and the gap after the last tone is over.
    pub fn is_idle(&self) -> bool {
        matches!(self.state, State::Idle) && self.remaining().is_empty()
    }

    /// What to send in place of the frame that starts at the media time `timestamp` and lasts for
    /// `frame_len` ticks of a clock of `clock_rate` Hz. To be asked once for every frame, in
    /// silence too; nothing means that the frame goes out.
    pub fn poll(&mut self, timestamp: u32, frame_len: u32, clock_rate: u32) -> Option<TonePacket> {
        loop {
            match &mut self.state {
                State::Idle => {
                    let digit = self.remaining().chars().next()?;
                    self.begun += digit.len_utf8();
                    self.state = match event(digit) {
                        Some(event) => {
                            let len = ticks(self.duration, clock_rate);
                            State::Tone(Tone::new(event, timestamp, len))
                        }
                        None => State::Pause {
                            since: timestamp,
                            len: ticks(PAUSE_DURATION, clock_rate),
                        },
                    };
                }
                State::Pause { since, len } => {
                    // Signed, as a tone ends within the frame that its last report stands for.
                    let elapsed = timestamp.wrapping_sub(*since) as i32;
                    if elapsed < *len as i32 {
                        return None;
                    }
                    self.state = State::Idle;
                }
                State::Tone(tone) => {
                    let packet = tone.report(timestamp.wrapping_add(frame_len));
                    if tone.is_over() {
                        self.state = State::Pause {
                            since: tone.start.wrapping_add(tone.len),
                            len: ticks(self.gap, clock_rate),
                        };
                    }
                    return Some(packet);
                }
            }
        }
    }
}

#[derive(Debug)]
enum State {
    /// The next digit may begin.
    Idle,
    Tone(Tone),
    /// Nothing begins before `len` ticks have passed.
    Pause {
        since: u32,
        len: u32,
    },
}

/// The event code of a digit (RFC 4733 §3.2).
fn event(digit: char) -> Option<u8> {
    match digit {
        '0'..='9' => Some(digit as u8 - b'0'),
        '*' => Some(10),
        '#' => Some(11),
        'A'..='D' => Some(digit as u8 - b'A' + 12),
        _ => None,
    }
}

fn ticks(duration: Duration, clock_rate: u32) -> u32 {
    let ticks = duration.as_millis() * u128::from(clock_rate) / 1000;
    // Half the clock's range: beyond it, before and after cannot be told apart.
    ticks.clamp(1, i32::MAX as u128) as u32
}

const PAUSE: char = ',';
const PAUSE_DURATION: Duration = Duration::from_secs(2);
const MIN_DURATION: Duration = Duration::from_millis(40);
const MAX_DURATION: Duration = Duration::from_millis(8000);
const MIN_GAP: Duration = Duration::from_millis(30);
const MAX_GAP: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: u32 = 8000;
    /// 20 ms.
    const FRAME: u32 = 160;

    fn sender(digits: &str, millis: u64, gap: u64) -> ToneSender {
        let mut sender = ToneSender::new(ToneSender::ALL_DIGITS);
        insert(&mut sender, digits, millis, gap).unwrap();
        sender
    }

    fn insert(sender: &mut ToneSender, digits: &str, millis: u64, gap: u64) -> Result<(), Error> {
        let [duration, gap] = [millis, gap].map(Duration::from_millis);
        sender.insert(digits, duration, gap)
    }

    /// Asks for the frames that start at `first`, one after the other.
    fn poll(sender: &mut ToneSender, first: u32, frames: u32) -> Vec<Option<TonePacket>> {
        (0..frames)
            .map(|n| sender.poll(first.wrapping_add(n * FRAME), FRAME, RATE))
            .collect()
    }

    /// Frame, event, timestamp, duration, marker, end.
    type Row = (usize, u8, u32, u16, bool, bool);

    fn rows(packets: &[Option<TonePacket>]) -> Vec<Row> {
        let row = |(frame, packet): (usize, &Option<TonePacket>)| {
            let TonePacket {
                timestamp,
                marker,
                event,
            } = (*packet)?;
            Some((
                frame,
                event.event,
                timestamp,
                event.duration,
                marker,
                event.end,
            ))
        };
        packets.iter().enumerate().filter_map(row).collect()
    }

    #[test]
    fn rfc4733_2_5_1_2_all_packets_carry_the_start_timestamp() {
        let packets = poll(&mut sender("5", 50, 70), 1000, 8);
        let expected = [
            (0, 5, 1000, 160, true, false),
            (1, 5, 1000, 320, false, false),
            (2, 5, 1000, 400, false, true),
            (3, 5, 1000, 400, false, true),
            (4, 5, 1000, 400, false, true),
        ];
        assert_eq!(rows(&packets), expected);
    }

    #[test]
    fn rfc4733_2_5_1_2_marker_is_on_the_first_packet_even_if_it_is_the_last() {
        let mut sender = sender("5", 40, 70);
        let packets: Vec<_> = (0..4).map(|n| sender.poll(n * 480, 480, RATE)).collect();
        let expected = [
            (0, 5, 0, 320, true, true),
            (1, 5, 0, 320, false, true),
            (2, 5, 0, 320, false, true),
        ];
        assert_eq!(rows(&packets), expected);
    }

    #[test]
    fn rfc4733_3_2_digits_have_the_events_0_to_15() {
        for (event, digit) in "0123456789*#ABCD".chars().enumerate() {
            for digit in [digit, digit.to_ascii_lowercase()] {
                let mut sender = sender(&digit.to_string(), 40, 30);
                let packet = sender.poll(0, FRAME, RATE).unwrap();
                assert_eq!(usize::from(packet.event.event), event);
                assert_eq!(packet.event.volume, 10);
            }
        }
    }

    #[test]
    fn rfc4733_2_5_1_3_long_event_is_sent_in_segments() {
        let packets = poll(&mut sender("1", 8000, 70), u32::MAX, 410);
        assert_eq!(
            rows(&packets).last().unwrap().3,
            64_000,
            "at 8 kHz there is one"
        );

        let mut sender = sender("1", 8000, 70);
        let packets: Vec<_> = (0..410)
            .map(|n| sender.poll(n * 960, 960, 48_000))
            .collect();
        let rows = rows(&packets);
        assert_eq!(rows.len(), 402);
        assert_eq!(rows.iter().filter(|row| row.4).count(), 1, "one marker");
        assert_eq!(
            rows.iter().filter(|row| row.5).count(),
            3,
            "one end, three times"
        );
        let mut expected_start = 0;
        for segment in rows.chunk_by(|a, b| a.2 == b.2) {
            let (last, start) = (segment.last().unwrap(), segment[0].2);
            assert_eq!(start, expected_start);
            expected_start += u32::from(last.3);
            assert!(segment.is_sorted_by_key(|row| row.3));
            let last_times = segment.iter().filter(|row| row.3 == last.3).count();
            assert_eq!(last_times, 3);
            assert!(last.5 || last.3 == 0xffff);
        }
        assert_eq!(expected_start, 384_000);
    }

    #[test]
    fn rfc7874_3_next_tone_begins_after_the_gap() {
        let starts = |gap| -> Vec<usize> {
            let packets = poll(&mut sender("12", 100, gap), 0, 30);
            rows(&packets)
                .iter()
                .filter(|row| row.4)
                .map(|row| row.0)
                .collect()
        };
        // The first tone ends with frame 4, and its end is repeated in 5 and 6.
        assert_eq!(starts(30), [0, 7]);
        assert_eq!(starts(70), [0, 9]);
        assert_eq!(starts(80), [0, 9]);
        assert_eq!(starts(81), [0, 10]);
    }

    #[test]
    fn comma_is_a_pause_of_two_seconds() {
        let packets = poll(&mut sender(",1,,2", 40, 30), 0, 400);
        let starts: Vec<_> = rows(&packets).into_iter().filter(|row| row.4).collect();
        // After the first tone: two frames and two repetitions, then 100 frames a comma.
        let frames: Vec<_> = starts.iter().map(|row| (row.0, row.1)).collect();
        assert_eq!(frames, [(100, 1), (304, 2)]);
    }

    #[test]
    fn clock_may_wrap_within_a_tone_and_within_a_gap() {
        for first in [u32::MAX - 300, u32::MAX - 1200] {
            let packets = poll(&mut sender("12", 100, 70), first, 20);
            let plain = poll(&mut sender("12", 100, 70), 0, 20);
            let moved: Vec<_> = rows(&plain)
                .into_iter()
                .map(|row| (row.0, row.1, row.2.wrapping_add(first), row.3, row.4, row.5))
                .collect();
            assert_eq!(rows(&packets), moved);
        }
    }

    #[test]
    fn inserting_replaces_what_has_not_begun() {
        let mut sender = sender("123", 100, 70);
        poll(&mut sender, 0, 2);
        assert_eq!(sender.remaining(), "23");
        insert(&mut sender, "d", 40, 30).unwrap();
        assert_eq!(sender.remaining(), "D");
        let rows = rows(&poll(&mut sender, 2 * FRAME, 20));
        assert_eq!(rows.iter().filter(|row| row.1 == 1).count(), 5);
        assert_eq!(rows.iter().filter(|row| row.1 == 15).count(), 4);
        assert!(sender.is_idle());

        insert(&mut sender, "45", 40, 30).unwrap();
        assert!(!sender.is_idle());
        insert(&mut sender, "", 40, 30).unwrap();
        assert!(sender.is_idle(), "no digits cancel the rest");
    }

    #[test]
    fn rfc4733_2_5_1_1_digits_the_receiver_does_not_take_are_refused() {
        let mut sender = ToneSender::new(0x0fff);
        assert_eq!(insert(&mut sender, "1,A", 100, 70), Err(Error::Digit('A')));
        assert_eq!(insert(&mut sender, "0#,*", 100, 70), Ok(()));
        assert_eq!(insert(&mut sender, "1x2", 100, 70), Err(Error::Digit('X')));
        assert_eq!(insert(&mut sender, "1é", 100, 70), Err(Error::Digit('é')));
        assert_eq!(sender.remaining(), "0#,*");
    }

    #[test]
    fn rfc7874_3_durations_outside_of_the_limits_are_refused() {
        let mut sender = ToneSender::new(ToneSender::ALL_DIGITS);
        let duration = |millis| Err(Error::ToneDuration(Duration::from_millis(millis)));
        let gap = |millis| Err(Error::ToneGap(Duration::from_millis(millis)));
        assert_eq!(insert(&mut sender, "1", 39, 70), duration(39));
        assert_eq!(insert(&mut sender, "1", 8001, 70), duration(8001));
        assert_eq!(insert(&mut sender, "1", 40, 29), gap(29));
        assert_eq!(insert(&mut sender, "1", 40, 60_001), gap(60_001));
        assert!(sender.is_idle());
        assert_eq!(insert(&mut sender, "1", 8000, 60_000), Ok(()));
    }

    #[test]
    fn rfc7874_3_defaults_are_tones_of_100_ms_and_gaps_of_70_ms() {
        let mut plain = ToneSender::new(ToneSender::ALL_DIGITS);
        let (duration, gap) = (ToneSender::DEFAULT_DURATION, ToneSender::DEFAULT_GAP);
        plain.insert("12", duration, gap).unwrap();
        let packets = poll(&mut plain, 0, 30);
        let expected = poll(&mut sender("12", 100, 70), 0, 30);
        assert_eq!(rows(&packets), rows(&expected));
    }

    #[test]
    fn senseless_clocks_end_a_tone_without_a_panic() {
        let mut sender = sender("11111111", 8000, 60_000);
        for (time, len, rate) in [
            (0, 0, 0),
            (9, u32::MAX, u32::MAX),
            (3, 1, 1),
            (u32::MAX, 0, 0),
        ] {
            for _ in 0..10 {
                let packet = sender.poll(time, len, rate);
                assert!(packet.is_none_or(|packet| packet.event.duration > 0));
            }
        }
    }
}
