//! Waiting for something no longer than a given time, in any async runtime or none.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

/// What comes about within that time, if it does.
pub(crate) async fn within<T>(limit: Duration, awaited: impl Future<Output = T>) -> Option<T> {
    // A limit beyond what the clock can express is none.
    let Some(due) = Instant::now().checked_add(limit) else {
        return Some(awaited.await);
    };
    first(awaited, alarm(due)).await
}

/// What comes about before something else, if it does.
pub(crate) async fn first<T, U>(
    awaited: impl Future<Output = T>,
    over: impl Future<Output = U>,
) -> Option<T> {
    let (mut awaited, mut over) = (pin!(awaited), pin!(over));
    poll_fn(|context| {
        if let Poll::Ready(outcome) = awaited.as_mut().poll(context) {
            return Poll::Ready(Some(outcome));
        }
        over.as_mut().poll(context).map(|_| None)
    })
    .await
}

/// How long a handle waits for a media thread that has other things to do.
pub(crate) const PATIENCE: Duration = Duration::from_millis(900);

/// Ready when it is due; at once if the system has no thread left.
fn alarm(due: Instant) -> oneshot::Receiver<()> {
    static CLOCK: OnceLock<Sender<Alarm>> = OnceLock::new();
    let clock = CLOCK.get_or_init(|| {
        let (sender, alarms) = channel();
        let clock = thread::Builder::new().name("skywave-patience".to_owned());
        // Without the thread each alarm is dropped with its sender, and so goes off.
        let _ = clock.spawn(move || ring(&alarms));
        sender
    });
    let (bell, over) = oneshot::channel();
    let _ = clock.send(Alarm { due, bell });
    over
}

/// When to drop what somebody waits for.
struct Alarm {
    due: Instant,
    bell: oneshot::Sender<()>,
}

/// Drops each bell when it is due, and those that nobody waits for any more.
fn ring(alarms: &Receiver<Alarm>) {
    let mut set: BinaryHeap<Reverse<Alarm>> = BinaryHeap::new();
    let mut wanted = 0;
    loop {
        let next = match set.peek() {
            Some(Reverse(first)) => {
                alarms.recv_timeout(first.due.saturating_duration_since(Instant::now()))
            }
            None => alarms.recv().map_err(RecvTimeoutError::from),
        };
        match next {
            Ok(alarm) => {
                set.push(Reverse(alarm));
                if set.len() > 2 * wanted + MAX_UNWANTED {
                    set.retain(|Reverse(alarm)| !alarm.bell.is_closed());
                    wanted = set.len();
                }
            }
            Err(RecvTimeoutError::Timeout) => drop(set.pop()),
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

/// Bells that nobody waits for are kept until there are so many beyond the others.
const MAX_UNWANTED: usize = 100;

impl Ord for Alarm {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.due.cmp(&other.due)
    }
}

impl PartialOrd for Alarm {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Alarm {
    fn eq(&self, other: &Self) -> bool {
        self.due == other.due
    }
}

impl Eq for Alarm {}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    #[tokio::test]
    async fn what_comes_about_is_not_waited_for_any_longer() {
        assert_eq!(within(PATIENCE, ready(7)).await, Some(7));
        assert_eq!(within(Duration::MAX, ready(7)).await, Some(7));
    }

    #[tokio::test]
    async fn what_never_comes_about_is_given_up() {
        assert_eq!(within(Duration::ZERO, pending::<()>()).await, None);
        assert_eq!(within(PATIENCE, pending::<()>()).await, None);
    }

    #[tokio::test]
    async fn short_limit_is_not_held_up_by_a_longer_one_before_it() {
        let long = within(Duration::from_secs(3_600), pending::<()>());
        let short = within(Duration::from_millis(1), pending::<()>());
        assert_eq!(first(long, short).await, None);
    }
}
