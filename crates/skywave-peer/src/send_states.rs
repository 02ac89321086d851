//! The hot state of all peers, by slab position.

use std::sync::Arc;

use skywave_ice::Path;
use skywave_prefetch::{ahead, prefetch, prefetch_first_line};
use skywave_rtp::Counters;

use crate::send_state::SendState;

/// Send states side by side, in blocks that never move: growing copies no keys about and stalls no
/// frame, and walking through them follows no pointer but a block's. Where each peer's packets go
/// lies apart, as only the system call reads it.
#[derive(Default)]
pub(crate) struct SendStates {
    blocks: Vec<Box<[Option<SendState>]>>,
    paths: Vec<Option<Path>>,
    /// Where each peer's packets are counted, to be known before its state is there to say so.
    counters: Vec<Option<Arc<Counters>>>,
}

impl SendStates {
    /// The state at a position, if one was put there.
    pub(crate) fn get(&self, index: u32) -> Option<&SendState> {
        let (block, place) = split(index);
        self.blocks.get(block)?.get(place)?.as_ref()
    }

    /// The same to be changed, and where its packets go.
    pub(crate) fn get_mut(&mut self, index: u32) -> Option<(&mut SendState, Path)> {
        let (block, place) = split(index);
        let state = self.blocks.get_mut(block)?.get_mut(place)?.as_mut()?;
        let path = *self.paths.get(index as usize)?;
        Some((state, path?))
    }

    /// Has the processor fetch what later packets of a batch touch, before the one at `position` is
    /// made.
    ///
    /// Thousands of states are not in the nearest caches, and counters, which belong to whoever
    /// reads statistics, lie apart from them: to wait for all that took a third of a packet's time.
    /// What the kernel touched meanwhile has the processor forget where pages are, too. It looks for
    /// several at a time if it is asked together, so all of a batch come first.
    pub(crate) fn prefetch(&self, batch: &[u32], position: usize) {
        if position == 0 {
            for &later in batch.iter().step_by(STATES_IN_PAGE) {
                if let Some(place) = self.place(later) {
                    prefetch_first_line(place);
                }
                self.prefetch_counters(later);
            }
        }
        ahead(batch, position, PACKETS_AHEAD, |later| {
            if let Some(place) = self.place(later) {
                prefetch(place);
            }
            self.prefetch_counters(later);
        });
    }

    fn prefetch_counters(&self, index: u32) {
        if let Some(Some(counters)) = self.counters.get(index as usize) {
            prefetch_first_line(counters.as_ref());
        }
    }

    /// Without a look at whether somebody is there, which would be to wait for it.
    fn place(&self, index: u32) -> Option<&Option<SendState>> {
        let (block, place) = split(index);
        self.blocks.get(block)?.get(place)
    }

    /// Puts a state in; one that was there is dropped.
    pub(crate) fn insert(&mut self, index: u32, state: SendState, path: Path) {
        let (block, place) = split(index);
        while self.blocks.len() <= block {
            self.blocks.push((0..BLOCK).map(|_| None).collect());
            self.paths.resize(self.blocks.len() * BLOCK, None);
            self.counters.resize(self.blocks.len() * BLOCK, None);
        }
        self.counters[index as usize] = Some(Arc::clone(state.counters()));
        self.blocks[block][place] = Some(state);
        self.paths[index as usize] = Some(path);
    }

    /// Sends a state's packets elsewhere. False if there is no such state, or they go there
    /// already.
    pub(crate) fn redirect(&mut self, index: u32, path: Path) -> bool {
        let moves = self.get_mut(index).is_some_and(|(_, old)| old != path);
        if moves {
            self.paths[index as usize] = Some(path);
        }
        moves
    }

    /// Takes a state out and drops it, keys wiped. False if there was none.
    pub(crate) fn remove(&mut self, index: u32) -> bool {
        let (block, place) = split(index);
        let state = self
            .blocks
            .get_mut(block)
            .and_then(|block| block.get_mut(place));
        if let Some(counters) = self.counters.get_mut(index as usize) {
            *counters = None;
        }
        state.is_some_and(|state| state.take().is_some())
    }
}

/// The block of a position, and the place in it.
fn split(index: u32) -> (usize, usize) {
    let index = index as usize;
    (index / BLOCK, index % BLOCK)
}

/// States in a block: about 40 KiB.
const BLOCK: usize = 64;

/// States of listeners who came one after another that lie on a page of 4 KiB; of counters there
/// are more.
const STATES_IN_PAGE: usize = 4096 / size_of::<Option<SendState>>();

/// How many packets before its own a state is fetched: sixteen were a little better than eight
/// beside the kernel's send, and their lines are a third of what the nearest cache has.
const PACKETS_AHEAD: usize = 16;
