//! A peer's DTLS: from its beginning to close_notify.

use skywave_dtls::{Dtls, Event, Role};
use skywave_ice::Path;

use super::handshake_path::HandshakePath;
use super::{Peer, Phase, Step};
use crate::drop_reason::DropReason;
use crate::event::{CloseReason, Io, PeerEvent};
use crate::outbox::Outbox;
use crate::transport_counters::TransportCounters;

impl Peer {
    /// A server waits for the peer's hello as soon as one check has passed, even before the
    /// answer to our offer is here (RFC 8842 §5.2). A client needs the answer and the nomination.
    pub(super) fn start_handshake(&mut self, io: &mut Io<'_>) -> Result<(), skywave_dtls::Error> {
        let role = self
            .remote
            .as_ref()
            .map_or(Role::Server, |remote| remote.role);
        let path = match role {
            Role::Server => self.path(),
            Role::Client => self.ice.selected(),
        };
        let Some(path) = path else {
            return Ok(());
        };
        let mut dtls = Dtls::new(&self.config.identity, role, io.now);
        let (outbox, transport) = (&mut *io.outbox, &self.config.transport);
        dtls.start(io.now, &mut |bytes| {
            send_dtls(bytes, path, outbox, transport);
        })?;
        self.phase = Phase::Handshaking {
            dtls,
            role,
            path: HandshakePath::default(),
            complete: false,
        };
        if role == Role::Client {
            self.record_flight(path);
        }
        self.waiting_since = io.now;
        self.handshake_began = io.now;
        Ok(())
    }

    /// Feeds DTLS that came from one of this peer's paths.
    pub(crate) fn handle_dtls(
        &mut self,
        path: Path,
        datagram: &[u8],
        io: &mut Io<'_>,
    ) -> Result<Step, DropReason> {
        let now = io.now;
        let (outbox, transport) = (&mut *io.outbox, &self.config.transport);
        let mut answered = false;
        let mut emit = |bytes: &[u8]| {
            answered = true;
            send_dtls(bytes, path, outbox, transport);
        };
        let event = match &mut self.phase {
            // We are to speak first, and wait for the nomination.
            Phase::Checking => return Err(DropReason::UnexpectedDtls),
            Phase::Handshaking { dtls, .. } | Phase::Sending { dtls, .. } => {
                dtls.handle_datagram(now, datagram, &mut emit)
            }
        };
        transport.record_received(datagram.len(), io.ntp);
        if answered {
            self.record_flight(path);
        }
        self.prolong_handshake(now);
        Ok(self.handle_dtls_event(event, io))
    }

    pub(super) fn handle_dtls_event(
        &mut self,
        event: Result<Option<Event>, skywave_dtls::Error>,
        io: &mut Io<'_>,
    ) -> Step {
        self.next_due = io.now;
        match event {
            Ok(None) => Step::Stay,
            Ok(Some(Event::Connected)) => {
                if let Phase::Handshaking { complete, path, .. } = &mut self.phase {
                    *complete = true;
                    if let Some(path) = path.proven() {
                        self.ice.prove(path);
                    }
                }
                self.advance(io)
            }
            Ok(Some(Event::Closed)) => Step::End(PeerEvent::Closed(CloseReason::DtlsClosed)),
            Err(error) => Step::End(PeerEvent::Failed(error.into())),
        }
    }

    pub(super) fn close_dtls(&mut self, io: &mut Io<'_>) {
        let Some(path) = self.path() else {
            return;
        };
        let (outbox, transport) = (&mut *io.outbox, &self.config.transport);
        let mut emit = |bytes: &[u8]| send_dtls(bytes, path, outbox, transport);
        if let Phase::Handshaking { dtls, .. } | Phase::Sending { dtls, .. } = &mut self.phase {
            dtls.close(io.now, &mut emit);
        }
    }
}

pub(super) fn send_dtls(
    bytes: &[u8],
    path: Path,
    outbox: &mut Outbox,
    transport: &TransportCounters,
) {
    if outbox.push(bytes, path) {
        transport.record_dtls_sent(bytes.len());
    }
}
