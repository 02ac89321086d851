//! A hub with peers in every phase on a virtual clock: one that listens and is left alone, and
//! those who are attacked.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime};

use skywave_dtls::{Identity, Role};
use skywave_ice::{Class, Credentials, Path, StunMessage};
use skywave_peer::{
    DropReason, Hub, Io, Limits, LocalParameters, MediaFormat, Outbox, Peer, PeerConfig, PeerEvent,
    PeerId, Protocol, Remote, RtpTerms, StreamFrame, StreamKey,
};
use skywave_rtp::{ExtensionIds, Mid, NtpTime, OwnedFrame};
use skywave_srtp::HeaderEncryption;

use crate::far_end::{FarEnd, Heard};

pub(crate) struct Audience {
    hub: Hub,
    outbox: Outbox,
    pub(crate) events: Vec<(PeerId, PeerEvent)>,
    pub(crate) now: Instant,
    start: Instant,
    /// In the order of the constants below.
    pub(crate) ends: Vec<FarEnd>,
    /// Datagrams to an address at which nobody is.
    pub(crate) to_strangers: usize,
    /// Those of media among them.
    pub(crate) media_to_strangers: usize,
    /// The transaction id of the hub's last check of each address, that of the stranger too.
    pub(crate) questions: [Option<[u8; 12]>; STRANGER + 1],
    /// Whether such a check was answered from there, by who knows the password.
    pub(crate) stranger_has_answered: bool,
    /// ICE restarts so far.
    pub(crate) restarts: u32,
    /// Whether a check that proves a password ever came from there.
    pub(crate) strangers_may_be_answered: bool,
    next_check: Instant,
    pub(crate) frames: u32,
}

/// Listens and is left alone.
pub(crate) const LISTENER: usize = 0;
/// Listens; what comes from it is the input.
pub(crate) const ATTACKER: usize = 1;
/// Has said hello.
pub(crate) const HANDSHAKING: usize = 2;
/// Has passed no check.
pub(crate) const CHECKING: usize = 3;
/// The answer to its offer is still to come.
pub(crate) const OFFERED: usize = 4;
/// An address at which nobody is, behind those of the peers.
pub(crate) const STRANGER: usize = 5;

impl Audience {
    pub(crate) fn new() -> Self {
        let now = Instant::now();
        let mut audience = Self {
            hub: Hub::new(),
            outbox: Outbox::new(),
            events: Vec::new(),
            now,
            start: now,
            ends: Vec::new(),
            to_strangers: 0,
            media_to_strangers: 0,
            questions: [None; STRANGER + 1],
            stranger_has_answered: false,
            restarts: 0,
            strangers_may_be_answered: false,
            next_check: now,
            frames: 0,
        };
        for index in [LISTENER, ATTACKER, HANDSHAKING, CHECKING, OFFERED] {
            audience.add(index);
        }
        for index in [LISTENER, ATTACKER] {
            audience.connect(index);
        }
        let check = audience.ends[HANDSHAKING].check(|writer| writer.use_candidate());
        audience.receive(path(HANDSHAKING), &check);
        audience.ends[HANDSHAKING].start(now);
        audience.exchange(HANDSHAKING, 1);
        audience.pass(2 * FRAME);
        audience
    }

    fn add(&mut self, index: usize) {
        let local = LocalParameters::from_random([index as u8 + 1; LocalParameters::RANDOM_BYTES]);
        let id = PeerId(index as u64);
        let end = FarEnd::new(path(index), &local, identity(), self.now);
        let remote = Remote {
            stream: STREAM,
            ice: end.credentials.clone(),
            fingerprints: vec![identity().fingerprint()],
            role: Role::Server,
            mid: Some("0".to_owned()),
            rtp: terms(index),
            format: FORMAT,
            redundancy: u8::from(index == ATTACKER),
            adaptive_redundancy: true,
        };
        let config = PeerConfig {
            id,
            local,
            identity: identity().clone(),
            counters: Arc::default(),
            transport: Arc::default(),
            limits: Limits::default(),
        };
        let peer = Peer::new(config, self.now);
        self.ends.push(end);
        self.with_hub(|hub, io| {
            hub.add(peer, io);
            if index != OFFERED {
                hub.set_remote(id, remote, io);
            }
        });
    }

    fn connect(&mut self, index: usize) {
        let check = self.ends[index].check(|writer| writer.use_candidate());
        self.receive(path(index), &check);
        self.ends[index].start(self.now);
        self.exchange(index, 20);
        assert!(self.ends[index].is_connected(), "nobody disturbs this");
    }

    /// Lets one end send what it has to, so many times.
    fn exchange(&mut self, index: usize, rounds: usize) {
        for _ in 0..rounds {
            for datagram in std::mem::take(&mut self.ends[index].outgoing) {
                self.receive(path(index), &datagram);
            }
        }
    }

    /// Has a peer's checks taken with new credentials too.
    pub(crate) fn restart(&mut self, index: usize) {
        self.restarts += 1;
        let mut random = [0x80; 24];
        random[..4].copy_from_slice(&self.restarts.to_be_bytes());
        let local = Credentials::from_random(random);
        let remote = self.ends[index].restart(&local);
        self.with_hub(|hub, _| hub.restart_ice(PeerId(index as u64), &local, remote));
    }

    /// One datagram to the hub.
    pub(crate) fn receive(&mut self, path: Path, datagram: &[u8]) {
        let mut datagram = datagram.to_vec();
        self.with_hub(|hub, io| hub.handle_datagram(path, &mut datagram, io));
    }

    /// Lets time pass. Frames go out; the one that is left alone checks and reports.
    pub(crate) fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.now += FRAME;
            if self.now >= self.next_check {
                self.next_check = self.now + CHECK_INTERVAL;
                self.speak(LISTENER);
            }
            while !self.with_hub(|hub, io| hub.handle_timeouts(io)) {}
            self.send_frame();
        }
    }

    /// A check and a report.
    fn speak(&mut self, index: usize) {
        let check = self.ends[index].check(|_| {});
        let report = self.ends[index].report();
        for datagram in [check, report] {
            self.receive(path(index), &datagram);
        }
    }

    fn send_frame(&mut self) {
        self.frames += 1;
        let ntp = self.ntp();
        let frame = StreamFrame {
            stream: STREAM,
            frame: OwnedFrame {
                payload: Arc::new(self.frames.to_be_bytes()),
                comfort_noise: false,
                timestamp: self.frames.wrapping_mul(960),
                duration: 960,
                marker: false,
                audio_level: 20,
                voice: true,
                captured: ntp,
            },
            captured: self.now,
            clock_rate: FORMAT.clock_rate,
        };
        if let Some(mut cursor) = self.hub.begin(frame) {
            while self.with_hub(|hub, io| hub.fill(&mut cursor, usize::MAX, Duration::ZERO, io)) > 0
            {
            }
        }
    }

    /// Datagrams that the hub did not use.
    pub(crate) fn dropped(&self) -> u64 {
        self.hub.drops().iter().map(|(_, count)| count).sum()
    }

    /// Why it did not.
    pub(crate) fn drops(&self) -> Vec<(DropReason, u64)> {
        self.hub
            .drops()
            .iter()
            .filter(|(_, count)| *count > 0)
            .collect()
    }

    fn ntp(&self) -> NtpTime {
        NtpTime::from_unix(Duration::from_secs(1_800_000_000) + (self.now - self.start))
    }

    fn with_hub<T>(&mut self, call: impl FnOnce(&mut Hub, &mut Io<'_>) -> T) -> T {
        let mut io = Io {
            now: self.now,
            ntp: self.ntp(),
            outbox: &mut self.outbox,
            events: &mut self.events,
        };
        let result = call(&mut self.hub, &mut io);
        for (datagram, path) in self.outbox.datagrams() {
            if let Some(id) = question(datagram) {
                self.questions[index_of(path)] = Some(id);
            }
            match self.ends.iter_mut().find(|end| end.path == path) {
                Some(end) => {
                    let heard = end.handle(self.now, datagram);
                    assert!(
                        heard == Heard::Own || path.remote != self::path(LISTENER).remote,
                        "the listener got what is not for it"
                    );
                }
                None => {
                    self.to_strangers += 1;
                    let media = matches!(Protocol::of(datagram), Protocol::Srtp | Protocol::Srtcp);
                    self.media_to_strangers += usize::from(media);
                }
            }
        }
        self.outbox.clear();
        result
    }
}

/// The address of a peer, or that of the stranger.
pub(crate) fn path(index: usize) -> Path {
    Path {
        base: 0,
        remote: ([192, 0, 2, 1], 40_000 + index as u16).into(),
    }
}

/// The opposite of [`path`].
fn index_of(path: Path) -> usize {
    usize::from(path.remote.port() - self::path(0).remote.port())
}

/// The transaction id of a check of the hub.
fn question(datagram: &[u8]) -> Option<[u8; 12]> {
    let message = StunMessage::parse(datagram).ok()?;
    (message.class() == Class::Request).then(|| message.transaction_id())
}

/// Of all ends: to make one costs more than a handshake.
fn identity() -> &'static Identity {
    static IDENTITY: OnceLock<Identity> = OnceLock::new();
    IDENTITY.get_or_init(|| Identity::generate(SystemTime::now()).expect("a certificate"))
}

fn terms(index: usize) -> RtpTerms {
    let everything = index == ATTACKER;
    RtpTerms {
        payload_type: 111,
        extensions: ExtensionIds {
            mid: Mid::new(1, "0").ok(),
            audio_level: Some(2),
            ..ExtensionIds::default()
        },
        header_encryption: HeaderEncryption::None,
        nack: everything,
        rtx: everything.then_some(112),
        red: everything.then_some(63),
        comfort_noise: None,
        telephone_event: None,
        tmmbr: everything,
        rcvr_rtt: everything,
        rtcp_rsize: everything,
        max_bitrate: None,
    }
}

pub(crate) const FRAME: Duration = Duration::from_millis(20);
const CHECK_INTERVAL: Duration = Duration::from_secs(5);
const STREAM: StreamKey = StreamKey(5);
const FORMAT: MediaFormat = MediaFormat {
    clock_rate: 48_000,
    frame_interval: FRAME,
    bit_rate: 64_000,
};
