//! The stream a listener hears: every packet counted, some of them authenticated.

use std::iter::Sum;
use std::time::Instant;

use serde::Serialize;
use skywave_rtp::ReportBlock;
use skywave_srtp::SrtpReceiver;

use crate::media_clock::{Arrival, MediaClock};
use crate::sequence_counter::{Order, SequenceCounter};

/// The packets of one SSRC.
pub(crate) struct Stream {
    ssrc: u32,
    epoch: Instant,
    counter: SequenceCounter,
    clock: MediaClock,
    /// One of so many packets is authenticated; the first [`ALWAYS`] are in any case.
    sample: u32,
    until_sample: u32,
    authenticated: u32,
    unauthentic: u32,
    /// `expected` and `received` of the last report.
    reported: (u32, u32),
    last_report: Option<(u32, Instant)>,
}

/// What came of a stream until now. Differences of two are what came in between.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Reception {
    /// Packets that came, each counted once.
    pub received: u64,
    /// Packets from the first to the newest by their sequence numbers.
    pub expected: u64,
    /// Packets that came again, or more than 64 packets late.
    pub duplicates: u64,
    /// Packets that came after a later one.
    pub reordered: u64,
    /// How often the sequence numbers jumped ahead.
    pub gaps: u64,
    /// Packets whose authentication tag was checked and is right.
    pub authenticated: u64,
    /// Packets whose authentication tag was checked and is wrong.
    pub unauthentic: u64,
}

impl Reception {
    /// What came since `before`, of the same listeners.
    #[must_use]
    pub fn since(self, before: Self) -> Self {
        self.zip(before, u64::saturating_sub)
    }

    fn zip(self, other: Self, operation: impl Fn(u64, u64) -> u64) -> Self {
        Self {
            received: operation(self.received, other.received),
            expected: operation(self.expected, other.expected),
            duplicates: operation(self.duplicates, other.duplicates),
            reordered: operation(self.reordered, other.reordered),
            gaps: operation(self.gaps, other.gaps),
            authenticated: operation(self.authenticated, other.authenticated),
            unauthentic: operation(self.unauthentic, other.unauthentic),
        }
    }
}

impl Sum for Reception {
    fn sum<I: Iterator<Item = Self>>(receptions: I) -> Self {
        receptions.fold(Self::default(), |all, one| all.zip(one, u64::wrapping_add))
    }
}

/// The fields of a header that are in the clear (RFC 3550 §5.1).
#[derive(Clone, Copy)]
pub(crate) struct Header {
    number: u16,
    timestamp: u32,
    ssrc: u32,
}

impl Header {
    /// None if the packet is too short.
    #[inline]
    pub(crate) fn of(packet: &[u8]) -> Option<Self> {
        let [_, _, n0, n1, t0, t1, t2, t3, s0, s1, s2, s3] = *packet.first_chunk()?;
        Some(Self {
            number: u16::from_be_bytes([n0, n1]),
            timestamp: u32::from_be_bytes([t0, t1, t2, t3]),
            ssrc: u32::from_be_bytes([s0, s1, s2, s3]),
        })
    }
}

impl Stream {
    /// Begins with this packet, which is genuine.
    pub(crate) fn new(header: Header, clock_rate: u32, sample: u32, now: Instant) -> Self {
        Self {
            ssrc: header.ssrc,
            epoch: now,
            counter: SequenceCounter::new(header.number),
            clock: MediaClock::new(clock_rate, header.timestamp, 0),
            sample,
            until_sample: 0,
            authenticated: 1,
            unauthentic: 0,
            reported: (0, 0),
            last_report: None,
        }
    }

    pub(crate) fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// Counts a packet; `None` if it tells nothing of the time: of another stream, late, twice.
    #[inline]
    pub(crate) fn record(
        &mut self,
        now: Instant,
        header: Header,
        packet: &mut [u8],
        receiver: &mut SrtpReceiver,
    ) -> Option<Arrival> {
        if header.ssrc != self.ssrc || self.counter.record(header.number) != Order::Newest {
            return None;
        }
        if self.until_sample == 0 {
            self.authenticate(packet, receiver);
        } else {
            self.until_sample -= 1;
        }
        let since = now.saturating_duration_since(self.epoch);
        // Of 292,000 years at most.
        let arrival = (since.as_secs() * 1_000_000 + u64::from(since.subsec_micros())) as i64;
        Some(self.clock.record(header.timestamp, arrival))
    }

    fn authenticate(&mut self, packet: &mut [u8], receiver: &mut SrtpReceiver) {
        match receiver.unprotect(packet) {
            Ok(_) => self.authenticated += 1,
            Err(_) => self.unauthentic += 1,
        }
        if self.counter.received() >= ALWAYS {
            self.until_sample = self.sample.saturating_sub(1);
        }
    }

    pub(crate) fn reception(&self) -> Reception {
        Reception {
            received: self.counter.received().into(),
            expected: self.counter.expected().into(),
            duplicates: self.counter.duplicates().into(),
            reordered: self.counter.reordered().into(),
            gaps: self.counter.gaps().into(),
            authenticated: self.authenticated.into(),
            unauthentic: self.unauthentic.into(),
        }
    }

    pub(crate) fn frame(&self) -> Option<u32> {
        self.clock.frame()
    }

    /// A sender report came; `middle` is that of its NTP time.
    pub(crate) fn on_sender_report(&mut self, middle: u32, now: Instant) {
        self.last_report = Some((middle, now));
    }

    /// What a receiver report says now (RFC 3550 §6.4.1, §A.3).
    pub(crate) fn report_block(&mut self, now: Instant) -> ReportBlock {
        let (expected, received) = (self.counter.expected(), self.counter.received());
        let before = std::mem::replace(&mut self.reported, (expected, received));
        let (interval, arrived) = (expected - before.0, received - before.1);
        let lost = u64::from(interval.saturating_sub(arrived));
        let (last_sr, delay) = self.last_report.map_or((0, 0), |(middle, at)| {
            let delay = now.saturating_duration_since(at).as_micros() * 65_536 / 1_000_000;
            (middle, u32::try_from(delay).unwrap_or(u32::MAX))
        });
        ReportBlock {
            ssrc: self.ssrc,
            fraction_lost: (lost * 256 / u64::from(interval.max(1))).min(255) as u8,
            cumulative_lost: (i64::from(expected) - i64::from(received)) as i32,
            highest_sequence: self.counter.highest(),
            jitter: self.clock.jitter(),
            last_sr,
            delay_since_last_sr: delay,
        }
    }
}

/// So many packets at the beginning are all authenticated.
const ALWAYS: u32 = 3;
