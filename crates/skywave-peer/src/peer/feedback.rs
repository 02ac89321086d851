//! What a peer's RTCP leads to.

use std::time::Duration;

use skywave_ice::Path;

use super::{Peer, Phase, Step};
use crate::drop_reason::DropReason;
use crate::event::{CloseReason, Io, PeerEvent};
use crate::heard::Heard;

impl Peer {
    /// Reads RTCP that came over one of this peer's paths. `timestamp` is the stream's RTP time of
    /// this moment.
    pub(crate) fn handle_rtcp(
        &mut self,
        path: Path,
        datagram: &mut [u8],
        timestamp: Option<u32>,
        io: &mut Io<'_>,
    ) -> Result<Step, DropReason> {
        let Phase::Sending { reporter, .. } = &mut self.phase else {
            return Err(DropReason::RtcpBeforeKeys);
        };
        let mut heard = reporter.receive(datagram, io)?;
        // A peer that has moved hears nothing until media follows it there.
        if self.ice.selected() == Some(path) {
            self.elsewhere_since = None;
        } else {
            let since = *self.elsewhere_since.get_or_insert(io.now);
            if io.now.saturating_duration_since(since) <= LONGEST_MOVE {
                reporter.forgive();
                heard.trip = None;
            }
        }
        let transport = &self.config.transport;
        transport.record_received(datagram.len(), io.ntp);
        self.signs.record(io.now);
        // There may be something to confirm, or to tell of. What is due sooner is not put off.
        let due = if self.disconnected {
            io.now
        } else {
            reporter.next_due()
        };
        self.next_due = self.next_due.min(due);
        Ok(self.obey(heard, timestamp, io))
    }

    /// Does what the peer asks for. What ends the call goes first.
    fn obey(&mut self, heard: Heard, timestamp: Option<u32>, io: &mut Io<'_>) -> Step {
        if heard.bye {
            self.close_dtls(io);
            return Step::End(PeerEvent::Closed(CloseReason::Bye));
        }
        if let Some(trip) = heard.trip {
            self.hang_up(timestamp, io);
            return Step::End(PeerEvent::Failed(trip.into()));
        }
        let mut demands = heard.demands;
        let path = self.path();
        if heard.collision
            && let (Phase::Sending { reporter, .. }, Some(path)) = (&mut self.phase, path)
        {
            demands.source = reporter.change_ssrc(path, timestamp, io);
        }
        let renamed = demands
            .source
            .map(|source| PeerEvent::SsrcChanged(source.ssrc));
        let limited = demands.max_bitrate.map(PeerEvent::BitrateLimited);
        let reported = heard.fraction_lost.map(PeerEvent::LossChanged);
        for event in renamed.into_iter().chain(limited).chain(reported) {
            io.events.push((self.config.id, event));
        }
        Step::Obey(demands)
    }
}

/// Media follows a peer without a nomination after 12 s of silence on the old path, with the next
/// check.
const LONGEST_MOVE: Duration = Duration::from_secs(20);
