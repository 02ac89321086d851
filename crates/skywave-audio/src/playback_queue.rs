//! A bounded queue of blocks that say where they come from, and of which those
//! that are not wanted any more are dropped unread.

use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};

/// The source's end. Dropping it makes the thread's next [`SyncSender::send`] fail.
pub(crate) struct PlaybackQueue {
    blocks: Receiver<Block>,
    block: Block,
    position: usize,
    ended: bool,
}

impl PlaybackQueue {
    /// An empty queue for a second of whole blocks.
    pub(crate) fn new() -> (SyncSender<Block>, Self) {
        let (sender, receiver) = sync_channel(BLOCKS);
        let queue = Self {
            blocks: receiver,
            block: Block::default(),
            position: 0,
            ended: false,
        };
        (sender, queue)
    }

    /// Copies from one block, without waiting. Blocks of a generation before
    /// `generation` are dropped unread.
    pub(crate) fn read(&mut self, pcm: &mut [[f32; 2]], generation: u32) -> usize {
        while self.position == self.block.samples.len() || self.block.mark.generation < generation {
            match self.blocks.try_recv() {
                Ok(block) => (self.block, self.position) = (block, 0),
                Err(error) => {
                    self.clear_block();
                    self.ended = error == TryRecvError::Disconnected;
                    return 0;
                }
            }
        }
        let rest = &self.block.samples[self.position..];
        let count = rest.len().min(pcm.len());
        pcm[..count].copy_from_slice(&rest[..count]);
        self.position += count;
        count
    }

    /// Drops what is there of the generation read last. A later one may begin to come meanwhile,
    /// and is kept.
    pub(crate) fn clear(&mut self) {
        let unwanted = self.block.mark.generation;
        self.clear_block();
        loop {
            match self.blocks.try_recv() {
                Ok(block) if block.mark.generation > unwanted => {
                    (self.block, self.ended) = (block, false);
                    return;
                }
                Ok(_) => {}
                Err(error) => {
                    self.ended = error == TryRecvError::Disconnected;
                    return;
                }
            }
        }
    }

    fn clear_block(&mut self) {
        self.block.samples = Box::default();
        self.position = 0;
    }

    /// Where the sample read last came from.
    pub(crate) fn mark(&self) -> Mark {
        self.block.mark
    }

    /// True once the thread is gone and everything it sent has been read.
    pub(crate) fn ended(&self) -> bool {
        self.ended
    }
}

/// Some samples, and where they come from.
#[derive(Default)]
pub(crate) struct Block {
    pub(crate) samples: Box<[[f32; 2]]>,
    pub(crate) mark: Mark,
}

/// What a source that plays several things wants to know of a block.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct Mark {
    /// Grows when what was sent before is not wanted any more.
    pub(crate) generation: u32,
    /// Which of the things it is from, and where in there.
    pub(crate) index: u32,
    pub(crate) milliseconds: u32,
}

/// One second of blocks.
const BLOCKS: usize = 50;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prefetch::BLOCK_SAMPLES;

    fn block(level: f32, samples: usize, generation: u32) -> Block {
        Block {
            samples: vec![[level; 2]; samples].into(),
            mark: Mark {
                generation,
                ..Mark::default()
            },
        }
    }

    #[test]
    fn queue_holds_one_second_and_refuses_more() {
        let (sender, mut queue) = PlaybackQueue::new();
        while sender.try_send(block(0.5, BLOCK_SAMPLES, 0)).is_ok() {}
        let mut pcm = [[0.0; 2]; 10_000];
        let read = std::iter::from_fn(|| Some(queue.read(&mut pcm, 0)).filter(|&count| count > 0));
        assert_eq!(read.sum::<usize>(), 48_000);
    }

    #[test]
    fn end_comes_after_the_last_sample() {
        let (sender, mut queue) = PlaybackQueue::new();
        let mut pcm = [[0.0; 2]; 4];
        assert_eq!((queue.read(&mut pcm, 0), queue.ended()), (0, false));
        sender.send(block(0.5, 6, 0)).unwrap();
        drop(sender);
        assert_eq!((queue.read(&mut pcm, 0), queue.ended()), (4, false));
        assert_eq!((queue.read(&mut pcm, 0), queue.ended()), (2, false));
        assert_eq!((queue.read(&mut pcm, 0), queue.ended()), (0, true));
    }

    #[test]
    fn blocks_of_an_earlier_generation_are_dropped_even_half_read() {
        let (sender, mut queue) = PlaybackQueue::new();
        for generation in [0, 0, 0, 1] {
            sender
                .send(block(generation as f32, 6, generation))
                .unwrap();
        }
        let mut pcm = [[0.5; 2]; 4];
        assert_eq!((queue.read(&mut pcm, 0), pcm), (4, [[0.0; 2]; 4]));
        assert_eq!((queue.read(&mut pcm, 1), pcm), (4, [[1.0; 2]; 4]));
        queue.clear();
        assert_eq!((queue.read(&mut pcm, 1), queue.ended()), (0, false));
        drop(sender);
        queue.clear();
        assert!(queue.ended());
    }

    #[test]
    fn generation_that_came_while_the_last_one_was_cleared_is_kept_whole() {
        let (sender, mut queue) = PlaybackQueue::new();
        for generation in [0, 0, 1, 1] {
            sender
                .send(block(generation as f32, 6, generation))
                .unwrap();
        }
        let mut pcm = [[0.5; 2]; 4];
        assert_eq!(queue.read(&mut pcm, 0), 4);
        queue.clear();
        let mut pcm = [[0.5; 2]; 20];
        for _ in 0..2 {
            assert_eq!(queue.read(&mut pcm, 1), 6);
        }
        assert_eq!(queue.read(&mut pcm, 1), 0);
        assert_eq!(pcm[..6], [[1.0; 2]; 6]);
    }
}
