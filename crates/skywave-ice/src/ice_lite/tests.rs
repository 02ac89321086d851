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
#[cfg_attr(miri, ignore = "hashes more than 200 requests")]
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
