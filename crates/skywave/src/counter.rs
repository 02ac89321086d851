//! Counters with one writer.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Adds to a counter that only the calling thread writes, so a load and a store suffice.
pub(crate) fn add(counter: &AtomicU64, amount: u64) {
    counter.store(counter.load(Relaxed) + amount, Relaxed);
}
