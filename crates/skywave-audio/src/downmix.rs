//! From any number of channels to stereo.

use std::f32::consts::FRAC_1_SQRT_2;

use symphonia::core::audio::{Channels, Position};

/// How much of each channel goes to the left and to the right.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Downmix {
    gains: Vec<[f32; 2]>,
}

impl Downmix {
    /// The mix for interleaved samples in symphonia's channel order.
    pub(crate) fn new(channels: &Channels) -> Self {
        match channels {
            Channels::Positioned(positions) => {
                let positions: Vec<Position> = positions.iter().collect();
                Self::of_positions(&positions)
            }
            // Without positions channels are taken to alternate.
            _ => Self::normalised((0..channels.count()).map(|n| SIDES[n % 2]).collect()),
        }
    }

    /// The mix for interleaved samples whose channels are at `positions`.
    ///
    /// Centre and surround come in at -3 dB and the low-frequency channel not at
    /// all (ITU-R BS.775), the whole scaled so that it cannot clip.
    pub(crate) fn of_positions(positions: &[Position]) -> Self {
        match positions {
            // One channel is heard on both sides, and two are left and right, whatever they are called.
            [_] => Self {
                gains: vec![[1.0; 2]],
            },
            [_, _] => Self {
                gains: SIDES.to_vec(),
            },
            _ => Self::normalised(positions.iter().copied().map(gains_at).collect()),
        }
    }

    /// Appends the stereo mix of interleaved samples; an incomplete last one is left out.
    pub(crate) fn mix(&self, interleaved: &[f32], pcm: &mut Vec<[f32; 2]>) {
        if self.gains.is_empty() {
            return;
        }
        pcm.extend(interleaved.chunks_exact(self.gains.len()).map(|sample| {
            let mut mixed = [0.0; 2];
            for (channel, [left, right]) in sample.iter().zip(&self.gains) {
                mixed[0] += channel * left;
                mixed[1] += channel * right;
            }
            mixed
        }));
    }

    fn normalised(mut gains: Vec<[f32; 2]>) -> Self {
        if let [only] = gains.as_mut_slice() {
            *only = [1.0; 2];
        }
        let loudest = (0..2).map(|side| gains.iter().map(|gain| gain[side]).sum::<f32>());
        let scale = loudest.fold(1.0, f32::max).recip();
        gains
            .as_flattened_mut()
            .iter_mut()
            .for_each(|gain| *gain *= scale);
        Self { gains }
    }
}

fn gains_at(position: Position) -> [f32; 2] {
    match position {
        Position::FRONT_LEFT | Position::FRONT_LEFT_CENTER => [1.0, 0.0],
        Position::FRONT_RIGHT | Position::FRONT_RIGHT_CENTER => [0.0, 1.0],
        Position::REAR_LEFT | Position::SIDE_LEFT => [FRAC_1_SQRT_2, 0.0],
        Position::REAR_RIGHT | Position::SIDE_RIGHT => [0.0, FRAC_1_SQRT_2],
        Position::LFE1 | Position::LFE2 => [0.0; 2],
        Position::REAR_CENTER => [0.5; 2],
        _ => [FRAC_1_SQRT_2; 2],
    }
}

const SIDES: [[f32; 2]; 2] = [[1.0, 0.0], [0.0, 1.0]];

#[cfg(test)]
mod tests {
    use super::*;

    fn mixed(channels: &Channels, sample: &[f32]) -> [f32; 2] {
        let mut pcm = Vec::new();
        Downmix::new(channels).mix(sample, &mut pcm);
        pcm[0]
    }

    #[test]
    fn mono_is_heard_on_both_sides() {
        let mono = Channels::Positioned(Position::FRONT_LEFT);
        assert_eq!(mixed(&mono, &[0.5]), [0.5; 2]);
        assert_eq!(mixed(&Channels::Discrete(1), &[0.5]), [0.5; 2]);
    }

    #[test]
    fn stereo_passes_unchanged() {
        let stereo = Channels::Positioned(Position::FRONT_LEFT | Position::FRONT_RIGHT);
        assert_eq!(mixed(&stereo, &[0.5, -0.25]), [0.5, -0.25]);
    }

    #[test]
    fn surround_keeps_sides_and_cannot_clip() {
        let surround = Channels::Positioned(
            Position::FRONT_LEFT
                | Position::FRONT_RIGHT
                | Position::FRONT_CENTER
                | Position::LFE1
                | Position::SIDE_LEFT
                | Position::SIDE_RIGHT,
        );
        let [left, right] = mixed(&surround, &[1.0; 6]);
        assert!((left - 1.0).abs() < 1e-6 && (right - 1.0).abs() < 1e-6);
        let [left, right] = mixed(&surround, &[0.0, 0.0, 0.0, 1.0, 1.0, 0.0]);
        assert!((left - 0.2929).abs() < 1e-4 && right == 0.0);
    }

    #[test]
    fn no_channels_give_no_samples() {
        let mut pcm = Vec::new();
        Downmix::new(&Channels::None).mix(&[1.0; 8], &mut pcm);
        assert!(pcm.is_empty());
    }
}
