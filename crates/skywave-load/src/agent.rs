//! The controlling ICE agent of a listener (RFC 8445, RFC 7675), with one pair of addresses.
//!
//! It nominates with every check, answers the server's own checks, and goes on checking for
//! consent. What does not prove knowledge of the password is ignored. It does not gather, trickle
//! or choose between pairs: a load test knows its server.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use skywave_ice::{BINDING, Class, Credentials, IntegrityKey, StunMessage, StunWriter};
use skywave_rtp::SplitMix;

use crate::Answer;

/// One agent.
pub(crate) struct Agent {
    local_key: IntegrityKey,
    remote_key: IntegrityKey,
    /// USERNAME of own checks; the server's has the fragments the other way round.
    username: String,
    expected_username: String,
    remote: SocketAddr,
    random: SplitMix,
    /// The first eight bytes are those of all own checks.
    transaction_id: [u8; 12],
    next_check: Instant,
    wait: Duration,
    answered: Option<Instant>,
    error_code: Option<u16>,
}

/// What a STUN message has done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Progress {
    None,
    /// A check of ours was answered with success, the first of them.
    Connected,
}

impl Agent {
    /// An agent that sends its first check at once.
    pub(crate) fn new(
        local: &Credentials,
        answer: &Answer,
        remote: SocketAddr,
        seed: u64,
        now: Instant,
    ) -> Self {
        let mut random = SplitMix::new(seed);
        let mut transaction_id = [0; 12];
        transaction_id[..4].copy_from_slice(&random.next_u32().to_be_bytes());
        transaction_id[4..8].copy_from_slice(&random.next_u32().to_be_bytes());
        Self {
            local_key: IntegrityKey::new(local.pwd()),
            remote_key: IntegrityKey::new(&answer.pwd),
            username: format!("{}:{}", answer.ufrag, local.ufrag()),
            expected_username: format!("{}:{}", local.ufrag(), answer.ufrag),
            remote,
            random,
            transaction_id,
            next_check: now,
            wait: FIRST_RETRY,
            answered: None,
            error_code: None,
        }
    }

    /// When to call [`handle_timeout`](Self::handle_timeout).
    pub(crate) fn next_due(&self) -> Instant {
        self.next_check
    }

    /// When a check was answered last.
    pub(crate) fn answered(&self) -> Option<Instant> {
        self.answered
    }

    /// The code of the last error response.
    pub(crate) fn error_code(&self) -> Option<u16> {
        self.error_code
    }

    /// Sends the check that is due.
    pub(crate) fn handle_timeout(&mut self, now: Instant, emit: &mut dyn FnMut(&[u8])) {
        if now < self.next_check {
            return;
        }
        self.next_check = now + self.wait;
        self.wait = if self.answered.is_some() {
            self.consent_interval()
        } else {
            (self.wait * 2).min(LONGEST_RETRY)
        };
        self.send_check(emit);
    }

    /// Takes a STUN message from the server.
    pub(crate) fn handle(
        &mut self,
        now: Instant,
        datagram: &[u8],
        emit: &mut dyn FnMut(&[u8]),
    ) -> Progress {
        let Ok(message) = StunMessage::parse(datagram) else {
            return Progress::None;
        };
        match message.class() {
            Class::Request => {
                self.answer_check(now, &message, emit);
                Progress::None
            }
            Class::Success | Class::Error => self.on_response(now, &message),
            Class::Indication => Progress::None,
        }
    }

    fn on_response(&mut self, now: Instant, message: &StunMessage<'_>) -> Progress {
        if message.transaction_id()[..8] != self.transaction_id[..8] {
            return Progress::None;
        }
        // Error responses to a request without right credentials have no integrity.
        if let Some(code) = message.error_code() {
            self.error_code = Some(code);
            return Progress::None;
        }
        if message.class() != Class::Success || !message.verify_integrity(&self.remote_key) {
            return Progress::None;
        }
        if self.answered.replace(now).is_some() {
            return Progress::None;
        }
        self.wait = self.consent_interval();
        self.next_check = now + self.consent_interval();
        Progress::Connected
    }

    /// RFC 8445 §7.3: a success response, and a check in return while ours is unanswered.
    fn answer_check(
        &mut self,
        now: Instant,
        request: &StunMessage<'_>,
        emit: &mut dyn FnMut(&[u8]),
    ) {
        let known = request.username() == Some(self.expected_username.as_bytes())
            && request.method() == BINDING
            && request.verify_integrity(&self.local_key);
        if !known {
            return;
        }
        // Both want to control: our tie-breaker is the greatest, so the server yields (§7.3.1.1).
        let conflict = request.ice_controlling().is_some();
        let class = if conflict {
            Class::Error
        } else {
            Class::Success
        };
        let mut buffer = [0; MESSAGE_LEN];
        let mut writer = StunWriter::new(&mut buffer, class, BINDING, request.transaction_id());
        if conflict {
            writer.error_code(ROLE_CONFLICT);
        } else {
            writer.xor_mapped_address(self.remote);
        }
        if let Some(len) = writer.finish(Some(&self.local_key)) {
            emit(&buffer[..len]);
        }
        if self.answered.is_none() {
            self.wait = FIRST_RETRY;
            self.next_check = now;
            self.handle_timeout(now, emit);
        }
    }

    fn send_check(&mut self, emit: &mut dyn FnMut(&[u8])) {
        let number = self.random.next_u32();
        self.transaction_id[8..].copy_from_slice(&number.to_be_bytes());
        let mut buffer = [0; MESSAGE_LEN];
        let mut writer = StunWriter::new(&mut buffer, Class::Request, BINDING, self.transaction_id);
        writer.username(&self.username);
        writer.priority(PEER_REFLEXIVE_PRIORITY);
        writer.ice_controlling(u64::MAX);
        writer.use_candidate();
        if let Some(len) = writer.finish(Some(&self.remote_key)) {
            emit(&buffer[..len]);
        }
    }

    /// RFC 7675 §5.1: 5 s, times 0.8 to 1.2.
    fn consent_interval(&mut self) -> Duration {
        CONSENT_INTERVAL
            .mul_f64(0.8 + 0.4 * f64::from(self.random.next_u32()) / f64::from(u32::MAX))
    }
}

const FIRST_RETRY: Duration = Duration::from_millis(50);
const LONGEST_RETRY: Duration = Duration::from_millis(1600);
const CONSENT_INTERVAL: Duration = Duration::from_secs(5);
const ROLE_CONFLICT: u16 = 487;
/// Room for two fragments of 256 characters, and the attributes.
const MESSAGE_LEN: usize = 640;
/// RFC 8445 §5.1.2.1: type preference 110, local preference 65535, component 1.
const PEER_REFLEXIVE_PRIORITY: u32 = 110 << 24 | 65_535 << 8 | 255;

#[cfg(test)]
mod tests {
    use super::*;
    use skywave_dtls::Role;
    use skywave_ice::{IceLite, MAX_REPLY_LEN, Path};

    struct Pair {
        local: Credentials,
        remote: Credentials,
        agent: Agent,
        now: Instant,
    }

    fn pair() -> Pair {
        let (local, remote) = ([1; 24], [2; 24]);
        let (local, remote) = (
            Credentials::from_random(local),
            Credentials::from_random(remote),
        );
        let now = Instant::now();
        let answer = Answer {
            ufrag: remote.ufrag().to_owned(),
            pwd: remote.pwd().to_owned(),
            fingerprints: Vec::new(),
            role: Role::Client,
            candidates: Vec::new(),
            port: None,
            clock_rate: 48_000,
        };
        let address = "127.0.0.1:5000".parse().unwrap();
        let agent = Agent::new(&local, &answer, address, 3, now);
        Pair {
            local,
            remote,
            agent,
            now,
        }
    }

    impl Pair {
        fn timeout(&mut self) -> Vec<Vec<u8>> {
            let mut sent = Vec::new();
            self.agent
                .handle_timeout(self.now, &mut |bytes| sent.push(bytes.to_vec()));
            sent
        }

        fn hear(&mut self, datagram: &[u8]) -> (Progress, Vec<Vec<u8>>) {
            let mut sent = Vec::new();
            let progress = self
                .agent
                .handle(self.now, datagram, &mut |bytes| sent.push(bytes.to_vec()));
            (progress, sent)
        }

        fn server_check(&self, fill: impl FnOnce(&mut StunWriter<'_>)) -> Vec<u8> {
            let mut buffer = vec![0; 256];
            let mut writer = StunWriter::new(&mut buffer, Class::Request, BINDING, [5; 12]);
            writer.username(&format!("{}:{}", self.local.ufrag(), self.remote.ufrag()));
            fill(&mut writer);
            let key = IntegrityKey::new(self.local.pwd());
            let len = writer.finish(Some(&key)).unwrap();
            buffer.truncate(len);
            buffer
        }
    }

    #[test]
    fn lite_server_is_nominated_at_the_first_check() {
        let mut pair = pair();
        let sent = pair.timeout();
        let mut server = IceLite::new(&pair.remote, [0; 16]);
        server.set_remote(pair.local.clone());
        let path = Path {
            base: 0,
            remote: "127.0.0.1:40000".parse().unwrap(),
        };
        let mut reply = [0; MAX_REPLY_LEN];
        let request = StunMessage::parse(&sent[0]).unwrap();
        let check = server
            .handle_request(pair.now, path, &request, &mut reply)
            .unwrap();
        assert!(check.nominated);
        let (progress, _) = pair.hear(&reply[..check.reply_len]);
        assert_eq!(progress, Progress::Connected);
        let wait = pair.agent.next_due() - pair.now;
        assert!((4.0..=6.0).contains(&wait.as_secs_f64()), "{wait:?}");
    }

    #[test]
    fn unanswered_checks_are_repeated_ever_more_slowly() {
        let mut pair = pair();
        let mut waits = Vec::new();
        for _ in 0..7 {
            assert_eq!(pair.timeout().len(), 1);
            let due = pair.agent.next_due();
            waits.push((due - pair.now).as_millis());
            pair.now = due;
        }
        assert_eq!(waits, [50, 100, 200, 400, 800, 1600, 1600]);
    }

    #[test]
    fn checks_of_the_server_are_answered_and_provoke_ours() {
        let mut pair = pair();
        pair.timeout();
        let check = pair.server_check(|writer| writer.ice_controlled(1));
        let (progress, sent) = pair.hear(&check);
        assert_eq!((progress, sent.len()), (Progress::None, 2));
        let response = StunMessage::parse(&sent[0]).unwrap();
        assert_eq!(response.class(), Class::Success);
        assert!(response.verify_integrity(&IntegrityKey::new(pair.local.pwd())));
        assert_eq!(response.xor_mapped_address(), Some(pair.agent.remote));
        let triggered = StunMessage::parse(&sent[1]).unwrap();
        assert!(triggered.use_candidate());
    }

    #[test]
    fn server_that_wants_to_control_is_told_to_yield() {
        let mut pair = pair();
        let check = pair.server_check(|writer| writer.ice_controlling(7));
        let (_, sent) = pair.hear(&check);
        let response = StunMessage::parse(&sent[0]).unwrap();
        assert_eq!(response.error_code(), Some(487));
    }

    #[test]
    fn forged_answers_do_not_connect() {
        let mut pair = pair();
        let sent = pair.timeout();
        let id = StunMessage::parse(&sent[0]).unwrap().transaction_id();
        let mut buffer = [0; 128];
        let mut forge = |id, password: &str| {
            let mut writer = StunWriter::new(&mut buffer, Class::Success, BINDING, id);
            writer.xor_mapped_address("127.0.0.1:1".parse().unwrap());
            let len = writer.finish(Some(&IntegrityKey::new(password))).unwrap();
            buffer[..len].to_vec()
        };
        let wrong_key = forge(id, "guessed");
        let wrong_id = forge([0; 12], pair.remote.pwd());
        for forged in [wrong_key, wrong_id] {
            assert_eq!(pair.hear(&forged).0, Progress::None);
        }
        assert_eq!(pair.agent.answered(), None);
    }
}
