//! A hub and its listeners on a virtual clock and a lossy link.
#![allow(dead_code, clippy::unwrap_used)]

pub(crate) mod listener;
pub(crate) mod losses;
pub(crate) mod rtcp;

use std::sync::Arc;
use std::time::{Duration, Instant};

use skywave_dtls::{Identity, Role};
use skywave_ice::Path;
use skywave_peer::{
    Cursor, Hub, Io, Limits, LocalParameters, MediaFormat, Outbox, Peer, PeerConfig, PeerEvent,
    PeerId, Remote, RtpTerms, StreamFrame, StreamKey,
};
use skywave_rtp::{ExtensionIds, Mid, NtpTime, OwnedFrame};
use skywave_srtp::HeaderEncryption;

use listener::Listener;

pub(crate) const STREAM: StreamKey = StreamKey(5);
pub(crate) const TICK: Duration = Duration::from_millis(10);
pub(crate) const FORMAT: MediaFormat = MediaFormat {
    clock_rate: 48_000,
    frame_interval: Duration::from_millis(20),
    bit_rate: 1_600,
};

/// One hub with its listeners, and all that goes between them.
pub(crate) struct World {
    pub(crate) hub: Hub,
    pub(crate) outbox: Outbox,
    pub(crate) events: Vec<(PeerId, PeerEvent)>,
    pub(crate) now: Instant,
    pub(crate) started: Instant,
    pub(crate) limits: Limits,
    pub(crate) identity: Identity,
    pub(crate) listeners: Vec<Listener>,
    /// Where each datagram of the hub went.
    pub(crate) destinations: Vec<Path>,
    /// The step of the clock.
    pub(crate) tick: Duration,
    /// Whether frames go out.
    pub(crate) frames: bool,
    /// Whether they describe noise in a pause.
    pub(crate) comfort_noise: bool,
    /// Share of datagrams lost, in 1/256.
    pub(crate) loss: u8,
    /// Whether nothing arrives, in either direction.
    pub(crate) cut: bool,
    random: u64,
    media_time: u32,
    /// The next frame is the first after a pause.
    marker: bool,
}

impl World {
    pub(crate) fn new() -> Self {
        let now = Instant::now();
        Self {
            hub: Hub::new(),
            outbox: Outbox::new(),
            events: Vec::new(),
            now,
            started: now,
            // The listeners here send no RTCP by themselves.
            limits: Limits {
                circuit_breaker: false,
                ..Limits::default()
            },
            identity: Identity::generate(std::time::SystemTime::now()).unwrap(),
            listeners: Vec::new(),
            destinations: Vec::new(),
            tick: TICK,
            frames: true,
            comfort_noise: false,
            loss: 0,
            cut: false,
            random: 7,
            media_time: 0,
            marker: false,
        }
    }

    /// Calls into the hub and delivers what comes out.
    pub(crate) fn with_hub<T>(&mut self, call: impl FnOnce(&mut Hub, &mut Io<'_>) -> T) -> T {
        let mut io = Io {
            now: self.now,
            ntp: self.ntp(),
            outbox: &mut self.outbox,
            events: &mut self.events,
        };
        let result = call(&mut self.hub, &mut io);
        self.deliver_outbox();
        result
    }

    pub(crate) fn ntp(&self) -> NtpTime {
        let elapsed = self.now - self.started;
        NtpTime::from_unix(Duration::from_secs(1_800_000_000) + elapsed)
    }

    /// Adds a peer that answered an offer, and the listener that is its other end.
    pub(crate) fn add(&mut self, role: Role) -> usize {
        let index = self.add_offering(role);
        let remote = self.remote(index, role);
        self.set_remote(index, remote);
        index
    }

    /// Adds a peer that made an offer, whose answer is still to come and will give it `role`.
    pub(crate) fn add_offering(&mut self, role: Role) -> usize {
        let index = self.listeners.len();
        let local = LocalParameters::from_random([index as u8 + 1; LocalParameters::RANDOM_BYTES]);
        let listener_role = match role {
            Role::Server => Role::Client,
            Role::Client => Role::Server,
        };
        let listener = Listener::new(index, &local, listener_role, self.now);
        let config = PeerConfig {
            id: PeerId(index as u64),
            local,
            identity: self.identity.clone(),
            counters: Arc::clone(&listener.counters),
            transport: Arc::clone(&listener.transport),
            limits: self.limits,
        };
        let peer = Peer::new(config, self.now);
        self.listeners.push(listener);
        self.with_hub(|hub, io| hub.add(peer, io));
        index
    }

    /// The true remote description of a listener.
    pub(crate) fn remote(&self, index: usize, role: Role) -> Remote {
        let listener = &self.listeners[index];
        Remote {
            stream: STREAM,
            ice: listener.credentials.clone(),
            fingerprints: vec![listener.identity.fingerprint()],
            role,
            mid: Some("0".to_owned()),
            rtp: terms(),
            format: FORMAT,
            redundancy: 0,
            adaptive_redundancy: false,
        }
    }

    pub(crate) fn set_remote(&mut self, index: usize, remote: Remote) {
        self.with_hub(|hub, io| hub.set_remote(PeerId(index as u64), remote, io));
    }

    /// RTCP of a listener, which arrives at once.
    pub(crate) fn hear(&mut self, index: usize, compound: &[u8]) {
        let datagram = self.listeners[index].protect_rtcp(compound);
        self.receive(self.listeners[index].path, &datagram);
    }

    /// One datagram from anywhere to the hub, whole.
    pub(crate) fn receive(&mut self, path: Path, datagram: &[u8]) {
        let mut datagram = datagram.to_vec();
        self.with_hub(|hub, io| hub.handle_datagram(path, &mut datagram, io));
    }

    /// Lets time pass: listeners check, handshakes go on, timers fire, a frame goes out every
    /// other tick.
    pub(crate) fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.tick();
        }
    }

    /// Lets time pass without frames, that of the media too: the track is silent.
    pub(crate) fn pause(&mut self, time: Duration) {
        self.frames = false;
        self.run(time);
        self.frames = true;
        self.marker = true;
        self.media_time += time.as_millis() as u32 * 48;
    }

    /// Lets time pass until something is so, up to a limit. True if it is.
    pub(crate) fn run_until(&mut self, limit: Duration, done: impl Fn(&Self) -> bool) -> bool {
        let end = self.now + limit;
        while self.now < end && !done(self) {
            self.tick();
        }
        done(self)
    }

    fn tick(&mut self) {
        self.now += self.tick;
        for index in 0..self.listeners.len() {
            let now = self.now;
            self.listeners[index].work(now);
            let path = self.listeners[index].path;
            for datagram in std::mem::take(&mut self.listeners[index].outgoing) {
                if !self.lose() {
                    self.receive(path, &datagram);
                }
            }
        }
        while !self.with_hub(|hub, io| hub.handle_timeouts(io)) {}
        let elapsed = self.now.duration_since(self.started).as_millis();
        if self.frames && elapsed.is_multiple_of(20) {
            self.send_frame();
        }
    }

    /// Sends one frame to everybody.
    pub(crate) fn send_frame(&mut self) {
        self.begin_frame(|world, mut cursor| while world.fill(&mut cursor, usize::MAX) > 0 {});
    }

    /// Sends a frame to some more; how many are left.
    pub(crate) fn fill(&mut self, cursor: &mut Cursor, limit: usize) -> usize {
        self.with_hub(|hub, io| hub.fill(cursor, limit, Duration::ZERO, io))
    }

    /// Starts a frame and leaves the rest to the caller.
    pub(crate) fn begin_frame(&mut self, rest: impl FnOnce(&mut Self, Cursor)) {
        self.media_time += 960;
        let frame = StreamFrame {
            stream: STREAM,
            frame: OwnedFrame {
                payload: Arc::new(self.media_time.to_be_bytes()),
                comfort_noise: self.comfort_noise,
                timestamp: self.media_time,
                duration: 960,
                marker: std::mem::take(&mut self.marker),
                audio_level: 20,
                voice: true,
                captured: self.ntp(),
            },
            captured: self.now,
            clock_rate: FORMAT.clock_rate,
        };
        if let Some(cursor) = self.hub.begin(frame) {
            rest(self, cursor);
        }
    }

    pub(crate) fn deliver_outbox(&mut self) {
        let datagrams: Vec<(Vec<u8>, Path)> = self
            .outbox
            .datagrams()
            .map(|(bytes, path)| (bytes.to_vec(), path))
            .collect();
        self.outbox.clear();
        for (datagram, path) in datagrams {
            self.destinations.push(path);
            if self.lose() {
                continue;
            }
            let now = self.now;
            if let Some(listener) = self.listeners.iter_mut().find(|l| l.hears(path)) {
                listener.handle(now, &datagram, path);
            }
        }
    }

    fn lose(&mut self) -> bool {
        // Knuth's MMIX generator.
        self.random = self
            .random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.cut || ((self.random >> 56) as u8) < self.loss
    }

    /// What happened to one peer.
    pub(crate) fn events_of(&self, index: usize) -> Vec<PeerEvent> {
        let of = |(id, _): &&(PeerId, PeerEvent)| id.0 == index as u64;
        self.events
            .iter()
            .filter(of)
            .map(|(_, event)| event.clone())
            .collect()
    }

    pub(crate) fn is_connected(&self, index: usize) -> bool {
        let events = self.events_of(index);
        events
            .iter()
            .any(|event| matches!(event, PeerEvent::Connected(_)))
    }

    /// Brings one listener all the way to media.
    pub(crate) fn connect(&mut self) -> usize {
        self.connect_as(|_| {})
    }

    /// The same for a listener with other terms than [`terms`].
    pub(crate) fn connect_as(&mut self, change: impl FnOnce(&mut Remote)) -> usize {
        let index = self.add_offering(Role::Server);
        let mut remote = self.remote(index, Role::Server);
        change(&mut remote);
        self.listeners[index].header_encryption = remote.rtp.header_encryption;
        self.set_remote(index, remote);
        let connected = |world: &Self| !world.listeners[index].packets.is_empty();
        assert!(self.run_until(Duration::from_secs(5), connected));
        index
    }
}

/// What a plain peer agrees to.
pub(crate) fn terms() -> RtpTerms {
    RtpTerms {
        payload_type: 111,
        extensions: ExtensionIds {
            mid: Mid::new(1, "0").ok(),
            audio_level: Some(2),
            ..ExtensionIds::default()
        },
        header_encryption: HeaderEncryption::None,
        nack: false,
        rtx: None,
        red: None,
        telephone_event: None,
        comfort_noise: None,
        tmmbr: false,
        rcvr_rtt: false,
        rtcp_rsize: true,
        max_bitrate: None,
    }
}
