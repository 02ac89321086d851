//! One walk through the peers that are due.

use std::time::Instant;

use skywave_prefetch::{ahead, prefetch};

use crate::peer::Peer;

/// Peers that were due when it began, and how far it came.
#[derive(Default)]
pub(crate) struct Sweep {
    /// By slab position. Some may be gone, or no longer due, when their turn comes.
    indices: Vec<u32>,
    position: usize,
}

impl Sweep {
    /// All had their turn.
    pub(crate) fn is_over(&self) -> bool {
        self.position >= self.indices.len()
    }

    /// Starts another one.
    pub(crate) fn begin(&mut self, due: &[Instant], now: Instant) {
        self.position = 0;
        self.indices.clear();
        let is_due = |&(_, due): &(u32, &Instant)| *due <= now;
        let indices = (0..).zip(due).filter(is_due).map(|(index, _)| index);
        self.indices.extend(indices);
    }

    /// Whose turn it is. Has the processor fetch those who come next: peers are large, seldom
    /// looked at, and so in no cache.
    pub(crate) fn next_peer(&self, peers: &[Option<Peer>]) -> Option<u32> {
        ahead(&self.indices, self.position, PEERS_AHEAD, |later| {
            if let Some(peer) = peers.get(later as usize) {
                prefetch(peer);
            }
        });
        ahead(&self.indices, self.position, PARTS_AHEAD, |later| {
            if let Some(Some(peer)) = peers.get(later as usize) {
                peer.prefetch_parts();
            }
        });
        self.indices.get(self.position).copied()
    }

    /// It had its turn.
    pub(crate) fn advance(&mut self) {
        self.position += 1;
    }
}

/// How many turns before its own a peer is fetched: one takes as long as memory.
const PEERS_AHEAD: usize = 4;

/// The same for what its pointers lead to.
const PARTS_AHEAD: usize = 2;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn each_that_was_due_has_one_turn_however_often_the_sweep_is_broken_off() {
        let now = Instant::now();
        let later = now + Duration::from_secs(1);
        let peers: Vec<Option<Peer>> = (0..40).map(|_| None).collect();
        let due: Vec<Instant> = (0..40)
            .map(|index| if index % 3 == 0 { now } else { later })
            .collect();
        let mut sweep = Sweep::default();
        assert!(sweep.is_over());
        for _ in 0..2 {
            sweep.begin(&due, now);
            let mut turns = Vec::new();
            while let Some(index) = sweep.next_peer(&peers) {
                assert!(!sweep.is_over());
                // There was no room for what it would send: it is asked for again.
                assert_eq!(sweep.next_peer(&peers), Some(index));
                sweep.advance();
                turns.push(index);
            }
            assert!(sweep.is_over());
            assert!(turns.into_iter().eq((0..40).step_by(3)));
        }
    }
}
