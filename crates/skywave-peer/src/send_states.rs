//! The hot state of all peers, by slab position.

use crate::send_state::SendState;

/// Send states side by side, in blocks that never move: growing copies no keys about and stalls no
/// frame, and walking through them follows no pointer but a block's.
#[derive(Default)]
pub(crate) struct SendStates {
    blocks: Vec<Box<[Option<SendState>]>>,
}

impl SendStates {
    /// The state at a position, if one was put there.
    pub(crate) fn get(&self, index: u32) -> Option<&SendState> {
        let (block, place) = split(index);
        self.blocks.get(block)?.get(place)?.as_ref()
    }

    /// The same to be changed.
    pub(crate) fn get_mut(&mut self, index: u32) -> Option<&mut SendState> {
        let (block, place) = split(index);
        self.blocks.get_mut(block)?.get_mut(place)?.as_mut()
    }

    /// Puts a state in; one that was there is dropped.
    pub(crate) fn insert(&mut self, index: u32, state: SendState) {
        let (block, place) = split(index);
        while self.blocks.len() <= block {
            self.blocks.push((0..BLOCK).map(|_| None).collect());
        }
        self.blocks[block][place] = Some(state);
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
