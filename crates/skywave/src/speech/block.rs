//! A block of samples that one thread still writes while another reads.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::intake::Generation;

/// 20 ms of samples.
///
/// A sample is one atomic word, so that both threads may have the block without a lock; on the
/// machines of today that costs no more than plain memory.
pub(super) struct Block {
    pub(super) generation: Generation,
    /// The position of its first sample.
    pub(super) begin: u64,
    written: AtomicUsize,
    samples: Box<[AtomicU64]>,
}

impl Block {
    /// How many samples it has room for.
    pub(super) const LEN: usize = 960;

    pub(super) fn new(generation: Generation, begin: u64) -> Self {
        Self {
            generation,
            begin,
            written: AtomicUsize::new(0),
            samples: (0..Self::LEN).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    /// Makes an empty block of one that nobody else has any more.
    pub(super) fn renew(&mut self, generation: Generation, begin: u64) {
        (self.generation, self.begin) = (generation, begin);
        *self.written.get_mut() = 0;
    }

    pub(super) fn is_full(&self) -> bool {
        self.written() == Self::LEN
    }

    /// How many samples may be read.
    pub(super) fn written(&self) -> usize {
        self.written.load(Ordering::Acquire)
    }

    /// Writes what there is room for, and returns how much that was. For one thread only.
    pub(super) fn append(&self, pcm: &[[f32; 2]]) -> usize {
        let written = self.written();
        let free = &self.samples[written..];
        for (slot, &[left, right]) in free.iter().zip(pcm) {
            let word = (u64::from(left.to_bits()) << 32) | u64::from(right.to_bits());
            slot.store(word, Ordering::Relaxed);
        }
        let count = free.len().min(pcm.len());
        self.written.store(written + count, Ordering::Release);
        count
    }

    /// Copies what is written from `offset` on, as far as there is room, and returns how much.
    pub(super) fn read(&self, offset: usize, pcm: &mut [[f32; 2]]) -> usize {
        let written = self.samples.get(offset..self.written()).unwrap_or_default();
        for (sample, slot) in pcm.iter_mut().zip(written) {
            let word = slot.load(Ordering::Relaxed);
            *sample = [(word >> 32) as u32, word as u32].map(f32::from_bits);
        }
        written.len().min(pcm.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn block_is_read_as_far_as_it_is_written() {
        let block = Block::new(Generation(0), 0);
        let pcm: Vec<_> = (0..2_000).map(|n| [n as f32, -(n as f32)]).collect();
        let mut heard = [[9.0; 2]; 700];
        assert_eq!(block.read(0, &mut heard), 0);
        assert_eq!(block.append(&pcm[..500]), 500);
        assert_eq!(block.read(100, &mut heard), 400);
        assert_eq!(heard[..400], pcm[100..500]);
        assert_eq!(block.append(&pcm[500..]), 460);
        assert!(block.is_full());
        assert_eq!(block.read(400, &mut heard), 560);
        assert_eq!(heard[..560], pcm[400..960]);
        assert_eq!(block.read(960, &mut heard), 0);
    }
}
