//! The last packets of one listener, and which of them may be sent once more.
//!
//! Generic NACKs (RFC 4585 §6.2.1) come from the network. Whatever they ask for, retransmissions
//! stay a fraction of what the stream itself takes; what is asked for too soon, too often, or too
//! late is refused, and counted by reason.

use std::time::{Duration, Instant};

use crate::{SentPacket, Written};

/// The last [`Self::DEPTH`] packets of one listener: made only for listeners that negotiated
/// Generic NACK.
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
    /// stream's own rate goes into retransmissions, in the long run and over the packets of the log.
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
