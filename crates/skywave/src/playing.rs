//! A track of either kind being played.

use std::sync::Arc;
use std::time::Instant;

use crate::audio_track::TrackShared;
use crate::disposal::Disposal;
use crate::playing_encoded_track::PlayingEncodedTrack;
use crate::playing_track::PlayingTrack;
use crate::track_worker::FrameOutput;

/// A track of either kind. Boxed, as heaps move their items about.
pub(crate) enum Playing {
    Samples(Box<PlayingTrack>),
    Packets(Box<PlayingEncodedTrack>),
}

impl Playing {
    pub(crate) fn new(shared: Arc<TrackShared>, now: Instant) -> Self {
        if shared.inlet.is_some() {
            Self::Packets(Box::new(PlayingEncodedTrack::new(shared, now)))
        } else {
            Self::Samples(Box::new(PlayingTrack::new(shared, now)))
        }
    }

    pub(crate) fn deadline(&self) -> Instant {
        match self {
            Self::Samples(track) => track.deadline(),
            Self::Packets(track) => track.deadline(),
        }
    }

    pub(crate) fn is_over(&self) -> bool {
        match self {
            Self::Samples(track) => track.is_over(),
            Self::Packets(track) => track.is_over(),
        }
    }

    pub(crate) fn play(&mut self, outputs: &[FrameOutput]) {
        match self {
            Self::Samples(track) => track.play(outputs),
            Self::Packets(track) => track.play(outputs),
        }
    }

    /// Has sources dropped that are not played any more.
    pub(crate) fn dispose_retired(&mut self, disposal: &Disposal) {
        match self {
            Self::Samples(track) => track.take_retired().into_iter().for_each(|source| {
                disposal.dispose(source);
            }),
            Self::Packets(track) => track.take_retired().into_iter().for_each(|source| {
                disposal.dispose(source);
            }),
        }
    }

    pub(crate) fn advance(&mut self, now: Instant) {
        match self {
            Self::Samples(track) => track.advance(now),
            Self::Packets(track) => track.advance(now),
        }
    }
}
