//! What can go wrong, each in one sentence.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use skywave_peer::FailureReason;

/// What can go wrong in the facade.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The remote description cannot be read, or lacks something obligatory.
    #[error("invalid session description: {0}")]
    InvalidDescription(#[source] skywave_sdp::Error),
    /// The remote description is sound, but wants nothing that can be sent.
    #[error("cannot be served: {0}")]
    NotAcceptable(#[source] skywave_sdp::Error),
    /// The call does not fit what was called before.
    #[error("{call} is not possible {when}")]
    InvalidState {
        /// The method called.
        call: &'static str,
        /// The state it met.
        when: &'static str,
    },
    /// [`crate::EngineConfig::dscp`] is no code point.
    #[error("{dscp} is no code point of differentiated services: they are 0 to 63")]
    InvalidDscp {
        /// What was asked for.
        dscp: u8,
    },
    /// [`crate::EngineConfig::max_listeners`] are there already.
    #[error("all {limit} places for listeners are taken")]
    Full {
        /// The limit.
        limit: usize,
    },
    /// [`crate::EngineConfig::max_handshakes`] are shaking hands already.
    #[error("{limit} listeners are just coming in, which is all that may at a time")]
    TooManyHandshakes {
        /// The limit.
        limit: usize,
    },
    /// [`crate::EngineConfig::max_joins_per_second`] have come in.
    #[error("more than {per_second} listeners a second want to come in")]
    TooManyJoins {
        /// The limit.
        per_second: u32,
        /// When the next may.
        retry_after: Duration,
    },
    /// The track belongs to another engine.
    #[error("the track belongs to another engine")]
    ForeignTrack,
    /// The listener did not agree to it, or nothing is agreed yet.
    #[error("{0}: not agreed to with this listener")]
    NotAgreed(&'static str),
    /// More than two earlier frames.
    #[error("a packet cannot repeat {0} frames, 2 at most")]
    InvalidRedundancy(u8),
    /// A digit, a duration or a gap that cannot be sent.
    #[error("DTMF: {0}")]
    InvalidDtmf(#[source] skywave_rtp::Error),
    /// [`crate::TrackConfig::codecs`] is empty.
    #[error("the track allows no codec")]
    NoCodec,
    /// [`crate::TrackConfig::max_encodings`] are in use, and none of them will do.
    #[error("the track is encoded in {limit} ways already, none of which suits this listener")]
    TooManyEncodings {
        /// The limit.
        limit: usize,
    },
    /// The media port could not be opened.
    #[error("cannot open UDP {address}: {source}")]
    Bind {
        /// The address asked for.
        address: SocketAddr,
        /// The system's reason.
        source: io::Error,
    },
    /// The ports of all shards do not fit behind the first.
    #[error("there are not so many ports from {first} on")]
    PortRange {
        /// The port of the first shard.
        first: u16,
    },
    /// A thread or its wake-up pipe could not be made.
    #[error("cannot start the {thread} thread: {source}")]
    Thread {
        /// The thread's job.
        thread: &'static str,
        /// The system's reason.
        source: io::Error,
    },
    /// The certificate could not be made.
    #[error("cannot make a certificate: {0}")]
    Certificate(#[source] skywave_dtls::Error),
    /// The connection broke or never came about.
    #[error("the connection failed: {0}")]
    Failed(#[source] FailureReason),
    /// The transmitter or its engine is closed.
    #[error("closed")]
    Closed,
    /// Samples that cannot be pushed.
    #[error("cannot be pushed: {0}")]
    InvalidPcm(#[source] skywave_audio::Error),
    /// The speech queue was cleared meanwhile.
    #[error("interrupted after {pushed} samples were pushed")]
    Interrupted {
        /// Samples of the same push that were taken before, of the input's rate, all channels of
        /// one moment counted as one.
        pushed: usize,
    },
    /// Samples that do not all fit into the speech queue.
    #[error("the speech queue has room for {room} samples")]
    QueueFull {
        /// Samples of 48 kHz that would fit; none if another push is under way.
        room: u64,
    },
    /// The transmitter was closed before everything in the speech queue was heard.
    #[error("closed while {queued} samples of speech were still to be sent")]
    NotDrained {
        /// Samples of 48 kHz that were not sent when it began to hang up. Of those that were, the
        /// last [`settling`](crate::SpeechQueueConfig::settling) may be missing too.
        queued: u64,
    },
    /// The source of the speech queue was dropped: it was replaced, or its track is gone.
    #[error("the source of the speech queue is gone")]
    SourceGone,
}

impl Error {
    /// When it is worth trying again, if all that is missing is room.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Full { .. } | Self::TooManyEncodings { .. } => Some(Duration::from_secs(30)),
            Self::TooManyHandshakes { .. } => Some(Duration::from_secs(2)),
            Self::TooManyJoins { retry_after, .. } => Some(*retry_after),
            _ => None,
        }
    }
}

impl From<skywave_sdp::Error> for Error {
    fn from(error: skywave_sdp::Error) -> Self {
        if error.is_unacceptable() {
            Self::NotAcceptable(error)
        } else {
            Self::InvalidDescription(error)
        }
    }
}
