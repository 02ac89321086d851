//! Where the packets of a track begin and end.

use crate::Ptime;

/// The boundaries between packets of all lengths in use.
///
/// Every length has its boundaries at its multiples, counted in samples from the track's start. So
/// packets of one length are the same for all who need them, whoever comes and goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PacketGrid {
    /// By place in [`Ptime::ALL`]; one at least is in use.
    in_use: [bool; Ptime::ALL.len()],
}

impl PacketGrid {
    /// The grid of these lengths. If there are none, that of `otherwise`.
    #[must_use]
    pub fn new(in_use: impl IntoIterator<Item = Ptime>, otherwise: Ptime) -> Self {
        let mut grid = Self {
            in_use: [false; Ptime::ALL.len()],
        };
        for ptime in in_use {
            grid.in_use[ptime as usize] = true;
        }
        if grid.in_use == [false; Ptime::ALL.len()] {
            grid.in_use[otherwise as usize] = true;
        }
        grid
    }

    /// The first boundary after `position`.
    pub(crate) fn next(&self, position: u64) -> u64 {
        let next = |samples: u64| (position / samples + 1).saturating_mul(samples);
        self.lengths().map(next).min().unwrap_or(u64::MAX)
    }

    /// The last boundary up to `position`.
    pub(crate) fn last(&self, position: u64) -> u64 {
        let last = |samples: u64| position / samples * samples;
        self.lengths().map(last).max().unwrap_or(0)
    }

    fn lengths(&self) -> impl Iterator<Item = u64> {
        let in_use = |&ptime: &Ptime| self.in_use[ptime as usize];
        let samples = |ptime: Ptime| ptime.samples() as u64;
        Ptime::ALL.into_iter().filter(in_use).map(samples)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boundaries_are_those_of_every_length_in_use() {
        let grid = PacketGrid::new([Ptime::Ms60, Ptime::Ms40], Ptime::Ms10);
        let mut position = 0;
        for boundary in [1_920, 2_880, 3_840, 5_760, 7_680, 8_640] {
            assert_eq!(grid.last(boundary - 1), position);
            position = grid.next(position);
            assert_eq!(position, boundary);
            assert_eq!(grid.last(boundary), boundary);
        }
        assert_eq!(grid.next(2_000), 2_880);
    }

    #[test]
    fn without_any_in_use_the_other_one_counts() {
        let grid = PacketGrid::new([], Ptime::Ms20);
        assert_eq!(
            (grid.next(0), grid.next(959), grid.next(960)),
            (960, 960, 1_920)
        );
        assert_eq!(grid, PacketGrid::new([Ptime::Ms20], Ptime::Ms60));
    }
}
