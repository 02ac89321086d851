//! Everything that can be set, with its default.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU32;
use std::thread;
use std::time::Duration;

use skywave_audio::{AudioCodec, OpusOptions, Ptime, SilencePolicy, SourcePlayer};
use skywave_peer::Limits;

/// How an [`Engine`](crate::Engine) reaches its listeners.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// The media port. `[::]` and `0.0.0.0` stand for every usable address of the host (of both
    /// families or of IPv4); port 0 for any free one. Default: `[::]:0`.
    pub udp: SocketAddr,
    /// Media ports, each with a thread of its own; at least one. They follow one another from
    /// [`udp`](Self::udp) on, unless that is any free one. A track is encoded once for all of
    /// them. More than one pays where one core sends to all it can (see
    /// [`EngineStats::lateness`](crate::EngineStats)). Default: 1.
    pub shards: u16,
    /// Bytes of each socket's buffers for datagrams that wait to be received or sent. The system
    /// may grant less: see [`ShardStats`](crate::ShardStats). Default: 4 MiB, which is 20 ms of
    /// some 5,000 listeners.
    pub socket_buffer: usize,
    /// Differentiated services code point of all that is sent, 0 to 63, by which networks that
    /// agree to it let audio go first: 46 (expedited forwarding) is that of audio in RFC 8837 §5.
    /// Default: 0, none, as others drop what is marked, or take the mark off.
    pub dscp: u8,
    /// Whether media threads shall run before all normal threads (SCHED_FIFO), and encoder threads
    /// before most (nice -10), where the system lets them: see
    /// [`ShardStats::scheduling`](crate::ShardStats). Default: true.
    pub realtime: bool,
    /// Addresses under which this host is known outside, where it is behind NAT that maps the
    /// port one to one. Told to peers before the host's own. Default: none.
    pub public_ips: Vec<IpAddr>,
    /// Transmitters that may exist at a time. Default: 10,000.
    pub max_listeners: usize,
    /// Peers that may negotiate or shake hands at a time. Default: 5,000.
    pub max_handshakes: usize,
    /// Peers that may join in a second, of which none need to wait for the others. Default: any
    /// number, as audio goes before handshakes.
    pub max_joins_per_second: Option<NonZeroU32>,
    /// Patience with each peer.
    pub limits: Limits,
    /// Threads that read sources and encode, each for many tracks; at least one. Default: one a
    /// core.
    pub encoder_threads: usize,
    /// Whether each of them keeps to one core of those that it may use, in turn: for many tracks
    /// where the system puts several busy threads on one core while another is idle. Where other
    /// programs or media threads are busy for long, an encoder thread does better if it can leave
    /// their core. Linux only. Default: false.
    pub pin_encoder_threads: bool,
}

impl EngineConfig {
    /// The greatest [`dscp`](Self::dscp): six bits.
    pub const MAX_DSCP: u8 = 63;
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            udp: SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
            public_ips: Vec::new(),
            shards: 1,
            socket_buffer: 4 << 20,
            dscp: 0,
            realtime: true,
            max_listeners: 10_000,
            max_handshakes: 5_000,
            max_joins_per_second: None,
            limits: Limits::default(),
            encoder_threads: thread::available_parallelism().map_or(1, usize::from),
            pin_encoder_threads: false,
        }
    }
}

/// How an [`AudioTrack`](crate::AudioTrack) is sent.
#[derive(Clone, Debug)]
pub struct TrackConfig {
    /// Codecs that may be used, in the order of an offer. An answer keeps the offer's order.
    /// G.722 has 7 kHz at the bit rate of G.711; L16 is for local networks, in packets of 10 ms
    /// (48 kHz) or 20 ms (16 kHz) at most.
    /// Default: Opus, PCMU, PCMA.
    pub codecs: Vec<AudioCodec>,
    /// How much audio a packet carries: longer packets mean fewer of them, more latency, and more
    /// to miss where one is lost. A listener that takes or wants only shorter ones (`a=maxptime`,
    /// `a=ptime`) gets the longest that it does. Default: 20 ms.
    pub ptime: Ptime,
    /// How Opus is encoded. Can be changed while the track plays:
    /// [`AudioTrack::set_opus_options`](crate::AudioTrack::set_opus_options).
    pub opus: OpusOptions,
    /// In-band error correction ([`OpusOptions::in_band_fec`]) follows what the worst tenth of the
    /// listeners reports lost, for those who use it: on from 1 %, with that loss expected, and off
    /// again when less would have done for 10 s. Only of a track that [`opus`](Self::opus) says is
    /// speech, by its application or signal. Default: true.
    pub adaptive_fec: bool,
    /// Encodings that may be in use at a time: one for each codec, length of packets and set of
    /// limits that listeners declare. Beyond it a listener gets the nearest of them that keeps to
    /// its limits, or is refused. 1 to 65,536. Default: 16.
    pub max_encodings: usize,
    /// Whether the source waits for the first listener, so that nobody misses its beginning.
    /// Default: false, as a programme runs on without an audience.
    pub wait_for_listener: bool,
    /// How long it waits at most; then it plays to nobody. Default: as long as it takes.
    pub max_wait_for_listener: Option<Duration>,
    /// How long a source and the one that takes its place are heard together, with equal power;
    /// zero cuts. More than 10 s is taken for 10 s. Default: 5 ms.
    pub crossfade: Duration,
    /// How long a source plays on for the sake of the next one that is not
    /// [`ready`](crate::AudioSource::ready) yet; then that is played all the same. Default: 1 s.
    pub max_swap_delay: Duration,
    /// What is sent of silence. Default: every packet.
    pub silence: SilencePolicy,
    /// How long silence is sent before [`SilencePolicy::Stop`] stops it, or comfort noise takes its
    /// place, so that pauses between words are no pauses of the stream. Default: 200 ms.
    pub silence_hangover: Duration,
    /// How long the encoder thread may be held up, after the frame in work, without anything being
    /// left out: what was missed is then sent at once. Zero sends no two frames at once: all but
    /// the last of those missed are left out, and time moves on. More than 1 s is taken for 1 s.
    /// Default: zero, as a listener has concealed the gap by then, and a burst would only delay
    /// what follows.
    pub max_catch_up: Duration,
    /// When reading a source is slow: it is then counted and told, as other tracks had to wait.
    /// Default: 10 ms.
    pub slow_read: Duration,
    /// What is offered beside codecs, and agreed to if offered.
    pub rtp: RtpConfig,
}

impl Default for TrackConfig {
    fn default() -> Self {
        Self {
            codecs: AudioCodec::MANDATORY.to_vec(),
            ptime: Ptime::default(),
            opus: OpusOptions::default(),
            adaptive_fec: true,
            max_encodings: 16,
            wait_for_listener: false,
            max_wait_for_listener: None,
            crossfade: SourcePlayer::DEFAULT_CROSSFADE,
            max_swap_delay: SourcePlayer::DEFAULT_MAX_SWAP_DELAY,
            silence: SilencePolicy::default(),
            silence_hangover: Duration::from_millis(200),
            max_catch_up: Duration::ZERO,
            slow_read: Duration::from_millis(10),
            rtp: RtpConfig::default(),
        }
    }
}

/// What packets may carry beside audio. Each is used only with listeners that agree to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RtpConfig {
    /// When each packet was sent, for the receiver's estimate of the bandwidth
    /// (`abs-send-time`). Default: false.
    pub abs_send_time: bool,
    /// When the audio was captured, about once a second, to align it with other media
    /// (`abs-capture-time`). Default: false.
    pub abs_capture_time: bool,
    /// Transport-wide packet numbers (`transport-wide-cc`): their feedback costs more than one
    /// audio stream can gain, and nothing here uses it. Default: false.
    pub transport_cc: bool,
    /// Header extensions may be encrypted, by Cryptex (RFC 9335) or one by one (RFC 6904).
    /// Default: true.
    pub encrypted_headers: bool,
    /// Packets that a listener misses are sent again: in a stream of their own (RFC 4588) or as
    /// they were. A listener that answers an offer may ask for them even if its answer does not say
    /// so, as Chromium does. Default: true.
    pub retransmission: bool,
    /// Earlier frames that every packet repeats from the beginning of a call (RED, RFC 2198),
    /// 0 to 2; more is taken for 2. See also
    /// [`AudioTransmitter::set_redundancy`](crate::AudioTransmitter::set_redundancy). Default: 0.
    pub redundancy: u8,
    /// The same, one or two frames as long as a listener reports 2 or 10 % of the packets lost, for
    /// that listener alone, if it takes redundant audio. Default: true.
    pub adaptive_redundancy: bool,
}

impl Default for RtpConfig {
    fn default() -> Self {
        Self {
            abs_send_time: false,
            abs_capture_time: false,
            transport_cc: false,
            encrypted_headers: true,
            retransmission: true,
            redundancy: 0,
            adaptive_redundancy: true,
        }
    }
}

/// How an [`AudioTransmitter`](crate::AudioTransmitter) with an engine and a track of its own
/// works.
#[derive(Clone, Debug)]
pub struct Config {
    /// The engine. One encoder thread suffices for one track.
    pub engine: EngineConfig,
    /// The track. Its source waits for the listener.
    pub track: TrackConfig,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            engine: EngineConfig {
                max_listeners: 1,
                encoder_threads: 1,
                ..EngineConfig::default()
            },
            track: TrackConfig {
                wait_for_listener: true,
                ..TrackConfig::default()
            },
        }
    }
}
