//! The virtual link.

use std::collections::VecDeque;
use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime};

use skywave_dtls::{Dtls, Error, Event, Identity, Role, Version};

/// A client and a server with a link of 20 ms between them.
pub(crate) struct Link {
    pub(crate) now: Instant,
    pub(crate) client: Dtls,
    pub(crate) server: Dtls,
    /// Datagrams under way, by arrival.
    pub(crate) wire: VecDeque<(Instant, Role, Vec<u8>)>,
    /// Every event and error in order.
    pub(crate) seen: Vec<(Role, Result<Event, Error>)>,
    /// Datagrams lost in a hundred.
    pub(crate) loss: u64,
    /// Datagrams that arrive twice in a hundred.
    pub(crate) doubled: u64,
    /// Milliseconds that a datagram may be late: more than are between two.
    pub(crate) jitter: u64,
    pub(crate) sent: usize,
    random: u64,
}

impl Link {
    pub(crate) fn new() -> Self {
        Self::with_versions(None, None)
    }

    /// `None` leaves the version open.
    pub(crate) fn with_versions(client: Option<Version>, server: Option<Version>) -> Self {
        let now = Instant::now();
        let dtls = |identity, role, version| {
            let dtls = Dtls::new(identity, role, now);
            match version {
                Some(version) => dtls.with_version(version),
                None => dtls,
            }
        };
        Self {
            now,
            client: dtls(client_identity(), Role::Client, client),
            server: dtls(server_identity(), Role::Server, server),
            wire: VecDeque::new(),
            seen: Vec::new(),
            loss: 0,
            doubled: 0,
            jitter: 0,
            sent: 0,
            random: 1,
        }
    }

    pub(crate) fn with_loss(mut self, loss: u64, seed: u64) -> Self {
        (self.loss, self.random) = (loss, seed);
        self
    }

    pub(crate) fn end(&mut self, role: Role) -> &mut Dtls {
        match role {
            Role::Client => &mut self.client,
            Role::Server => &mut self.server,
        }
    }

    pub(crate) fn start(&mut self) {
        let now = self.now;
        self.call(Role::Client, |dtls, emit| {
            dtls.start(now, emit).map(|()| None)
        });
    }

    /// Hands a datagram to an end at once.
    pub(crate) fn deliver(&mut self, to: Role, datagram: &[u8]) {
        let now = self.now;
        self.call(to, |dtls, emit| dtls.handle_datagram(now, datagram, emit));
    }

    pub(crate) fn close(&mut self, role: Role) {
        let now = self.now;
        self.call(role, |dtls, emit| {
            dtls.close(now, emit);
            Ok(None)
        });
    }

    /// The next arrival or timer, whichever comes first. False when nothing is left.
    pub(crate) fn step(&mut self) -> bool {
        let arrival = self.wire.front().map(|(at, ..)| *at);
        let due = |dtls: &Dtls| dtls.next_timeout();
        let timer = due(&self.client).into_iter().chain(due(&self.server)).min();
        let Some(next) = arrival.into_iter().chain(timer).min() else {
            return false;
        };
        self.now = self.now.max(next);
        if arrival == Some(next) {
            let (_, to, datagram) = self.wire.pop_front().unwrap();
            self.deliver(to, &datagram);
            return true;
        }
        let now = self.now;
        for role in [Role::Client, Role::Server] {
            self.call(role, |dtls, emit| dtls.handle_timeout(now, emit));
        }
        true
    }

    /// Steps until nothing is left or `time` has passed.
    pub(crate) fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end && self.step() {}
    }

    /// Starts, runs for a minute, and says whether both ends are connected.
    pub(crate) fn connects(&mut self) -> bool {
        self.start();
        self.run(Duration::from_secs(60));
        self.both_connected()
    }

    pub(crate) fn both_connected(&self) -> bool {
        [Role::Client, Role::Server]
            .into_iter()
            .all(|role| self.seen.contains(&(role, Ok(Event::Connected))))
    }

    pub(crate) fn random(&mut self) -> u64 {
        // Knuth's MMIX generator.
        self.random = self
            .random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.random >> 33
    }

    /// Puts a datagram on the wire, or loses it.
    fn carry(&mut self, to: Role, datagram: Vec<u8>) {
        if self.random() % 100 < self.loss {
            return;
        }
        let late = match self.jitter {
            0 => 0,
            jitter => self.random() % jitter,
        };
        let arrival = self.now + Duration::from_millis(20 + late);
        let at = self.wire.partition_point(|(other, ..)| *other <= arrival);
        self.wire.insert(at, (arrival, to, datagram));
    }

    fn call<F>(&mut self, role: Role, call: F)
    where
        F: FnOnce(&mut Dtls, &mut dyn FnMut(&[u8])) -> Result<Option<Event>, Error>,
    {
        let mut out = Vec::new();
        let result = call(self.end(role), &mut |datagram| out.push(datagram.to_vec()));
        if let Some(result) = result.transpose() {
            self.seen.push((role, result));
        }
        for datagram in out {
            assert!(datagram.len() <= 1200, "{} bytes", datagram.len());
            self.sent += 1;
            assert!(self.sent < 2000, "a storm");
            if self.doubled > 0 && self.random() % 100 < self.doubled {
                self.carry(other(role), datagram.clone());
            }
            self.carry(other(role), datagram);
        }
    }
}

pub(crate) fn other(role: Role) -> Role {
    match role {
        Role::Client => Role::Server,
        Role::Server => Role::Client,
    }
}

pub(crate) fn client_identity() -> &'static Identity {
    static IDENTITY: OnceLock<Identity> = OnceLock::new();
    IDENTITY.get_or_init(|| Identity::generate(SystemTime::now()).unwrap())
}

pub(crate) fn server_identity() -> &'static Identity {
    static IDENTITY: OnceLock<Identity> = OnceLock::new();
    IDENTITY.get_or_init(|| Identity::generate(SystemTime::now()).unwrap())
}

/// Every pair of versions that has one in common.
pub(crate) const VERSIONS: [(Option<Version>, Option<Version>); 7] = {
    const V12: Option<Version> = Some(Version::Dtls12);
    const V13: Option<Version> = Some(Version::Dtls13);
    [
        (None, None),
        (None, V12),
        (None, V13),
        (V12, None),
        (V13, None),
        (V12, V12),
        (V13, V13),
    ]
};
