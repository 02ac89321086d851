//! The last packets of one listener, and which of them may be sent once more.
//!
//! Generic NACKs (RFC 4585 §6.2.1) come from the network. Whatever they ask for, retransmissions
//! stay a fraction of what the stream itself takes; what is asked for too soon, too often, or too
//! late is refused, and counted by reason.

use std::time::{Duration, Instant};

use crate::{SentPacket, Written};

/// The last [`Self::DEPTH`] packets of one listener: made only for listeners that negotiated
/// Generic NACK.
///
/// It belongs to one [`Packetizer`](crate::Packetizer) and one [`History`](crate::History): a
/// listener that gets another of them gets a new log.
#[derive(Debug)]
pub struct SentLog {
    /// The packet with sequence number n lies at `n % DEPTH`.
    entries: Box<[Option<Entry>]>,
    /// Octets of all packets in the log.
    logged: u32,
    /// What may be retransmitted, in quarters of an octet.
    credit: u32,
    refusals: Refusals,
}

impl SentLog {
    /// How many packets are kept: the replay window of an SRTP receiver (RFC 3711 §3.3.2).
    pub const DEPTH: usize = 64;
    /// How often one packet is retransmitted.
    pub const MAX_RETRANSMISSIONS: u8 = 3;
    /// How many octets of packets earn one octet of retransmission: at most a quarter of the
    /// stream's own rate goes into retransmissions, in the long run and over the packets of the
    /// log.
    pub const COST: u32 = 4;

    /// Takes a packet that was sent, in place of the oldest.
    pub fn record(&mut self, written: &Written) {
        // A UDP datagram has less than 2^16 octets.
        let len = u16::try_from(written.len).unwrap_or(u16::MAX);
        let entry = Entry {
            packet: written.packet,
            len,
            retransmissions: 0,
            last: None,
        };
        let place = &mut self.entries[slot(entry.packet.sequence_number)];
        let replaced = place.replace(entry).map_or(0, |entry| entry.len.into());
        self.logged = self.logged + u32::from(len) - replaced;
        self.credit = (self.credit + u32::from(len)).min(self.limit());
    }

    /// The packet with this sequence number, if it is still kept.
    pub fn find(&self, sequence_number: u16) -> Option<&SentPacket> {
        let entry = self.entries[slot(sequence_number)].as_ref()?;
        (entry.packet.sequence_number == sequence_number).then_some(&entry.packet)
    }

    /// Gives the packet that a NACK asks for if it may be sent once more at `now`, and counts on it
    /// being sent.
    ///
    /// `round_trip_time` as measured; if it was not yet, 100 ms are assumed.
    ///
    /// # Errors
    /// Why it is not sent; a refusal is counted, and costs nothing.
    pub fn retransmission(
        &mut self,
        sequence_number: u16,
        now: Instant,
        round_trip_time: Option<Duration>,
    ) -> Result<SentPacket, Refusal> {
        let granted = self.grant(sequence_number, now, round_trip_time);
        if let Err(refusal) = granted {
            self.refusals.count(refusal);
        }
        granted
    }

    /// How many retransmissions were refused.
    pub fn refusals(&self) -> Refusals {
        self.refusals
    }

    fn grant(
        &mut self,
        sequence_number: u16,
        now: Instant,
        round_trip_time: Option<Duration>,
    ) -> Result<SentPacket, Refusal> {
        let entry = self.entries[slot(sequence_number)]
            .as_mut()
            .filter(|entry| entry.packet.sequence_number == sequence_number)
            .ok_or(Refusal::Unknown)?;
        if entry.retransmissions >= Self::MAX_RETRANSMISSIONS {
            return Err(Refusal::TooOften);
        }
        let round_trip_time = round_trip_time.unwrap_or(ASSUMED_ROUND_TRIP_TIME);
        let soon = |last| now.saturating_duration_since(last) < round_trip_time;
        if entry.last.is_some_and(soon) {
            return Err(Refusal::TooSoon);
        }
        let cost = u32::from(entry.len) * Self::COST;
        self.credit = self.credit.checked_sub(cost).ok_or(Refusal::OverBudget)?;
        entry.retransmissions += 1;
        entry.last = Some(now);
        Ok(entry.packet)
    }

    fn limit(&self) -> u32 {
        self.logged.max(START_CREDIT)
    }
}

impl Default for SentLog {
    fn default() -> Self {
        Self {
            entries: vec![None; Self::DEPTH].into(),
            logged: 0,
            credit: START_CREDIT,
            refusals: Refusals::default(),
        }
    }
}

/// Why a packet is not sent once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// Never sent, or no longer kept.
    Unknown,
    /// Sent less than a round-trip time ago: the NACK can have crossed it.
    TooSoon,
    /// Sent [`SentLog::MAX_RETRANSMISSIONS`] times.
    TooOften,
    /// Retransmissions have taken their share.
    OverBudget,
}

/// Refusals by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Refusals {
    /// [`Refusal::Unknown`].
    pub unknown: u64,
    /// [`Refusal::TooSoon`].
    pub too_soon: u64,
    /// [`Refusal::TooOften`].
    pub too_often: u64,
    /// [`Refusal::OverBudget`].
    pub over_budget: u64,
}

impl Refusals {
    fn count(&mut self, refusal: Refusal) {
        let counter = match refusal {
            Refusal::Unknown => &mut self.unknown,
            Refusal::TooSoon => &mut self.too_soon,
            Refusal::TooOften => &mut self.too_often,
            Refusal::OverBudget => &mut self.over_budget,
        };
        *counter += 1;
    }
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    packet: SentPacket,
    len: u16,
    retransmissions: u8,
    last: Option<Instant>,
}

fn slot(sequence_number: u16) -> usize {
    usize::from(sequence_number) % SentLog::DEPTH
}

/// As long as it is not known.
const ASSUMED_ROUND_TRIP_TIME: Duration = Duration::from_millis(100);
/// In quarters of an octet: one packet of full size, so that the first losses of a call are
/// repaired too.
const START_CREDIT: u32 = 1200 * SentLog::COST;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sent_packet::Content;

    fn written(sequence_number: u16, len: usize) -> Written {
        let content = Content::Frame {
            number: 1,
            payload_type: 111,
            red: None,
            capture_time: false,
        };
        let packet = SentPacket {
            sequence_number,
            transport_number: 0,
            send_time: 0,
            content,
        };
        Written {
            header_len: 20,
            len,
            packet,
        }
    }

    /// With 64 packets of 100 octets, of which the last has the number 63.
    fn full() -> SentLog {
        let mut log = SentLog::default();
        for number in 0..64 {
            log.record(&written(number, 100));
        }
        log
    }

    const TRIP: Option<Duration> = Some(Duration::from_millis(40));

    fn after(start: Instant, millis: u64) -> Instant {
        start + Duration::from_millis(millis)
    }

    #[test]
    fn last_64_packets_are_found_by_number_across_the_wrap() {
        let mut log = SentLog::default();
        assert_eq!(log.find(0), None);
        for number in (u16::MAX - 39..=u16::MAX).chain(0..30) {
            log.record(&written(number, 100));
        }
        let number = |packet: &SentPacket| packet.sequence_number();
        assert_eq!(log.find(29).map(number), Some(29));
        assert_eq!(log.find(u16::MAX).map(number), Some(u16::MAX));
        assert_eq!(log.find(30u16.wrapping_sub(64)).map(number), Some(65_502));
        assert_eq!(log.find(30u16.wrapping_sub(65)), None);
        assert_eq!(log.find(30), None);
    }

    #[test]
    fn rfc8834_6_1_packet_is_not_sent_again_within_a_round_trip_time() {
        let (mut log, now) = (full(), Instant::now());
        assert!(log.retransmission(5, now, TRIP).is_ok());
        let mut again = |number, millis, trip| log.retransmission(number, after(now, millis), trip);
        assert_eq!(again(5, 39, TRIP), Err(Refusal::TooSoon));
        assert!(again(6, 39, TRIP).is_ok(), "another one");
        assert!(again(5, 40, TRIP).is_ok());
        assert!(again(7, 0, None).is_ok());
        assert_eq!(again(7, 99, None), Err(Refusal::TooSoon));
        assert!(again(7, 100, None).is_ok());
        assert_eq!(log.refusals().too_soon, 2);
    }

    #[test]
    fn packet_is_sent_again_three_times_at_most() {
        let (mut log, now) = (full(), Instant::now());
        for round in 0..3 {
            assert!(log.retransmission(9, after(now, round * 40), TRIP).is_ok());
        }
        let late = after(now, 1000);
        assert_eq!(log.retransmission(9, late, TRIP), Err(Refusal::TooOften));
        assert_eq!(log.refusals().too_often, 1);
    }

    #[test]
    fn packet_not_in_the_log_is_unknown() {
        let (mut log, now) = (full(), Instant::now());
        for number in [64, 128, u16::MAX] {
            assert_eq!(log.retransmission(number, now, TRIP), Err(Refusal::Unknown));
        }
        assert_eq!(log.refusals().unknown, 3);
    }

    #[test]
    fn flood_of_nacks_gets_a_quarter_of_the_streams_octets() {
        let (mut log, now) = (full(), Instant::now());
        let flood = |log: &mut SentLog, millis| -> usize {
            (0..1000)
                .filter(|&number| log.retransmission(number, after(now, millis), TRIP).is_ok())
                .count()
        };
        assert_eq!(flood(&mut log, 0), 16);
        assert_eq!(flood(&mut log, 1000), 0);
        assert_eq!(log.refusals().over_budget, 2 * 64 - 16);
        for number in 64..84 {
            log.record(&written(number, 100));
        }
        assert_eq!(flood(&mut log, 2000), 5);
    }

    #[test]
    fn credit_does_not_add_up_beyond_what_the_log_holds() {
        let (mut log, now) = (SentLog::default(), Instant::now());
        for number in 0..1000 {
            log.record(&written(number, 200));
        }
        let granted = (936..1000).filter(|&n| log.retransmission(n, now, TRIP).is_ok());
        assert_eq!(granted.count(), 16);
    }

    #[test]
    fn first_packets_of_a_stream_can_be_repaired() {
        let (mut log, now) = (SentLog::default(), Instant::now());
        log.record(&written(7, 1200));
        assert!(log.retransmission(7, now, TRIP).is_ok());
        assert_eq!(
            log.retransmission(7, after(now, 50), TRIP),
            Err(Refusal::OverBudget)
        );
    }
}
