//! A thread that reads and encodes many tracks, each on its own clock.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::Instant;

use crate::audio_track::TrackShared;
use crate::delivery::Delivery;
use crate::playing_track::PlayingTrack;
use crate::precise_timers::precise_timers;
use crate::waker::Waker;

/// Reads and encodes its tracks until the channel it gets them by is closed.
pub(crate) struct TrackWorker {
    pub(crate) tracks: Receiver<Arc<TrackShared>>,
    pub(crate) output: FrameOutput,
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
            playing.retain(|track| !track.is_over());
            for track in &mut playing {
                if track.deadline() <= Instant::now() {
                    track.play(&self.output);
                    track.advance(Instant::now());
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
