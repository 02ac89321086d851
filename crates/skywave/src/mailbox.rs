//! The mailbox through which a track's source is replaced while it plays.

use crossbeam_utils::atomic::AtomicCell;
use skywave_audio::{AudioSource, discard};

/// One waiting replacement at most; a newer one takes its place.
///
/// The pointer to it is swapped atomically, so neither side ever waits for the other, and the
/// thread that plays becomes the owner of the source.
#[derive(Default)]
pub(crate) struct Mailbox(AtomicCell<Option<Box<Replacement>>>);

/// What shall play from the next frame on: a source, or nothing. Boxed twice, because only a
/// thin pointer can be swapped atomically.
pub(crate) struct Replacement(Option<Box<dyn AudioSource>>);

impl Replacement {
    pub(crate) fn into_source(mut self) -> Option<Box<dyn AudioSource>> {
        self.0.take()
    }
}

impl Drop for Replacement {
    /// A source that was never played is the user's code too: if dropping it panics, the thread
    /// that happens to do it must go on.
    fn drop(&mut self) {
        discard(self.0.take());
    }
}

impl Mailbox {
    /// Leaves a replacement. One that was never taken is dropped here.
    pub(crate) fn put(&self, source: Option<Box<dyn AudioSource>>) {
        drop(self.0.swap(Some(Box::new(Replacement(source)))));
    }

    /// Takes the replacement that waits, if one does.
    pub(crate) fn take(&self) -> Option<Replacement> {
        self.0.take().map(|replacement| *replacement)
    }
}

// Else the cell would use a lock.
const _: () = assert!(AtomicCell::<Option<Box<Replacement>>>::is_lock_free());

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::*;

    struct Counted(Arc<AtomicUsize>);

    impl AudioSource for Counted {
        fn read(&mut self, _: &mut [[f32; 2]]) -> usize {
            0
        }
    }

    impl Drop for Counted {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn newest_wins_and_no_source_is_lost_or_freed_twice() {
        let (mailbox, dropped) = (Mailbox::default(), Arc::new(AtomicUsize::new(0)));
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..1000 {
                        mailbox.put(Some(Box::new(Counted(Arc::clone(&dropped)))));
                    }
                });
            }
            scope.spawn(|| {
                for _ in 0..1000 {
                    drop(mailbox.take());
                }
            });
        });
        mailbox.put(None);
        assert_eq!(dropped.load(Ordering::Relaxed), 4000);
        assert!(
            mailbox
                .take()
                .is_some_and(|replacement| replacement.into_source().is_none())
        );
        assert!(mailbox.take().is_none());
    }
}
