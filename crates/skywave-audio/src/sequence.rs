//! Any sources, one after another.

use std::collections::VecDeque;

use crate::AudioSource;

/// Any sources played one after another without a gap, each to its end: an
/// announcement, then a file, then a stream.
///
/// Where all are files, [`Playlist`](crate::Playlist) needs one thread for them
/// and can repeat, seek and skip.
///
/// ```
/// use skywave_audio::{AudioSource, Melody, Sequence, Silence};
///
/// let sequence: Sequence = [
///     Box::new(Silence) as Box<dyn AudioSource>, // a chime that ends
///     Box::new(Melody::new()),
/// ]
/// .into_iter()
/// .collect();
/// # drop(sequence);
/// ```
#[derive(Default)]
pub struct Sequence {
    sources: VecDeque<Box<dyn AudioSource>>,
}

impl FromIterator<Box<dyn AudioSource>> for Sequence {
    fn from_iter<I: IntoIterator<Item = Box<dyn AudioSource>>>(sources: I) -> Self {
        Self {
            sources: sources.into_iter().collect(),
        }
    }
}

impl AudioSource for Sequence {
    fn read(&mut self, pcm: &mut [[f32; 2]]) -> usize {
        let mut written = 0;
        while written < pcm.len() {
            let Some(source) = self.sources.front_mut() else {
                break;
            };
            let rest = &mut pcm[written..];
            let most = rest.len();
            written += source.read(rest).min(most);
            if source.ended() {
                self.sources.pop_front();
            } else if written < pcm.len() {
                // It starves.
                break;
            }
        }
        written
    }

    fn ended(&self) -> bool {
        self.sources.is_empty()
    }

    fn ready(&mut self) -> bool {
        self.sources.front_mut().is_none_or(|source| source.ready())
    }
}

impl std::fmt::Debug for Sequence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sequence")
            .field("left", &self.sources.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A constant for `left` samples, `per_read` at a time.
    struct Level {
        value: f32,
        left: usize,
        per_read: usize,
    }

    impl AudioSource for Level {
        fn read(&mut self, pcm: &mut [[f32; 2]]) -> usize {
            let count = self.left.min(pcm.len()).min(self.per_read);
            self.left -= count;
            pcm.fill([9.0; 2]);
            pcm[..count].fill([self.value; 2]);
            count
        }

        fn ended(&self) -> bool {
            self.left == 0
        }
    }

    fn level(value: f32, left: usize, per_read: usize) -> Box<dyn AudioSource> {
        Box::new(Level {
            value,
            left,
            per_read,
        })
    }

    #[test]
    fn sources_follow_one_another_within_a_read() {
        let sources = [level(0.1, 5, 9), level(0.2, 0, 9), level(0.3, 4, 9)];
        let mut sequence: Sequence = sources.into_iter().collect();
        let mut pcm = [[0.0; 2]; 7];
        assert_eq!(sequence.read(&mut pcm), 7);
        assert_eq!((pcm[4], pcm[5], pcm[6]), ([0.1; 2], [0.3; 2], [0.3; 2]));
        assert!(!sequence.ended());
        assert_eq!((sequence.read(&mut pcm), sequence.ended()), (2, true));
        assert_eq!(sequence.read(&mut pcm), 0);
    }

    #[test]
    fn source_that_starves_is_waited_for() {
        let sources = [level(0.1, 5, 2), level(0.2, 5, 9)];
        let mut sequence: Sequence = sources.into_iter().collect();
        let mut pcm = [[0.0; 2]; 7];
        assert_eq!(sequence.read(&mut pcm), 2);
        assert_eq!(sequence.read(&mut pcm), 2);
        assert_eq!(sequence.read(&mut pcm), 6);
        assert_eq!((pcm[0], pcm[1]), ([0.1; 2], [0.2; 2]));
    }
}
