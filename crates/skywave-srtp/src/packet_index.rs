//! The 48-bit index of an SRTP packet from its 16-bit sequence number: RFC 3711 §3.3.1 and
//! appendix A.

/// The index of the packet with `sequence_number`, given the highest index so far.
///
/// `None` if the estimate lies before index 0, where no packet is. It may reach
/// [`PACKET_INDICES`], which no packet may have either.
pub(crate) fn estimate(highest: u64, sequence_number: u16) -> Option<u64> {
    let last = highest as u16;
    let roc = highest >> 16;
    let roc = if last < HALF {
        // Further ahead than half the range: of the round before.
        if sequence_number.saturating_sub(last) > HALF {
            roc.checked_sub(1)?
        } else {
            roc
        }
    } else if last - HALF > sequence_number {
        roc + 1
    } else {
        roc
    };
    Some(roc << 16 | u64::from(sequence_number))
}

/// How many packets a key protects: RFC 3711 §9.2.
pub(crate) const PACKET_INDICES: u64 = 1 << 48;

const HALF: u16 = 1 << 15;

#[cfg(test)]
mod tests {
    use proptest::prelude::any;
    use proptest::{prop_oneof, proptest};

    use super::*;

    #[test]
    fn rfc3711_3_3_1_sequence_numbers_count_through_the_wrap() {
        assert_eq!(estimate(65_535, 0), Some(65_536));
        assert_eq!(estimate(65_530, 3), Some(65_539));
        assert_eq!(estimate(0x0004_ffff, 0x0010), Some(0x0005_0010));
    }

    #[test]
    fn rfc3711_3_3_1_late_packets_belong_to_the_round_before() {
        assert_eq!(estimate(0x0001_0003, 0xfffe), Some(0x0000_fffe));
        assert_eq!(estimate(0x0001_0003, 0x0001), Some(0x0001_0001));
    }

    #[test]
    fn rfc3711_a_half_the_range_is_resolved_as_written() {
        assert_eq!(estimate(0x0001_0000, 0x8000), Some(0x0001_8000));
        assert_eq!(estimate(0x0001_0000, 0x8001), Some(0x0000_8001));
        assert_eq!(estimate(0x0001_8000, 0x0000), Some(0x0001_0000));
        assert_eq!(estimate(0x0001_8001, 0x0000), Some(0x0002_0000));
    }

    #[test]
    fn nothing_lies_before_the_first_round() {
        assert_eq!(estimate(3, 0xfffe), None);
    }

    #[test]
    fn the_last_round_leads_beyond_the_indices() {
        assert_eq!(estimate(PACKET_INDICES - 1, 0), Some(PACKET_INDICES));
    }

    /// The pseudocode of RFC 3711 appendix A, word by word, in numbers that do not wrap.
    fn appendix_a(roc: i64, s_l: i64, seq: i64) -> i64 {
        let v = if s_l < 32_768 {
            if seq - s_l > 32_768 { roc - 1 } else { roc }
        } else if s_l - 32_768 > seq {
            roc + 1
        } else {
            roc
        };
        seq + v * 65_536
    }

    proptest! {
        #[test]
        fn rfc3711_a_estimate_is_that_of_the_pseudocode(
            roc in prop_oneof![0..3_u32, any::<u32>()],
            last in any::<u16>(),
            sequence_number in any::<u16>(),
        ) {
            let highest = u64::from(roc) << 16 | u64::from(last);
            let expected = appendix_a(roc.into(), last.into(), sequence_number.into());
            assert_eq!(estimate(highest, sequence_number), u64::try_from(expected).ok());
        }
    }
}
