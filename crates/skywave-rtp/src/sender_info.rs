//! The sender information of a sender report (RFC 3550 §6.4.1).

use crate::octets::Octets;
use crate::{Counters, NtpTime};

/// What a sender says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SenderInfo {
    /// The time of this report.
    pub ntp: NtpTime,
    /// The same instant on the stream's RTP clock, offset included.
    pub rtp_timestamp: u32,
    /// RTP packets sent under this SSRC; wraps.
    pub packet_count: u32,
    /// Payload octets sent under this SSRC, without headers and padding; wraps.
    pub octet_count: u32,
}

impl SenderInfo {
    /// Octets it takes in a report.
    pub(crate) const LEN: usize = 20;

    /// The totals of `counters` without the packets of RTX, for a report at `ntp`.
    pub fn new(ntp: NtpTime, rtp_timestamp: u32, counters: &Counters) -> Self {
        Self {
            ntp,
            rtp_timestamp,
            packet_count: counters.sender_packet_count(),
            octet_count: counters.sender_octet_count(),
        }
    }

    /// The totals of the packets of RTX, which have the clock of the stream (RFC 4588 §4).
    pub fn of_rtx(ntp: NtpTime, rtp_timestamp: u32, counters: &Counters) -> Self {
        Self {
            ntp,
            rtp_timestamp,
            packet_count: counters.rtx_packet_count(),
            octet_count: counters.rtx_octet_count(),
        }
    }

    pub(crate) fn parse(octets: &mut Octets<'_>) -> Option<Self> {
        Some(Self {
            ntp: NtpTime(octets.u64()?),
            rtp_timestamp: octets.u32()?,
            packet_count: octets.u32()?,
            octet_count: octets.u32()?,
        })
    }

    pub(crate) fn to_octets(self) -> [u8; Self::LEN] {
        let mut octets = [0; Self::LEN];
        octets[..8].copy_from_slice(&self.ntp.0.to_be_bytes());
        octets[8..12].copy_from_slice(&self.rtp_timestamp.to_be_bytes());
        octets[12..16].copy_from_slice(&self.packet_count.to_be_bytes());
        octets[16..].copy_from_slice(&self.octet_count.to_be_bytes());
        octets
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::rtp_timestamp_at;

    #[test]
    fn rfc3550_6_4_1_timestamp_is_that_of_the_report_and_rises_in_silence() {
        let counters = Counters::default();
        counters.record_packet(20, 80);
        let last_packet = Instant::now();
        let report_after = |silence: Duration| {
            let timestamp = rtp_timestamp_at(960, last_packet, 48_000, last_packet + silence);
            let ntp = NtpTime::from_unix(Duration::from_secs(1000) + silence);
            SenderInfo::new(ntp, timestamp, &counters)
        };
        let (early, late) = (
            report_after(Duration::from_secs(1)),
            report_after(Duration::from_secs(6)),
        );
        assert_eq!(early.rtp_timestamp, 48_960);
        assert_eq!(late.rtp_timestamp - early.rtp_timestamp, 5 * 48_000);
        assert_eq!(late.ntp.0 - early.ntp.0, 5 << 32);
        assert_eq!(late.packet_count, early.packet_count);
    }

    #[test]
    fn rfc4588_4_packets_of_rtx_are_those_of_another_source() {
        let counters = Counters::default();
        counters.record_packet(20, 80);
        counters.record_retransmission(20, 80);
        counters.record_rtx(20, 82);
        let info = SenderInfo::new(NtpTime(0), 0, &counters);
        assert_eq!((info.packet_count, info.octet_count), (2, 160));
        let rtx = SenderInfo::of_rtx(NtpTime(0), 0, &counters);
        assert_eq!((rtx.packet_count, rtx.octet_count), (1, 82));
    }
}
