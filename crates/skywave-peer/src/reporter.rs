//! The RTCP of one peer: its reports on time, what it hears, and its farewell.

use std::sync::Arc;
use std::time::Instant;

use skywave_ice::Path;
use skywave_rtp::{
    CompoundReport, Counters, RtcpPacket, RtcpReader, SenderActivity, SenderInfo, report_interval,
};
use skywave_srtp::{SrtcpReceiver, SrtcpSender};

use crate::drop_reason::DropReason;
use crate::event::Io;

/// Sends and reads the RTCP of one peer.
pub(crate) struct Reporter {
    sender: SrtcpSender,
    receiver: SrtcpReceiver,
    ssrc: u32,
    cname: String,
    mid: Option<String>,
    counters: Arc<Counters>,
    activity: SenderActivity,
    random: SplitMix,
    /// Under which SSRC the peer reports.
    remote_ssrc: Option<u32>,
    /// When the next report goes out.
    pub(crate) next_report: Instant,
}

/// What a reporter is made of.
pub(crate) struct ReporterConfig {
    pub(crate) sender: SrtcpSender,
    pub(crate) receiver: SrtcpReceiver,
    pub(crate) ssrc: u32,
    pub(crate) cname: String,
    pub(crate) mid: Option<String>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) seed: u64,
}

impl Reporter {
    pub(crate) fn new(config: ReporterConfig, now: Instant) -> Self {
        let mut random = SplitMix(config.seed);
        let first = report_interval(random.next(), true);
        Self {
            sender: config.sender,
            receiver: config.receiver,
            ssrc: config.ssrc,
            cname: config.cname,
            mid: config.mid,
            counters: config.counters,
            activity: SenderActivity::default(),
            random,
            remote_ssrc: None,
            next_report: now + first,
        }
    }

    /// Sends a report if one is due. `timestamp` is the stream's RTP time of this moment, absent
    /// before its first frame.
    pub(crate) fn report_if_due(&mut self, path: Path, timestamp: Option<u32>, io: &mut Io<'_>) {
        if io.now < self.next_report {
            return;
        }
        self.next_report = io.now + report_interval(self.random.next(), false);
        self.send(path, timestamp, None, io);
    }

    /// Says BYE, unless nothing was ever sent (RFC 3550 §6.3.7).
    pub(crate) fn bye(&mut self, path: Path, timestamp: Option<u32>, io: &mut Io<'_>) {
        if self.counters.packets_sent() + self.counters.rtcp_packets_sent() > 0 {
            self.send(path, timestamp, Some(""), io);
        }
    }

    fn send(&mut self, path: Path, timestamp: Option<u32>, bye: Option<&str>, io: &mut Io<'_>) {
        let active = self.activity.report(self.counters.packets_sent());
        let report = CompoundReport {
            ssrc: self.ssrc,
            sender: timestamp
                .filter(|_| active)
                .map(|timestamp| SenderInfo::new(io.ntp, timestamp, &self.counters)),
            cname: &self.cname,
            mid: self.mid.as_deref(),
            bye,
        };
        let Some(slot) = io.outbox.slot() else {
            return;
        };
        // A report is far shorter than a slot, and 2^31 of them take 340 years: neither writing
        // nor protecting fails. If it did, no report is the right answer.
        let Ok(len) = report.write(slot) else {
            return;
        };
        if let Ok(protected) = self.sender.protect(slot, len) {
            self.counters.record_rtcp(len);
            io.outbox.commit(protected, path);
        }
    }

    /// Reads a datagram of the peer. True if it says BYE for the source that reports to us; a
    /// BYE for another, or for none, may only tell of a change of SSRC (RFC 3550 §8.2).
    pub(crate) fn receive(&mut self, datagram: &mut [u8], io: &Io<'_>) -> Result<bool, DropReason> {
        let len = self.receiver.unprotect(datagram)?;
        let compound = datagram.get(..len).ok_or(DropReason::MalformedRtcp)?;
        let mut bye = false;
        let mut reader = RtcpReader::new(compound);
        for packet in reader.by_ref() {
            match packet {
                RtcpPacket::SenderReport { ssrc, reports, .. }
                | RtcpPacket::ReceiverReport { ssrc, reports } => {
                    self.remote_ssrc = Some(ssrc);
                    for block in reports.filter(|block| block.ssrc == self.ssrc) {
                        self.counters.record_report(&block, io.ntp);
                    }
                }
                RtcpPacket::Bye(farewell) => {
                    bye |= farewell.ssrcs().any(|ssrc| Some(ssrc) == self.remote_ssrc);
                }
                _ => {}
            }
        }
        match reader.malformed() {
            Some(_) if !bye => Err(DropReason::MalformedRtcp),
            _ => Ok(bye),
        }
    }
}

/// Steele's SplitMix64: enough to keep the reports of many peers out of step.
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (word ^ (word >> 31)) as u32
    }
}
