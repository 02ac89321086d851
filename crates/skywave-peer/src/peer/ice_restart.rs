//! An ICE restart (RFC 8445 §9): new credentials, nothing else.
//!
//! Media stays on the path that was selected until the peer nominates one with the new
//! credentials (§12); until then checks are answered with either. DTLS, keys, SSRC and sequence
//! numbers are not touched (RFC 8842 §6).

use skywave_ice::{Credentials, IceLite, Path, StunMessage};

use super::Peer;
use crate::event::{Io, PeerEvent};

impl Peer {
    /// Answers checks with new credentials too. Returns our fragment of an earlier restart that
    /// came to no nomination: it is void.
    pub(crate) fn restart_ice(
        &mut self,
        local: &Credentials,
        remote: Credentials,
    ) -> Option<String> {
        let mut agent = IceLite::new(local, self.config.local.ice_secret);
        agent.set_remote(remote);
        // To stay where media flows needs no new proof, to go elsewhere does.
        if let Some(path) = self.ice.proven() {
            agent.prove(path);
        }
        let unfinished = self.restarting.replace(Box::new(agent))?;
        Some(unfinished.local_ufrag().to_owned())
    }

    /// Our fragment of a restart under way.
    pub(crate) fn restarting_ufrag(&self) -> Option<&str> {
        self.restarting.as_deref().map(IceLite::local_ufrag)
    }

    /// Our fragment that is void since the last check, told once.
    pub(crate) fn retired_ufrag(&mut self) -> Option<Box<str>> {
        self.retired_ufrag.take()
    }

    /// If a path was selected with the new credentials, the old are void.
    pub(super) fn finish_restart(&mut self, io: &mut Io<'_>) {
        let selected = |agent: &mut Box<IceLite>| agent.selected().is_some();
        let Some(agent) = self.restarting.take_if(selected) else {
            return;
        };
        let restarted = PeerEvent::IceRestarted {
            local_ufrag: agent.local_ufrag().into(),
            remote_ufrag: agent.remote_ufrag().unwrap_or_default().into(),
        };
        io.events.push((self.config.id, restarted));
        self.retired_ufrag = Some(self.ice.local_ufrag().into());
        self.ice = *agent;
    }

    /// Whether a check over this path passed, with either credentials.
    pub(super) fn validated(&self, path: Path) -> bool {
        let restarting = self.restarting.as_ref();
        self.ice.validated(path) || restarting.is_some_and(|agent| agent.validated(path))
    }
}

/// The agent that a check is for; one that is for neither will be refused by the first.
pub(super) fn agent_of<'a>(
    ice: &'a mut IceLite,
    restarting: &'a mut Option<Box<IceLite>>,
    request: &StunMessage<'_>,
) -> &'a mut IceLite {
    match restarting {
        Some(agent) if is_for(agent, request) => agent,
        _ => ice,
    }
}

fn is_for(agent: &IceLite, request: &StunMessage<'_>) -> bool {
    request.local_ufrag() == Some(agent.local_ufrag())
}
