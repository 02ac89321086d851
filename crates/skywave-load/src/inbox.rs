//! The datagrams that wait on a socket, each with the time at which the kernel took it in.

use std::io::IoSliceMut;
use std::net::UdpSocket;
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use nix::sys::socket::{
    ControlMessageOwned, MsgFlags, MultiHeaders, recvmmsg, setsockopt, sockopt,
};

/// Room for what one look at a socket finds.
pub(crate) struct Inbox {
    headers: MultiHeaders<()>,
    buffers: Box<[[u8; DATAGRAM]; BATCH]>,
    /// The length of each buffer that was filled, and when it came.
    filled: Vec<(usize, Instant)>,
    /// The same moment by both clocks: the kernel tells times of the calendar.
    now: (Instant, SystemTime),
}

impl Inbox {
    pub(crate) fn new() -> Self {
        let times = nix::cmsg_space!(nix::sys::time::TimeSpec);
        Self {
            headers: MultiHeaders::preallocate(BATCH, Some(times)),
            buffers: Box::new([[0; DATAGRAM]; BATCH]),
            filled: Vec::with_capacity(BATCH),
            now: (Instant::now(), SystemTime::now()),
        }
    }

    /// Has the kernel note when datagrams come to a socket.
    pub(crate) fn prepare(socket: &UdpSocket) -> std::io::Result<()> {
        Ok(setsockopt(socket, sockopt::ReceiveTimestampns, &true)?)
    }

    /// Looks at the clocks, as often as they may drift or be set.
    pub(crate) fn look(&mut self) -> Instant {
        // In this order: whoever is kept waiting in between finds that packets came later than
        // they did. Earlier, and all after them would seem late.
        let calendar = SystemTime::now();
        self.now = (Instant::now(), calendar);
        self.now.0
    }

    /// Takes what waits, up to [`BATCH`] datagrams, in place of those before; returns how many.
    #[inline]
    pub(crate) fn receive(&mut self, socket: &UdpSocket) -> usize {
        self.filled.clear();
        let mut slices = self.buffers.each_mut().map(|one| [IoSliceMut::new(one)]);
        let received = recvmmsg(
            socket.as_raw_fd(),
            &mut self.headers,
            slices.iter_mut(),
            MsgFlags::MSG_DONTWAIT,
            None,
        );
        // An error is that of an earlier send: nobody is there yet, or any more.
        for message in received.into_iter().flatten() {
            let stamp = message.cmsgs().ok().and_then(|mut all| all.next());
            let came = match stamp {
                Some(ControlMessageOwned::ScmTimestampns(time)) => at(self.now, time.into()),
                _ => self.now.0,
            };
            self.filled.push((message.bytes, came));
        }
        self.filled.len()
    }

    /// One of those received, and when it came.
    #[inline]
    pub(crate) fn datagram(&mut self, index: usize) -> Option<(&mut [u8], Instant)> {
        let &(len, came) = self.filled.get(index)?;
        Some((self.buffers.get_mut(index)?.get_mut(..len)?, came))
    }
}

/// A time of the calendar, since its beginning, on the clock of this program.
fn at((now, calendar): (Instant, SystemTime), time: Duration) -> Instant {
    let time = UNIX_EPOCH + time;
    match calendar.duration_since(time) {
        Ok(age) => now.checked_sub(age).unwrap_or(now),
        Err(later) => now + later.duration(),
    }
}

/// Datagrams taken by one system call. Mostly there is one.
pub(crate) const BATCH: usize = 4;

const DATAGRAM: usize = 2048;

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    fn pair() -> (UdpSocket, UdpSocket) {
        let [a, b] = [(); 2].map(|()| UdpSocket::bind("127.0.0.1:0").unwrap());
        a.connect(b.local_addr().unwrap()).unwrap();
        Inbox::prepare(&b).unwrap();
        (a, b)
    }

    /// The kernel begins a moment after the first socket asked for it; until then it tells when a
    /// datagram was read.
    fn wait_for_times(sender: &UdpSocket, receiver: &UdpSocket, inbox: &mut Inbox) {
        for _ in 0..1_000 {
            sender.send(&[0]).unwrap();
            thread::sleep(Duration::from_millis(3));
            let now = inbox.look();
            assert_eq!(inbox.receive(receiver), 1);
            let (_, came) = inbox.datagram(0).unwrap();
            if now.saturating_duration_since(came) >= Duration::from_millis(2) {
                return;
            }
        }
        panic!("the kernel notes no times");
    }

    #[test]
    fn datagrams_have_the_times_at_which_they_came_however_late_they_are_read() {
        let (sender, receiver) = pair();
        let mut inbox = Inbox::new();
        wait_for_times(&sender, &receiver, &mut inbox);
        let mut sent = Vec::new();
        for n in 0..BATCH as u8 + 1 {
            let before = Instant::now();
            sender.send(&[n; 3]).unwrap();
            sent.push((before, Instant::now()));
            thread::sleep(Duration::from_millis(3));
        }
        inbox.look();
        assert_eq!(inbox.receive(&receiver), BATCH);
        for (index, (before, after)) in sent[..BATCH].iter().enumerate() {
            let (datagram, came) = inbox.datagram(index).unwrap();
            assert_eq!(datagram, [index as u8; 3]);
            // Two clocks are not read in the same moment.
            let slack = Duration::from_millis(1);
            assert!(came + slack >= *before && came <= *after + slack, "{index}");
        }
        assert_eq!(inbox.receive(&receiver), 1);
        assert_eq!(inbox.datagram(0).unwrap().0, [BATCH as u8; 3]);
        assert_eq!(inbox.receive(&receiver), 0);
        assert!(inbox.datagram(0).is_none());
    }

    #[test]
    fn calendar_time_is_told_on_the_clock_of_the_program() {
        let now = (Instant::now(), UNIX_EPOCH + Duration::from_secs(1_000));
        let ms = Duration::from_millis;
        assert_eq!(at(now, ms(999_980)), now.0 - ms(20));
        assert_eq!(at(now, ms(1_000_001)), now.0 + ms(1));
    }
}
