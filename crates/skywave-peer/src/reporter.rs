//! The RTCP of one peer: its reports on time, what it hears, and its farewell.

mod hearing;

use std::sync::Arc;
use std::time::{Duration, Instant};

use skywave_ice::Path;
use skywave_rtp::{
    CircuitBreaker, CircuitBreakerConfig, CompoundReport, Counters, Dlrr, NtpTime, Replies,
    ReportTimer, RtcpReader, RtxSource, SenderActivity, SenderInfo, SplitMix, TcpThroughput,
    TmmbEntry, Trip,
};
use skywave_srtp::{SrtcpReceiver, SrtcpSender};

use crate::demands::Source;
use crate::drop_reason::DropReason;
use crate::event::Io;
use crate::heard::Heard;
use crate::loss_response::LossResponse;

/// Sends and reads the RTCP of one peer.
pub(crate) struct Reporter {
    config: ReporterConfig,
    activity: SenderActivity,
    rtx_activity: SenderActivity,
    timer: ReportTimer,
    /// Whether anything still speaks for the call; none if nobody wants to know.
    watch: Option<Watch>,
    random: SplitMix,
    /// By the last report, in 1/256.
    fraction_lost: u8,
    /// None if loss changes nothing.
    loss_response: Option<LossResponse>,
    /// Under which SSRC the peer reports.
    remote_ssrc: Option<u32>,
    /// The peer's clock when it asked for the round-trip time, and when that arrived.
    reference: Option<(u32, NtpTime, Instant)>,
    /// The limit that the peer asked for, and when to confirm it.
    limit: Option<(TmmbEntry, Instant)>,
    /// The last such limit, in bit/s.
    max_bitrate: Option<u64>,
    last_reply: Option<Instant>,
    /// Packets and octets of earlier SSRCs.
    counted_before: (u32, u32),
    ssrc_changes: u8,
}

/// The circuit breaker, and when to look at it.
struct Watch {
    breaker: CircuitBreaker,
    due: Instant,
}

/// What a compound is sent for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Occasion {
    Regular,
    /// The end of the call.
    Leaving,
    /// The end of the stream's SSRC: retransmissions go on under theirs.
    Renaming,
}

/// What a reporter is made of.
pub(crate) struct ReporterConfig {
    pub(crate) sender: SrtcpSender,
    pub(crate) receiver: SrtcpReceiver,
    pub(crate) ssrc: u32,
    /// The SSRC of retransmissions.
    pub(crate) rtx_ssrc: u32,
    pub(crate) cname: String,
    pub(crate) mid: Option<String>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) seed: u64,
    /// Bit rate of the session with all headers, in bit/s.
    pub(crate) session_bandwidth: u32,
    pub(crate) frame_interval: Duration,
    /// Whether a circuit breaker ends the call.
    pub(crate) circuit_breaker: bool,
    /// Whether loss is answered with redundant audio.
    pub(crate) adaptive_redundancy: bool,
    pub(crate) nack: bool,
    pub(crate) tmmbr: bool,
    pub(crate) rcvr_rtt: bool,
    pub(crate) rtcp_rsize: bool,
}

impl Reporter {
    pub(crate) fn new(config: ReporterConfig, now: Instant) -> Self {
        let mut random = SplitMix::new(config.seed);
        let timer = ReportTimer::new(
            config.session_bandwidth,
            TYPICAL_SIZE,
            random.next_u32(),
            now,
        );
        let watch = config.circuit_breaker.then(|| Watch {
            breaker: circuit_breaker(&config, &timer),
            due: now,
        });
        let loss_response = config.adaptive_redundancy.then(LossResponse::default);
        Self {
            fraction_lost: 0,
            loss_response,
            config,
            activity: SenderActivity::default(),
            rtx_activity: SenderActivity::default(),
            timer,
            watch,
            random,
            remote_ssrc: None,
            reference: None,
            limit: None,
            max_bitrate: None,
            last_reply: None,
            counted_before: (0, 0),
            ssrc_changes: 0,
        }
    }

    /// When [`Self::work`] has something to do.
    pub(crate) fn next_due(&self) -> Instant {
        let reply = self.limit.map(|(_, due)| due);
        let watch = self.watch.as_ref().map(|watch| watch.due);
        let sooner = reply.into_iter().chain(watch);
        sooner.fold(self.timer.due_at(), Instant::min)
    }

    /// Sends a report or a reply if one is due. `timestamp` is the stream's RTP time of this
    /// moment, absent before its first frame.
    pub(crate) fn work(&mut self, path: Path, timestamp: Option<u32>, io: &mut Io<'_>) {
        let senders = u8::from(self.config.counters.packets_sent() > 0);
        if self.timer.expire(senders, self.random.next_u32(), io.now) {
            let len = self.report(path, timestamp, Occasion::Regular, io);
            self.timer.sent(len, self.random.next_u32(), io.now);
        } else if self.limit.is_some_and(|(_, due)| due <= io.now) {
            self.reply(path, timestamp, io);
        }
    }

    /// Judges anew: what was before does not count any more.
    pub(crate) fn forgive(&mut self) {
        if let Some(watch) = &mut self.watch {
            watch.breaker = circuit_breaker(&self.config, &self.timer);
        }
    }

    /// Asks the circuit breaker, once a second. Says if sending has to end.
    pub(crate) fn watch(&mut self, now: Instant) -> Option<Trip> {
        let watch = self.watch.as_mut()?;
        watch.due = now + WATCH_INTERVAL;
        let packets = self.config.counters.packets_sent();
        watch.breaker.poll(now, packets)
    }

    /// Says BYE, unless nothing was ever sent (RFC 3550 §6.3.7).
    pub(crate) fn bye(&mut self, path: Path, timestamp: Option<u32>, io: &mut Io<'_>) {
        if self.activity.may_say_bye(self.packets_sent()) {
            self.report(path, timestamp, Occasion::Leaving, io);
        }
    }

    /// Packets sent under the present SSRC; wraps as the count of a report does.
    fn packets_sent(&self) -> u64 {
        let (before, _) = self.counted_before;
        let packets = self.config.counters.sender_packet_count();
        packets.wrapping_sub(before).into()
    }

    /// Confirms a limit before the next report: in a packet of its own where that was agreed to.
    fn reply(&mut self, path: Path, timestamp: Option<u32>, io: &mut Io<'_>) {
        if !self.config.rtcp_rsize {
            self.report(path, timestamp, Occasion::Regular, io);
            return;
        }
        let (limits, ssrc) = (self.take_limit(io.now), self.config.ssrc);
        let replies = Replies {
            dlrr: &[],
            tmmbn: limits.as_ref().map(std::slice::from_ref),
        };
        let config = &mut self.config;
        send(&mut config.sender, &config.counters, path, io, |slot| {
            replies.write_reduced(ssrc, slot).ok()
        });
    }

    /// Sends a compound; gives its length as it was sent, 0 if it was not.
    fn report(
        &mut self,
        path: Path,
        timestamp: Option<u32>,
        occasion: Occasion,
        io: &mut Io<'_>,
    ) -> usize {
        let active = self.activity.report(self.packets_sent());
        let info = timestamp
            .filter(|_| active)
            .map(|timestamp| self.sender_info(io.ntp, timestamp));
        let rtx = match occasion {
            Occasion::Renaming => None,
            Occasion::Regular | Occasion::Leaving => self.rtx_source(io.ntp, timestamp),
        };
        let (limits, now) = (self.take_limit(io.now), io.now);
        let answer = self.reference.take().map(|(ssrc, time, arrived)| {
            Dlrr::new(ssrc, time, now.saturating_duration_since(arrived))
        });
        let config = &mut self.config;
        let report = CompoundReport {
            ssrc: config.ssrc,
            sender: info,
            cname: &config.cname,
            mid: config.mid.as_deref(),
            rtx,
            replies: Replies {
                dlrr: answer.as_slice(),
                tmmbn: limits.as_ref().map(std::slice::from_ref),
            },
            bye: (occasion != Occasion::Regular).then_some(""),
        };
        send(&mut config.sender, &config.counters, path, io, |slot| {
            report.write(slot).ok()
        })
    }

    fn sender_info(&self, ntp: NtpTime, timestamp: u32) -> SenderInfo {
        let info = SenderInfo::new(ntp, timestamp, &self.config.counters);
        let (packets, octets) = self.counted_before;
        SenderInfo {
            packet_count: info.packet_count.wrapping_sub(packets),
            octet_count: info.octet_count.wrapping_sub(octets),
            ..info
        }
    }

    /// Retransmissions, once there have been some: a source that reports as any other (RFC 4588 §4,
    /// RFC 3550 §6.4).
    fn rtx_source(&mut self, ntp: NtpTime, timestamp: Option<u32>) -> Option<RtxSource> {
        let counters = &self.config.counters;
        let packets = counters.rtx_packet_count();
        if packets == 0 {
            return None;
        }
        let active = self.rtx_activity.report(packets.into());
        let timestamp = timestamp.filter(|_| active);
        Some(RtxSource {
            ssrc: self.config.rtx_ssrc,
            sender: timestamp.map(|timestamp| SenderInfo::of_rtx(ntp, timestamp, counters)),
        })
    }

    fn take_limit(&mut self, now: Instant) -> Option<TmmbEntry> {
        let (limit, _) = self.limit.take()?;
        self.last_reply = Some(now);
        Some(limit)
    }

    /// Reads a datagram of the peer.
    pub(crate) fn receive(
        &mut self,
        datagram: &mut [u8],
        io: &Io<'_>,
    ) -> Result<Heard, DropReason> {
        let len = self.config.receiver.unprotect(datagram)?;
        // Only what is genuine may slow our own reports down.
        self.timer.received(datagram.len());
        let compound = datagram.get(..len).ok_or(DropReason::MalformedRtcp)?;
        let mut heard = Heard::default();
        let mut reader = RtcpReader::new(compound);
        for packet in reader.by_ref() {
            self.hear(&packet, &mut heard, io);
        }
        match reader.malformed() {
            Some(_) if !heard.anything => Err(DropReason::MalformedRtcp),
            _ => Ok(heard),
        }
    }

    /// Leaves under the old SSRC and goes on under a new one (RFC 3550 §8.2). None if that has
    /// happened so often that it is no accident.
    pub(crate) fn change_ssrc(
        &mut self,
        path: Path,
        timestamp: Option<u32>,
        io: &mut Io<'_>,
    ) -> Option<Source> {
        if self.ssrc_changes >= MAX_SSRC_CHANGES {
            return None;
        }
        self.ssrc_changes += 1;
        if self.activity.may_say_bye(self.packets_sent()) {
            self.report(path, timestamp, Occasion::Renaming, io);
        }
        let mut ssrc = self.random.next_u32();
        while ssrc == self.config.ssrc || ssrc == self.config.rtx_ssrc {
            ssrc = self.random.next_u32();
        }
        self.config.ssrc = ssrc;
        self.forgive();
        let counters = &self.config.counters;
        self.counted_before = (
            counters.sender_packet_count(),
            counters.sender_octet_count(),
        );
        self.activity = SenderActivity::default();
        Some(Source {
            ssrc,
            first_sequence_number: (self.random.next_u32() >> 17) as u16,
        })
    }
}

/// Protects and sends what `write` writes; gives its length as it was sent, 0 if it was not.
fn send(
    sender: &mut SrtcpSender,
    counters: &Counters,
    path: Path,
    io: &mut Io<'_>,
    write: impl FnOnce(&mut [u8]) -> Option<usize>,
) -> usize {
    let Some(slot) = io.outbox.slot() else {
        return 0;
    };
    let Some(len) = write(slot) else {
        return 0;
    };
    let Ok(protected) = sender.protect(slot, len) else {
        return 0;
    };
    counters.record_rtcp(len);
    io.outbox.commit(protected, path);
    protected
}

fn circuit_breaker(config: &ReporterConfig, timer: &ReportTimer) -> CircuitBreaker {
    CircuitBreaker::new(CircuitBreakerConfig {
        report_interval: timer.deterministic(),
        frame_interval: config.frame_interval,
        throughput: TcpThroughput::default(),
    })
}

/// Octets of a sender report with CNAME and mid, as SRTCP: the first guess of the average.
const TYPICAL_SIZE: usize = 84;

/// A circuit breaker has to be asked that often: less so, it takes the time between for a pause.
const WATCH_INTERVAL: Duration = Duration::from_secs(1);

/// Confirmations of limits are no more frequent.
const REPLY_SPACING: Duration = Duration::from_secs(1);

/// By accident two sources meet once in 2^32 calls.
const MAX_SSRC_CHANGES: u8 = 3;
