//! The threads that encode an engine's tracks, and which of them gets a new one.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Sender, channel};
use std::thread;

use crate::audio_track::TrackShared;
use crate::config::EngineConfig;
use crate::disposal::Disposal;
use crate::encoder_deadlines::EncoderDeadlines;
use crate::track_worker::{FrameOutput, TrackWorker};

/// The encoder threads. They end when this is dropped: at once, or when the source they read
/// returns.
pub(crate) struct TrackWorkers(Vec<Worker>);

struct Worker {
    tracks: Sender<Arc<TrackShared>>,
    /// Tracks it has, those on their way to it included.
    load: Arc<AtomicUsize>,
}

impl TrackWorkers {
    /// Starts the threads, one for each deadline, with an output for each shard.
    pub(crate) fn start(
        config: &EngineConfig,
        outputs: &[FrameOutput],
        deadlines: &Arc<EncoderDeadlines>,
    ) -> io::Result<Self> {
        let disposal = Disposal::start()?;
        let start = |number| {
            let (tracks, queue) = channel();
            let load = Arc::new(AtomicUsize::new(0));
            let worker = TrackWorker {
                tracks: queue,
                outputs: outputs.to_vec(),
                disposal: disposal.clone(),
                realtime: config.realtime,
                pinned: config.pin_encoder_threads,
                load: Arc::clone(&load),
                number,
                deadlines: Arc::clone(deadlines),
            };
            thread::Builder::new()
                .name("skywave-encoder".to_owned())
                .spawn(move || worker.run())?;
            Ok(Worker { tracks, load })
        };
        let workers: io::Result<_> = (0..deadlines.threads()).map(start).collect();
        workers.map(Self)
    }

    /// Hands a track to the thread that has the fewest.
    pub(crate) fn play(&self, track: Arc<TrackShared>) {
        let idlest = self.0.iter().min_by_key(|worker| worker.load.load(Relaxed));
        if let Some(worker) = idlest {
            worker.load.fetch_add(1, Relaxed);
            // A worker lives as long as its channel's sender, which is here.
            let _ = worker.tracks.send(track);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio_track::TrackId;
    use crate::config::TrackConfig;

    #[test]
    fn new_track_goes_to_the_thread_with_the_fewest() {
        let (workers, queues): (Vec<_>, Vec<_>) = [3, 0, 2]
            .map(|load| {
                let (tracks, queue) = channel();
                let load = Arc::new(AtomicUsize::new(load));
                (Worker { tracks, load }, queue)
            })
            .into_iter()
            .unzip();
        let workers = TrackWorkers(workers);
        for number in 0..7 {
            let id = TrackId { engine: 0, number };
            workers.play(Arc::new(TrackShared::new(id, TrackConfig::default(), 1)));
        }
        let loads: Vec<_> = workers
            .0
            .iter()
            .map(|worker| worker.load.load(Relaxed))
            .collect();
        assert_eq!(loads, [4, 4, 4]);
        let taken = queues.iter().map(|queue| queue.try_iter().count());
        assert_eq!(taken.collect::<Vec<_>>(), [1, 4, 2]);
    }
}
