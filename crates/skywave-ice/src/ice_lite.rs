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
mod tests {
    use super::*;
    use std::net::SocketAddr;

    /// An agent and the peer that checks it.
    struct Call {
        agent: IceLite,
        credentials: Credentials,
        now: Instant,
    }

    impl Call {
        fn new() -> Self {
            let credentials = Credentials::from_random([3; 24]);
            let mut agent = IceLite::new(&credentials, [4; 16]);
            agent.set_remote(Credentials::new("peer", PEER_PWD));
            Self {
                agent,
                credentials,
                now: Instant::now(),
            }
        }

        fn request(&self, fill: impl FnOnce(&mut StunWriter<'_>)) -> Vec<u8> {
            let mut buffer = vec![0; 256];
            let mut writer = StunWriter::new(&mut buffer, Class::Request, BINDING, [1; 12]);
            fill(&mut writer);
            let len = writer
                .finish(Some(&IntegrityKey::new(self.credentials.pwd())))
                .unwrap();
            buffer.truncate(len);
            buffer
        }

        /// What was made of the datagram, and the reply.
        fn answer(
            &mut self,
            path: Path,
            datagram: &[u8],
        ) -> Result<(Check, Vec<u8>), (DropReason, Vec<u8>)> {
            let mut reply = [0; MAX_REPLY_LEN];
            let request = StunMessage::parse(datagram).unwrap();
            match self
                .agent
                .handle_request(self.now, path, &request, &mut reply)
            {
                Ok(check) => Ok((check, reply[..check.reply_len].to_vec())),
                Err(rejected) => Err((rejected.reason, reply[..rejected.reply_len].to_vec())),
            }
        }

        /// The reason, and the code of the error response after proving it genuine.
        fn refusal(&mut self, datagram: &[u8]) -> (DropReason, Option<u16>) {
            let (reason, reply) = self.answer(path(1), datagram).unwrap_err();
            assert_eq!(self.agent.last_check(), None);
            assert!(!self.agent.validated(path(1)));
            if reply.is_empty() {
                return (reason, None);
            }
            let response = StunMessage::parse(&reply).unwrap();
            assert!(response.fingerprint_ok() && response.verify_integrity(&self.agent.key));
            assert_eq!(
                (response.class(), response.transaction_id()),
                (Class::Error, [1; 12])
            );
            (reason, response.error_code())
        }
    }

    const PEER_PWD: &str = "VOkJxbRl1RmTxUk/WvJxBt";

    fn path(port: u16) -> Path {
        Path {
            base: 0,
            remote: SocketAddr::from(([192, 0, 2, 1], port)),
        }
    }

    impl Call {
        /// A nominating check of the peer; whether the selected path moved at once.
        fn nominate(&mut self, path: Path) -> bool {
            let datagram = self.request(|writer| {
                writer.username("AwMDAwMD:peer");
                writer.use_candidate();
            });
            self.answer(path, &datagram).unwrap().0.nominated
        }

        /// The check of our own that is due.
        fn own_check(&mut self) -> Option<(Vec<u8>, Path)> {
            let mut buffer = [0; MAX_CHECK_LEN];
            let (len, path) = self.agent.write_check(self.now, &mut buffer)?;
            Some((buffer[..len].to_vec(), path))
        }

        /// The peer answers our check from there.
        fn answer_own(&mut self, check: &[u8], from: Path) -> Result<(), DropReason> {
            let id = StunMessage::parse(check).unwrap().transaction_id();
            let mut buffer = [0; 128];
            let writer = StunWriter::new(&mut buffer, Class::Success, BINDING, id);
            let len = writer.finish(Some(&IntegrityKey::new(PEER_PWD))).unwrap();
            let response = StunMessage::parse(&buffer[..len]).unwrap();
            self.agent.handle_response(self.now, from, &response)
        }
    }

    #[test]
    fn before_a_path_is_proven_nominations_are_followed_at_once() {
        let mut call = Call::new();
        assert!(call.nominate(path(1)) && call.nominate(path(2)));
        assert_eq!(call.agent.selected(), Some(path(2)));
        assert_eq!((call.agent.proven(), call.own_check()), (None, None));
    }

    #[test]
    fn rfc8445_19_5_1_proven_path_is_left_for_another_only_after_that_answered() {
        let mut call = Call::new();
        call.nominate(path(1));
        call.agent.prove(path(1));
        assert!(!call.nominate(path(2)));
        let (check, to) = call.own_check().unwrap();
        assert_eq!((to, call.agent.proven()), (path(2), Some(path(1))));
        let elsewhere = call.answer_own(&check, path(3));
        assert_eq!(elsewhere, Err(DropReason::UnknownTransaction));
        assert_eq!(call.agent.selected(), Some(path(1)));
        assert_eq!(call.answer_own(&check, path(2)), Ok(()));
        assert_eq!(call.agent.proven(), Some(path(2)));
        assert!(!call.nominate(path(1)), "the way back is asked too");
    }

    #[test]
    fn selected_path_that_is_not_the_proven_one_is_asked_when_told_so() {
        let mut call = Call::new();
        call.nominate(path(1));
        call.agent.prove(path(2));
        assert_eq!(call.agent.proven(), None);
        call.agent.validate_selected(call.now);
        let (check, to) = call.own_check().unwrap();
        assert_eq!(to, path(1));
        call.answer_own(&check, path(1)).unwrap();
        assert_eq!(call.agent.proven(), Some(path(1)));
        call.agent.validate_selected(call.now);
        assert_eq!(call.own_check(), None);
    }

    #[test]
    fn nomination_is_asked_though_the_selected_path_never_answers() {
        let mut call = Call::new();
        call.nominate(path(1));
        call.agent.prove(path(2));
        call.agent.validate_selected(call.now);
        assert_eq!(call.own_check().unwrap().1, path(1));
        call.nominate(path(3));
        call.agent.validate_selected(call.now);
        call.now += std::time::Duration::from_millis(200);
        let (check, to) = call.own_check().unwrap();
        assert_eq!(to, path(3));
        call.answer_own(&check, path(3)).unwrap();
        assert_eq!(call.agent.proven(), Some(path(3)));
    }

    #[test]
    fn longest_check_of_our_own_fits_exactly() {
        let mut call = Call::new();
        let long = "a".repeat(256);
        call.agent = IceLite::new(&Credentials::new(&long, "pwd"), [4; 16]);
        call.agent.set_remote(Credentials::new(&long, PEER_PWD));
        call.agent.nominations.select(call.now, path(1), 1);
        call.agent.validate_selected(call.now);
        assert_eq!(call.own_check().unwrap().0.len(), MAX_CHECK_LEN);
    }

    #[test]
    fn a_correct_check_is_answered_with_the_address_it_came_from() {
        let mut call = Call::new();
        let from = Path {
            base: 2,
            remote: "[2001:db8::1]:9".parse().unwrap(),
        };
        let datagram = call.request(|writer| writer.username("AwMDAwMD:peer"));
        let (check, reply) = call.answer(from, &datagram).unwrap();
        assert_eq!((check.reply_len, check.nominated), (76, false));
        let response = StunMessage::parse(&reply).unwrap();
        assert_eq!(
            (response.class(), response.transaction_id()),
            (Class::Success, [1; 12])
        );
        assert_eq!(response.xor_mapped_address(), Some(from.remote));
        assert!(response.fingerprint_ok() && response.verify_integrity(&call.agent.key));
        assert!(call.agent.validated(from) && call.agent.selected().is_none());
    }

    #[test]
    fn unauthenticated_requests_get_no_reply() {
        let mut call = Call::new();
        let good = call.request(|writer| writer.username("AwMDAwMD:peer"));
        let mut buffer = [0; 128];
        let mut foreign = |key: Option<&IntegrityKey>, class| {
            let mut writer = StunWriter::new(&mut buffer, class, BINDING, [1; 12]);
            writer.username("AwMDAwMD:peer");
            let len = writer.finish(key).unwrap();
            buffer[..len].to_vec()
        };
        let unsigned = foreign(None, Class::Request);
        let wrong_key = foreign(Some(&IntegrityKey::new("other")), Class::Request);
        let indication = foreign(Some(&call.agent.key), Class::Indication);
        assert_eq!(call.refusal(&unsigned), (DropReason::BadIntegrity, None));
        assert_eq!(call.refusal(&wrong_key), (DropReason::BadIntegrity, None));
        assert_eq!(call.refusal(&indication), (DropReason::NotARequest, None));
        let mut no_fingerprint = good[..good.len() - 8].to_vec();
        no_fingerprint[3] -= 8;
        assert_eq!(
            call.refusal(&no_fingerprint),
            (DropReason::BadFingerprint, None)
        );
        let mut bad_fingerprint = good.clone();
        *bad_fingerprint.last_mut().unwrap() ^= 1;
        assert_eq!(
            call.refusal(&bad_fingerprint),
            (DropReason::BadFingerprint, None)
        );
        assert!(call.answer(path(1), &good).is_ok());
    }

    #[test]
    fn methods_other_than_binding_get_no_reply() {
        let mut call = Call::new();
        let mut buffer = [0; 128];
        let mut writer = StunWriter::new(&mut buffer, Class::Request, 3, [1; 12]);
        writer.username("AwMDAwMD:peer");
        let len = writer.finish(Some(&call.agent.key)).unwrap();
        assert_eq!(
            call.refusal(&buffer[..len]),
            (DropReason::NotARequest, None)
        );
    }

    #[test]
    fn authenticated_requests_are_told_what_is_wrong() {
        let mut call = Call::new();
        let request = call.request(|writer| writer.priority(1));
        assert_eq!(call.refusal(&request), (DropReason::NoUsername, Some(400)));
        for username in [
            "AwMDAwMD:other",
            "AwMDAwMD",
            "AwMDAwMDpeer",
            "other:peer",
            "",
        ] {
            let request = call.request(|writer| writer.username(username));
            assert_eq!(
                call.refusal(&request),
                (DropReason::UnknownUsername, Some(401))
            );
        }
        let request = call.request(|writer| {
            writer.username("AwMDAwMD:peer");
            writer.ice_controlled(u64::MAX);
        });
        assert_eq!(
            call.refusal(&request),
            (DropReason::RoleConflict, Some(487))
        );
        let request = call.request(|writer| {
            writer.username("AwMDAwMD:peer");
            (0x7f00..0x7f09).for_each(|kind| writer.attribute(kind, &[]));
        });
        assert_eq!(
            call.refusal(&request),
            (DropReason::UnknownAttribute, Some(420))
        );
        let (_, reply) = call.answer(path(1), &request).unwrap_err();
        assert_eq!(reply.len(), MAX_REPLY_LEN);
        assert_eq!(reply[28..34], [0, 0x0a, 0, 16, 0x7f, 0x00]);
    }

    #[test]
    fn a_reply_that_does_not_fit_leaves_no_trace() {
        let mut call = Call::new();
        let datagram = call.request(|writer| {
            writer.username("AwMDAwMD:peer");
            writer.use_candidate();
        });
        let request = StunMessage::parse(&datagram).unwrap();
        let rejected = call
            .agent
            .handle_request(call.now, path(1), &request, &mut [0; 63]);
        let expected = Rejected {
            reason: DropReason::ReplyTooLong,
            reply_len: 0,
        };
        assert_eq!(rejected, Err(expected));
        assert_eq!(call.agent.selected(), None);
        assert!(!call.agent.validated(path(1)));
    }

    #[test]
    fn any_remote_fragment_is_taken_until_it_is_known() {
        let mut call = Call::new();
        call.agent = IceLite::new(&call.credentials, [4; 16]);
        let request = call.request(|writer| writer.username("AwMDAwMD:early"));
        assert!(call.answer(path(1), &request).is_ok());
        call.agent.set_remote(Credentials::new("peer", PEER_PWD));
        let (reason, _) = call.answer(path(1), &request).unwrap_err();
        assert_eq!(reason, DropReason::UnknownUsername);
    }

    #[test]
    fn more_checks_than_the_rate_are_dropped_and_forged_ones_do_not_count() {
        let mut call = Call::new();
        let good = call.request(|writer| writer.username("AwMDAwMD:peer"));
        let mut forged = good.clone();
        *forged.last_mut().unwrap() ^= 1;
        for _ in 0..1000 {
            let (reason, _) = call.answer(path(2), &forged).unwrap_err();
            assert_eq!(reason, DropReason::BadFingerprint);
        }
        for _ in 0..crate::MAX_CHECKS_PER_SECOND {
            call.answer(path(1), &good).unwrap();
        }
        let refused = call.answer(path(1), &good).unwrap_err();
        assert_eq!(refused, (DropReason::TooManyChecks, Vec::new()));
        call.now += std::time::Duration::from_secs(1);
        assert!(call.answer(path(1), &good).is_ok());
    }

    #[test]
    fn ten_thousand_agents_take_eight_megabytes() {
        assert!(size_of::<IceLite>() <= 800, "{}", size_of::<IceLite>());
    }
}
