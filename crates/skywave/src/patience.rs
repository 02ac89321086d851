//! Waiting for no longer than a second, in any async runtime or none.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

/// Waits for something, for [`PATIENCE`] at most. True if it came about.
pub(crate) async fn within_patience(awaited: impl Future<Output = ()>) -> bool {
    let (mut awaited, mut over) = (pin!(awaited), pin!(alarm()));
    poll_fn(|context| {
        if awaited.as_mut().poll(context).is_ready() {
            return Poll::Ready(true);
        }
        over.as_mut().poll(context).map(|_| false)
    })
    .await
}

/// How long a handle waits for a media thread that has other things to do.
pub(crate) const PATIENCE: Duration = Duration::from_millis(900);

/// Ready after [`PATIENCE`]; at once if the system has no thread left.
fn alarm() -> oneshot::Receiver<()> {
    static CLOCK: OnceLock<Sender<Alarm>> = OnceLock::new();
    let clock = CLOCK.get_or_init(|| {
        let (sender, alarms) = channel();
        let clock = thread::Builder::new().name("skywave-patience".to_owned());
        // Without the thread each alarm is dropped with its sender, and so goes off.
        let _ = clock.spawn(move || ring(&alarms));
        sender
    });
    let (bell, over) = oneshot::channel();
    let _ = clock.send((Instant::now() + PATIENCE, bell));
    over
}

/// When to drop what somebody waits for.
type Alarm = (Instant, oneshot::Sender<()>);

/// All have the same patience: who came first is due first.
fn ring(alarms: &Receiver<Alarm>) {
    for (due, bell) in alarms {
        if !bell.is_closed() {
            thread::sleep(due.saturating_duration_since(Instant::now()));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    #[tokio::test]
    async fn what_comes_about_is_not_waited_for_any_longer() {
        assert!(within_patience(ready(())).await);
    }

    #[tokio::test]
    async fn what_never_comes_about_is_given_up() {
        assert!(!within_patience(pending()).await);
    }
}
