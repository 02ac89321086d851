//! The RTCP of a listener: when it reports (RFC 3550 §6.3), what it says, what it hears.

use std::time::Instant;

use skywave_rtp::{ReportTimer, RtcpPacket, RtcpReader, SplitMix};

use crate::contexts::Contexts;
use crate::receiver_report::ReceiverReport;
use crate::stream::Stream;

/// One listener's part in RTCP.
pub(crate) struct Reporter {
    ssrc: u32,
    random: SplitMix,
    timer: ReportTimer,
    has_reported: bool,
}

impl Reporter {
    /// Begins to plan reports.
    pub(crate) fn new(seed: u64, now: Instant) -> Self {
        let mut random = SplitMix::new(seed);
        Self {
            ssrc: random.next_u32(),
            timer: ReportTimer::new(SESSION_BANDWIDTH, TYPICAL_REPORT, random.next_u32(), now),
            random,
            has_reported: false,
        }
    }

    /// When to call [`handle_timeout`](Self::handle_timeout).
    pub(crate) fn next_due(&self) -> Instant {
        self.timer.due_at()
    }

    /// Sends the report that is due.
    pub(crate) fn handle_timeout(
        &mut self,
        now: Instant,
        stream: Option<&mut Stream>,
        contexts: &mut Contexts,
        emit: &mut dyn FnMut(&[u8]),
    ) {
        if self.timer.expire(1, self.random.next_u32(), now) {
            let sent = self.send(now, stream, false, contexts, emit);
            self.timer.sent(sent, self.random.next_u32(), now);
            self.has_reported = true;
        }
    }

    /// Says goodbye, if it ever said anything (§6.3.7).
    pub(crate) fn leave(
        &mut self,
        now: Instant,
        stream: Option<&mut Stream>,
        contexts: &mut Contexts,
        emit: &mut dyn FnMut(&[u8]),
    ) {
        if self.has_reported {
            self.send(now, stream, true, contexts, emit);
        }
    }

    /// Reads what the server reports; true if it ends the stream.
    pub(crate) fn handle(
        &mut self,
        now: Instant,
        datagram: &mut [u8],
        mut stream: Option<&mut Stream>,
        contexts: &mut Contexts,
    ) -> bool {
        self.timer.received(datagram.len());
        let Ok(len) = contexts.rtcp.unprotect(datagram) else {
            return false;
        };
        let heard = stream.as_ref().map(|stream| stream.ssrc());
        let mut ended = false;
        for packet in RtcpReader::new(&datagram[..len]) {
            match packet {
                RtcpPacket::SenderReport { ssrc, info, .. } if Some(ssrc) == heard => {
                    if let Some(stream) = &mut stream {
                        stream.on_sender_report(info.ntp.middle(), now);
                    }
                }
                RtcpPacket::Bye(bye) => ended |= bye.ssrcs().any(|ssrc| Some(ssrc) == heard),
                _ => {}
            }
        }
        ended
    }

    /// Gives the octets sent.
    fn send(
        &mut self,
        now: Instant,
        stream: Option<&mut Stream>,
        bye: bool,
        contexts: &mut Contexts,
        emit: &mut dyn FnMut(&[u8]),
    ) -> usize {
        let report = ReceiverReport {
            ssrc: self.ssrc,
            block: stream.map(|stream| stream.report_block(now)),
            cname: CNAME,
            bye,
        };
        let mut buffer = [0; 128];
        let written = report.write(&mut buffer);
        let protected = written.and_then(|len| contexts.reports.protect(&mut buffer, len).ok());
        let len = protected.unwrap_or(0);
        if len > 0 {
            emit(&buffer[..len]);
        }
        len
    }
}

/// Bits a second, so that reports go out about every 5 s: 360 / 72 (RFC 3550 §6.2).
const SESSION_BANDWIDTH: u32 = 72_000;
/// Octets of a protected report.
const TYPICAL_REPORT: usize = 76;
/// All listeners are of one host, and of no interest to each other.
const CNAME: &str = "skywave-load";
