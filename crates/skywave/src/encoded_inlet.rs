//! Where the packets of an encoded track come in.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use crossbeam_utils::atomic::AtomicCell;
use skywave_audio::{AudioCodec, EncodedSource, discard};
use tokio::sync::watch;

use crate::encoded_track::EncodedTrackConfig;

/// What the handles of an encoded track and the thread that plays it share, beside what all
/// tracks share.
pub(crate) struct EncodedInlet {
    /// Of every packet.
    pub(crate) codec: AudioCodec,
    /// How soon a source that had nothing is asked again.
    pub(crate) poll_interval: Duration,
    /// A source, or none, that waits; a newer one takes its place. Boxed twice, because only a
    /// thin pointer can be swapped atomically.
    waiting: AtomicCell<Option<Box<Replacement>>>,
    /// Why the last source ended.
    pub(crate) fault: watch::Sender<Option<String>>,
    /// Packets that were left out. Written by the thread that plays.
    pub(crate) refused: AtomicU64,
}

/// What shall play from the next packet on: a source, or nothing.
type Replacement = Option<Box<dyn EncodedSource>>;

impl EncodedInlet {
    pub(crate) fn new(config: &EncodedTrackConfig) -> Self {
        Self {
            codec: config.codec,
            poll_interval: config.poll_interval.clamp(
                EncodedTrackConfig::MIN_POLL_INTERVAL,
                EncodedTrackConfig::MAX_POLL_INTERVAL,
            ),
            waiting: AtomicCell::new(None),
            fault: watch::Sender::default(),
            refused: AtomicU64::new(0),
        }
    }

    /// Leaves a source, or none. One that was never taken is dropped here.
    pub(crate) fn put(&self, replacement: Replacement) {
        discard(self.waiting.swap(Some(Box::new(replacement))));
    }

    /// Takes what waits, if anything does.
    pub(crate) fn take(&self) -> Option<Replacement> {
        self.waiting.take().map(|replacement| *replacement)
    }
}

impl Drop for EncodedInlet {
    fn drop(&mut self) {
        discard(self.waiting.take());
    }
}

// Else the cell would use a lock.
const _: () = assert!(AtomicCell::<Option<Box<Replacement>>>::is_lock_free());
