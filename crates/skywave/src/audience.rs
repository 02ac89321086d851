//! The place that one listener has in a track's audience.

use std::sync::Arc;

use skywave_audio::Packetization;
use skywave_peer::StreamKey;

use crate::audio_track::TrackShared;
use crate::encoding_table::StreamPlace;
use crate::error::Error;
use crate::loss_distribution::Class;

/// The place that one listener has in a track's audience, from the moment both descriptions are
/// known. Given back when it is dropped.
pub(crate) struct Audience {
    track: Arc<TrackShared>,
    /// Of the engine.
    shard: usize,
    place: StreamPlace,
    listening: bool,
    /// Of its last report.
    loss: Option<Class>,
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
            loss: None,
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
            self.report(0);
        }
    }

    /// Takes the share of packets, in 1/256, that the listener reports lost.
    pub(crate) fn report(&mut self, fraction_lost: u8) {
        let losses = &self.track.losses;
        self.loss = Some(losses.report(self.loss, fraction_lost));
    }
}

impl Drop for Audience {
    fn drop(&mut self) {
        self.track.losses.forget(self.loss);
        if self.listening {
            self.track.encodings.leave(self.shard, self.place);
        }
        self.track.encodings.release(self.place);
    }
}
