//! The payload of a telephone-event (RFC 4733 §2.3).
//!
//! Refuses payloads shorter than one event; of several events (§2.5.1.5) it reads the first.

use crate::Malformed;
use crate::octets::Octets;

/// One report of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TelephoneEvent {
    /// The event; 0..=15 are the DTMF digits (§3.2).
    pub event: u8,
    /// Whether the event is over (the E bit).
    pub end: bool,
    /// Power of the tone in -dBm0: 0..=63.
    pub volume: u8,
    /// How long the event lasts until now, in ticks of the RTP clock.
    pub duration: u16,
}

impl TelephoneEvent {
    /// Reads the payload of a packet.
    ///
    /// # Errors
    /// [`Malformed::Truncated`].
    pub fn parse(payload: &[u8]) -> Result<Self, Malformed> {
        let mut octets = Octets(payload);
        let [event, flags, high, low] = octets.take().ok_or(Malformed::Truncated)?;
        Ok(Self {
            event,
            end: flags & END != 0,
            volume: flags & VOLUME,
            duration: u16::from_be_bytes([high, low]),
        })
    }

    /// The payload; a volume above 63 is written as 63.
    pub fn to_bytes(&self) -> [u8; 4] {
        let end = if self.end { END } else { 0 };
        let [high, low] = self.duration.to_be_bytes();
        [self.event, end | self.volume.min(VOLUME), high, low]
    }
}

/// The E bit. The bit below is reserved: sent as zero, ignored when received.
const END: u8 = 1 << 7;
const VOLUME: u8 = 0x3f;

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: TelephoneEvent = TelephoneEvent {
        event: 11,
        end: true,
        volume: 10,
        duration: 0x0320,
    };

    #[test]
    fn rfc4733_2_3_fields_stand_where_they_should() {
        assert_eq!(EVENT.to_bytes(), [11, 0x8a, 0x03, 0x20]);
        assert_eq!(TelephoneEvent::parse(&[11, 0x8a, 0x03, 0x20]), Ok(EVENT));
    }

    #[test]
    fn rfc4733_2_3_3_reserved_bit_is_sent_as_zero_and_ignored() {
        assert_eq!(TelephoneEvent::parse(&[11, 0xca, 0x03, 0x20]), Ok(EVENT));
        let loud = TelephoneEvent {
            volume: 255,
            ..EVENT
        };
        assert_eq!(loud.to_bytes()[1], 0xbf);
    }

    #[test]
    fn payload_of_less_than_an_event_is_truncated() {
        for len in 0..4 {
            let result = TelephoneEvent::parse(&[0; 4][..len]);
            assert_eq!(result, Err(Malformed::Truncated));
        }
        assert!(TelephoneEvent::parse(&[0; 8]).is_ok());
    }
}
