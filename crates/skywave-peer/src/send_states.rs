//! The hot state of all peers, by slab position.

use skywave_ice::Path;
use skywave_prefetch::{ahead, prefetch, prefetch_first_line};

use crate::send_state::SendState;

/// Send states side by side, in blocks that never move: growing copies no keys about and stalls no
/// frame, and walking through them follows no pointer but a block's. Where each peer's packets go
/// lies apart, as only the system call reads it.
#[derive(Default)]
pub(crate) struct SendStates {
    blocks: Vec<Box<[Option<SendState>]>>,
    paths: Vec<Option<Path>>,
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
    pub(crate) fn prefetch(&self, batch: &[u32], position: usize) {
        ahead(batch, position, STATES_AHEAD, |later| {
            let (block, place) = split(later);
            if let Some(place) = self.blocks.get(block).and_then(|block| block.get(place)) {
                prefetch(place);
            }
        });
        ahead(batch, position, COUNTERS_AHEAD, |later| {
            if let Some(state) = self.get(later) {
                prefetch_first_line(state.counters());
            }
        });
    }

    /// Puts a state in; one that was there is dropped.
    pub(crate) fn insert(&mut self, index: u32, state: SendState, path: Path) {
        let (block, place) = split(index);
        while self.blocks.len() <= block {
            self.blocks.push((0..BLOCK).map(|_| None).collect());
            self.paths.resize(self.blocks.len() * BLOCK, None);
        }
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

/// How many packets before its own a state is fetched: sixteen were a little better than eight
/// beside the kernel's send, and their lines are a third of what the nearest cache has.
const STATES_AHEAD: usize = 16;

/// The same for counters. Where they are, the state says, which is there by then.
const COUNTERS_AHEAD: usize = 8;
