//! Sources that take too long to be read.

use std::time::Duration;

use skywave_audio::TrackEvent;

use crate::audio_track::TrackShared;
use crate::counter::add;

/// Counts and tells each read that was slow; the log says it once of each source.
#[derive(Debug, Default)]
pub(crate) struct SlowReads {
    logged: bool,
}

impl SlowReads {
    /// Another source is read from now on.
    pub(crate) fn renew(&mut self) {
        self.logged = false;
    }

    /// A read took so long.
    pub(crate) fn note(&mut self, took: Duration, shared: &TrackShared) {
        if took < shared.config.slow_read {
            return;
        }
        add(&shared.counters.slow_reads, 1);
        shared.tell(TrackEvent::SlowRead { took });
        if !std::mem::replace(&mut self.logged, true) {
            let track = shared.id.number;
            tracing::warn!(
                track,
                ?took,
                "the source is slow to be read: does it block?"
            );
        }
    }
}
