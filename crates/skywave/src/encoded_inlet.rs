//! Where the packets of an encoded track come in.

use std::sync::atomic::AtomicU64;

use crossbeam_utils::atomic::AtomicCell;
use skywave_audio::{AudioCodec, EncodedSource, contain};
use tokio::sync::watch;

/// What the handles of an encoded track and the thread that plays it share, beside what all
/// tracks share.
pub(crate) struct EncodedInlet {
    /// Of every packet.
    pub(crate) codec: AudioCodec,
    /// A source that waits; a newer one takes its place. Boxed twice, because only a thin pointer
    /// can be swapped atomically.
    waiting: AtomicCell<Option<Box<Box<dyn EncodedSource>>>>,
    /// Why the last source ended.
    pub(crate) fault: watch::Sender<Option<String>>,
    /// Packets that were left out. Written by the thread that plays.
    pub(crate) refused: AtomicU64,
}

impl EncodedInlet {
    pub(crate) fn new(codec: AudioCodec) -> Self {
        Self {
            codec,
            waiting: AtomicCell::new(None),
            fault: watch::Sender::default(),
            refused: AtomicU64::new(0),
        }
    }

    /// Leaves a source. One that was never taken is dropped here.
    pub(crate) fn put(&self, source: Box<dyn EncodedSource>) {
        let superseded = self.waiting.swap(Some(Box::new(source)));
        let _ = contain(|| drop(superseded));
    }

    /// Takes the source that waits, if one does.
    pub(crate) fn take(&self) -> Option<Box<dyn EncodedSource>> {
        self.waiting.take().map(|source| *source)
    }
}

impl Drop for EncodedInlet {
    fn drop(&mut self) {
        let waiting = self.waiting.take();
        let _ = contain(|| drop(waiting));
    }
}

// Else the cell would use a lock.
const _: () = assert!(AtomicCell::<Option<Box<Box<dyn EncodedSource>>>>::is_lock_free());
