//! What happens to the source of a track.

use std::time::Duration;

/// Something that happened to a track, for whoever wants to know.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum TrackEvent {
    /// The source that was put in last is played from now on.
    SourceStarted,
    /// The source was taken out: silence from now on.
    SourceRemoved,
    /// The source about to start has not become ready in time, and starts all the same.
    SourceNotReady,
    /// The source has come to its end.
    SourceEnded {
        /// What went wrong, by [`AudioSource::error`](crate::AudioSource::error). None if nothing
        /// did.
        reason: Option<String>,
    },
    /// A source panicked and is not played any more.
    SourcePanicked {
        /// With what, if it was text.
        message: String,
    },
    /// A source within the one that plays, such as an input of a [`Mixer`](crate::Mixer) or one of
    /// a [`Sequence`](crate::Sequence), has failed. The others play on.
    InputFailed {
        /// What went wrong, as for [`SourceEnded`](Self::SourceEnded), or that it panicked.
        reason: String,
    },
    /// The fallback stands in for a source that has ended or panicked.
    FallbackStarted,
    /// The fallback has come to its end too: silence from now on.
    FallbackEnded {
        /// As for [`SourceEnded`](Self::SourceEnded).
        reason: Option<String>,
    },
    /// A living source has nothing ready; silence stands in.
    UnderrunStarted,
    /// It has again.
    UnderrunEnded {
        /// How many samples of 48 kHz were missing.
        samples: u64,
    },
    /// Reading took so long that other tracks may have had to wait.
    SlowRead {
        /// How long.
        took: Duration,
    },
    /// So many events were missed by this receiver, as it was slower than they came.
    Missed {
        /// How many.
        events: u64,
    },
}
