//! Wakes a thread that waits in `poll`.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::pipe::{PipeFlags, pipe_with};

/// The end that wakes. Any thread may, at any time, without blocking.
#[derive(Debug)]
pub(crate) struct Waker(OwnedFd);

/// The end that waits.
#[derive(Debug)]
pub(crate) struct Wakeups(OwnedFd);

/// A pair of both.
pub(crate) fn waker() -> io::Result<(Waker, Wakeups)> {
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
    Ok((Waker(writer), Wakeups(reader)))
}

impl Waker {
    /// Wakes the other end. If the pipe is full, it is awake already.
    pub(crate) fn wake(&self) {
        let _ = rustix::io::write(&self.0, &[1]);
    }
}

impl Wakeups {
    /// What to poll for reading.
    pub(crate) fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }

    /// Takes all wake-ups that came so far.
    pub(crate) fn drain(&self) {
        let mut buffer = [0; 64];
        while rustix::io::read(&self.0, &mut buffer).is_ok_and(|read| read == buffer.len()) {}
    }
}
