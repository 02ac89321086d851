//! Any sources, one after another.

use std::collections::VecDeque;

use crate::contained_source::ContainedSource;
use crate::{AudioSource, RetiredSource};

/// Any sources played one after another without a gap, each to its end: an
/// announcement, then a file, then a stream. When one fails or panics, the next one plays, and
/// [`TrackEvent::InputFailed`](crate::TrackEvent::InputFailed) says so.
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
    sources: VecDeque<ContainedSource>,
    retired: Vec<RetiredSource>,
    /// Why the last one of all has ended, if that was not meant to be.
    failure: Option<String>,
}

impl FromIterator<Box<dyn AudioSource>> for Sequence {
    fn from_iter<I: IntoIterator<Item = Box<dyn AudioSource>>>(sources: I) -> Self {
        Self {
            sources: sources.into_iter().map(ContainedSource::new).collect(),
            ..Self::default()
        }
    }
}

impl AudioSource for Sequence {
    fn read(&mut self, pcm: &mut [[f32; 2]]) -> usize {
        self.retired.clear();
        let mut written = 0;
        while written < pcm.len() {
            let Some(source) = self.sources.front_mut() else {
                break;
            };
            let (ended, failure) = match source.read(&mut pcm[written..]) {
                Ok(reading) => {
                    written += reading.samples;
                    self.retired.extend(reading.retired);
                    (reading.ended, None)
                }
                Err(message) => (true, Some(format!("panicked: {message}"))),
            };
            if ended {
                self.retire_first(failure);
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
        self.sources.front_mut().is_none_or(ContainedSource::ready)
    }

    fn error(&mut self) -> Option<String> {
        self.failure.take()
    }

    fn take_retired(&mut self) -> Vec<RetiredSource> {
        std::mem::take(&mut self.retired)
    }
}

impl Sequence {
    /// Takes out the source that played, which has ended.
    fn retire_first(&mut self, panic: Option<String>) {
        let Some(mut source) = self.sources.pop_front() else {
            return;
        };
        let failure = panic.or_else(|| source.error());
        // Of the last one the player hears when it asks why all has ended.
        let failure = match self.sources.is_empty() {
            true => {
                self.failure = failure;
                None
            }
            false => failure,
        };
        self.retired.push(RetiredSource { source, failure });
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
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

    use super::*;
    use crate::level::Level;

    fn level(value: f32, left: usize, per_read: usize) -> Box<dyn AudioSource> {
        Box::new(Level::lasting(value, left).at_most(per_read))
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

    /// Fails at once, or panics.
    struct Faulty {
        panics: bool,
        dropped: Arc<AtomicBool>,
    }

    impl AudioSource for Faulty {
        fn read(&mut self, _: &mut [[f32; 2]]) -> usize {
            assert!(!self.panics, "the fault under test");
            0
        }

        fn ended(&self) -> bool {
            true
        }

        fn error(&mut self) -> Option<String> {
            Some("no more paper".into())
        }
    }

    impl Drop for Faulty {
        fn drop(&mut self) {
            self.dropped.store(true, Relaxed);
        }
    }

    #[test]
    fn source_that_fails_is_told_and_dropped_by_who_asks_and_the_next_one_plays() {
        let dropped = Arc::new(AtomicBool::new(false));
        let faulty = |panics| -> Box<dyn AudioSource> {
            Box::new(Faulty {
                panics,
                dropped: Arc::clone(&dropped),
            })
        };
        let sources = [faulty(true), faulty(false), level(0.1, 4, 9), faulty(false)];
        let mut sequence: Sequence = sources.into_iter().collect();
        let mut pcm = [[0.0; 2]; 3];
        assert_eq!(sequence.read(&mut pcm), 3);
        assert!(!dropped.load(Relaxed));
        let retired = sequence.take_retired();
        let failures: Vec<_> = retired.iter().map(|r| r.failure.as_deref()).collect();
        let panicked = Some("panicked: the fault under test");
        assert_eq!(failures, [panicked, Some("no more paper")]);
        drop(retired);
        assert!(dropped.load(Relaxed) && sequence.error().is_none());
        assert_eq!((sequence.read(&mut pcm), sequence.ended()), (1, true));
        // The last one is the sequence's own.
        assert!(sequence.take_retired().iter().all(|r| r.failure.is_none()));
        assert_eq!(sequence.error().as_deref(), Some("no more paper"));
    }

    /// A source of a user's that leaves everything but `read` as it is.
    struct Wrapper(Sequence);

    impl AudioSource for Wrapper {
        fn read(&mut self, pcm: &mut [[f32; 2]]) -> usize {
            self.0.read(pcm)
        }
    }

    #[test]
    fn source_that_nobody_takes_is_dropped_at_the_next_read() {
        let dropped = Arc::new(AtomicBool::new(false));
        let faulty = Box::new(Faulty {
            panics: false,
            dropped: Arc::clone(&dropped),
        });
        let mut wrapper = Wrapper([faulty as _, level(0.1, 4, 9)].into_iter().collect());
        let mut pcm = [[0.0; 2]; 2];
        assert_eq!(wrapper.read(&mut pcm), 2);
        assert!(!dropped.load(Relaxed));
        assert_eq!(wrapper.read(&mut pcm), 2);
        assert!(dropped.load(Relaxed));
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
