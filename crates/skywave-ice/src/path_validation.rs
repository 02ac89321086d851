//! Return routability: a check of our own on a path, before media moves there.
//!
//! A check tells that the peer signed it, not that whoever is at its source address wants what
//! will follow: source addresses are forged, and signed checks are sent again by others (RFC 8445
//! §19.5.1). The success response to a request with an unpredictable transaction id tells that
//! (RFC 9000 §8.2 has the same for QUIC). Every ICE agent answers, a lite one too (RFC 8445 §7.3).

use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use crate::candidate::peer_reflexive_priority;
use crate::{BINDING, Class, Credentials, DropReason, IntegrityKey, Path, StunMessage, StunWriter};

/// Transactions of our own. Requests go to the path that the peer asked for last; answers of the
/// paths that were asked just before it still count.
pub(crate) struct PathValidation {
    secret: [u8; 16],
    /// USERNAME of our requests: the peer's fragment, a colon, and ours (RFC 8445 §7.2.2).
    username: Box<str>,
    pending: Option<Transaction>,
    /// Given up for another with the answer perhaps on its way, the latest last. Most peers never
    /// move, and need no room for it.
    earlier: Vec<Question>,
    transactions: u64,
    last_sent: Option<Instant>,
}

struct Transaction {
    question: Question,
    sent: u32,
    next: Instant,
}

#[derive(Clone, Copy)]
struct Question {
    path: Path,
    /// Of the check that asked for the path.
    priority: u32,
    id: [u8; 12],
}

impl PathValidation {
    /// `secret` is random, and known to nobody else.
    pub(crate) fn new(secret: [u8; 16]) -> Self {
        Self {
            secret,
            username: Box::default(),
            pending: None,
            earlier: Vec::new(),
            transactions: 0,
            last_sent: None,
        }
    }

    pub(crate) fn set_fragments(&mut self, local: &str, remote: &str) {
        self.username = format!("{remote}:{local}").into();
    }

    /// Whether a path is being asked.
    pub(crate) fn is_pending(&self) -> bool {
        self.pending.is_some()
    }

    /// Starts to ask at a path, unless that is under way; another is asked no more for it.
    pub(crate) fn begin(&mut self, now: Instant, path: Path, priority: u32) {
        if let Some(pending) = &mut self.pending
            && pending.question.path == path
        {
            pending.question.priority = priority;
            return;
        }
        // Of a path that was asked already any answer will do.
        let known = self.earlier.iter().position(|asked| asked.path == path);
        let again = known.map(|place| self.earlier.remove(place));
        if let Some(given_up) = self.pending.take_if(|pending| pending.sent > 0) {
            self.keep(given_up.question);
        }
        let id = again.map_or_else(|| self.next_id(), |again| again.id);
        self.pending = Some(Transaction {
            question: Question { path, priority, id },
            sent: u32::from(again.is_some()),
            next: now,
        });
    }

    /// Counts what another has sent as sent by this one, which then waits as long.
    pub(crate) fn pace_after(&mut self, other: &Self) {
        self.last_sent = self.last_sent.max(other.last_sent);
    }

    /// When to call [`Self::write_request`].
    pub(crate) fn next_timeout(&self) -> Option<Instant> {
        let pending = self.pending.as_ref()?;
        let earliest = self.last_sent.map(|last| last + MIN_INTERVAL);
        Some(earliest.map_or(pending.next, |earliest| earliest.max(pending.next)))
    }

    /// Writes the request that is due; its length and where it goes. A transaction that was not
    /// answered in time ends.
    pub(crate) fn write_request(
        &mut self,
        now: Instant,
        remote: &Credentials,
        buffer: &mut [u8],
    ) -> Option<(usize, Path)> {
        self.next_timeout().filter(|due| *due <= now)?;
        let tie_breaker = u64::from_be_bytes(first_bytes(self.derive(TIE_BREAKER)));
        let pending = self.pending.as_mut()?;
        if pending.sent == MAX_TRANSMISSIONS {
            self.pending = None;
            // Those are older still.
            self.earlier.clear();
            return None;
        }
        // RFC 8489 §6.2.1: each wait is twice the one before.
        pending.next = now + FIRST_TIMEOUT * (1 << pending.sent);
        pending.sent += 1;
        self.last_sent = Some(now);
        let Question { path, id, .. } = pending.question;
        let mut writer = StunWriter::new(buffer, Class::Request, BINDING, id);
        writer.username(&self.username);
        writer.priority(peer_reflexive_priority(path.base));
        // The peer is full and leads, as we are lite: to say otherwise were a conflict of roles
        // (RFC 8445 §7.3.1.1).
        writer.ice_controlled(tie_breaker);
        let len = writer.finish(Some(&IntegrityKey::new(remote.pwd())))?;
        Some((len, path))
    }

    /// Ends a transaction if this is the success response to it, from the address that was
    /// asked, and with it those before; the path and the priority with which it was begun.
    pub(crate) fn finish(
        &mut self,
        path: Path,
        response: &StunMessage<'_>,
        remote: &Credentials,
    ) -> Result<(Path, u32), DropReason> {
        let id = response.transaction_id();
        let answered = |question: &Question| question.path == path && question.id == id;
        let sent = self.pending.as_ref().filter(|pending| pending.sent > 0);
        let latest = sent.map(|pending| pending.question).filter(answered);
        let place = self.earlier.iter().position(answered);
        let earlier = place.map(|place| self.earlier[place]);
        let question = latest.or(earlier).ok_or(DropReason::UnknownTransaction)?;
        if response.class() != Class::Success || response.method() != BINDING {
            return Err(DropReason::UnknownTransaction);
        }
        if !response.verify_integrity(&IntegrityKey::new(remote.pwd())) {
            return Err(DropReason::BadIntegrity);
        }
        // What the peer asked for before is out of date, what it asked for since is not.
        match place {
            Some(place) => drop(self.earlier.drain(..=place)),
            None => {
                self.pending = None;
                self.earlier.clear();
            }
        }
        Ok((question.path, question.priority))
    }

    /// Waits on for the answer to a question that is not repeated; the oldest makes room.
    fn keep(&mut self, question: Question) {
        if self.earlier.len() == MAX_EARLIER {
            self.earlier.remove(0);
        }
        self.earlier.push(question);
    }

    fn next_id(&mut self) -> [u8; 12] {
        self.transactions += 1;
        first_bytes(self.derive(self.transactions))
    }

    /// Octets that nobody else can tell before they are sent.
    fn derive(&self, number: u64) -> [u8; 20] {
        let mut mac = Hmac::<Sha1>::new_from_slice(&self.secret)
            .expect("HMAC takes keys of any length (RFC 2104 §2)");
        // A restart goes on with the same secret and begins to count again.
        mac.update(&number.to_be_bytes());
        mac.update(self.username.as_bytes());
        mac.finalize().into_bytes().into()
    }
}

fn first_bytes<const N: usize>(mac: [u8; 20]) -> [u8; N] {
    std::array::from_fn(|index| mac[index])
}

/// Requests of a transaction: after 0, 0.5, 1.5 and 3.5 s. The peer's next check of the path
/// begins another one.
pub(crate) const MAX_TRANSMISSIONS: u32 = 4;

/// At [`MIN_INTERVAL`] an answer has 0.8 s to come, whatever else is asked meanwhile.
const MAX_EARLIER: usize = 4;

/// RFC 8445 §14.3.
const FIRST_TIMEOUT: Duration = Duration::from_millis(500);

/// From a request to one of the next transaction: who asks for one path after another, perhaps in
/// the name of others, has us send five requests a second at most.
const MIN_INTERVAL: Duration = Duration::from_millis(200);

/// No transaction has this number.
const TIE_BREAKER: u64 = 0;

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn path(port: u16) -> Path {
        Path {
            base: 1,
            remote: ([192, 0, 2, 1], port).into(),
        }
    }

    fn remote() -> Credentials {
        Credentials::new("evtj", "VOkJxbRl1RmTxUk/WvJxBt")
    }

    fn validation() -> PathValidation {
        let mut validation = PathValidation::new([7; 16]);
        validation.set_fragments("h6vY", "evtj");
        validation
    }

    fn request(validation: &mut PathValidation, now: Instant) -> Option<(Vec<u8>, Path)> {
        let mut buffer = [0; 256];
        let (len, path) = validation.write_request(now, &remote(), &mut buffer)?;
        Some((buffer[..len].to_vec(), path))
    }

    fn response(id: [u8; 12], class: Class, pwd: &str) -> Vec<u8> {
        let mut buffer = [0; 128];
        let mut writer = StunWriter::new(&mut buffer, class, BINDING, id);
        writer.xor_mapped_address(([192, 0, 2, 9], 9).into());
        let len = writer.finish(Some(&IntegrityKey::new(pwd))).unwrap();
        buffer[..len].to_vec()
    }

    #[test]
    fn rfc8445_7_1_request_has_all_that_a_full_agent_wants_of_a_controlled_one() {
        let now = Instant::now();
        let mut validation = validation();
        validation.begin(now, path(5), 1);
        let (datagram, to) = request(&mut validation, now).unwrap();
        let message = StunMessage::parse(&datagram).unwrap();
        assert_eq!(to, path(5));
        assert!(message.fingerprint_ok());
        assert!(message.verify_integrity(&IntegrityKey::new(remote().pwd())));
        assert_eq!(
            (message.class(), message.method()),
            (Class::Request, BINDING)
        );
        assert_eq!(message.username(), Some(&b"evtj:h6vY"[..]));
        assert!(message.ice_controlled().is_some() && message.ice_controlling().is_none());
        assert!(!message.use_candidate());
        assert_eq!(message.priority(), Some(110 << 24 | 65_534 << 8 | 255));
    }

    #[test]
    fn rfc8489_6_2_1_request_is_repeated_as_it_was_and_then_given_up() {
        let start = Instant::now();
        let mut validation = validation();
        validation.begin(start, path(5), 1);
        let mut sent = Vec::new();
        for tenth in 0..200 {
            let now = start + SECOND / 10 * tenth;
            if let Some((datagram, _)) = request(&mut validation, now) {
                sent.push((tenth, datagram));
            }
        }
        let times: Vec<_> = sent.iter().map(|(tenth, _)| *tenth).collect();
        assert_eq!(times, [0, 5, 15, 35]);
        assert!(sent.iter().all(|(_, datagram)| *datagram == sent[0].1));
        assert_eq!(validation.next_timeout(), None);
    }

    #[test]
    fn one_path_after_another_has_five_requests_sent_in_a_second() {
        let start = Instant::now();
        let mut validation = validation();
        let mut ids = Vec::new();
        // Miri takes seconds for the integrity of each request.
        let seconds = if cfg!(miri) { 1 } else { 10 };
        for n in 0..100 * seconds {
            let now = start + SECOND * u32::from(n) / 100;
            validation.begin(now, path(n), 1);
            if let Some((datagram, to)) = request(&mut validation, now) {
                assert_eq!(to, path(n), "the last that was asked for");
                ids.push(StunMessage::parse(&datagram).unwrap().transaction_id());
            }
        }
        let count = ids.len();
        let expected = usize::from(5 * seconds);
        assert!(count.abs_diff(expected) <= 1, "{count} in {seconds} s");
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count, "no id comes twice");
    }

    fn id_of(request: Option<(Vec<u8>, Path)>) -> [u8; 12] {
        let (datagram, _) = request.unwrap();
        StunMessage::parse(&datagram).unwrap().transaction_id()
    }

    fn answer(validation: &mut PathValidation, from: Path, id: [u8; 12]) -> Option<(Path, u32)> {
        let datagram = response(id, Class::Success, remote().pwd());
        let message = StunMessage::parse(&datagram).unwrap();
        validation.finish(from, &message, &remote()).ok()
    }

    #[test]
    fn answer_counts_though_others_are_asked_since() {
        let mut now = Instant::now();
        let mut validation = validation();
        let mut ids = Vec::new();
        for port in 0..6 {
            validation.begin(now, path(port), port.into());
            ids.push(id_of(request(&mut validation, now)));
            now += MIN_INTERVAL;
        }
        assert_eq!(answer(&mut validation, path(0), ids[0]), None, "too old");
        assert_eq!(answer(&mut validation, path(2), ids[2]), Some((path(2), 2)));
        assert_eq!(answer(&mut validation, path(1), ids[1]), None, "overtaken");
        assert_eq!(answer(&mut validation, path(3), ids[3]), Some((path(3), 3)));
        assert_eq!(answer(&mut validation, path(5), ids[5]), Some((path(5), 5)));
        assert_eq!(answer(&mut validation, path(4), ids[4]), None, "overtaken");
    }

    #[test]
    fn two_paths_asked_by_turns_can_be_answered_however_late() {
        let mut now = Instant::now();
        let mut validation = validation();
        let mut ids = Vec::new();
        for turn in 0..20 {
            validation.begin(now, path(turn % 2), 1);
            ids.push(id_of(request(&mut validation, now)));
            now += 2 * SECOND;
        }
        assert_eq!(ids[0], ids[18]);
        // Asked for once more and not sent yet.
        validation.begin(now, path(0), 1);
        assert_eq!(answer(&mut validation, path(0), ids[0]), Some((path(0), 1)));
        assert_eq!(answer(&mut validation, path(1), ids[1]), None);
    }

    #[test]
    fn answer_after_all_was_given_up_proves_nothing() {
        let mut now = Instant::now();
        let mut validation = validation();
        validation.begin(now, path(1), 1);
        let id = id_of(request(&mut validation, now));
        validation.begin(now, path(2), 1);
        while validation.is_pending() {
            now += MIN_INTERVAL;
            request(&mut validation, now);
        }
        assert_eq!(answer(&mut validation, path(1), id), None);
    }

    #[test]
    fn what_another_sent_counts() {
        let now = Instant::now();
        let (mut first, mut second) = (validation(), validation());
        first.begin(now, path(1), 1);
        second.begin(now, path(2), 1);
        assert!(request(&mut first, now).is_some());
        second.pace_after(&first);
        assert_eq!(request(&mut second, now), None);
        assert!(request(&mut second, now + MIN_INTERVAL).is_some());
    }

    #[test]
    fn nothing_but_the_signed_answer_from_the_address_asked_proves_it() {
        let now = Instant::now();
        let mut validation = validation();
        validation.begin(now, path(5), 42);
        let (datagram, _) = request(&mut validation, now).unwrap();
        let id = StunMessage::parse(&datagram).unwrap().transaction_id();
        let pwd = remote().pwd().to_owned();
        let mut finish = |from: Path, datagram: &[u8]| {
            let message = StunMessage::parse(datagram).unwrap();
            validation.finish(from, &message, &remote())
        };
        let good = response(id, Class::Success, &pwd);
        let mut other_id = id;
        other_id[11] ^= 1;
        let unknown = Err(DropReason::UnknownTransaction);
        assert_eq!(finish(path(6), &good), unknown);
        assert_eq!(finish(Path { base: 0, ..path(5) }, &good), unknown);
        assert_eq!(
            finish(path(5), &response(other_id, Class::Success, &pwd)),
            unknown
        );
        assert_eq!(finish(path(5), &response(id, Class::Error, &pwd)), unknown);
        assert_eq!(
            finish(path(5), &datagram),
            unknown,
            "its own request sent back"
        );
        let forged = response(id, Class::Success, "a guess");
        assert_eq!(finish(path(5), &forged), Err(DropReason::BadIntegrity));
        assert_eq!(finish(path(5), &good), Ok((path(5), 42)));
        assert_eq!(finish(path(5), &good), unknown, "once");
    }

    #[test]
    fn ids_depend_on_the_secret_and_on_the_fragments() {
        let id = |secret, local: &str| {
            let mut validation = PathValidation::new([secret; 16]);
            validation.set_fragments(local, "evtj");
            validation.begin(Instant::now(), path(5), 1);
            validation.pending.unwrap().question.id
        };
        assert_ne!(id(1, "a"), id(2, "a"));
        assert_ne!(id(1, "a"), id(1, "b"), "after a restart");
        assert_eq!(id(1, "a"), id(1, "a"));
    }
}
