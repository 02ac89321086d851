//! A thread that reads and encodes many tracks, each on its own clock.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::{Duration, Instant};

use skywave_audio::{
    EncodedFrame, Encoder, Encoding, FRAME_SAMPLES, FrameClock, SourcePlayer, VoiceActivity,
};

use crate::audio_track::TrackShared;
use crate::counter::add;
use crate::delivery::Delivery;
use crate::scheduling::precise_timers;
use crate::waker::Waker;

/// Reads and encodes its tracks until the channel it gets them by is closed.
pub(crate) struct TrackWorker {
    pub(crate) tracks: Receiver<Arc<TrackShared>>,
    pub(crate) outputs: Vec<FrameOutput>,
}

/// Where encoded frames go.
#[derive(Clone)]
pub(crate) struct FrameOutput {
    pub(crate) frames: SyncSender<Delivery>,
    pub(crate) waker: Arc<Waker>,
}

impl TrackWorker {
    /// The thread's life.
    pub(crate) fn run(self) {
        precise_timers();
        let mut playing: Vec<PlayingTrack> = Vec::new();
        while let Some(new) = self.wait(playing.iter().map(PlayingTrack::deadline).min()) {
            playing.extend(new.map(|shared| PlayingTrack::new(shared, Instant::now())));
            // A track whose handles are all gone is over.
            playing.retain(|track| Arc::strong_count(&track.shared) > 1);
            for track in &mut playing {
                if track.deadline() <= Instant::now() {
                    track.play_frame_or_recover(&self.outputs[0]);
                }
            }
        }
    }

    /// Waits for a new track or the deadline. None when the engine is gone.
    fn wait(&self, deadline: Option<Instant>) -> Option<Option<Arc<TrackShared>>> {
        let Some(deadline) = deadline else {
            return self.tracks.recv().ok().map(Some);
        };
        let timeout = deadline.saturating_duration_since(Instant::now());
        match self.tracks.recv_timeout(timeout) {
            Ok(track) => Some(Some(track)),
            Err(RecvTimeoutError::Timeout) => Some(None),
            Err(RecvTimeoutError::Disconnected) => None,
        }
    }
}

/// A track with everything that its frames pass through.
struct PlayingTrack {
    shared: Arc<TrackShared>,
    clock: FrameClock,
    player: SourcePlayer,
    /// By [`Encoding::index`].
    activities: [VoiceActivity; Encoding::ALL.len()],
    /// By [`Encoding::index`]; absent while nobody listens.
    encoders: [Option<Encoder>; Encoding::ALL.len()],
    /// A source was put in, and a listener came if one was waited for.
    started: bool,
    source_waits: bool,
    pcm: Box<[[f32; 2]; FRAME_SAMPLES]>,
    payload: Vec<u8>,
}

impl PlayingTrack {
    fn new(shared: Arc<TrackShared>, now: Instant) -> Self {
        Self {
            clock: FrameClock::new(now + spread(shared.id.number), FRAME),
            player: SourcePlayer::new(),
            activities: Default::default(),
            encoders: Default::default(),
            started: false,
            source_waits: false,
            pcm: Box::new([[0.0; 2]; FRAME_SAMPLES]),
            payload: Vec::new(),
            shared,
        }
    }

    fn deadline(&self) -> Instant {
        self.clock.deadline()
    }

    /// Plays a frame. If an encoder panics, this track begins anew with the next frame, and the
    /// others on the thread do not notice.
    fn play_frame_or_recover(&mut self, output: &FrameOutput) {
        let play = AssertUnwindSafe(|| self.play_frame(output));
        if catch_unwind(play).is_err() {
            self.encoders = Default::default();
            add(&self.shared.counters.encoder_errors, 1);
            self.clock.advance(Instant::now());
        }
    }

    /// Reads one frame, encodes it for those who listen, and steps the clock.
    fn play_frame(&mut self, output: &FrameOutput) {
        if let Some(replacement) = self.shared.mailbox.take() {
            self.player.replace(replacement.into_source());
            self.source_waits = true;
        }
        self.started |= self.source_waits && (self.has_listeners() || !self.waits_for_listener());
        if self.started {
            let supply = self.player.read(&mut self.pcm[..]);
            self.encode_all(output);
            self.count(supply.ended);
        }
        let skipped = self.clock.advance(Instant::now());
        add(&self.shared.counters.frames_skipped, skipped);
    }

    fn has_listeners(&self) -> bool {
        let audience = |&encoding: &Encoding| self.shared.audience(encoding) > 0;
        Encoding::ALL.iter().any(audience)
    }

    fn waits_for_listener(&self) -> bool {
        self.shared.config.wait_for_listener
    }

    fn encode_all(&mut self, output: &FrameOutput) {
        let mut delivered = false;
        for encoding in Encoding::ALL {
            if self.shared.audience(encoding) == 0 {
                self.encoders[encoding.index()] = None;
                continue;
            }
            let Some((payload, audio_level)) = self.encode(encoding) else {
                add(&self.shared.counters.encoder_errors, 1);
                continue;
            };
            let clock_rate = encoding.codec().clock_rate();
            let delivery = Delivery {
                stream: self.shared.stream(encoding),
                frame: EncodedFrame {
                    payload,
                    timestamp: self.clock.timestamp(clock_rate),
                    // Nothing is ever left out for silence (RFC 3551 §4.1).
                    marker: false,
                    audio_level,
                    voice: self.activities[encoding.index()].update(audio_level),
                },
                captured: self.clock.deadline(),
                clock_rate,
            };
            match output.frames.try_send(delivery) {
                Ok(()) => delivered = true,
                Err(_) => add(&self.shared.counters.frames_dropped, 1),
            }
        }
        if delivered {
            output.waker.wake();
        }
    }

    /// The payload and its audio level.
    fn encode(&mut self, encoding: Encoding) -> Option<(Arc<[u8]>, u8)> {
        let slot = &mut self.encoders[encoding.index()];
        let encoder = match slot {
            Some(encoder) => encoder,
            None => slot.insert(Encoder::new(encoding).ok()?),
        };
        self.payload.clear();
        let level = encoder.encode(&self.pcm[..], &mut self.payload).ok()?;
        Some((self.payload.as_slice().into(), level))
    }

    fn count(&self, ended: bool) {
        let counters = &self.shared.counters;
        if ended && !counters.ended.load(Relaxed) {
            tracing::warn!(
                track = self.shared.id.number,
                "the source has ended; silence is sent"
            );
        }
        counters.ended.store(ended, Relaxed);
        add(&counters.frames, 1);
        counters
            .underrun_samples
            .store(self.player.underrun_samples(), Relaxed);
        counters.source_panics.store(self.player.panics(), Relaxed);
    }
}

/// Where in the frame period a track has its deadlines: multiples of the golden ratio never crowd.
fn spread(track: u64) -> Duration {
    FRAME.mul_f64((track as f64 * 0.618_033_988_749_895).fract())
}

/// The time of a frame.
pub(crate) const FRAME: Duration = Duration::from_millis(20);
