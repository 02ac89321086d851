//! The packets to one listener, by any candidate.

use std::hint::black_box;

use crate::{Frame, Listener};

/// Makes the packets to one listener.
pub trait Session: Sized {
    /// How criterion's report and the table of ratios call the candidate.
    const NAME: &'static str;

    /// Derives the keys, and does whatever else is done once a listener.
    ///
    /// # Panics
    /// If the candidate does not know the listener's profile.
    fn new(listener: &Listener) -> Self;

    /// Makes the next packet: in `buffer`, which is always that of [`buffer()`], if the candidate
    /// lets its caller lend one.
    fn send(&mut self, frame: &Frame, buffer: &mut Vec<u8>) -> impl AsRef<[u8]>;

    /// Makes the next packet of each session that a batch names.
    fn send_batch(sessions: &mut [Self], batch: &[usize], frame: &Frame, buffer: &mut Vec<u8>) {
        for &index in batch {
            black_box(sessions[index].send(black_box(frame), buffer));
        }
    }
}

/// Room for any packet, lent again and again to the sessions of one candidate.
#[must_use]
pub fn buffer() -> Vec<u8> {
    vec![0; 1500]
}
