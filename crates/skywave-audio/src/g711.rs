//! ITU-T G.711 companding: linear 16-bit samples to mu-law and A-law octets.

/// Encodes one sample as mu-law. Values beyond +-32,635 are clipped there.
pub(crate) fn encode_mu_law(sample: i16) -> u8 {
    let (sign, magnitude) = split(sample);
    let biased = magnitude.min(MU_LAW_CLIP) + MU_LAW_BIAS;
    // The bias puts the leading one at bit 7 (segment 0) to bit 14 (segment 7).
    let segment = 8 - biased.leading_zeros();
    let step = (biased >> (segment + 3)) & 0x0f;
    // All bits but the sign are sent inverted (G.711 Table 2b).
    (sign | (segment << 4) as u8 | step as u8) ^ 0x7f
}

/// Encodes one sample as A-law.
pub(crate) fn encode_a_law(sample: i16) -> u8 {
    let (sign, magnitude) = split(sample);
    // The first segment is as coarse as the second; each later one twice the last.
    let segment = 8_u32.saturating_sub(magnitude.leading_zeros());
    let step = (magnitude >> (segment.max(1) + 3)) & 0x0f;
    // The even bits are sent inverted (G.711 Table 1a).
    (sign | (segment << 4) as u8 | step as u8) ^ 0x55
}

/// The sign bit and the magnitude. The one's complement of negative values makes
/// the halves symmetrical, as in the reference implementation of ITU-T G.191.
fn split(sample: i16) -> (u8, u16) {
    if sample < 0 {
        (0, !sample as u16)
    } else {
        (0x80, sample as u16)
    }
}

/// 33 at 14 bits.
const MU_LAW_BIAS: u16 = 132;
/// The largest magnitude that stays in segment 7 with the bias.
const MU_LAW_CLIP: u16 = 32_635;

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks all 65,536 values against a table of runs: the first sample (i16
    /// little-endian) that has a code, and the code, in ascending order of samples.
    fn check(encode: fn(i16) -> u8, runs: &[u8]) {
        let (runs, []) = runs.as_chunks::<3>() else {
            panic!("the table is a whole number of runs");
        };
        let mut runs = runs.iter().peekable();
        let mut code = None;
        for sample in i16::MIN..=i16::MAX {
            let run = runs.next_if(|[low, high, _]| i16::from_le_bytes([*low, *high]) == sample);
            code = run.map(|run| run[2]).or(code);
            assert_eq!(Some(encode(sample)), code, "sample {sample}");
        }
        assert!(runs.next().is_none());
    }

    #[test]
    fn mu_law_is_that_of_the_itu_reference_for_every_sample() {
        check(encode_mu_law, include_bytes!("../testdata/mu_law.runs"));
    }

    #[test]
    fn a_law_is_that_of_the_itu_reference_for_every_sample() {
        check(encode_a_law, include_bytes!("../testdata/a_law.runs"));
    }

    #[test]
    fn silence_and_extremes_have_their_published_codes() {
        assert_eq!(
            [0, i16::MAX, i16::MIN].map(encode_mu_law),
            [0xff, 0x80, 0x00]
        );
        assert_eq!(
            [0, i16::MAX, i16::MIN].map(encode_a_law),
            [0xd5, 0xaa, 0x2a]
        );
    }
}
