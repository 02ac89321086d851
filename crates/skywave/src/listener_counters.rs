//! The counters of listeners, side by side.

use std::cell::RefCell;
use std::iter;
use std::sync::Arc;

use skywave_rtp::Counters;

thread_local! {
    /// Made and not yet taken, at most [`SIDE_BY_SIDE`]. Of each thread that makes transmitters, as
    /// these need no lock.
    static SPARE: RefCell<Vec<Arc<Counters>>> = const { RefCell::new(Vec::new()) };
}

/// Counters for one more listener.
///
/// The media thread counts every packet there. Made with the listener, they would lie among the
/// 20 KiB that its session takes: each on a page of its own, and a processor remembers where some
/// 2,000 pages are.
pub(crate) fn take() -> Arc<Counters> {
    SPARE.with_borrow_mut(|spare| {
        if spare.is_empty() {
            spare.extend(iter::repeat_with(Arc::default).take(SIDE_BY_SIDE));
        }
        spare.pop().unwrap_or_default()
    })
}

/// 16 KiB.
const SIDE_BY_SIDE: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listener_has_counters_of_its_own_and_nothing_counted() {
        let taken: Vec<_> = (0..3 * SIDE_BY_SIDE).map(|_| take()).collect();
        for counters in &taken {
            assert_eq!(Arc::strong_count(counters), 1);
            assert_eq!(counters.packets_sent(), 0);
        }
        assert!(SPARE.with_borrow(Vec::len) <= SIDE_BY_SIDE);
    }
}
