//! A thread that reads and encodes many tracks, each on its own clock.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Instant;

use tokio::sync::mpsc;

use crate::audio_track::TrackShared;
use crate::delivery::Delivery;
use crate::disposal::Disposal;
use crate::encoder_deadlines::EncoderDeadlines;
use crate::playing::Playing;
use crate::scheduling::{pin, precise_timers, prefer};
use crate::waker::Waker;

/// Reads and encodes its tracks until the channel it gets them by is closed.
pub(crate) struct TrackWorker {
    pub(crate) tracks: Receiver<Arc<TrackShared>>,
    /// One for each shard.
    pub(crate) outputs: Vec<FrameOutput>,
    /// Where sources go that are not played any more.
    pub(crate) disposal: Disposal,
    /// Whether it shall go before other threads, where the system lets it.
    pub(crate) realtime: bool,
    /// Whether it shall keep to one core.
    pub(crate) pinned: bool,
    /// Tracks it has, those on their way here included.
    pub(crate) load: Arc<AtomicUsize>,
    /// Which of the engine's workers it is.
    pub(crate) number: usize,
    pub(crate) deadlines: Arc<EncoderDeadlines>,
}

/// Where encoded frames go.
#[derive(Clone)]
pub(crate) struct FrameOutput {
    pub(crate) frames: mpsc::Sender<Delivery>,
    pub(crate) waker: Arc<Waker>,
}

impl TrackWorker {
    /// The thread's life.
    pub(crate) fn run(self) {
        precise_timers();
        if self.realtime {
            prefer();
        }
        if self.pinned {
            pin(self.number);
        }
        let mut playing = BinaryHeap::new();
        while let Some(new) = self.wait(playing.peek().map(Scheduled::deadline)) {
            match new {
                Some(shared) => playing.push(Scheduled::new(shared)),
                None => self.play_next(&mut playing),
            }
        }
    }

    /// Waits for a new track or the deadline. None when the engine is gone.
    fn wait(&self, deadline: Option<Instant>) -> Option<Option<Arc<TrackShared>>> {
        let Some(deadline) = deadline else {
            return self.tracks.recv().ok().map(Some);
        };
        self.deadlines.set(self.number, deadline);
        let timeout = deadline.saturating_duration_since(Instant::now());
        match self.tracks.recv_timeout(timeout) {
            Ok(track) => Some(Some(track)),
            Err(RecvTimeoutError::Timeout) => Some(None),
            Err(RecvTimeoutError::Disconnected) => None,
        }
    }

    /// Plays the track that is due first. One whose handles are all gone ends here.
    fn play_next(&self, playing: &mut BinaryHeap<Scheduled>) {
        let Some(mut next) = playing.peek_mut() else {
            return;
        };
        if next.track.is_over() {
            self.disposal.dispose(PeekMut::pop(next).track);
            self.load.fetch_sub(1, Relaxed);
            return;
        }
        next.track.play(&self.outputs);
        next.track.dispose_retired(&self.disposal);
        next.track.advance(Instant::now());
    }
}

/// A track in the order of deadlines: the greatest is due first.
struct Scheduled {
    track: Playing,
}

impl Scheduled {
    fn new(shared: Arc<TrackShared>) -> Self {
        Self {
            track: Playing::new(shared, Instant::now()),
        }
    }

    fn deadline(&self) -> Instant {
        self.track.deadline()
    }
}

impl Ord for Scheduled {
    fn cmp(&self, other: &Self) -> Ordering {
        other.deadline().cmp(&self.deadline())
    }
}

impl PartialOrd for Scheduled {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Scheduled {
    fn eq(&self, other: &Self) -> bool {
        self.deadline() == other.deadline()
    }
}

impl Eq for Scheduled {}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::time::Duration;

    use skywave_audio::AudioSource;

    use super::*;
    use crate::audio_track::TrackId;
    use crate::config::TrackConfig;
    use crate::waker::waker;

    fn worker(load: usize) -> TrackWorker {
        TrackWorker {
            tracks: channel().1,
            outputs: vec![FrameOutput {
                frames: mpsc::channel(1).0,
                waker: Arc::new(waker().unwrap().0),
            }],
            disposal: Disposal::start().unwrap(),
            realtime: false,
            pinned: false,
            load: Arc::new(AtomicUsize::new(load)),
            number: 0,
            deadlines: Arc::new(EncoderDeadlines::new(1)),
        }
    }

    fn tracks(count: u64) -> Vec<Arc<TrackShared>> {
        let shared = |number| {
            let id = TrackId { engine: 0, number };
            Arc::new(TrackShared::new(id, TrackConfig::default(), 1))
        };
        (0..count).map(shared).collect()
    }

    #[test]
    fn tracks_are_played_in_the_order_of_their_deadlines_each_as_often() {
        let (worker, tracks) = (worker(300), tracks(300));
        let mut playing: BinaryHeap<_> = tracks.iter().cloned().map(Scheduled::new).collect();
        let mut last = playing.peek().unwrap().deadline();
        for _ in 0..3_000 {
            let due = playing.peek().unwrap().deadline();
            assert!(last <= due);
            last = due;
            worker.play_next(&mut playing);
        }
        // Nobody is a whole frame behind another.
        let frame = Duration::from_millis(20);
        assert!(
            playing
                .iter()
                .all(|track| track.deadline() < last + frame + frame)
        );
        assert_eq!(playing.len(), 300);
    }

    #[test]
    fn track_without_handles_ends_at_its_deadline() {
        let (worker, mut tracks) = (worker(3), tracks(3));
        let mut playing: BinaryHeap<_> = tracks.iter().cloned().map(Scheduled::new).collect();
        tracks.remove(1);
        for _ in 0..3 {
            worker.play_next(&mut playing);
        }
        assert_eq!((playing.len(), worker.load.load(Relaxed)), (2, 2));
        tracks.clear();
        for _ in 0..3 {
            worker.play_next(&mut playing);
        }
        assert_eq!((playing.len(), worker.load.load(Relaxed)), (0, 0));
    }

    #[test]
    fn source_that_takes_its_time_to_be_dropped_holds_up_no_track() {
        /// Dropping it waits for the test.
        struct Slow(Receiver<()>);
        impl AudioSource for Slow {
            fn read(&mut self, pcm: &mut [[f32; 2]]) -> usize {
                pcm.len()
            }
        }
        impl Drop for Slow {
            fn drop(&mut self) {
                let _ = self.0.recv();
            }
        }
        let (worker, mut tracks) = (worker(2), tracks(2));
        let mut playing: BinaryHeap<_> = tracks.iter().cloned().map(Scheduled::new).collect();
        let (replaced, orphan) = (channel(), channel());
        tracks[0].mailbox.put(Some(Box::new(Slow(replaced.1))));
        tracks[1].mailbox.put(Some(Box::new(Slow(orphan.1))));
        (0..10).for_each(|_| worker.play_next(&mut playing));
        tracks[0].mailbox.put(None);
        tracks.pop();
        // Were one of them dropped here, this would never end.
        (0..10).for_each(|_| worker.play_next(&mut playing));
        assert_eq!(playing.len(), 1);
        assert!(tracks[0].counters.frames.load(Relaxed) > 10);
        drop((replaced.0, orphan.0));
    }
}
