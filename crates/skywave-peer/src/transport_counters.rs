//! What passed on a peer's transport beside the media that its [`Counters`] count.
//!
//! [`Counters`]: skywave_rtp::Counters

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use skywave_rtp::NtpTime;

/// Counts checks, and the DTLS and RTCP of one peer. One thread writes, anybody reads.
#[derive(Debug, Default)]
pub struct TransportCounters {
    packets_received: AtomicU64,
    bytes_received: AtomicU64,
    /// NTP time; 0 is "never".
    last_received: AtomicU64,
    dtls_packets_sent: AtomicU64,
    dtls_bytes_sent: AtomicU64,
    requests_received: AtomicU64,
    responses_sent: AtomicU64,
    requests_sent: AtomicU64,
    responses_received: AtomicU64,
}

impl TransportCounters {
    /// Datagrams of DTLS and authentic RTCP received.
    pub fn packets_received(&self) -> u64 {
        self.packets_received.load(Relaxed)
    }

    /// Octets in them, as UDP carried them.
    pub fn bytes_received(&self) -> u64 {
        self.bytes_received.load(Relaxed)
    }

    /// When the last of them came.
    pub fn last_received(&self) -> Option<NtpTime> {
        Some(NtpTime(self.last_received.load(Relaxed))).filter(|time| time.0 > 0)
    }

    /// Datagrams of DTLS sent.
    pub fn dtls_packets_sent(&self) -> u64 {
        self.dtls_packets_sent.load(Relaxed)
    }

    /// Octets in them.
    pub fn dtls_bytes_sent(&self) -> u64 {
        self.dtls_bytes_sent.load(Relaxed)
    }

    /// Connectivity checks received that were for this peer and authentic.
    pub fn requests_received(&self) -> u64 {
        self.requests_received.load(Relaxed)
    }

    /// Connectivity checks answered, with success.
    pub fn responses_sent(&self) -> u64 {
        self.responses_sent.load(Relaxed)
    }

    /// Connectivity checks of our own, repetitions included: they ask for an answer before media
    /// moves to another address.
    pub fn requests_sent(&self) -> u64 {
        self.requests_sent.load(Relaxed)
    }

    /// Connectivity checks of our own that were answered, with success.
    pub fn responses_received(&self) -> u64 {
        self.responses_received.load(Relaxed)
    }

    pub(crate) fn record_received(&self, len: usize, now: NtpTime) {
        add(&self.packets_received, 1);
        add(&self.bytes_received, len as u64);
        self.last_received.store(now.0, Relaxed);
    }

    pub(crate) fn record_dtls_sent(&self, len: usize) {
        add(&self.dtls_packets_sent, 1);
        add(&self.dtls_bytes_sent, len as u64);
    }

    pub(crate) fn record_check(&self) {
        add(&self.requests_received, 1);
        add(&self.responses_sent, 1);
    }

    pub(crate) fn record_check_sent(&self) {
        add(&self.requests_sent, 1);
    }

    pub(crate) fn record_check_answered(&self) {
        add(&self.responses_received, 1);
    }
}

/// One writer: no read-modify-write instruction is needed.
fn add(counter: &AtomicU64, amount: u64) {
    counter.store(counter.load(Relaxed).wrapping_add(amount), Relaxed);
}
