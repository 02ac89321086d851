//! Where a part of a packet lies in it.

use std::ops::Range;

/// The place of `part` in `whole`.
///
/// # Panics
/// If `part` is not a part of `whole`: a parser then made up bytes.
pub(crate) fn place(whole: &[u8], part: &[u8]) -> Range<usize> {
    let start = (part.as_ptr() as usize).checked_sub(whole.as_ptr() as usize);
    let start = start.expect("a view does not begin before its packet");
    let end = start + part.len();
    assert!(end <= whole.len(), "{start}..{end} of {}", whole.len());
    start..end
}

/// Checks that `part` lies in `whole`, where an empty part may lie anywhere.
pub(crate) fn assert_inside(whole: &[u8], part: &[u8]) {
    if !part.is_empty() {
        place(whole, part);
    }
}
