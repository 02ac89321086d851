//! Has the processor fetch what is worked on a few steps later.
//!
//! Who walks through thousands of values waits at each for every cache line of it, as no processor
//! guesses more than the next few. Asked for early enough, they come while others are worked on.
//!
//! It reads nothing and changes nothing: a wrong guess costs time and no more. On processors other
//! than x86 and 64-bit ARM it does nothing. How far ahead pays is for the caller to measure.
//!
//! ```
//! use skywave_prefetch::{ahead, prefetch};
//!
//! let values = vec![[1_u64; 80]; 1000];
//! let batch: Vec<usize> = (0..1000).step_by(17).collect();
//! let mut sum = 0;
//! for (position, &index) in batch.iter().enumerate() {
//!     ahead(&batch, position, 8, |later| prefetch(&values[later]));
//!     sum += values[index].iter().sum::<u64>();
//! }
//! assert_eq!(sum, 59 * 80);
//! ```

use std::ptr;

use prefetch_index::prefetch_index;

/// Has all cache lines of `value` fetched. Nothing behind its pointers.
#[inline]
pub fn prefetch<T>(value: &T) {
    for line in lines(ptr::from_ref(value).addr(), size_of::<T>()) {
        prefetch_address(line);
    }
}

/// Has only the cache line fetched in which `value` begins.
#[inline]
pub fn prefetch_first_line<T>(value: &T) {
    prefetch_address(ptr::from_ref(value).addr());
}

/// An address in each line that so many octets touch.
#[inline]
fn lines(start: usize, size: usize) -> impl Iterator<Item = usize> {
    let first = start & !(CACHE_LINE - 1);
    (first..start + size).step_by(CACHE_LINE)
}

/// By the address alone, counted from an origin that may be any: to get at a part of a value can
/// mean to read another, such as whether it is there at all, and so to wait for that.
#[inline]
fn prefetch_address(address: usize) {
    let origin: &[u8] = &[];
    prefetch_index(origin, address.wrapping_sub(origin.as_ptr().addr()));
}

/// Has `fetch` ask for what is needed so many `places` later, before the element at `position` of a
/// batch is worked on: before the first, for all up to there.
#[inline]
pub fn ahead<T: Copy>(batch: &[T], position: usize, places: usize, fetch: impl Fn(T)) {
    if position == 0 {
        for &near in batch.iter().take(places) {
            fetch(near);
        }
    }
    if let Some(&far) = batch.get(position.saturating_add(places)) {
        fetch(far);
    }
}

/// In bytes. Where lines are longer, some are asked for twice.
const CACHE_LINE: usize = 64;

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    #[test]
    fn each_element_is_fetched_once_and_before_it_is_worked_on() {
        for len in 0..40 {
            let batch: Vec<usize> = (0..len).collect();
            let fetched = RefCell::new(Vec::new());
            for position in 0..len {
                ahead(&batch, position, 8, |later| {
                    fetched.borrow_mut().push(later);
                });
                let fetched = fetched.borrow();
                assert!(fetched.contains(&position), "{position} of {len}");
                assert!(fetched.len() <= position + 9, "{position} of {len}");
            }
            assert_eq!(fetched.into_inner(), batch);
        }
    }

    #[test]
    fn every_line_that_a_value_touches_is_fetched_once() {
        for start in 640..640 + CACHE_LINE {
            for size in 1..3 * CACHE_LINE {
                let touched: Vec<usize> = (start / CACHE_LINE..=(start + size - 1) / CACHE_LINE)
                    .map(|line| line * CACHE_LINE)
                    .collect();
                let fetched: Vec<usize> = lines(start, size).collect();
                assert_eq!(fetched, touched, "{size} octets at {start}");
            }
        }
    }

    /// What Miri looks at.
    #[test]
    fn values_of_any_size_can_be_fetched() {
        prefetch(&());
        prefetch(&7_u8);
        prefetch(&[9_u64; 100]);
        prefetch_first_line(&[9_u64; 100]);
    }
}
