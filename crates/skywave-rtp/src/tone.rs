//! The reports of one telephone-event, from its beginning to its last repetition
//! (RFC 4733 §2.5.1).

use crate::TelephoneEvent;

/// One event on its way.
#[derive(Debug)]
pub(crate) struct Tone {
    event: u8,
    /// Media time of its beginning.
    pub(crate) start: u32,
    /// Ticks it lasts in all.
    pub(crate) len: u32,
    /// Ticks of the segments reported to their end (RFC 4733 §2.5.1.3).
    reported: u32,
    begun: bool,
    /// The last report of a segment, and how often it is still to be sent (§2.5.1.4).
    last: Option<(TonePacket, u8)>,
}

impl Tone {
    pub(crate) fn new(event: u8, start: u32, len: u32) -> Self {
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
    pub(crate) fn report(&mut self, now: u32) -> TonePacket {
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
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.last, Some((packet, 0)) if packet.event.end)
    }
}

/// A telephone-event to send: for [`Packetizer::write_tone`](crate::Packetizer::write_tone).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TonePacket {
    /// Media time at which the event, or this segment of it, began.
    pub timestamp: u32,
    /// Whether it is the first packet of the event (RFC 4733 §2.2.2).
    pub marker: bool,
    /// The payload.
    pub event: TelephoneEvent,
}

/// The longest duration of one segment (RFC 4733 §2.5.1.3).
const MAX_SEGMENT: u32 = 0xffff;
/// After the first time: three in all (RFC 4733 §2.5.1.4).
const REPETITIONS: u8 = 2;
/// -10 dBm0: as loud as a telephone.
const VOLUME: u8 = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc4733_2_5_1_4_last_report_is_sent_three_times() {
        let mut tone = Tone::new(1, 5000, 400);
        let first = tone.report(5160);
        assert_eq!((first.event.duration, first.event.end), (160, false));
        let last = tone.report(5480);
        assert_eq!((last.event.duration, last.event.end), (400, true));
        assert!(!tone.is_over());
        assert_eq!(tone.report(5640), last);
        assert!(!tone.is_over());
        assert_eq!(tone.report(5800), last);
        assert!(tone.is_over());
    }

    #[test]
    fn event_of_exactly_one_segment_is_not_split() {
        let mut tone = Tone::new(1, 0, 0xffff);
        assert!(!tone.report(0xfffe).event.end);
        let last = tone.report(0x1_0000);
        assert_eq!((last.event.duration, last.event.end), (0xffff, true));
    }
}
