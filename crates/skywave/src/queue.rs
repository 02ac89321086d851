//! Queues into a thread that must never wait for another.
//!
//! The receiving end of most channels, std's among them, spins while a sender is between taking a
//! place and filling it. If that sender waits for the very core that a real-time thread spins on,
//! neither gets any further until the kernel steps in, a second later. Those of tokio say instead
//! that nothing is there yet; who has sent wakes the thread afterwards.

use std::task::{Context, Poll, Waker};

use tokio::sync::mpsc;

/// Takes the next item: `Pending` if none is there yet, `None` if none will ever be.
pub(crate) fn next<T>(queue: &mut mpsc::Receiver<T>) -> Poll<Option<T>> {
    queue.poll_recv(&mut Context::from_waker(Waker::noop()))
}

/// The same for a queue without a limit.
pub(crate) fn next_unbounded<T>(queue: &mut mpsc::UnboundedReceiver<T>) -> Poll<Option<T>> {
    queue.poll_recv(&mut Context::from_waker(Waker::noop()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_come_in_order_then_nothing_yet_then_the_end() {
        let (sender, mut queue) = mpsc::channel(2);
        assert_eq!(next(&mut queue), Poll::Pending);
        sender.try_send(1).unwrap();
        sender.try_send(2).unwrap();
        assert!(sender.try_send(3).is_err(), "full");
        assert_eq!(next(&mut queue), Poll::Ready(Some(1)));
        sender.try_send(3).unwrap();
        drop(sender);
        assert_eq!(next(&mut queue), Poll::Ready(Some(2)));
        assert_eq!(next(&mut queue), Poll::Ready(Some(3)));
        assert_eq!(next(&mut queue), Poll::Ready(None));
    }

    /// More than tokio lets a task of its own runtime take in a row.
    #[test]
    fn any_number_may_be_taken_in_a_row() {
        let (sender, mut queue) = mpsc::unbounded_channel();
        for number in 0..10_000 {
            sender.send(number).unwrap();
        }
        for number in 0..10_000 {
            assert_eq!(next_unbounded(&mut queue), Poll::Ready(Some(number)));
        }
        assert_eq!(next_unbounded(&mut queue), Poll::Pending);
    }
}
