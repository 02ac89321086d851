//! Panics that do not get out.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs what may panic, as code of the user's and decoders of foreign files do; the error is what
/// it panicked with, if that was text.
///
/// What it was about to change may be half done: it must not be relied upon afterwards.
///
/// # Errors
/// The message of the panic.
pub fn contain<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|payload| {
        let message = message(payload.as_ref());
        // What a panic carries may be of the user's making as well.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(payload)));
        message
    })
}

/// Drops what may panic at that: the thread that happens to do it must go on.
pub fn discard<T>(waste: T) {
    let _ = contain(|| drop(waste));
}

fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("no message").to_owned()
}
