//! A bounded queue of blocks between the thread that reads ahead and the source.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};

use crate::Ptime;

/// The source's end. Dropping it makes the thread's next [`SyncSender::send`] fail.
pub(crate) struct Prefetch {
    blocks: Receiver<Box<[[f32; 2]]>>,
    /// Blocks that were looked at before they were read.
    waiting: VecDeque<Box<[[f32; 2]]>>,
    block: Box<[[f32; 2]]>,
    position: usize,
    ended: bool,
}

impl Prefetch {
    /// An empty queue for a second of blocks.
    pub(crate) fn new() -> (SyncSender<Box<[[f32; 2]]>>, Self) {
        let (sender, receiver) = sync_channel(BLOCKS);
        let prefetch = Self {
            blocks: receiver,
            waiting: VecDeque::new(),
            block: Box::default(),
            position: 0,
            ended: false,
        };
        (sender, prefetch)
    }

    /// Copies what is there, without waiting.
    pub(crate) fn read(&mut self, pcm: &mut [[f32; 2]]) -> usize {
        let mut written = 0;
        while written < pcm.len() {
            let rest = &self.block[self.position..];
            if rest.is_empty() {
                let next = self.waiting.pop_front();
                match next.map_or_else(|| self.blocks.try_recv(), Ok) {
                    Ok(block) => (self.block, self.position) = (block, 0),
                    Err(error) => {
                        self.ended = error == TryRecvError::Disconnected;
                        break;
                    }
                }
                continue;
            }
            let count = rest.len().min(pcm.len() - written);
            pcm[written..written + count].copy_from_slice(&rest[..count]);
            written += count;
            self.position += count;
        }
        written
    }

    /// True once so much is here that a packet of 60 ms can be made of it, or all there is. Longer
    /// packets are rare, and waiting for their sake would make every change later.
    pub(crate) fn ready(&mut self) -> bool {
        let mut samples = self.block.len() - self.position;
        samples += self.waiting.iter().map(|block| block.len()).sum::<usize>();
        while samples < Ptime::Ms60.samples() {
            match self.blocks.try_recv() {
                Ok(block) => {
                    samples += block.len();
                    self.waiting.push_back(block);
                }
                Err(error) => return error == TryRecvError::Disconnected,
            }
        }
        true
    }

    /// True once the thread is gone and everything it sent has been read.
    pub(crate) fn ended(&self) -> bool {
        self.ended
    }
}

/// Samples in a block, 20 ms.
pub(crate) const BLOCK_SAMPLES: usize = 960;
/// One second of blocks.
const BLOCKS: usize = 50;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queue_holds_one_second_and_refuses_more() {
        let (sender, mut prefetch) = Prefetch::new();
        while sender.try_send([[0.5; 2]; BLOCK_SAMPLES].into()).is_ok() {}
        let mut pcm = vec![[0.0; 2]; 100_000];
        assert_eq!(prefetch.read(&mut pcm), 48_000);
        assert_eq!((pcm[47_999], pcm[48_000]), ([0.5; 2], [0.0; 2]));
        assert!(sender.try_send(Box::default()).is_ok());
    }

    #[test]
    fn end_comes_after_the_last_sample() {
        let (sender, mut prefetch) = Prefetch::new();
        let mut pcm = [[0.0; 2]; 4];
        assert_eq!((prefetch.read(&mut pcm), prefetch.ended()), (0, false));
        sender.send([[0.5; 2]; 6].into()).unwrap();
        drop(sender);
        assert_eq!((prefetch.read(&mut pcm), prefetch.ended()), (4, false));
        assert_eq!((prefetch.read(&mut pcm), prefetch.ended()), (2, true));
    }

    #[test]
    fn dropping_the_source_refuses_further_blocks() {
        let (sender, prefetch) = Prefetch::new();
        drop(prefetch);
        assert!(sender.send(Box::default()).is_err());
    }

    #[test]
    fn ready_with_a_packet_of_60_ms_or_the_last_block() {
        let (sender, mut prefetch) = Prefetch::new();
        assert!(!prefetch.ready());
        for value in [1.0, 2.0] {
            sender.send([[value; 2]; BLOCK_SAMPLES].into()).unwrap();
            assert!(!prefetch.ready());
        }
        sender.send([[3.0; 2]; BLOCK_SAMPLES].into()).unwrap();
        assert!(prefetch.ready());
        // What was looked at is still read, in its order.
        let mut pcm = [[0.0; 2]; 3_000];
        assert_eq!(prefetch.read(&mut pcm), 2_880);
        assert_eq!(
            [pcm[0], pcm[960], pcm[2_879]],
            [[1.0; 2], [2.0; 2], [3.0; 2]]
        );
        assert!(!prefetch.ready());
        sender.send([[4.0; 2]; 1].into()).unwrap();
        drop(sender);
        assert!(prefetch.ready() && !prefetch.ended());
        assert_eq!((prefetch.read(&mut pcm), prefetch.ended()), (1, true));
        assert!(prefetch.ready());
    }
}
