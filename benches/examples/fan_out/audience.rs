//! A real engine with thousands of listeners, each a real socket that nobody reads any more once
//! it is connected.

use std::net::{SocketAddr, UdpSocket};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::net::sockopt::set_socket_recv_buffer_size;
use skywave::{
    AudioCodec, AudioTrack, AudioTransmitter, Engine, EngineConfig, EngineStats, Lateness,
    Scheduling, TrackConfig, TrackStats,
};

use crate::core::Thread;
use crate::gate::Gate;
use crate::joining::Joining;
use crate::media_loop::PATIENT;
use crate::network::Network;
use crate::offer::Listeners;

/// An engine, one track, and who listens to it.
pub(crate) struct Audience {
    network: Network,
    engine: Engine,
    track: AudioTrack,
    gate: Gate,
    media_thread: Thread,
    listeners: Listeners,
    seats: Vec<Seat>,
}

/// A connected listener.
struct Seat {
    transmitter: AudioTransmitter,
    /// Kept open.
    socket: UdpSocket,
}

/// What happened in a stretch of time.
pub(crate) struct Window {
    pub(crate) packets: u64,
    /// Of the media thread, in nanoseconds a packet.
    pub(crate) cpu_per_packet: f64,
    /// The media thread's part of a core.
    pub(crate) cpu_share: f64,
    pub(crate) lateness: Lateness,
    pub(crate) slots_late: u64,
    pub(crate) sends_refused: u64,
    /// By the media thread, or because it did not take them.
    pub(crate) frames_dropped: u64,
    /// Frames that the encoder's thread was too late for.
    pub(crate) frames_skipped: u64,
    pub(crate) encoder_lateness: Lateness,
}

impl Audience {
    /// An engine that nobody listens to, its media thread kept to `core`.
    pub(crate) fn open(network: Network, core: usize, realtime: bool) -> Audience {
        // That of an engine before this one may still be hanging up thousands.
        while Thread::named(MEDIA_THREAD).is_some() {
            sleep(Duration::from_millis(1));
        }
        let engine = Engine::bind(EngineConfig {
            udp: network.engine(),
            realtime,
            max_listeners: usize::MAX,
            max_handshakes: usize::MAX,
            limits: PATIENT,
            encoder_threads: 1,
            ..EngineConfig::default()
        });
        let engine = engine.expect("the engine starts");
        let media_thread = Thread::named(MEDIA_THREAD).expect("the engine has a media thread");
        media_thread.keep_to(core);
        let track = engine.audio_track(TrackConfig {
            codecs: vec![AudioCodec::Pcmu],
            ..TrackConfig::default()
        });
        let gate = Gate::default();
        track.replace_audio_source(gate.tone());
        Audience {
            network,
            engine,
            track,
            gate,
            media_thread,
            listeners: Listeners::new(),
            seats: Vec::new(),
        }
    }

    /// Whether the media thread runs before normal ones.
    pub(crate) fn is_realtime(&self) -> bool {
        self.engine.stats().shards[0].scheduling == Scheduling::Realtime
    }

    /// How the media thread runs, in words.
    pub(crate) fn policy(&self) -> &'static str {
        if self.is_realtime() {
            "SCHED_FIFO"
        } else {
            "normal threads"
        }
    }

    /// Where the listeners are.
    pub(crate) fn destinations(&self) -> Vec<SocketAddr> {
        let sockets = self.seats.iter().map(|seat| seat.socket.local_addr());
        sockets
            .map(|address| address.expect("it is bound"))
            .collect()
    }

    /// Lets listeners join or hangs some up, until so many are there. The track stands still
    /// meanwhile.
    pub(crate) fn resize(&mut self, count: usize) {
        self.gate.set(false);
        self.network.reach_listeners(true);
        self.seats.truncate(count);
        while self.seats.len() < count {
            self.join((count - self.seats.len()).min(AT_A_TIME));
        }
        // Those who left are still being told.
        sleep(Duration::from_millis(200));
        self.network.reach_listeners(false);
    }

    fn join(&mut self, count: usize) {
        let first = self.seats.len();
        let join = |number| {
            let transmitter = self.engine.transmitter(&self.track);
            let transmitter = transmitter.expect("there is no limit");
            let address = self.network.listener(number);
            Joining::start(transmitter, address, &self.listeners, Instant::now())
        };
        let mut joining: Vec<Joining> = (first..first + count).map(join).collect();
        while !joining.is_empty() {
            let mut idle = true;
            for one in &mut joining {
                idle &= !one.work();
            }
            for connected in joining.extract_if(.., |one| one.is_connected()) {
                let (transmitter, socket) = connected.finish();
                // Nobody reads it: what it would keep for the first seconds costs the kernel
                // memory by the gigabyte, and the sender the time for that.
                let _ = set_socket_recv_buffer_size(&socket, 0);
                self.seats.push(Seat {
                    transmitter,
                    socket,
                });
            }
            if idle {
                sleep(Duration::from_micros(200));
            }
        }
    }

    /// Lets the track play for a while and then for `length`, which is measured.
    pub(crate) fn measure(&self, length: Duration) -> Window {
        self.gate.set(true);
        sleep(SETTLE.min(length));
        let before = Snapshot::of(self);
        sleep(length);
        let window = Snapshot::of(self).since(&before);
        self.gate.set(false);
        window
    }
}

/// What had happened by a time.
struct Snapshot {
    at: Instant,
    cpu: Duration,
    packets: u64,
    engine: EngineStats,
    track: TrackStats,
}

impl Snapshot {
    fn of(audience: &Audience) -> Snapshot {
        let seats = audience.seats.iter();
        let stats = seats.map(|seat| seat.transmitter.transmission_stats());
        Snapshot {
            at: Instant::now(),
            cpu: audience.media_thread.cpu_time(),
            packets: stats.map(|stats| stats.packets_sent).sum(),
            engine: audience.engine.stats(),
            track: audience.track.stats(),
        }
    }

    fn since(&self, before: &Snapshot) -> Window {
        let cpu = self.cpu.saturating_sub(before.cpu);
        let (engine, earlier) = (&self.engine, &before.engine);
        let (track, earlier_track) = (&self.track, &before.track);
        let packets = self.packets - before.packets;
        Window {
            packets,
            cpu_per_packet: cpu.as_nanos() as f64 / packets.max(1) as f64,
            cpu_share: cpu.as_secs_f64() / (self.at - before.at).as_secs_f64(),
            lateness: engine.lateness.since(&earlier.lateness),
            slots_late: engine.slots_late - earlier.slots_late,
            sends_refused: engine.sends_refused - earlier.sends_refused,
            frames_dropped: engine.frames_dropped - earlier.frames_dropped + track.frames_dropped
                - earlier_track.frames_dropped,
            frames_skipped: track.frames_skipped - earlier_track.frames_skipped,
            encoder_lateness: track.lateness.since(&earlier_track.lateness),
        }
    }
}

/// What the names of media threads begin with.
const MEDIA_THREAD: &str = "skywave-media";
/// Listeners that join together.
const AT_A_TIME: usize = 64;
/// From the first frame to a measurement: what waited is through.
const SETTLE: Duration = Duration::from_millis(400);
