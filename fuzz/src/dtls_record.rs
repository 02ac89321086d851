//! DTLS records of a stranger before, during and after the handshake of an association, which may
//! be client or server (RFC 6347, RFC 9147).

use std::collections::VecDeque;
use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime};

use skywave_dtls::{Dtls, Error, Event, Identity, Role, Version};

/// Plays what `data` says; true if the association that is attacked answered a forged datagram or
/// got through its handshake all the same.
///
/// The first octet chooses who is attacked, the version, and how many genuine datagrams come
/// before. Then steps follow: an octet that says what, two of a length, and so many octets. See
/// `What`. At most `MAX_STEPS` are played.
///
/// # Panics
/// If one call sends more datagrams than `MAX_ANSWERS`, or if anything that is not under the keys
/// ends or changes an association that is connected.
pub fn dtls_record(data: &[u8]) -> bool {
    let Some((choice, data)) = data.split_first() else {
        return false;
    };
    let version =
        [None, Some(Version::Dtls12), Some(Version::Dtls13), None][usize::from(choice >> 1 & 3)];
    let attacked = [Role::Server, Role::Client][usize::from(choice & 1)];
    let mut pair = Pair::new(attacked, version);
    for _ in 0..choice >> 3 {
        pair.deliver();
    }
    let mut answered = false;
    for (what, bytes) in steps(data).take(MAX_STEPS) {
        match what {
            What::Forged => answered |= pair.forge(bytes),
            What::Damaged => pair.damage(bytes),
            What::Delivered => pair.deliver(),
            What::Lost => drop(pair.wire.pop_front()),
            What::Time(time) => pair.pass(time),
        }
    }
    if pair.connected[0] && pair.connected[1] {
        pair.assert_closes();
    }
    answered || pair.connected[0]
}

enum What {
    /// To the one that is attacked.
    Forged,
    /// The next genuine datagram to it, an octet changed: two octets are the place, one the damage.
    Damaged,
    /// The next genuine datagram to either.
    Delivered,
    /// The next genuine datagram is not.
    Lost,
    Time(Duration),
}

fn steps(mut data: &[u8]) -> impl Iterator<Item = (What, &[u8])> {
    std::iter::from_fn(move || {
        let ([what, high, low], rest) = data.split_first_chunk()?;
        let len = usize::from(u16::from_be_bytes([*high, *low])).min(rest.len());
        let (bytes, rest) = rest.split_at(len);
        data = rest;
        let what = match what % 8 {
            0..=2 => What::Forged,
            3 => What::Damaged,
            4 | 5 => What::Delivered,
            6 => What::Lost,
            _ => What::Time(Duration::from_millis(10) * u32::from(what / 8)),
        };
        Some((what, bytes))
    })
}

/// The one that is attacked, first, and its peer.
struct Pair {
    ends: [Dtls; 2],
    connected: [bool; 2],
    failed: [bool; 2],
    /// Genuine datagrams under way, with the end they go to.
    wire: VecDeque<(usize, Vec<u8>)>,
    now: Instant,
}

impl Pair {
    fn new(attacked: Role, version: Option<Version>) -> Self {
        let now = Instant::now();
        let other = match attacked {
            Role::Server => Role::Client,
            Role::Client => Role::Server,
        };
        let end = |role| Dtls::new(identity(), role, now);
        // The other decides; the one attacked takes whatever there is, as ours do.
        let peer = version.map_or_else(|| end(other), |version| end(other).with_version(version));
        let mut pair = Self {
            ends: [end(attacked), peer],
            connected: [false; 2],
            failed: [false; 2],
            wire: VecDeque::new(),
            now,
        };
        for index in 0..2 {
            pair.call(index, |dtls, now, emit| {
                dtls.start(now, emit).map(|()| None)
            });
        }
        pair
    }

    /// Calls an end and sends what it says to the other; gives how many datagrams that were.
    fn call(
        &mut self,
        index: usize,
        call: impl FnOnce(&mut Dtls, Instant, &mut dyn FnMut(&[u8])) -> Result<Option<Event>, Error>,
    ) -> usize {
        let mut sent = 0;
        let (wire, now) = (&mut self.wire, self.now);
        let emit = &mut |bytes: &[u8]| {
            sent += 1;
            wire.push_back((1 - index, bytes.to_vec()));
        };
        match call(&mut self.ends[index], now, emit) {
            Ok(Some(Event::Connected)) => self.connected[index] = true,
            Ok(Some(Event::Closed)) | Err(_) => self.failed[index] = true,
            Ok(None) => {}
        }
        assert!(sent <= MAX_ANSWERS, "{sent} datagrams at once");
        sent
    }

    fn forge(&mut self, datagram: &[u8]) -> bool {
        let safe = self.connected[0] && !self.failed[0];
        let sent = self.call(0, |dtls, now, emit| {
            dtls.handle_datagram(now, datagram, emit)
        });
        assert!(!(safe && self.failed[0]), "a forger ends a connection");
        sent > 0
    }

    fn damage(&mut self, bytes: &[u8]) {
        let next = self.wire.iter().position(|(to, _)| *to == 0);
        let datagram = next.and_then(|at| self.wire.remove(at));
        let (Some((_, mut datagram)), [high, low, damage, ..]) = (datagram, bytes) else {
            return;
        };
        let place = usize::from(u16::from_be_bytes([*high, *low])) % datagram.len();
        datagram[place] ^= damage;
        self.call(0, |dtls, now, emit| {
            dtls.handle_datagram(now, &datagram, emit)
        });
    }

    fn deliver(&mut self) {
        if let Some((to, datagram)) = self.wire.pop_front() {
            self.call(to, |dtls, now, emit| {
                dtls.handle_datagram(now, &datagram, emit)
            });
        }
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        for index in 0..2 {
            self.call(index, |dtls, now, emit| dtls.handle_timeout(now, emit));
        }
    }

    /// What is said under the keys is still understood: the attacked end hears the farewell.
    fn assert_closes(&mut self) {
        if self.failed != [false; 2] {
            return;
        }
        // What is older may not be about to arrive.
        self.wire.clear();
        let keys = self
            .ends
            .each_mut()
            .map(|end| end.verify(&[identity().fingerprint()]));
        let [Ok(own), Ok(other)] = keys else {
            panic!("the certificate is the only one there is");
        };
        assert_eq!(own.local_key(), other.remote_key());
        self.call(1, |dtls, now, emit| {
            dtls.close(now, emit);
            Ok(None)
        });
        while !self.wire.is_empty() {
            self.deliver();
        }
        assert!(self.failed[0], "close_notify is not heard");
    }
}

/// Of both ends: to make one costs more than a handshake.
fn identity() -> &'static Identity {
    static IDENTITY: OnceLock<Identity> = OnceLock::new();
    IDENTITY.get_or_init(|| Identity::generate(SystemTime::now()).expect("a certificate"))
}

const MAX_STEPS: usize = 32;
/// As `Outbox::RESERVE` of skywave-peer.
const MAX_ANSWERS: usize = 12;
