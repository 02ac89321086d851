//! Waits for datagrams, a wake-up or a time, whatever comes first.

use std::time::Duration;

use arrayvec::ArrayVec;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::addresses::MAX_ADDRESSES;
use crate::udp::UdpPort;
use crate::waker::Wakeups;

/// Waits for as long as `timeout`, without one for ever, for datagrams at the port and for
/// `wakeups`, which are taken. Returns which sockets have datagrams, a bit each; after a signal,
/// all.
pub(crate) fn poll_port(
    port: &UdpPort,
    wakeups: Option<&Wakeups>,
    timeout: Option<Duration>,
) -> u64 {
    let sockets = port.fds().chain(wakeups.map(Wakeups::as_fd));
    let mut fds: ArrayVec<PollFd<'_>, { MAX_ADDRESSES + 1 }> = sockets
        .map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN))
        .collect();
    // What is too long for the system is for ever.
    let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
    let interrupted = poll(&mut fds, timeout.as_ref()).is_err();
    if let Some(wakeups) = wakeups
        && (interrupted || fds.last().is_some_and(is_ready))
    {
        wakeups.drain();
    }
    if interrupted {
        return u64::MAX;
    }
    let sockets = fds.iter().take(port.addresses().len()).enumerate();
    sockets.fold(0, |readable, (base, fd)| {
        readable | u64::from(is_ready(fd)) << base
    })
}

fn is_ready(fd: &PollFd<'_>) -> bool {
    !fd.revents().is_empty()
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;

    use super::*;
    use crate::udp::SocketOptions;
    use crate::waker::waker;

    fn port() -> UdpPort {
        let options = SocketOptions {
            buffer: 1 << 16,
            dscp: 0,
        };
        UdpPort::bind("127.0.0.1:0".parse().unwrap(), options).unwrap()
    }

    #[test]
    fn datagram_ends_the_wait_and_is_told_until_it_is_taken() {
        let port = port();
        let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
        assert_eq!(poll_port(&port, None, Some(Duration::ZERO)), 0);
        peer.send_to(b"hello", port.addresses()[0]).unwrap();
        assert_eq!(poll_port(&port, None, None), 1);
        assert_eq!(poll_port(&port, None, None), 1);
    }

    #[test]
    fn call_that_was_not_waited_for_is_heard_afterwards_and_once() {
        let (port, (waker, wakeups)) = (port(), waker().unwrap());
        waker.wake();
        assert_eq!(poll_port(&port, None, Some(Duration::from_millis(1))), 0);
        // Were it lost, this would never end.
        assert_eq!(poll_port(&port, Some(&wakeups), None), 0);
        let mut fds = [PollFd::from_borrowed_fd(wakeups.as_fd(), PollFlags::IN)];
        assert_eq!(poll(&mut fds, Some(&Timespec::default())), Ok(0));
    }
}
