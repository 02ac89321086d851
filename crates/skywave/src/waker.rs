//! Wakes a thread that waits in `poll`.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::AcqRel};

use rustix::pipe::{PipeFlags, pipe_with};

/// The end that wakes. Any thread may, at any time, without blocking.
#[derive(Debug)]
pub(crate) struct Waker {
    pipe: OwnedFd,
    called: Arc<AtomicBool>,
}

/// The end that waits.
#[derive(Debug)]
pub(crate) struct Wakeups {
    pipe: OwnedFd,
    /// Somebody called and was not heard yet: others need not call again.
    called: Arc<AtomicBool>,
}

/// A pair of both.
pub(crate) fn waker() -> io::Result<(Waker, Wakeups)> {
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
    let called = Arc::new(AtomicBool::new(false));
    let waker = Waker {
        pipe: writer,
        called: Arc::clone(&called),
    };
    let wakeups = Wakeups {
        pipe: reader,
        called,
    };
    Ok((waker, wakeups))
}

impl Waker {
    /// Wakes the other end, which finds everything that was sent to it before.
    pub(crate) fn wake(&self) {
        if !self.called.swap(true, AcqRel) {
            let _ = rustix::io::write(&self.pipe, &[1]);
        }
    }
}

impl Wakeups {
    /// What to poll for reading.
    pub(crate) fn as_fd(&self) -> BorrowedFd<'_> {
        self.pipe.as_fd()
    }

    /// Takes all wake-ups that came so far. What they were for is looked at afterwards.
    pub(crate) fn drain(&self) {
        let mut buffer = [0; 64];
        while rustix::io::read(&self.pipe, &mut buffer).is_ok_and(|read| read == buffer.len()) {}
        // Last: who calls from now on writes again.
        self.called.swap(false, AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
    use std::thread;
    use std::time::Duration;

    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    use super::*;

    fn is_called(wakeups: &Wakeups, patience: Duration) -> bool {
        let mut fds = [PollFd::from_borrowed_fd(wakeups.as_fd(), PollFlags::IN)];
        let timeout = Timespec::try_from(patience).unwrap();
        poll(&mut fds, Some(&timeout)).unwrap() > 0
    }

    #[test]
    fn calls_are_heard_once_however_many_there_were() {
        let (waker, wakeups) = waker().unwrap();
        assert!(!is_called(&wakeups, Duration::ZERO));
        for _ in 0..100_000 {
            waker.wake();
        }
        assert!(is_called(&wakeups, Duration::ZERO));
        wakeups.drain();
        assert!(!is_called(&wakeups, Duration::ZERO));
        waker.wake();
        assert!(is_called(&wakeups, Duration::ZERO));
    }

    #[test]
    fn no_call_is_lost_between_two_looks() {
        let (waker, wakeups) = waker().unwrap();
        let sent = AtomicU32::new(0);
        thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..10_000 {
                    sent.fetch_add(1, Relaxed);
                    waker.wake();
                }
            });
            let mut seen = 0;
            while seen < 10_000 {
                assert!(is_called(&wakeups, Duration::from_secs(10)));
                wakeups.drain();
                seen = sent.load(Relaxed);
            }
        });
    }
}
