//! Steele's SplitMix64: enough to keep the checks and reports of many listeners out of step.

/// A generator of numbers that need not be secret.
pub(crate) struct SplitMix(pub(crate) u64);

impl SplitMix {
    /// The next number, uniform over all of `u32`.
    pub(crate) fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (word ^ (word >> 31)) as u32
    }
}
