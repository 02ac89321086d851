//! What the peer reports and asks.

use skywave_rtp::{ReportBlocks, RtcpPacket, Tmmb, TmmbEntry};

use super::Reporter;
use crate::event::Io;
use crate::heard::Heard;

impl Reporter {
    /// Takes in one packet of a compound.
    pub(super) fn hear(&mut self, packet: &RtcpPacket<'_>, heard: &mut Heard, io: &Io<'_>) {
        heard.anything = true;
        heard.collision |= packet.is_from(self.config.ssrc);
        let ours = self.config.ssrc;
        match packet {
            RtcpPacket::SenderReport { ssrc, reports, .. }
            | RtcpPacket::ReceiverReport { ssrc, reports } => {
                self.remote_ssrc = Some(*ssrc);
                self.hear_reports(reports, heard, io);
            }
            // A BYE for another source, or for none, may only tell of a change of SSRC
            // (RFC 3550 §8.2).
            RtcpPacket::Bye(farewell) => {
                heard.bye |= farewell.ssrcs().any(|ssrc| Some(ssrc) == self.remote_ssrc);
            }
            RtcpPacket::Nack(nack) if self.config.nack && nack.media_ssrc() == ours => {
                self.config.counters.record_nack();
                heard.demands.lost.extend(nack.lost());
            }
            RtcpPacket::Tmmbr(request) if self.config.tmmbr => {
                self.hear_limit(request, heard, io);
            }
            RtcpPacket::Remb(estimate) => {
                let counters = &self.config.counters;
                counters.record_bandwidth_estimate(estimate.bitrate());
            }
            RtcpPacket::ExtendedReport(report) if self.config.rcvr_rtt => {
                if let Some(time) = report.reference_time() {
                    self.reference = Some((report.ssrc(), time, io.now));
                }
            }
            // Reports on the arrival of single packets serve a control of the bit rate, of which
            // there is none; pictures are not sent.
            _ => {}
        }
    }

    fn hear_reports(&mut self, reports: &ReportBlocks<'_>, heard: &mut Heard, io: &Io<'_>) {
        let ours = self.config.ssrc;
        for block in reports.clone().filter(|block| block.ssrc == ours) {
            let counters = &self.config.counters;
            let time = counters.record_report(&block, io.ntp);
            let before = std::mem::replace(&mut self.fraction_lost, block.fraction_lost);
            if before != block.fraction_lost {
                heard.fraction_lost = Some(block.fraction_lost);
            }
            if let Some(response) = &mut self.loss_response {
                let wanted = response.report(block.fraction_lost, io.now);
                heard.demands.redundancy = wanted.or(heard.demands.redundancy);
            }
            if let Some(watch) = &mut self.watch {
                let packets = counters.packets_sent();
                let trip = watch.breaker.report(io.now, &block, time, packets);
                heard.trip = trip.or(heard.trip);
            }
        }
    }

    /// RFC 5104 §3.5.4: a request holds until the next, and each is confirmed.
    fn hear_limit(&mut self, request: &Tmmb<'_>, heard: &mut Heard, io: &Io<'_>) {
        let ours = self.config.ssrc;
        let Some(entry) = request.entries().find(|entry| entry.ssrc == ours) else {
            return;
        };
        // Requests are repeated until their confirmation arrives.
        if self.max_bitrate.replace(entry.max_bitrate) != Some(entry.max_bitrate) {
            heard.demands.max_bitrate = self.max_bitrate;
        }
        let owner = TmmbEntry {
            ssrc: request.sender_ssrc(),
            ..entry
        };
        let earliest = self.last_reply.map(|last| last + super::REPLY_SPACING);
        let due = earliest.map_or(io.now, |earliest| earliest.max(io.now));
        self.limit = Some((owner, due));
    }
}
