//! A source within another that is done with.

use crate::AudioSource;
use crate::contained_source::ContainedSource;

/// A source within another, such as an input of a [`Mixer`](crate::Mixer), that is not played any
/// more. The player tells what went wrong with it
/// ([`InputFailed`](crate::TrackEvent::InputFailed)) and has it dropped where nobody has to wait
/// for that.
pub struct RetiredSource {
    pub(crate) source: ContainedSource,
    pub(crate) failure: Option<String>,
}

impl RetiredSource {
    /// `failure` is why it has ended, if that was not meant to be.
    #[must_use]
    pub fn new(source: Box<dyn AudioSource>, failure: Option<String>) -> Self {
        Self {
            source: ContainedSource::new(source),
            failure,
        }
    }
}

impl std::fmt::Debug for RetiredSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RetiredSource")
            .field("failure", &self.failure)
            .finish_non_exhaustive()
    }
}
