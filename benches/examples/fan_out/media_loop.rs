//! The media thread without sockets, waits and clock: a hub in which all peers are connected, time
//! that is set by hand, and an outbox whose datagrams are thrown away.

use std::collections::VecDeque;
use std::iter::repeat_with;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use skywave_benches::Schedule;
use skywave_dtls::Identity;
use skywave_ice::Path;
use skywave_load::{Answer, Listener};
use skywave_peer::{
    Hub, Io, Limits, LocalParameters, MediaFormat, Outbox, Peer, PeerConfig, PeerEvent, PeerId,
    Remote, StreamFrame, StreamKey,
};
use skywave_rtp::{Counters, NtpTime, OwnedFrame};
use skywave_sdp::{CodecDescription, SendCapabilities, SessionDescription};

use crate::offer::{FRAME, Listeners, PAYLOAD_OCTETS, PROFILE};
use crate::stopwatch::Stopwatch;

/// A hub and its time.
pub(crate) struct MediaLoop {
    hub: Hub,
    /// Of all peers, as they were made, and of some to come.
    counters: Vec<Arc<Counters>>,
    outbox: Outbox,
    events: Vec<(PeerId, PeerEvent)>,
    started: Instant,
    now: Instant,
    frames: u32,
    payload: Arc<[u8]>,
}

impl MediaLoop {
    /// Brings so many peers to media, each by a handshake of its own.
    pub(crate) fn connect(peers: usize) -> MediaLoop {
        let now = Instant::now();
        let mut media_loop = MediaLoop {
            hub: Hub::new(),
            counters: Vec::new(),
            outbox: Outbox::new(),
            events: Vec::new(),
            started: now,
            now,
            frames: 0,
            payload: vec![0x55; PAYLOAD_OCTETS].into(),
        };
        let identity = Identity::generate(SystemTime::now()).expect("a certificate can be made");
        let listeners = Listeners::new();
        for number in 0..peers {
            media_loop.connect_one(number, &identity, &listeners);
        }
        assert_eq!(media_loop.hub.listeners(STREAM), peers);
        media_loop
    }

    /// Peers that are sent to.
    pub(crate) fn peers(&self) -> usize {
        self.hub.listeners(STREAM)
    }

    /// Where the peers' packets are counted.
    pub(crate) fn counters(&self) -> &[Arc<Counters>] {
        &self.counters[..self.peers()]
    }

    fn connect_one(&mut self, number: usize, identity: &Identity, listeners: &Listeners) {
        let path = path_of(number);
        let local = LocalParameters::from_random(rand::random());
        let (mut listener, offer) = listeners.listener(path.remote, self.now);
        let description = local.description(identity, &[SERVER]);
        let (answer, remote) = answer(&description, &offer);
        if self.counters.len() == number {
            // So many are made side by side by the engine.
            self.counters
                .extend(repeat_with(Arc::default).take(SIDE_BY_SIDE));
        }
        let counters = Arc::clone(&self.counters[number]);
        let config = PeerConfig {
            id: PeerId(number as u64),
            local,
            identity: identity.clone(),
            counters,
            transport: Arc::default(),
            limits: PATIENT,
        };
        let id = config.id;
        let peer = Peer::new(config, self.now);
        self.with_hub(|hub, io| {
            hub.add(peer, io);
            hub.set_remote(id, remote, io);
        });
        let answer = Answer::read(&answer).expect("our answers can be read");
        let mut to_hub = VecDeque::new();
        listener.accept(self.now, &answer, SERVER, &mut |bytes: &[u8]| {
            to_hub.push_back(bytes.to_vec());
        });
        self.shake_hands(&mut listener, path, to_hub);
    }

    fn shake_hands(&mut self, listener: &mut Listener, path: Path, mut to_hub: VecDeque<Vec<u8>>) {
        while let Some(mut datagram) = to_hub.pop_front() {
            self.with_hub(|hub, io| hub.handle_datagram(path, &mut datagram, io));
            for (bytes, _) in self.outbox.datagrams() {
                listener.handle_datagram(self.now, &mut bytes.to_vec(), &mut |bytes: &[u8]| {
                    to_hub.push_back(bytes.to_vec());
                });
            }
            self.outbox.clear();
        }
        let profile = listener.protection().map(|protection| protection.profile);
        assert_eq!(profile, Some(PROFILE));
        let connected = |(_, event): &(PeerId, PeerEvent)| matches!(event, PeerEvent::Connected(_));
        assert!(self.events.iter().any(connected), "{:?}", self.events);
        self.events.clear();
    }

    /// Sends one frame to everybody, in the batches in which the media thread does, and sweeps
    /// twice. Before each batch `disturb` is called, which is not measured.
    pub(crate) fn play_frame(
        &mut self,
        disturb: &mut dyn FnMut(),
        sending: &mut Stopwatch,
        sweeping: &mut Stopwatch,
    ) {
        self.frames += 1;
        let frame = self.frame();
        let mut cursor = self.hub.begin(frame).expect("the stream has listeners");
        for limit in Schedule::of(self.peers(), FRAME).batches() {
            disturb();
            self.measured(sending, |hub, io| {
                hub.fill(&mut cursor, limit, Duration::ZERO, io);
            });
        }
        for _ in 0..2 {
            self.now += FRAME / 2;
            let mut done = false;
            while !done {
                self.measured(sweeping, |hub, io| done = hub.handle_timeouts(io));
            }
        }
        assert!(self.events.is_empty(), "{:?}", self.events);
    }

    fn measured(&mut self, stopwatch: &mut Stopwatch, call: impl FnOnce(&mut Hub, &mut Io<'_>)) {
        stopwatch.start();
        self.with_hub(call);
        self.outbox.clear();
        stopwatch.stop();
    }

    fn frame(&self) -> StreamFrame {
        StreamFrame {
            stream: STREAM,
            frame: frame(&self.payload, self.frames, self.ntp()),
            captured: self.now,
            clock_rate: FORMAT.clock_rate,
        }
    }

    fn with_hub<T>(&mut self, call: impl FnOnce(&mut Hub, &mut Io<'_>) -> T) -> T {
        let mut io = Io {
            now: self.now,
            ntp: self.ntp(),
            outbox: &mut self.outbox,
            events: &mut self.events,
        };
        call(&mut self.hub, &mut io)
    }

    fn ntp(&self) -> NtpTime {
        NtpTime::from_unix(Duration::from_secs(1_800_000_000) + (self.now - self.started))
    }
}

/// The frame of this number.
pub(crate) fn frame(payload: &Arc<[u8]>, number: u32, captured: NtpTime) -> OwnedFrame {
    OwnedFrame {
        payload: Arc::clone(payload),
        comfort_noise: false,
        timestamp: number.wrapping_mul(PAYLOAD_OCTETS as u32),
        duration: PAYLOAD_OCTETS as u32,
        marker: false,
        audio_level: 30,
        voice: true,
        captured,
    }
}

/// Where the listener of this number is.
pub(crate) fn path_of(number: usize) -> Path {
    // Far below 2^24 of them.
    let ip = Ipv4Addr::from_bits(0x0a00_0000 + number as u32);
    Path {
        base: 0,
        remote: SocketAddr::from((ip, 40_000)),
    }
}

fn answer(local: &skywave_sdp::LocalDescription, offer: &str) -> (String, Remote) {
    let offer = SessionDescription::parse(offer).expect("the offer is one");
    let codecs = [PCMU];
    let capabilities = SendCapabilities::new(&codecs);
    let answer = skywave_sdp::answer(local, &offer, &capabilities);
    let (text, negotiated) = answer.expect("the offer has PCMU");
    (text, Remote::new(&negotiated, STREAM, FORMAT))
}

const SIDE_BY_SIDE: usize = 64;
const PCMU: CodecDescription = CodecDescription {
    name: "PCMU",
    clock_rate: 8000,
    channels: 1,
    payload_type: 0,
    fmtp: "",
};
const FORMAT: MediaFormat = MediaFormat {
    clock_rate: 8000,
    frame_interval: FRAME,
    bit_rate: 64_000,
};
const STREAM: StreamKey = StreamKey(0);
const SERVER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 5000);

/// Nobody renews consent or reports here, and nobody is given up for it.
pub(crate) const PATIENT: Limits = Limits {
    answer_timeout: HOUR,
    connect_timeout: HOUR,
    handshake_timeout: HOUR,
    disconnected_timeout: HOUR,
    consent_timeout: HOUR,
    circuit_breaker: false,
};
const HOUR: Duration = Duration::from_secs(3600);
