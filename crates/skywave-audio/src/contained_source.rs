//! A source whose panics do not get out.

use crate::containment::{contain, discard};
use crate::{AudioSource, RetiredSource};

/// A source of the user's that the player owns. Whatever panics in it, when dropped too, does no
/// harm to the thread that happens to run it.
pub struct ContainedSource(Option<Box<dyn AudioSource>>);

/// What a read gave.
pub(crate) struct Reading {
    /// Samples written.
    pub(crate) samples: usize,
    /// Nothing more will come.
    pub(crate) ended: bool,
    /// What was read within it, and is done with.
    pub(crate) retired: Vec<RetiredSource>,
}

impl ContainedSource {
    pub(crate) fn new(source: Box<dyn AudioSource>) -> Self {
        Self(Some(source))
    }

    /// Reads into `pcm`; whatever the source says, the count is no more than there is room for.
    /// The error is what it panicked with: it must not be read again.
    pub(crate) fn read(&mut self, pcm: &mut [[f32; 2]]) -> Result<Reading, String> {
        let Some(source) = &mut self.0 else {
            return Err(String::new());
        };
        let read = || Reading {
            samples: source.read(pcm).min(pcm.len()),
            ended: source.ended(),
            retired: source.take_retired(),
        };
        contain(read)
    }

    /// Whether it may start. If it panics at that, reading it will tell.
    pub(crate) fn ready(&mut self) -> bool {
        let source = self.0.as_mut();
        contain(|| source.is_none_or(|source| source.ready())).unwrap_or(true)
    }

    /// Why it has ended.
    pub(crate) fn error(&mut self) -> Option<String> {
        let source = self.0.as_mut()?;
        contain(|| source.error()).unwrap_or_else(Some)
    }
}

impl Drop for ContainedSource {
    fn drop(&mut self) {
        discard(self.0.take());
    }
}
