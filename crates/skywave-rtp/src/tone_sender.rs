//! DTMF digits as telephone-events (RFC 4733, RFC 7874 §3), in place of the audio while a tone
//! lasts.
//!
//! Refuses digits the receiver did not say it takes, and durations outside of RFC 7874.

use std::time::Duration;

use crate::{Error, TelephoneEvent};

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

/// A telephone-event to send: for [`Packetizer::write_tone`](crate::Packetizer::write_tone).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TonePacket {
    /// Media time at which the event, or this segment of it, began.
    pub timestamp: u32,
    /// First packet of an event (RFC 4733 §2.3.1... the RTP marker bit).
    pub marker: bool,
    /// The payload.
    pub event: TelephoneEvent,
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

/// One event on its way.
#[derive(Debug)]
struct Tone {
    event: u8,
    /// Media time of its beginning.
    start: u32,
    /// Ticks it lasts in all.
    len: u32,
    /// Ticks of the segments reported to their end (RFC 4733 §2.5.1.3).
    reported: u32,
    begun: bool,
    /// The last report of a segment, and how often it is still to be sent (§2.5.1.4).
    last: Option<(TonePacket, u8)>,
}

impl Tone {
    fn new(event: u8, start: u32, len: u32) -> Self {
        Self {
            event,
            start,
            len,
            reported: 0,
            begun: false,
            last: None,
        }
    }

    /// The next report, which covers the time until `now`.
    fn report(&mut self, now: u32) -> TonePacket {
        if let Some((packet, left @ 1..)) = &mut self.last {
            *left -= 1;
            return *packet;
        }
        if let Some((packet, _)) = self.last.take() {
            self.reported += u32::from(packet.event.duration);
        }
        let elapsed = now.wrapping_sub(self.start).min(self.len);
        let segment = elapsed.saturating_sub(self.reported);
        let end = elapsed == self.len && segment <= MAX_SEGMENT;
        let mut packet = TonePacket {
            timestamp: self.start.wrapping_add(self.reported),
            marker: !self.begun,
            event: TelephoneEvent {
                event: self.event,
                end,
                volume: VOLUME,
                // A duration of zero would mean something else (§2.3.5).
                duration: segment.clamp(1, MAX_SEGMENT) as u16,
            },
        };
        self.begun = true;
        if end || segment >= MAX_SEGMENT {
            let first = packet;
            packet.marker = false;
            self.last = Some((packet, REPETITIONS));
            return first;
        }
        packet
    }

    /// Whether the last report of the last segment was sent as often as it should.
    fn is_over(&self) -> bool {
        matches!(self.last, Some((packet, 0)) if packet.event.end)
    }
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
/// The longest duration of one segment (RFC 4733 §2.5.1.3).
const MAX_SEGMENT: u32 = 0xffff;
/// After the first time: three in all (RFC 4733 §2.5.1.4).
const REPETITIONS: u8 = 2;
/// In -dBm0: a little below what telephones send, as libraries of the field do.
const VOLUME: u8 = 10;
