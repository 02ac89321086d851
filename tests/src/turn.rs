//! Tests of one program that would disturb each other.
#![expect(
    clippy::disallowed_types,
    reason = "tests take turns; no media thread waits here"
)]

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Waits until no other test of this program has its turn: a browser wants all cores, and what is
/// measured wants to be alone.
pub fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}
