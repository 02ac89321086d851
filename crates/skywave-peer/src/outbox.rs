//! The datagrams on their way out: a fixed number of slots that the caller lends and empties.

use skywave_ice::Path;

/// A batch of datagrams, written in place and sent by whoever owns the socket.
///
/// Nothing waits in here between calls: the owner sends and [`clears`](Self::clear) it whenever
/// [`free`](Self::free) falls below [`Outbox::RESERVE`].
pub struct Outbox {
    /// One datagram begins whole cache lines behind the last: a batch of audio then lies on a few
    /// pages.
    octets: Box<[u8; Outbox::SLOTS * Outbox::ROOM]>,
    /// Where each begins, how long it is, and where it goes.
    filled: [Option<(usize, usize, Path)>; Outbox::SLOTS],
    len: usize,
    /// Where the next begins.
    end: usize,
}

impl Outbox {
    /// Datagrams that fit into one batch.
    pub const SLOTS: usize = 64;
    /// Bytes of the longest datagram. IPv6 allows 1,280 bytes everywhere, Ethernet 1,472.
    pub const DATAGRAM: usize = 1472;
    /// Slots that one datagram handled or one peer's timeout may need at most: a whole DTLS
    /// flight, or a BYE and a close_notify. Retransmissions take what is free and leave the rest.
    pub const RESERVE: usize = 12;
    /// Bytes that a slot takes at most: whole cache lines.
    const ROOM: usize = Self::DATAGRAM.next_multiple_of(CACHE_LINE);

    /// An empty batch.
    pub fn new() -> Self {
        Self {
            octets: Box::new([0; Self::SLOTS * Self::ROOM]),
            filled: [None; Self::SLOTS],
            len: 0,
            end: 0,
        }
    }

    /// Slots not yet used.
    pub const fn free(&self) -> usize {
        Self::SLOTS - self.len
    }

    /// True if nothing waits to be sent.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The next free slot, to be written into and then [committed](Self::commit).
    pub fn slot(&mut self) -> Option<&mut [u8; Self::DATAGRAM]> {
        if self.len == Self::SLOTS {
            return None;
        }
        self.octets.get_mut(self.end..)?.first_chunk_mut()
    }

    /// Takes the first `len` bytes of the slot just written as a datagram to `path`.
    pub fn commit(&mut self, len: usize, path: Path) {
        debug_assert!(len <= Self::DATAGRAM);
        if let Some(filled) = self.filled.get_mut(self.len) {
            let len = len.min(Self::DATAGRAM);
            *filled = Some((self.end, len, path));
            self.len += 1;
            self.end += len.next_multiple_of(CACHE_LINE);
        }
    }

    /// Copies a datagram that was made elsewhere. False if it is too long or no slot is free.
    pub fn push(&mut self, datagram: &[u8], path: Path) -> bool {
        let Some(start) = self.slot().and_then(|slot| slot.get_mut(..datagram.len())) else {
            return false;
        };
        start.copy_from_slice(datagram);
        self.commit(datagram.len(), path);
        true
    }

    /// The waiting datagrams, in order.
    pub fn datagrams(&self) -> impl Iterator<Item = (&[u8], Path)> {
        let filled = self.filled[..self.len].iter().flatten();
        filled.filter_map(|&(start, len, path)| Some((self.octets.get(start..start + len)?, path)))
    }

    /// Forgets all datagrams.
    pub fn clear(&mut self) {
        (self.len, self.end) = (0, 0);
    }
}

impl Default for Outbox {
    fn default() -> Self {
        Self::new()
    }
}

/// In bytes.
const CACHE_LINE: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn path() -> Path {
        Path {
            base: 0,
            remote: "192.0.2.1:5000".parse().unwrap(),
        }
    }

    #[test]
    fn datagrams_of_all_lengths_lie_behind_one_another() {
        let mut outbox = Outbox::new();
        let lens = [1, 64, 65, Outbox::DATAGRAM, 0, 190];
        // Twice: what was sent leaves nothing behind.
        for _ in 0..2 {
            for n in 0..Outbox::SLOTS {
                assert!(outbox.push(&vec![n as u8; lens[n % lens.len()]], path()));
            }
            for (n, (datagram, to)) in outbox.datagrams().enumerate() {
                assert_eq!(datagram, vec![n as u8; lens[n % lens.len()]]);
                assert_eq!(to, path());
            }
            assert_eq!(outbox.datagrams().count(), Outbox::SLOTS);
            outbox.clear();
        }
        for _ in 0..Outbox::SLOTS {
            assert!(outbox.push(&[7; Outbox::DATAGRAM], path()));
        }
        assert!(outbox.slot().is_none());
    }

    #[test]
    fn refuses_what_does_not_fit() {
        let mut outbox = Outbox::new();
        assert!(!outbox.push(&[0; Outbox::DATAGRAM + 1], path()));
        for n in 0..Outbox::SLOTS {
            assert!(outbox.push(&[n as u8], path()));
        }
        assert!(!outbox.push(&[0], path()));
        assert_eq!(outbox.free(), 0);
        let sent: Vec<u8> = outbox.datagrams().map(|(bytes, _)| bytes[0]).collect();
        assert_eq!(sent, (0..Outbox::SLOTS as u8).collect::<Vec<_>>());
        outbox.clear();
        assert!(outbox.is_empty());
    }
}
