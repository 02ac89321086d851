//! ITU-T G.722 at 64 kbit/s: 16 kHz samples to octets, two samples each.
//!
//! A filter bank splits the signal in two; each half is coded as the difference from a prediction,
//! with six and two bits (G.722 §3). All arithmetic is that of the recommendation, bit by bit, and
//! the names of the blocks are its own.

/// Encodes one channel.
#[derive(Debug)]
pub(crate) struct G722 {
    /// The last samples before the filter bank, the newest last.
    history: [i32; 24],
    low: Band,
    high: Band,
}

impl G722 {
    pub(crate) fn new() -> Self {
        Self {
            history: [0; 24],
            low: Band::new(32),
            high: Band::new(8),
        }
    }

    /// Encodes two samples.
    pub(crate) fn encode(&mut self, samples: [i16; 2]) -> u8 {
        let (low, high) = self.split(samples);
        let low = self.encode_low(low);
        self.encode_high(high) << 6 | low
    }

    /// The transmit filter bank (§3.1, TXQMF).
    fn split(&mut self, samples: [i16; 2]) -> (i32, i32) {
        self.history.copy_within(2.., 0);
        self.history[22] = samples[0].into();
        self.history[23] = samples[1].into();
        let (mut odd, mut even) = (0, 0);
        for (pair, place) in self.history.chunks_exact(2).zip(0..) {
            odd += pair[0] * QMF[place];
            even += pair[1] * QMF[11 - place];
        }
        ((even + odd) >> 14, (even - odd) >> 14)
    }

    fn encode_low(&mut self, input: i32) -> u8 {
        let band = &mut self.low;
        // QUANTL
        let (magnitude, negative) = magnitude(input, band.prediction);
        let above = |step: &&i32| magnitude >= (**step * band.scale) >> 12;
        let level = LOW_STEPS.iter().take_while(above).count();
        let code = match (level as u8, negative) {
            (level @ 0..=1, true) => 63 - level,
            (level, true) => 33 - level,
            (level, false) => 61 - level,
        };
        // INVQAL, with the two lowest bits left out: the decoder may not have them (mode 3).
        let short = usize::from(code >> 2);
        let difference = (band.scale * LOW_OUTPUT[short]) >> 15;
        // LOGSCL, SCALEL
        band.adapt_scale(LOW_WEIGHTS[usize::from(LOW_WEIGHT_OF[short])], 18_432, 8);
        band.predict(difference);
        code
    }

    fn encode_high(&mut self, input: i32) -> u8 {
        let band = &mut self.high;
        // QUANTH
        let (magnitude, negative) = magnitude(input, band.prediction);
        let outer = magnitude >= (564 * band.scale) >> 12;
        let code: u8 = match (negative, outer) {
            (true, true) => 0,
            (true, false) => 1,
            (false, true) => 2,
            (false, false) => 3,
        };
        // INVQAH
        let difference = (band.scale * HIGH_OUTPUT[usize::from(code)]) >> 15;
        // LOGSCH, SCALEH
        let weight = if outer { 798 } else { -214 };
        band.adapt_scale(weight, 22_528, 10);
        band.predict(difference);
        code
    }
}

/// The state of one half of the band. In the arrays the newest comes first.
#[derive(Debug)]
struct Band {
    /// The next sample as it is expected.
    prediction: i32,
    /// The part of it that the zeros make.
    zero_part: i32,
    /// The last reconstructed samples.
    reconstructed: [i32; 2],
    /// The last partially reconstructed samples.
    partial: [i32; 2],
    poles: [i32; 2],
    zeros: [i32; 6],
    /// The last differences.
    differences: [i32; 6],
    log_scale: i32,
    /// Of the quantiser.
    scale: i32,
}

impl Band {
    fn new(scale: i32) -> Self {
        Self {
            prediction: 0,
            zero_part: 0,
            reconstructed: [0; 2],
            partial: [0; 2],
            poles: [0; 2],
            zeros: [0; 6],
            differences: [0; 6],
            log_scale: 0,
            scale,
        }
    }

    fn adapt_scale(&mut self, weight: i32, most: i32, shift: i32) {
        self.log_scale = (((self.log_scale * 127) >> 7) + weight).clamp(0, most);
        let mantissa = INVERSE_LOG[(self.log_scale >> 6) as usize & 31];
        let shift = shift - (self.log_scale >> 11);
        let scale = if shift < 0 {
            mantissa << -shift
        } else {
            mantissa >> shift
        };
        self.scale = scale << 2;
    }

    /// Takes the quantised difference in and makes the next prediction (block 4 of §3.6).
    fn predict(&mut self, difference: i32) {
        let reconstructed = saturate(self.prediction + difference);
        let partial = saturate(self.zero_part + difference);
        self.adapt_poles(partial);
        self.adapt_zeros(difference);
        // DELAYA
        self.differences.copy_within(..5, 1);
        self.differences[0] = difference;
        self.reconstructed = [reconstructed, self.reconstructed[0]];
        self.partial = [partial, self.partial[0]];
        // FILTEP, FILTEZ, PREDIC
        let tap = |(value, factor): (&i32, &i32)| (factor * saturate(2 * value)) >> 15;
        let pole_part = self.reconstructed.iter().zip(&self.poles).map(tap).sum();
        let zero_part = self.differences.iter().zip(&self.zeros).map(tap).sum();
        self.zero_part = saturate(zero_part);
        self.prediction = saturate(saturate(pole_part) + self.zero_part);
    }

    /// UPPOL2 and UPPOL1.
    fn adapt_poles(&mut self, partial: i32) {
        let [first, second] = self.poles;
        let same = self.partial.map(|before| (partial < 0) == (before < 0));
        let quadruple = saturate(4 * first);
        let towards = if same[0] {
            (-quadruple).min(32_767)
        } else {
            quadruple
        };
        let step = if same[1] { 128 } else { -128 };
        let second = (step + (towards >> 7) + ((second * 32_512) >> 15)).clamp(-12_288, 12_288);
        let step = if same[0] { 192 } else { -192 };
        let limit = saturate(15_360 - second);
        let first = saturate(step + ((first * 32_640) >> 15)).clamp(-limit, limit);
        self.poles = [first, second];
    }

    /// UPZERO.
    fn adapt_zeros(&mut self, difference: i32) {
        for (zero, before) in self.zeros.iter_mut().zip(self.differences) {
            let step = match difference {
                0 => 0,
                _ if (difference < 0) == (before < 0) => 128,
                _ => -128,
            };
            *zero = saturate(step + ((*zero * 32_640) >> 15));
        }
    }
}

/// SUBTRA: how far the sample is from its prediction, and whether below.
fn magnitude(sample: i32, prediction: i32) -> (i32, bool) {
    let difference = saturate(sample - prediction);
    if difference < 0 {
        (!difference, true)
    } else {
        (difference, false)
    }
}

fn saturate(value: i32) -> i32 {
    value.clamp(-32_768, 32_767)
}

/// Table 4 of the recommendation: the filter bank's coefficients, of which each stands twice.
const QMF: [i32; 12] = [3, -11, 12, 32, -210, 951, 3_876, -805, 362, -156, 53, -11];

/// Table 14: where the levels of the lower band begin.
const LOW_STEPS: [i32; 29] = [
    35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714, 786, 858, 940, 1_023,
    1_121, 1_219, 1_339, 1_458, 1_612, 1_765, 1_980, 2_195, 2_557, 2_919,
];

/// Table 16: what four bits of the lower band stand for.
const LOW_OUTPUT: [i32; 16] = [
    0, -20_456, -12_896, -8_968, -6_288, -4_240, -2_584, -1_200, 20_456, 12_896, 8_968, 6_288,
    4_240, 2_584, 1_200, 0,
];

/// Table 11: which weight belongs to four bits, and the weights.
const LOW_WEIGHT_OF: [u8; 16] = [0, 7, 6, 5, 4, 3, 2, 1, 7, 6, 5, 4, 3, 2, 1, 0];
const LOW_WEIGHTS: [i32; 8] = [-60, -30, 58, 172, 334, 538, 1_198, 3_042];

/// What two bits of the higher band stand for.
const HIGH_OUTPUT: [i32; 4] = [-7_408, -1_616, 7_408, 1_616];

/// Powers of two, 32 to an octave.
const INVERSE_LOG: [i32; 32] = [
    2_048, 2_093, 2_139, 2_186, 2_233, 2_282, 2_332, 2_383, 2_435, 2_489, 2_543, 2_599, 2_656,
    2_714, 2_774, 2_834, 2_896, 2_960, 3_025, 3_091, 3_158, 3_228, 3_298, 3_371, 3_444, 3_520,
    3_597, 3_676, 3_756, 3_838, 3_922, 4_008,
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Half a second of tones, noise, extremes and silence, encoded by spandsp 0.0.6
    /// (`g722_encode`, 64 kbit/s).
    #[test]
    fn octets_are_those_of_another_implementation() {
        let input = include_bytes!("../testdata/g722.s16le");
        let expected = include_bytes!("../testdata/g722.octets");
        assert_eq!(input.len(), 4 * expected.len());
        let mut encoder = G722::new();
        let sample = |bytes: &[u8]| i16::from_le_bytes([bytes[0], bytes[1]]);
        for (place, (pair, octet)) in input.chunks(4).zip(expected).enumerate() {
            let samples = [sample(&pair[..2]), sample(&pair[2..])];
            assert_eq!(encoder.encode(samples), *octet, "octet {place}");
        }
    }

    #[test]
    fn extremes_do_not_overflow() {
        let mut encoder = G722::new();
        let mut random = 1_u32;
        for _ in 0..100_000 {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let extreme = |bit: u32| {
                if random >> bit & 1 == 0 {
                    i16::MIN
                } else {
                    i16::MAX
                }
            };
            encoder.encode([extreme(20), extreme(25)]);
        }
    }
}
