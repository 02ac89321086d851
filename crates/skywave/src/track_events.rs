//! How users learn what happens to a track.

use skywave_audio::TrackEvent;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};

/// What happens to a track, in order, since [`AudioTrack::events`](crate::AudioTrack::events) was
/// called.
///
/// Whoever is slow misses the oldest and is told how many ([`TrackEvent::Missed`]): the last 64 are
/// kept. The track never waits.
///
/// ```
/// # use skywave::{AudioTransmitter, Config, TrackEvent};
/// # async fn watch(transmitter: AudioTransmitter) {
/// let mut events = transmitter.track().events();
/// while let Some(event) = events.next().await {
///     if let TrackEvent::SourceEnded { reason: Some(reason) } = event {
///         eprintln!("the source broke: {reason}");
///     }
/// }
/// # }
/// ```
pub struct TrackEvents(Receiver<TrackEvent>);

impl TrackEvents {
    pub(crate) fn new(events: Receiver<TrackEvent>) -> Self {
        Self(events)
    }

    /// Waits for the next event. None once the track is over, as all its handles are gone. Needs no
    /// particular runtime.
    pub async fn next(&mut self) -> Option<TrackEvent> {
        match self.0.recv().await {
            Ok(event) => Some(event),
            Err(RecvError::Lagged(events)) => Some(TrackEvent::Missed { events }),
            Err(RecvError::Closed) => None,
        }
    }

    /// The next event, if there is one already.
    pub fn try_next(&mut self) -> Option<TrackEvent> {
        match self.0.try_recv() {
            Ok(event) => Some(event),
            Err(TryRecvError::Lagged(events)) => Some(TrackEvent::Missed { events }),
            Err(TryRecvError::Empty | TryRecvError::Closed) => None,
        }
    }
}

/// Writes an event to the log: as a warning what somebody should look at.
pub(crate) fn log(track: u64, event: &TrackEvent) {
    match event {
        TrackEvent::SourceNotReady
        | TrackEvent::SourceEnded { .. }
        | TrackEvent::SourcePanicked { .. }
        | TrackEvent::InputFailed { .. }
        | TrackEvent::FallbackEnded { .. } => tracing::warn!(track, ?event),
        _ => tracing::debug!(track, ?event),
    }
}

/// Events kept for those who have not taken them yet.
pub(crate) const BACKLOG: usize = 64;
