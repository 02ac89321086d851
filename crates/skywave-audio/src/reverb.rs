//! A small hall: a feedback delay network of four lines.

/// Reverberation, added to what is played.
#[derive(Clone, Debug)]
pub(crate) struct Reverb {
    lines: [Line; 4],
}

impl Reverb {
    pub(crate) fn new() -> Self {
        Self {
            lines: LENGTHS.map(|length| Line {
                samples: vec![0.0; length],
                position: 0,
                damped: 0.0,
            }),
        }
    }

    /// Adds the echoes of `pcm`, and of all before it, to it.
    pub(crate) fn add_to(&mut self, pcm: &mut [[f32; 2]]) {
        for sample in pcm {
            let [a, b, c, d] = self.lines.each_mut().map(Line::read);
            // A Hadamard matrix of unit gain: every line feeds all four.
            let mixed = [a + b + c + d, a - b + c - d, a + b - c - d, a - b - c + d];
            for (n, (line, back)) in self.lines.iter_mut().zip(mixed).enumerate() {
                line.write(sample[n % 2] * INPUT + back * 0.5 * FEEDBACK);
            }
            sample[0] += WET * (a + c);
            sample[1] += WET * (b + d);
        }
    }
}

#[derive(Clone, Debug)]
struct Line {
    samples: Vec<f32>,
    position: usize,
    /// The state of the low-pass filter: walls swallow the treble.
    damped: f32,
}

impl Line {
    fn read(&mut self) -> f32 {
        self.damped += (self.samples[self.position] - self.damped) * (1.0 - DAMPING);
        self.damped
    }

    fn write(&mut self, sample: f32) {
        self.samples[self.position] = sample;
        self.position = (self.position + 1) % self.samples.len();
    }
}

/// Delays in samples, 31 to 62 ms, without a common divisor.
const LENGTHS: [usize; 4] = [1_499, 1_889, 2_381, 2_999];
/// Of the amplitude per passage: the hall sounds for about 1.2 s.
const FEEDBACK: f32 = 0.8;
const DAMPING: f32 = 0.35;
const INPUT: f32 = 0.5;
const WET: f32 = 0.35;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn echo_comes_later_on_both_sides_and_dies_away() {
        let mut reverb = Reverb::new();
        let mut pcm = vec![[0.0; 2]; 4 * 48_000];
        pcm[0] = [1.0, 0.0];
        reverb.add_to(&mut pcm);
        assert_eq!(pcm[0], [1.0, 0.0]);
        assert!(pcm[1..1_499].iter().all(|s| *s == [0.0; 2]));
        let energy =
            |part: &[[f32; 2]], side: usize| part.iter().map(|s| s[side].powi(2)).sum::<f32>();
        for side in 0..2 {
            let (early, late) = (
                energy(&pcm[1_499..24_000], side),
                energy(&pcm[3 * 48_000..], side),
            );
            assert!(early > 1e-3 && late < early * 1e-6, "{early} {late}");
        }
    }
}
