//! Files decoded one after another on a thread of their own, a second ahead of
//! the source that plays them.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed, Ordering::SeqCst};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use crate::Error;
use crate::playback_queue::{Mark, PlaybackQueue};
use crate::playback_thread::PlaybackThread;
use crate::playlist::PlaylistEvent;

/// The source's end of the thread. Dropping it ends the thread.
pub(crate) struct Playback {
    queue: PlaybackQueue,
    shared: Arc<Shared>,
    events: SyncSender<PlaylistEvent>,
    /// Which file is heard.
    heard: Option<u32>,
    told_end: bool,
}

impl Playback {
    /// Waits until the first 200 ms are decoded.
    pub(crate) fn start(
        programme: Programme,
        events: SyncSender<PlaylistEvent>,
    ) -> Result<Self, Error> {
        let (blocks, queue) = PlaybackQueue::new();
        let (opened, outcome) = sync_channel(1);
        let shared = Arc::new(Shared::default());
        let mut thread = PlaybackThread::new(
            programme,
            blocks,
            opened,
            Arc::clone(&shared),
            events.clone(),
        );
        thread::Builder::new()
            .name("file-decoder".into())
            .spawn(move || thread.run())
            .map_err(Error::Thread)?;
        // The thread says how it went before it ends, whatever happens.
        outcome.recv().unwrap_or(Ok(()))?;
        Ok(Self {
            queue,
            shared,
            events,
            heard: None,
            told_end: false,
        })
    }

    pub(crate) fn read(&mut self, pcm: &mut [[f32; 2]]) -> usize {
        if self.shared.has_command() {
            // What was decoded is not wanted any more, and the thread may wait for room.
            self.queue.clear();
            self.tell_end();
            return 0;
        }
        let generation = self.shared.generation.load(SeqCst);
        let mut written = 0;
        while written < pcm.len() {
            let count = self.queue.read(&mut pcm[written..], generation);
            if count == 0 {
                break;
            }
            written += count;
            self.tell_heard();
        }
        if written < pcm.len() {
            self.tell_end();
        }
        written
    }

    fn tell_end(&mut self) {
        if self.queue.ended() && !self.told_end {
            self.told_end = true;
            self.tell(PlaylistEvent::Ended);
        }
    }

    fn tell_heard(&mut self) {
        let Mark {
            index,
            milliseconds,
            ..
        } = self.queue.mark();
        self.shared.place.store(pack(index, milliseconds), Relaxed);
        if self.heard != Some(index) {
            self.heard = Some(index);
            let index = index as usize;
            self.tell(PlaylistEvent::Playing { index });
        }
    }

    fn tell(&self, event: PlaylistEvent) {
        // Full or unread: then nobody wants to know.
        let _ = self.events.try_send(event);
    }

    pub(crate) fn ended(&self) -> bool {
        self.queue.ended()
    }

    /// Why it ended, if not for having been played to its end.
    pub(crate) fn failure(&self) -> Option<String> {
        self.shared.failure.get().map(ToString::to_string)
    }

    pub(crate) fn control(&self) -> PlaybackControl {
        PlaybackControl {
            shared: Arc::clone(&self.shared),
        }
    }
}

/// What to play.
pub(crate) struct Programme {
    pub(crate) paths: Vec<PathBuf>,
    /// Where in the first file to begin, the first time.
    pub(crate) start: Duration,
    pub(crate) repeat: Repeat,
}

/// How often something is played.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Repeat {
    /// Over and over.
    #[default]
    Forever,
    /// That many times, then the source ends.
    Times(NonZeroU32),
}

impl Repeat {
    /// Played a single time.
    pub const ONCE: Self = Self::Times(NonZeroU32::MIN);
}

/// A handle to what a [`FileSource`](crate::FileSource) or a
/// [`Playlist`](crate::Playlist) plays, also while a track owns it. Clones are
/// the same; every call returns at once.
#[derive(Clone)]
pub struct PlaybackControl {
    shared: Arc<Shared>,
}

impl PlaybackControl {
    /// Goes to `position` from the beginning of the file that is heard, exact to
    /// the millisecond. Beyond its end the next one follows.
    ///
    /// What was decoded ahead is dropped at once, and silence is heard until
    /// the thread is there. When all is decoded that shall be played, up to a
    /// second before the end, there is nothing left to go to: then it ends.
    pub fn seek(&self, position: Duration) {
        let milliseconds = u32::try_from(position.as_millis()).unwrap_or(u32::MAX);
        self.command(|index| pack(index, milliseconds));
    }

    /// Goes to the next file; behind the last one comes the first, or the end.
    pub fn skip(&self) {
        self.command(|index| pack(index.saturating_add(1), 0));
    }

    /// Goes to the file of that index, counted from 0. One that the list does
    /// not have is behind the last one.
    pub fn play(&self, index: usize) {
        let index = u32::try_from(index).unwrap_or(u32::MAX - 1);
        self.command(|_| pack(index, 0));
    }

    /// What is heard: the index of the file, counted from 0, and the position in
    /// it. None until the first sample is played.
    #[must_use]
    pub fn now_playing(&self) -> Option<(usize, Duration)> {
        let place = self.shared.place.load(Relaxed);
        (place != NONE).then(|| {
            let (index, milliseconds) = unpack(place);
            (index as usize, Duration::from_millis(milliseconds.into()))
        })
    }

    /// Packets of the files that could not be decoded and were left out.
    #[must_use]
    pub fn damaged_packets(&self) -> u64 {
        self.shared.damaged.load(Relaxed)
    }

    /// Why the source ended, or is about to, if not for having been played to
    /// its end.
    #[must_use]
    pub fn failure(&self) -> Option<&Error> {
        self.shared.failure.get()
    }

    /// Leaves a command, made from the index of the file that is or will be heard.
    fn command(&self, make: impl Fn(u32) -> u64) {
        let place = self.shared.place.load(Relaxed);
        let heard = if place == NONE { 0 } else { unpack(place).0 };
        let updated = self.shared.command.fetch_update(SeqCst, SeqCst, |waiting| {
            Some(make(if waiting == NONE {
                heard
            } else {
                unpack(waiting).0
            }))
        });
        debug_assert!(updated.is_ok());
    }
}

impl std::fmt::Debug for PlaybackControl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PlaybackControl")
            .field("now_playing", &self.now_playing())
            .field("damaged_packets", &self.damaged_packets())
            .field("failure", &self.failure())
            .finish()
    }
}

/// What the thread, the source and the handles share.
pub(crate) struct Shared {
    /// Blocks before it are not wanted any more. Written by the thread.
    generation: AtomicU32,
    /// Where to go, packed, or [`NONE`]. The latest wins.
    command: AtomicU64,
    /// What is heard, packed, or [`NONE`]. Written by the source, and by the
    /// thread after a command.
    place: AtomicU64,
    damaged: AtomicU64,
    failure: OnceLock<Error>,
}

impl Shared {
    /// Whether a command waits for the thread.
    pub(crate) fn has_command(&self) -> bool {
        self.command.load(SeqCst) != NONE
    }

    /// Takes the command, an index and milliseconds, after blocks before
    /// `generation` were made unwanted: the source shall see the one or the other.
    pub(crate) fn take_command(&self, generation: u32) -> (u32, u32) {
        self.generation.store(generation, SeqCst);
        unpack(self.command.swap(NONE, SeqCst))
    }

    /// What will be heard next.
    pub(crate) fn announce(&self, index: u32, milliseconds: u32) {
        self.place.store(pack(index, milliseconds), Relaxed);
    }

    pub(crate) fn count_damaged(&self, packets: u64) {
        self.damaged.fetch_add(packets, Relaxed);
    }

    pub(crate) fn fail(&self, error: Error) {
        // Only the thread does, once.
        let _ = self.failure.set(error);
    }
}

impl Default for Shared {
    fn default() -> Self {
        Self {
            generation: AtomicU32::new(0),
            command: AtomicU64::new(NONE),
            place: AtomicU64::new(NONE),
            damaged: AtomicU64::new(0),
            failure: OnceLock::new(),
        }
    }
}

fn pack(index: u32, milliseconds: u32) -> u64 {
    u64::from(index) << 32 | u64::from(milliseconds)
}

fn unpack(place: u64) -> (u32, u32) {
    ((place >> 32) as u32, place as u32)
}

/// No place: one that [`PlaybackControl`] never makes.
const NONE: u64 = u64::MAX;

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn dropping_the_source_ends_the_thread() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/mono_8k.wav");
        let programme = Programme {
            paths: vec![file],
            start: Duration::ZERO,
            repeat: Repeat::Forever,
        };
        let playback = Playback::start(programme, sync_channel(0).0).unwrap();
        let control = playback.control();
        drop(playback);
        // The thread holds the rest; were it to live on, so would this test.
        while Arc::strong_count(&control.shared) > 1 {
            thread::yield_now();
        }
    }
}
