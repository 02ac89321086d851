//! Empties the nearer caches, as the kernel does while it sends a batch.

use std::hint::black_box;

/// Memory to walk through.
pub(crate) struct Caches {
    memory: Vec<u8>,
}

impl Caches {
    /// More than the second level of cache holds, where it is no larger than usual.
    pub(crate) fn new() -> Caches {
        Caches {
            memory: vec![1; 2 << 20],
        }
    }

    /// Reads and writes every line of it.
    pub(crate) fn evict(&mut self) {
        for line in self.memory.chunks_exact_mut(64) {
            line[0] = line[0].wrapping_add(1);
        }
        black_box(&mut self.memory);
    }
}
