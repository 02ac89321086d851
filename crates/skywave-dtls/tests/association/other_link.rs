//! An end of ours and one of another make on a virtual clock, with a link between them that loses a
//! datagram.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use rcgen::KeyPair;
use rtc_dtls::config::ClientAuthType;
use rtc_dtls::endpoint::{Endpoint, EndpointEvent};
use skywave_dtls::{Dtls, Error, Event, Role};

use crate::link::server_identity;
use crate::other_client::{address, builder, rsa_key};

/// The two ends, 20 ms apart.
pub(crate) struct OtherLink {
    now: Instant,
    pub(crate) ours: Dtls,
    other: Endpoint,
    /// Datagrams under way by arrival, each with the make of the end that it is for.
    wire: VecDeque<(Instant, Make, Vec<u8>)>,
    /// Events and errors of ours.
    pub(crate) seen: Vec<Result<Event, Error>>,
    pub(crate) other_connected: bool,
    /// Datagrams that the two ends sent.
    pub(crate) sent: usize,
    lost: usize,
}

enum Make {
    Ours,
    Other,
}

impl OtherLink {
    /// `role` is ours. The other end has an RSA certificate if it is the client. Of all datagrams `lost` is
    /// the number of the one that does not arrive, counted from 0.
    pub(crate) fn new(role: Role, lost: usize) -> Self {
        let now = Instant::now();
        let mut link = Self {
            now,
            ours: Dtls::new(server_identity(), role, now),
            other: match role {
                Role::Server => client(now),
                Role::Client => server(),
            },
            wire: VecDeque::new(),
            seen: Vec::new(),
            other_connected: false,
            sent: 0,
            lost,
        };
        link.call(|dtls, emit| dtls.start(now, emit).map(|()| None));
        link
    }

    /// Runs for so long, or until both ends are connected; whether they are.
    pub(crate) fn connects_within(&mut self, time: Duration) -> bool {
        let end = self.now + time;
        let connected = |link: &Self| link.other_connected && link.seen == [Ok(Event::Connected)];
        for _ in 0..MAX_STEPS {
            if connected(self) || self.now >= end || !self.step() {
                return connected(self);
            }
        }
        panic!("time stands still");
    }

    /// The next arrival or timer, whichever comes first. False when nothing is left.
    fn step(&mut self) -> bool {
        let arrival = self.wire.front().map(|(at, ..)| *at);
        let timers = [
            self.ours.next_timeout(),
            self.other.poll_timeout(&address()),
        ];
        let Some(next) = timers.into_iter().flatten().chain(arrival).min() else {
            return false;
        };
        self.now = self.now.max(next);
        let now = self.now;
        if arrival != Some(next) {
            // It knows of no call before the first datagram, and has no timer then.
            let _ = self.other.handle_timeout(address(), now);
            self.call(|dtls, emit| dtls.handle_timeout(now, emit));
            return true;
        }
        match self.wire.pop_front().unwrap() {
            (_, Make::Ours, datagram) => {
                self.call(|dtls, emit| dtls.handle_datagram(now, &datagram, emit));
            }
            (_, Make::Other, datagram) => {
                let datagram = BytesMut::from(&datagram[..]);
                // What it refuses shows in what does not happen.
                let events = self.other.read(now, address(), None, datagram);
                self.other_connected |= events
                    .unwrap_or_default()
                    .iter()
                    .any(|event| matches!(event, EndpointEvent::HandshakeComplete));
                self.call(|_, _| Ok(None));
            }
        }
        true
    }

    /// Does something with our end, and carries what both then have to say.
    fn call<F>(&mut self, call: F)
    where
        F: FnOnce(&mut Dtls, &mut dyn FnMut(&[u8])) -> Result<Option<Event>, Error>,
    {
        let mut out = Vec::new();
        let emit = &mut |datagram: &[u8]| out.push((Make::Other, datagram.to_vec()));
        self.seen.extend(call(&mut self.ours, emit).transpose());
        while let Some(datagram) = self.other.poll_transmit() {
            out.push((Make::Ours, datagram.message.to_vec()));
        }
        for (to, datagram) in out {
            if self.sent != self.lost {
                let arrival = self.now + Duration::from_millis(20);
                self.wire.push_back((arrival, to, datagram));
            }
            self.sent += 1;
        }
    }
}

fn client(now: Instant) -> Endpoint {
    let config = builder(rsa_key())
        .with_flight_interval(OTHER_RETRY)
        .build(true, Some(address()))
        .unwrap();
    let mut client = Endpoint::new(address(), Default::default(), None);
    let config = Arc::new(config);
    client.connect(now, address(), config, None).unwrap();
    client
}

fn server() -> Endpoint {
    let config = builder(&KeyPair::generate().unwrap())
        .with_flight_interval(OTHER_RETRY)
        .with_client_auth(ClientAuthType::RequireAnyClientCert)
        .build(false, None)
        .unwrap();
    Endpoint::new(address(), Default::default(), Some(Arc::new(config)))
}

/// A handshake takes some dozens.
const MAX_STEPS: usize = 1_000;

/// Sooner than ours: the other end forgets its timer when it hears a flight again, and would never
/// repeat its own (RFC 6347 §4.2.4 has it do so at once).
const OTHER_RETRY: Duration = Duration::from_millis(200);
