//! An order that no prefetcher guesses, the same in every run.

/// The numbers below `count`, shuffled (Fisher and Yates) by a fixed sequence (xorshift).
#[must_use]
pub fn shuffled(count: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    for last in (1..count).rev() {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        order.swap(last, (random % (last as u64 + 1)) as usize);
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_comes_once_and_hardly_any_in_its_place() {
        let mut order = shuffled(1000);
        let in_place = order
            .iter()
            .enumerate()
            .filter(|(at, number)| at == *number);
        assert!(in_place.count() < 10);
        order.sort_unstable();
        assert!(order.into_iter().eq(0..1000));
    }
}
