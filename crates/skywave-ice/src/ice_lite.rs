//! The ICE-lite agent of one peer (RFC 8445 §5.2, §7.3, §8.2; RFC 7675).
//!
//! It is always controlled. A request must have FINGERPRINT, MESSAGE-INTEGRITY made with our
//! password, and our fragment in USERNAME; what else is refused is told by [`DropReason`].
//!
//! Once a path is proven to lead to the peer, the selected path moves to another only when that is
//! proven too, by a check of our own: see [`PathValidation`].

use std::fmt;
use std::time::Instant;

use crate::check_rate::CheckRate;
use crate::nominations::Nominations;
use crate::path_validation::PathValidation;
use crate::{BINDING, Class, Credentials, DropReason, IntegrityKey, Path, StunMessage, StunWriter};

/// The ICE-lite agent of one peer: it answers checks, follows nominations and knows when the
/// last check came. An ICE restart makes a new one.
pub struct IceLite {
    key: IntegrityKey,
    local_ufrag: Box<str>,
    remote: Option<Credentials>,
    nominations: Nominations,
    rate: CheckRate,
    /// The path over which the peer was seen to receive last.
    proven: Option<Path>,
    validation: PathValidation,
}

/// A check that passed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Check {
    /// How many bytes of the reply buffer are the success response.
    pub reply_len: usize,
    /// Whether this check changed the selected path.
    pub nominated: bool,
}

/// A check that was not served.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rejected {
    /// Why.
    pub reason: DropReason,
    /// How many bytes of the reply buffer are an error response to be sent; 0: send nothing.
    pub reply_len: usize,
}

impl IceLite {
    /// An agent that answers checks made with these credentials, ours. Of `secret`, 128 random bits
    /// that are told nobody, the transaction ids of its own checks are made.
    #[must_use]
    pub fn new(local: &Credentials, secret: [u8; 16]) -> Self {
        Self {
            key: IntegrityKey::new(local.pwd()),
            local_ufrag: local.ufrag().into(),
            remote: None,
            nominations: Nominations::default(),
            rate: CheckRate::default(),
            proven: None,
            validation: PathValidation::new(secret),
        }
    }

    /// Takes the peer's credentials from its description. Before that any fragment is accepted:
    /// checks may overtake the answer to our offer (RFC 8445 §7.3).
    pub fn set_remote(&mut self, remote: Credentials) {
        self.validation
            .set_fragments(&self.local_ufrag, remote.ufrag());
        self.remote = Some(remote);
    }

    /// Our fragment: checks that name it are for this agent.
    #[must_use]
    pub fn local_ufrag(&self) -> &str {
        &self.local_ufrag
    }

    /// The peer's, if it is known.
    #[must_use]
    pub fn remote_ufrag(&self) -> Option<&str> {
        self.remote.as_ref().map(Credentials::ufrag)
    }

    /// Answers a Binding request that came over `path`. The reply lies at the start of `reply`,
    /// which needs at most [`MAX_REPLY_LEN`] bytes, and goes back over the same path.
    ///
    /// # Errors
    /// [`Rejected`], with an error response only where the request has shown that it knows our
    /// password. The state is as before.
    pub fn handle_request(
        &mut self,
        now: Instant,
        path: Path,
        request: &StunMessage<'_>,
        reply: &mut [u8],
    ) -> Result<Check, Rejected> {
        authenticate(request, &self.key).map_err(silent)?;
        // Only what is genuine counts, or strangers could have a peer go unanswered.
        if !self.rate.pass(now) {
            return Err(silent(DropReason::TooManyChecks));
        }
        if let Err(refusal) = self.admit(request) {
            return Err(self.refuse(refusal, request, reply));
        }
        let mut writer = StunWriter::new(reply, Class::Success, BINDING, request.transaction_id());
        writer.xor_mapped_address(path.remote);
        let reply_len = writer
            .finish(Some(&self.key))
            .ok_or_else(|| silent(DropReason::ReplyTooLong))?;
        let priority = request.priority().unwrap_or(0);
        let wanted = self
            .nominations
            .record(now, path, priority, request.use_candidate());
        Ok(Check {
            reply_len,
            nominated: wanted && self.follow(now, path, priority),
        })
    }

    /// Takes a response to a check of our own, which came over `path`. On success that path is
    /// proven and selected.
    ///
    /// # Errors
    /// `UnknownTransaction` or `BadIntegrity`; the state is as before.
    pub fn handle_response(
        &mut self,
        now: Instant,
        path: Path,
        response: &StunMessage<'_>,
    ) -> Result<(), DropReason> {
        let remote = self.remote.as_ref().ok_or(DropReason::UnknownTransaction)?;
        let (path, priority) = self.validation.finish(path, response, remote)?;
        self.proven = Some(path);
        self.nominations.select(now, path, priority);
        Ok(())
    }

    /// When [`write_check`](Self::write_check) has something to write, if ever.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Instant> {
        self.remote.as_ref()?;
        self.validation.next_timeout()
    }

    /// Writes the check of our own that is due at the start of `buffer`, which needs at most
    /// [`MAX_CHECK_LEN`] bytes: its length, and where it goes.
    pub fn write_check(&mut self, now: Instant, buffer: &mut [u8]) -> Option<(usize, Path)> {
        let remote = self.remote.as_ref()?;
        self.validation.write_request(now, remote, buffer)
    }

    /// Notes that the peer was seen to receive what went over this path, as by a handshake all of
    /// which went there.
    pub fn prove(&mut self, path: Path) {
        self.proven = Some(path);
    }

    /// Has the checks of another agent of this peer count as its own, as to how often it may send.
    pub fn pace_after(&mut self, other: &Self) {
        self.validation.pace_after(&other.validation);
    }

    /// Asks over the selected path for an answer, unless it is proven or another, nominated since,
    /// is being asked.
    pub fn validate_selected(&mut self, now: Instant) {
        let selected = self.selected().zip(self.nominations.selected_priority());
        if let Some((path, priority)) = selected
            && self.proven != Some(path)
            && !self.validation.is_pending()
        {
            self.validation.begin(now, path, priority);
        }
    }

    /// The path that the peer nominated; none before. Once one is proven, it moves only to another
    /// that is. Without a nomination it moves only when it has been silent for 12 s and another
    /// passes a check.
    #[must_use]
    pub fn selected(&self) -> Option<Path> {
        self.nominations.selected()
    }

    /// The selected path, if it is proven: media may go there.
    #[must_use]
    pub fn proven(&self) -> Option<Path> {
        self.selected().filter(|path| self.proven == Some(*path))
    }

    /// Whether a check over this path passed. The [`MAX_VALID_PATHS`](crate::MAX_VALID_PATHS)
    /// paths checked last are remembered, and the selected one.
    #[must_use]
    pub fn validated(&self, path: Path) -> bool {
        self.nominations.validated(path)
    }

    /// When the last check passed on the selected path, or on any before a nomination. Consent to
    /// send on that path ends 30 s later (RFC 7675 §5.1).
    #[must_use]
    pub fn last_check(&self) -> Option<Instant> {
        self.nominations.last_check()
    }

    /// Selects the path that the peer wants, or asks there first; whether it did the former.
    fn follow(&mut self, now: Instant, path: Path, priority: u32) -> bool {
        let at_once = self.proven.is_none_or(|proven| proven == path);
        if at_once {
            self.nominations.select(now, path, priority);
        } else {
            self.validation.begin(now, path, priority);
        }
        at_once
    }

    fn admit(&self, request: &StunMessage<'_>) -> Result<(), Refusal> {
        let username = request
            .username()
            .ok_or(Refusal(DropReason::NoUsername, 400))?;
        if !self.is_for_us(username) {
            return Err(Refusal(DropReason::UnknownUsername, 401));
        }
        if !request.unknown_attributes().is_empty() {
            return Err(Refusal(DropReason::UnknownAttribute, 420));
        }
        // The peer then takes the controlling role (RFC 8445 §7.2.5.1).
        if request.ice_controlled().is_some() {
            return Err(Refusal(DropReason::RoleConflict, 487));
        }
        Ok(())
    }

    fn is_for_us(&self, username: &[u8]) -> bool {
        let remote = username
            .strip_prefix(self.local_ufrag.as_bytes())
            .and_then(|rest| rest.strip_prefix(b":"));
        match (remote, &self.remote) {
            (Some(remote), Some(expected)) => remote == expected.ufrag().as_bytes(),
            (Some(_), None) => true,
            (None, _) => false,
        }
    }

    fn refuse(
        &self,
        Refusal(reason, code): Refusal,
        request: &StunMessage<'_>,
        reply: &mut [u8],
    ) -> Rejected {
        let mut writer = StunWriter::new(reply, Class::Error, BINDING, request.transaction_id());
        writer.error_code(code);
        if reason == DropReason::UnknownAttribute {
            writer.unknown_attributes(request.unknown_attributes());
        }
        match writer.finish(Some(&self.key)) {
            Some(reply_len) => Rejected { reason, reply_len },
            None => silent(DropReason::ReplyTooLong),
        }
    }
}

impl fmt::Debug for IceLite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IceLite")
            .field("local_ufrag", &self.local_ufrag)
            .field("remote", &self.remote)
            .field("selected", &self.selected())
            .field("proven", &self.proven())
            .field("last_check", &self.last_check())
            .finish_non_exhaustive()
    }
}

/// The longest reply: 420 with ERROR-CODE (8 bytes), eight UNKNOWN-ATTRIBUTES (20),
/// MESSAGE-INTEGRITY (24) and FINGERPRINT (8) after the header (20).
pub const MAX_REPLY_LEN: usize = 80;

/// The longest check of our own: USERNAME with two fragments of 256 characters (520 bytes),
/// PRIORITY (8), ICE-CONTROLLED (12), MESSAGE-INTEGRITY (24) and FINGERPRINT (8) after the header
/// (20).
pub const MAX_CHECK_LEN: usize = 592;

/// Refused with this error code.
struct Refusal(DropReason, u16);

fn authenticate(request: &StunMessage<'_>, key: &IntegrityKey) -> Result<(), DropReason> {
    if request.class() != Class::Request || request.method() != BINDING {
        return Err(DropReason::NotARequest);
    }
    if !request.fingerprint_ok() {
        return Err(DropReason::BadFingerprint);
    }
    if !request.verify_integrity(key) {
        return Err(DropReason::BadIntegrity);
    }
    Ok(())
}

fn silent(reason: DropReason) -> Rejected {
    Rejected {
        reason,
        reply_len: 0,
    }
}

#[cfg(test)]
mod tests;
