//! The handle of a speech queue.

use std::sync::Arc;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::time::Duration;

use rtrb::RingBuffer;
use skywave_audio::{PcmConverter, PcmSamples, SAMPLE_RATE};
use tokio::sync::Mutex;

use super::block::Block;
use super::config::SpeechQueueConfig;
use super::control::ControlKind;
use super::event::SpeechEvent;
use super::line::{Line, Need};
use super::position::SpeechPosition;
use super::shared::Shared;
use super::source::SpeechSource;
use super::writer::{Pcm, SPARE_BLOCKS, Writer};
use crate::error::Error;

/// A voice agent's output: speech is pushed as fast as it is made, sent as fast as it is spoken,
/// and taken back at once when the other side begins to speak.
///
/// Clones are the same queue. The source that comes with it is put into a track or transmitter;
/// when the last handle is dropped, it plays what was pushed and ends. All futures here need no
/// particular runtime.
///
/// ```
/// use skywave::{AudioSource, SpeechEvent, SpeechQueue, SpeechQueueConfig};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), skywave::Error> {
/// let (queue, mut source) = SpeechQueue::new(&SpeechQueueConfig::default());
/// // transmitter.start_transmission(source);
///
/// queue.push(&[1_000_i16; 24_000], 24_000, 1).await?; // a second of speech, at once
/// queue.push_mark(1).await?; // behind a word
/// queue.push(&[1_000_i16; 24_000], 24_000, 1).await?;
/// queue.finish().await?;
///
/// # let mut packet = [[0.0; 2]; 960];
/// # for _ in 0..60 { source.read(&mut packet); }
/// // The other side begins to speak, 1.2 s later:
/// queue.clear();
/// # source.read(&mut packet);
/// assert_eq!(queue.next_event().await, Some(SpeechEvent::Started));
/// assert_eq!(queue.next_event().await, Some(SpeechEvent::Mark { id: 1 }));
/// // 5 ms more to fade out, and the rest was never heard.
/// let (sent, discarded) = (57_600 + 240, 38_400 - 240);
/// let interrupted = SpeechEvent::Interrupted { sent, discarded };
/// assert_eq!(queue.next_event().await, Some(interrupted));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct SpeechQueue {
    line: Arc<Line>,
}

impl SpeechQueue {
    /// A queue, and the source that plays it.
    #[must_use]
    pub fn new(config: &SpeechQueueConfig) -> (Self, SpeechSource) {
        let max_queued = config.max_queued.clamp(MIN_QUEUED, MAX_QUEUED);
        let capacity = max_queued.as_millis() as u64 * u64::from(SAMPLE_RATE) / 1_000;
        // Twice, as what was cleared lies there until the next packet.
        let blocks = 2 * (capacity as usize / Block::LEN + SPARE_BLOCKS);
        let (blocks_in, blocks_out) = RingBuffer::new(blocks);
        let (controls_in, controls_out) = RingBuffer::new(config.max_marks.clamp(1, MAX_PLACES));
        let (events_in, events_out) = RingBuffer::new(config.max_events.clamp(1, MAX_PLACES));
        let shared = Arc::new(Shared::default());
        let settling = config.settling.min(MAX_SETTLING).as_micros() as usize;
        let source = SpeechSource::new(
            Arc::clone(&shared),
            blocks_out,
            controls_out,
            events_in,
            settling * SAMPLE_RATE as usize / 1_000_000,
        );
        let line = Line {
            shared,
            writer: Mutex::new(Writer::new(blocks_in, controls_in)),
            events: Mutex::new(events_out),
            capacity,
        };
        let queue = Self {
            line: Arc::new(line),
        };
        (queue, source)
    }

    /// Adds interleaved samples of 8 to 192 kHz and 1 to 8 channels, any number of them, and waits
    /// while [`max_queued`](SpeechQueueConfig::max_queued) is there. Pushes from several tasks go
    /// one after the other, never into each other. The last few ms come with the next push or
    /// [`finish`](Self::finish), as resampling looks ahead.
    ///
    /// Samples are taken in pieces of a second, each as a whole or not at all. So a push of up to
    /// a second (and half of `max_queued`) whose future is dropped has pushed nothing; of a longer
    /// one whole pieces were taken, as [`SpeechPosition::pushed`] tells.
    ///
    /// # Errors
    /// [`Error::Interrupted`] if the queue was cleared since the push began;
    /// [`Error::InvalidPcm`]; [`Error::SourceGone`].
    pub async fn push<'a>(
        &self,
        samples: impl Into<PcmSamples<'a>>,
        rate: u32,
        channels: u16,
    ) -> Result<(), Error> {
        let samples = samples.into();
        let generation = self.shared().intake().generation;
        let total = PcmConverter::check(samples, rate, channels).map_err(Error::InvalidPcm)?;
        let mut writer = self.line.writer.lock().await;
        let mut rest = samples;
        let mut pushed = 0;
        while pushed < total {
            let count = self.line.piece(rate).min(total - pushed);
            let piece;
            (piece, rest) = rest.split_at(count * usize::from(channels));
            let pcm = Pcm {
                samples: piece,
                rate,
                channels,
            };
            let samples = Need::Samples(writer.promises(generation, pcm));
            self.line.wait(&mut writer, generation, samples).await?;
            self.line
                .write(&mut writer, generation, pcm)
                .map_err(|error| error.after(pushed))?;
            pushed += count;
            if pushed < total {
                yield_once().await;
            }
        }
        Ok(())
    }

    /// Adds all of these samples, or none of them, without waiting.
    ///
    /// # Errors
    /// [`Error::QueueFull`] if they do not all fit, or another push waits; and none was taken.
    /// [`Error::InvalidPcm`]; [`Error::SourceGone`]; [`Error::Interrupted`] by a clear at the same
    /// moment.
    pub fn try_push<'a>(
        &self,
        samples: impl Into<PcmSamples<'a>>,
        rate: u32,
        channels: u16,
    ) -> Result<(), Error> {
        let samples = samples.into();
        let generation = self.shared().intake().generation;
        if PcmConverter::check(samples, rate, channels).map_err(Error::InvalidPcm)? == 0 {
            return Ok(());
        }
        let pcm = Pcm {
            samples,
            rate,
            channels,
        };
        let Ok(mut writer) = self.line.writer.try_lock() else {
            return Err(Error::QueueFull { room: 0 });
        };
        if self.shared().abandoned.load(SeqCst) {
            return Err(Error::SourceGone);
        }
        let samples = Need::Samples(writer.promises(generation, pcm));
        if !self.line.has_room(&writer, samples) {
            let room = self.line.capacity.saturating_sub(self.shared().waiting());
            return Err(Error::QueueFull { room });
        }
        self.line
            .write(&mut writer, generation, pcm)
            .map_err(|error| error.after(0))
    }

    /// Marks the place behind what was pushed so far: [`SpeechEvent::Mark`] tells when that was
    /// sent, or [`SpeechEvent::MarkDiscarded`] that it was cleared. Any number, also the same
    /// again. Waits while [`max_marks`](SpeechQueueConfig::max_marks) are there; if the future is
    /// dropped, there is no mark.
    ///
    /// # Errors
    /// [`Error::Interrupted`] if the queue was cleared since the call, and there is no event then;
    /// [`Error::SourceGone`].
    pub async fn push_mark(&self, id: u64) -> Result<(), Error> {
        let generation = self.shared().intake().generation;
        let mut writer = self.line.writer.lock().await;
        self.line
            .wait(&mut writer, generation, Need::Control)
            .await?;
        let intake = self.shared().intake();
        if intake.generation != generation {
            return Err(Error::Interrupted { pushed: 0 });
        }
        writer.control(generation, intake.accepted, ControlKind::Mark(id));
        Ok(())
    }

    /// Ends the utterance: what runs out from here on is no underrun, and the next push begins
    /// another one. Without it the last few ms are not sent. Does nothing between utterances, or if
    /// the queue is cleared meanwhile.
    ///
    /// # Errors
    /// [`Error::SourceGone`].
    pub async fn finish(&self) -> Result<(), Error> {
        let generation = self.shared().intake().generation;
        let mut writer = self.line.writer.lock().await;
        if !self.line.is_open(generation) {
            return Ok(());
        }
        self.line
            .wait(&mut writer, generation, Need::Control)
            .await?;
        if !self.line.is_open(generation) {
            return Ok(());
        }
        self.line.finish(&mut writer, generation)
    }

    /// Takes back everything that was not sent. The packet now due is the last with any of it, and
    /// there it fades out in 5 ms; what is pushed from now on begins right behind. Pushes that
    /// wait, or are under way, end with [`Error::Interrupted`]. Ends a pause too.
    ///
    /// [`SpeechEvent::Interrupted`] tells what was heard, as soon as that is certain.
    pub fn clear(&self) {
        self.shared().clear();
    }

    /// Plays silence from the next packet on, with a fade of 5 ms, and keeps what is queued.
    pub fn pause(&self) {
        self.shared().paused.store(true, SeqCst);
    }

    /// Goes on where it was paused, with a fade of 5 ms.
    pub fn resume(&self) {
        self.shared().paused.store(false, SeqCst);
    }

    /// Waits until everything pushed has left the machine, the codec's delay included: then a
    /// transmitter can be closed without cutting the last word, as
    /// [`close_after_drain`](crate::AudioTransmitter::close_after_drain) does. That is so
    /// [`settling`](SpeechQueueConfig::settling) after the packet that the last sample was read
    /// for, unless the machine is overloaded. An utterance that is not [finished](Self::finish) is
    /// waited for, and so is a pause, and the listener for whom a track waits; what is
    /// [cleared](Self::clear) is not.
    ///
    /// # Errors
    /// [`Error::SourceGone`] if that comes first.
    pub async fn drained(&self) -> Result<(), Error> {
        let shared = self.shared();
        loop {
            let quiet = shared.quiet.notified();
            let mut quiet = std::pin::pin!(quiet);
            quiet.as_mut().enable();
            if shared.is_settled() {
                if let Ok(mut writer) = self.line.writer.try_lock() {
                    drop(writer.free_blocks());
                }
                return Ok(());
            }
            if shared.abandoned.load(SeqCst) {
                return Err(Error::SourceGone);
            }
            quiet.await;
        }
    }

    /// How much was pushed, sent and discarded, to the sample.
    pub fn position(&self) -> SpeechPosition {
        self.shared().position()
    }

    /// The next event. Each goes to one caller only. None once the source is gone and all events
    /// were taken. Dropping the future loses none.
    pub async fn next_event(&self) -> Option<SpeechEvent> {
        let mut events = self.line.events.lock().await;
        loop {
            // Before the look at the events: whatever was told is there then.
            let is_last = self.shared().abandoned.load(SeqCst);
            match events.pop() {
                Ok(event) => return Some(event),
                Err(_) if is_last => return None,
                Err(_) => self.shared().told.notified().await,
            }
        }
    }

    /// How many events were missed because
    /// [`max_events`](SpeechQueueConfig::max_events) waited to be taken.
    pub fn missed_events(&self) -> u64 {
        self.shared().missed_events.load(Relaxed)
    }

    fn shared(&self) -> &Shared {
        &self.line.shared
    }
}

impl std::fmt::Debug for SpeechQueue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SpeechQueue")
            .field("position", &self.position())
            .finish_non_exhaustive()
    }
}

/// Lets other tasks go first, once.
async fn yield_once() {
    let mut yielded = false;
    std::future::poll_fn(|context| {
        if yielded {
            return std::task::Poll::Ready(());
        }
        yielded = true;
        context.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}

const MIN_QUEUED: Duration = Duration::from_millis(40);
const MAX_QUEUED: Duration = Duration::from_secs(3_600);
/// Of marks, and of events.
const MAX_PLACES: usize = 1_000_000;
const MAX_SETTLING: Duration = Duration::from_secs(10);
