//! What the media thread knows of a listener's handle, and its place in the audience.

use std::sync::Arc;

use skywave_audio::Packetization;
use skywave_peer::PeerEvent;
use tokio::sync::watch;

use crate::admission::HandshakePlace;
use crate::audio_track::TrackShared;
use crate::loss_distribution::Class;
use crate::status::{Status, TransmitterState};

/// The place that a connected listener takes in a track's audience.
pub(crate) struct Audience {
    pub(crate) track: Arc<TrackShared>,
    /// Of the engine.
    pub(crate) shard: usize,
    pub(crate) packetization: Packetization,
}

/// What the thread knows of a peer's handle.
pub(crate) struct Seat {
    status: watch::Sender<Status>,
    audience: Option<Audience>,
    listening: bool,
    /// Of its last report.
    loss: Option<Class>,
    /// Given back when it is connected, or gone.
    handshake: Option<HandshakePlace>,
}

impl Seat {
    pub(crate) fn new(status: watch::Sender<Status>) -> Self {
        Self {
            status,
            audience: None,
            listening: false,
            loss: None,
            handshake: None,
        }
    }

    /// A peer was made, and shall connect.
    pub(crate) fn set_handshake(&mut self, place: HandshakePlace) {
        self.handshake = Some(place);
    }

    /// Both descriptions are known; the place in the audience is taken when media flows.
    pub(crate) fn set_audience(&mut self, audience: Audience) {
        self.audience = Some(audience);
        self.status
            .send_modify(|status| status.enter(TransmitterState::Connecting, None));
    }

    /// Tells the handle what happened. True if it was the end.
    pub(crate) fn tell(&mut self, event: PeerEvent) -> bool {
        if matches!(event, PeerEvent::Connected(_)) {
            self.join();
            self.handshake = None;
        }
        if let PeerEvent::Reported(fraction_lost) = event {
            self.report(fraction_lost);
            return false;
        }
        self.status.send_modify(|status| status.apply(event));
        self.status.borrow().state.is_final()
    }

    fn report(&mut self, fraction_lost: u8) {
        if let Some(audience) = &self.audience {
            let losses = &audience.track.losses;
            self.loss = Some(losses.report(self.loss, fraction_lost));
        }
    }

    fn join(&mut self) {
        if let Some(audience) = &self.audience
            && !self.listening
        {
            audience.track.join(audience.shard, audience.packetization);
            self.listening = true;
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if let Some(audience) = &self.audience
            && self.listening
        {
            audience.track.leave(audience.shard, audience.packetization);
            audience.track.losses.forget(self.loss);
        }
    }
}
