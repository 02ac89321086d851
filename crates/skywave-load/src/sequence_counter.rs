//! Which packets of a stream came, by their sequence numbers (RFC 3550 §A.1): lost, twice, late.

/// What came of one stream.
#[derive(Clone, Debug)]
pub(crate) struct SequenceCounter {
    first: u32,
    /// With the rollovers counted.
    highest: u32,
    /// Bit n stands for the packet `highest - n`.
    seen: u64,
    received: u32,
    duplicates: u32,
    reordered: u32,
    gaps: u32,
}

/// What a packet is to those that came before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// The next, or one further ahead.
    Newest,
    /// It was missing until now.
    Late,
    /// It came before, or is too old to tell: more than 64 behind.
    Duplicate,
}

impl SequenceCounter {
    /// Begins with this packet.
    pub(crate) fn new(number: u16) -> Self {
        // The first cycle is 1, so that packets from before the first have a number as well.
        let number = 1 << 16 | u32::from(number);
        Self {
            first: number,
            highest: number,
            seen: 1,
            received: 1,
            duplicates: 0,
            reordered: 0,
            gaps: 0,
        }
    }

    /// Counts a packet.
    #[inline]
    pub(crate) fn record(&mut self, number: u16) -> Order {
        let ahead = number.wrapping_sub(self.highest as u16) as i16;
        if ahead > 0 {
            let step = u32::from(ahead.unsigned_abs());
            self.seen = self.seen.checked_shl(step).unwrap_or(0) | 1;
            self.highest = self.highest.wrapping_add(step);
            self.received += 1;
            self.gaps += u32::from(step > 1);
            return Order::Newest;
        }
        self.record_old(u32::from(ahead.unsigned_abs()))
    }

    fn record_old(&mut self, age: u32) -> Order {
        let bit = 1_u64.checked_shl(age).unwrap_or(0);
        if bit == 0 || self.seen & bit != 0 {
            self.duplicates += 1;
            return Order::Duplicate;
        }
        self.seen |= bit;
        self.received += 1;
        self.reordered += 1;
        self.first = self.first.min(self.highest - age);
        Order::Late
    }

    /// Packets that came, each counted once.
    pub(crate) fn received(&self) -> u32 {
        self.received
    }

    /// Packets from the first to the newest by their numbers.
    pub(crate) fn expected(&self) -> u32 {
        self.highest.wrapping_sub(self.first).wrapping_add(1)
    }

    /// Packets that came again.
    pub(crate) fn duplicates(&self) -> u32 {
        self.duplicates
    }

    /// Packets that came after a later one.
    pub(crate) fn reordered(&self) -> u32 {
        self.reordered
    }

    /// How often the numbers jumped ahead, whether or not what was missing came later.
    pub(crate) fn gaps(&self) -> u32 {
        self.gaps
    }

    /// The newest number, with the cycles since the first packet in the upper 16 bits: as a
    /// report says it (RFC 3550 §6.4.1).
    pub(crate) fn highest(&self) -> u32 {
        self.highest.wrapping_sub(1 << 16)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(first: u16, others: &[u16]) -> (SequenceCounter, Vec<Order>) {
        let mut counter = SequenceCounter::new(first);
        let orders = others
            .iter()
            .map(|number| counter.record(*number))
            .collect();
        (counter, orders)
    }

    #[test]
    fn numbers_wrap_without_loss() {
        let (counter, orders) = counted(65_534, &[65_535, 0, 1]);
        assert_eq!(orders, [Order::Newest; 3]);
        assert_eq!((counter.received(), counter.expected()), (4, 4));
        assert_eq!(counter.highest(), 1 << 16 | 1);
        assert_eq!(counter.gaps(), 0);
    }

    #[test]
    fn lost_packets_are_expected_and_not_received() {
        let (counter, _) = counted(10, &[13, 14, 20]);
        assert_eq!((counter.received(), counter.expected()), (4, 11));
        assert_eq!(counter.gaps(), 2);
    }

    #[test]
    fn late_packets_fill_their_gap_once() {
        let (counter, orders) = counted(65_535, &[2, 0, 0, 1]);
        let expected = [Order::Newest, Order::Late, Order::Duplicate, Order::Late];
        assert_eq!(orders, expected);
        assert_eq!((counter.received(), counter.expected()), (4, 4));
        assert_eq!((counter.reordered(), counter.duplicates()), (2, 1));
    }

    #[test]
    fn packets_before_the_first_begin_the_stream_earlier() {
        let (counter, orders) = counted(0, &[65_535, 1]);
        assert_eq!(orders, [Order::Late, Order::Newest]);
        assert_eq!((counter.received(), counter.expected()), (3, 3));
    }

    #[test]
    fn long_gaps_and_very_old_packets_are_counted_too() {
        let (counter, orders) = counted(0, &[1000, 900]);
        assert_eq!(orders, [Order::Newest, Order::Duplicate]);
        assert_eq!((counter.received(), counter.expected()), (2, 1001));
    }
}
