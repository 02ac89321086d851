//! The place that one listener has in a track's audience.

use std::sync::Arc;

use skywave_audio::Packetization;
use skywave_peer::StreamKey;

use crate::audio_track::TrackShared;
use crate::encoding_table::StreamPlace;
use crate::error::Error;

/// The place that one listener has in a track's audience, from the moment both descriptions are
/// known. Given back when it is dropped.
pub(crate) struct Audience {
    track: Arc<TrackShared>,
    /// Of the engine.
    shard: usize,
    place: StreamPlace,
    listening: bool,
}

impl Audience {
    /// Takes a place at the encoding that is needed, or at one that will do.
    ///
    /// # Errors
    /// [`Error::TooManyEncodings`].
    pub(crate) fn reserve(
        track: Arc<TrackShared>,
        shard: usize,
        needed: Packetization,
    ) -> Result<Self, Error> {
        let limit = track.encodings.limit();
        let place = track.encodings.reserve(needed);
        Ok(Self {
            place: place.ok_or(Error::TooManyEncodings { limit })?,
            track,
            shard,
            listening: false,
        })
    }

    /// What the listener gets.
    pub(crate) fn packetization(&self) -> Packetization {
        self.place.packetization
    }

    /// Its stream on the engine's hub.
    pub(crate) fn stream(&self) -> StreamKey {
        self.place.stream
    }

    /// Media flows.
    pub(crate) fn join(&mut self) {
        if !self.listening {
            self.track.encodings.join(self.shard, self.place);
            self.listening = true;
        }
    }
}

impl Drop for Audience {
    fn drop(&mut self) {
        if self.listening {
            self.track.encodings.leave(self.shard, self.place);
        }
        self.track.encodings.release(self.place);
    }
}
