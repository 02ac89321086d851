//! A track whose packets come encoded.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use skywave_audio::{AudioCodec, EncodedSource, Ptime};

use crate::audio_track::AudioTrack;
use crate::config::{RtpConfig, TrackConfig};
use crate::encoded_inlet::EncodedInlet;

/// How an [`EncodedTrack`] is sent.
#[derive(Clone, Debug)]
pub struct EncodedTrackConfig {
    /// The codec of all its packets. Listeners that do not agree to it are refused.
    /// Default: Opus.
    pub codec: AudioCodec,
    /// How much audio a packet carries at most. Each may carry another amount; listeners that
    /// take only shorter ones (`a=maxptime`) are refused. It is for the sources to keep to it:
    /// longer packets, up to 120 ms, are sent all the same. Default: 20 ms.
    pub ptime: Ptime,
    /// As [`TrackConfig::wait_for_listener`]. Default: false.
    pub wait_for_listener: bool,
    /// How soon a source that had nothing is asked again, 2.5 ms to a second. Default: 20 ms.
    pub poll_interval: Duration,
    /// How late packets may be without their time being moved: they follow one another closely
    /// then, and the listener's jitter buffer absorbs it. None is ever left out. More than 1 s is
    /// taken for 1 s. Default: 100 ms.
    pub max_catch_up: Duration,
    /// As [`TrackConfig::slow_read`]. Default: 10 ms.
    pub slow_read: Duration,
    /// What is offered beside the codec, and agreed to if offered.
    pub rtp: RtpConfig,
}

impl EncodedTrackConfig {
    /// The shortest [`poll_interval`](Self::poll_interval): the shortest frame of Opus.
    pub const MIN_POLL_INTERVAL: Duration = Duration::from_micros(2_500);
    /// The longest [`poll_interval`](Self::poll_interval).
    pub const MAX_POLL_INTERVAL: Duration = Duration::from_secs(1);
}

impl Default for EncodedTrackConfig {
    fn default() -> Self {
        Self {
            codec: AudioCodec::Opus,
            ptime: Ptime::default(),
            wait_for_listener: false,
            poll_interval: Duration::from_millis(20),
            max_catch_up: Duration::from_millis(100),
            slow_read: Duration::from_millis(10),
            rtp: RtpConfig::default(),
        }
    }
}

impl From<EncodedTrackConfig> for TrackConfig {
    fn from(config: EncodedTrackConfig) -> Self {
        Self {
            codecs: vec![config.codec],
            ptime: config.ptime,
            wait_for_listener: config.wait_for_listener,
            max_catch_up: config.max_catch_up,
            slow_read: config.slow_read,
            rtp: config.rtp,
            max_encodings: 1,
            ..Self::default()
        }
    }
}

/// A live track whose packets come encoded and go out as they are, each for as long as it lasts.
/// Made by [`Engine::encoded_track`](crate::Engine::encoded_track); clones are the same track.
///
/// Redundancy, retransmission and DTMF work as with other tracks. Nobody looks into the packets:
/// listeners are not told their level (RFC 6464), and what they declare of their decoders
/// (RFC 7587 §6.1) is not followed, which any decoder of Opus bears.
///
/// ```no_run
/// use skywave::{EncodedTrackConfig, Engine, EngineConfig, OpusFile};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let engine = Engine::bind(EngineConfig::default())?;
/// let track = engine.encoded_track(EncodedTrackConfig::default());
/// track.replace_encoded_source(OpusFile::open_repeating("programme.opus")?);
/// let mut transmitter = engine.transmitter(track.track())?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct EncodedTrack {
    track: AudioTrack,
}

impl EncodedTrack {
    pub(crate) fn new(track: AudioTrack) -> Self {
        Self { track }
    }

    /// Sends the packets of another source as soon as the one on its way is over. Never blocks,
    /// needs no negotiation, and leaves SSRC, sequence numbers and timestamps as they run.
    pub fn replace_encoded_source(&self, source: impl EncodedSource + 'static) {
        if let Some(inlet) = self.inlet() {
            inlet.put(Some(Box::new(source)));
        }
    }

    /// Sends nothing from the next packet on, until another source is put in.
    pub fn remove_encoded_source(&self) {
        if let Some(inlet) = self.inlet() {
            inlet.put(None);
        }
    }

    /// The same track for [`Engine::transmitter`](crate::Engine::transmitter), statistics and
    /// [events](AudioTrack::events). It encodes nothing: an `AudioSource` put into it is never
    /// read.
    pub fn track(&self) -> &AudioTrack {
        &self.track
    }

    /// Why the last source ended before its proper end, if it did; as the event told.
    pub fn fault(&self) -> Option<String> {
        self.inlet()?.fault.borrow().clone()
    }

    /// Packets of the sources that were left out: of another codec than the track's.
    pub fn packets_refused(&self) -> u64 {
        self.inlet().map_or(0, |inlet| inlet.refused.load(Relaxed))
    }

    fn inlet(&self) -> Option<&EncodedInlet> {
        self.track.shared.inlet.as_ref()
    }
}
