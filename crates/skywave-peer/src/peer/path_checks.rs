//! Our own checks, which ask whether a peer is where it says it is, before media goes there.

use std::time::Instant;

use skywave_ice::{IceLite, Path, StunMessage};

use super::{Peer, Phase, Step};
use crate::drop_reason::DropReason;
use crate::event::Io;
use crate::transport_counters::TransportCounters;

impl Peer {
    /// Takes a response that came over a path of this peer. The answer to a check of ours moves
    /// media there, or lets it begin.
    pub(crate) fn handle_response(
        &mut self,
        path: Path,
        response: &StunMessage<'_>,
        io: &mut Io<'_>,
    ) -> Result<Step, DropReason> {
        let restarted = self
            .restarting
            .as_mut()
            .is_some_and(|agent| agent.handle_response(io.now, path, response).is_ok());
        if !restarted {
            self.ice.handle_response(io.now, path, response)?;
            if let Some(agent) = &mut self.restarting {
                agent.prove(path);
            }
        }
        self.config.transport.record_check_answered();
        self.signs.record(io.now);
        self.next_due = io.now;
        self.finish_restart(io);
        match self.phase {
            Phase::Sending { .. } => Ok(Step::Move(path)),
            _ => Ok(self.advance(io)),
        }
    }

    /// Sends the one that is due. Before a restart comes to its end there are two agents, which
    /// together send no more often than one does.
    pub(super) fn send_own_checks(&mut self, io: &mut Io<'_>) {
        let transport = &self.config.transport;
        if let Some(agent) = &mut self.restarting {
            agent.pace_after(&self.ice);
            send_own_check(agent, transport, io);
            self.ice.pace_after(agent);
        }
        send_own_check(&mut self.ice, transport, io);
    }

    /// When the next of them is due.
    pub(super) fn own_check_due(&self) -> Option<Instant> {
        let restart = self.restarting.as_deref().and_then(IceLite::next_timeout);
        self.ice.next_timeout().into_iter().chain(restart).min()
    }

    /// Notes where a flight of the handshake went.
    pub(super) fn record_flight(&mut self, to: Path) {
        if let Phase::Handshaking { path, .. } = &mut self.phase {
            path.record(to);
        }
    }
}

fn send_own_check(agent: &mut IceLite, transport: &TransportCounters, io: &mut Io<'_>) {
    let written = io.outbox.slot();
    if let Some((len, path)) = written.and_then(|slot| agent.write_check(io.now, slot)) {
        io.outbox.commit(len, path);
        transport.record_check_sent();
    }
}
