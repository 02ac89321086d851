//! The pushing side of a speech queue, which all handles share.

use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;

use rtrb::Consumer;
use skywave_audio::SAMPLE_RATE;
use tokio::sync::Mutex;

use super::control::ControlKind;
use super::event::SpeechEvent;
use super::intake::Generation;
use super::shared::{Shared, Superseded};
use super::writer::{Pcm, Writer};
use crate::error::Error;

/// The writer, for one push at a time, and the rules of when it may write.
pub(super) struct Line {
    pub(super) shared: Arc<Shared>,
    pub(super) writer: Mutex<Writer>,
    pub(super) events: Mutex<Consumer<SpeechEvent>>,
    /// Samples that may wait.
    pub(super) capacity: u64,
}

impl Line {
    pub(super) fn is_open(&self, generation: Generation) -> bool {
        let intake = self.shared.intake();
        intake.is_open && intake.generation == generation
    }

    /// How many samples are taken at a time.
    pub(super) fn piece(&self, rate: u32) -> usize {
        let half = self.capacity / 2 * u64::from(rate) / u64::from(SAMPLE_RATE);
        (rate as usize).min(half as usize).max(1)
    }

    pub(super) fn has_room(&self, writer: &Writer, need: Need) -> bool {
        match need {
            Need::Samples(samples) => {
                let fits = self.shared.waiting() + samples <= self.capacity;
                fits && writer.has_blocks_for(samples)
            }
            Need::Control => writer.has_place_for_control(),
        }
    }

    /// Waits until there is room. A clear ends it too.
    pub(super) async fn wait(
        &self,
        writer: &mut Writer,
        generation: Generation,
        need: Need,
    ) -> Result<(), Error> {
        let shared = &self.shared;
        loop {
            if shared.abandoned.load(SeqCst) {
                return Err(Error::SourceGone);
            }
            let intake = shared.intake();
            if intake.generation != generation || self.has_room(writer, need) {
                return Ok(());
            }
            // The first position at which there may be.
            shared.wake_at(match need {
                Need::Samples(samples) if writer.has_blocks_for(samples) => {
                    (intake.accepted + samples).saturating_sub(self.capacity)
                }
                _ => 0,
            });
            if !self.has_room(writer, need) {
                shared.room.notified().await;
            }
        }
    }

    pub(super) fn write(
        &self,
        writer: &mut Writer,
        generation: Generation,
        pcm: Pcm<'_>,
    ) -> Result<(), PushError> {
        let samples = writer.promises(generation, pcm);
        let position = self.shared.accept(generation, samples)?;
        writer
            .write(generation, (position, samples), pcm)
            .map_err(PushError::Pcm)
    }

    /// Ends the utterance, for which there is a place.
    pub(super) fn finish(&self, writer: &mut Writer, generation: Generation) -> Result<(), Error> {
        let flushed = writer.flush(generation);
        let at = self.shared.intake().accepted;
        writer.control(generation, at, ControlKind::End);
        // If it was cleared meanwhile, it has ended.
        let _ = self.shared.end_utterance(generation);
        flushed.map_err(Error::InvalidPcm)
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let intake = self.shared.intake();
        if intake.is_open
            && let Ok(mut writer) = self.writer.try_lock()
        {
            let _ = self.finish(&mut writer, intake.generation);
        }
        // Nobody could end a pause any more.
        self.shared.paused.store(false, SeqCst);
        self.shared.closed.store(true, SeqCst);
    }
}

/// What there must be room for.
#[derive(Clone, Copy)]
pub(super) enum Need {
    /// Samples of 48 kHz.
    Samples(u64),
    /// A mark or an end.
    Control,
}

/// Why samples were not written.
pub(super) enum PushError {
    Superseded,
    Pcm(skywave_audio::Error),
}

impl PushError {
    /// The same, after so many samples of the push.
    pub(super) fn after(self, pushed: usize) -> Error {
        match self {
            Self::Superseded => Error::Interrupted { pushed },
            Self::Pcm(error) => Error::InvalidPcm(error),
        }
    }
}

impl From<Superseded> for PushError {
    fn from(_: Superseded) -> Self {
        Self::Superseded
    }
}
