//! Wakes a thread that waits in `poll`.

use std::io;
#[cfg(not(unix))]
use std::net::{Ipv4Addr, UdpSocket};
#[cfg(unix)]
use std::os::unix::net::UnixDatagram;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::AcqRel};

use rustix::fd::{AsFd, BorrowedFd};

/// The end that wakes. Any thread may, at any time, without blocking.
#[derive(Debug)]
pub(crate) struct Waker {
    socket: LocalSocket,
    called: Arc<AtomicBool>,
}

/// The end that waits.
#[derive(Debug)]
pub(crate) struct Wakeups {
    socket: LocalSocket,
    /// Somebody called and was not heard yet: others need not call again.
    called: Arc<AtomicBool>,
}

/// A pair of both.
pub(crate) fn waker() -> io::Result<(Waker, Wakeups)> {
    let (ours, theirs) = pair()?;
    ours.set_nonblocking(true)?;
    theirs.set_nonblocking(true)?;
    let called = Arc::new(AtomicBool::new(false));
    let waker = Waker {
        socket: ours,
        called: Arc::clone(&called),
    };
    let wakeups = Wakeups {
        socket: theirs,
        called,
    };
    Ok((waker, wakeups))
}

impl Waker {
    /// Wakes the other end, which finds everything that was sent to it before.
    pub(crate) fn wake(&self) {
        if !self.called.swap(true, AcqRel) && self.socket.send(&[1]).is_err() {
            // Nobody was called; the next one must try again.
            self.called.swap(false, AcqRel);
        }
    }
}

impl Wakeups {
    /// What to poll for reading.
    pub(crate) fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// Takes the wake-up that came. What it was for is looked at afterwards. Where two callers
    /// crossed there is one more, which wakes in vain.
    pub(crate) fn drain(&self) {
        let _ = self.socket.recv(&mut [0]);
        // Last: who calls from now on sends again.
        self.called.swap(false, AcqRel);
    }
}

#[cfg(unix)]
type LocalSocket = UnixDatagram;
#[cfg(not(unix))]
type LocalSocket = UdpSocket;

#[cfg(unix)]
fn pair() -> io::Result<(LocalSocket, LocalSocket)> {
    UnixDatagram::pair()
}

/// What can be polled on Windows is a socket, and there are none without an address.
#[cfg(not(unix))]
fn pair() -> io::Result<(LocalSocket, LocalSocket)> {
    let open = || UdpSocket::bind((Ipv4Addr::LOCALHOST, 0));
    let (one, other) = (open()?, open()?);
    one.connect(other.local_addr()?)?;
    other.connect(one.local_addr()?)?;
    Ok((one, other))
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

    /// Where a socket tells that the other one is gone.
    #[cfg(unix)]
    #[test]
    fn after_a_call_that_failed_the_next_one_tries_again() {
        let (waker, wakeups) = waker().unwrap();
        drop(wakeups);
        waker.wake();
        assert!(!waker.called.load(Relaxed));
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
