//! What the media thread knows of a listener's handle, and its place in the audience.

use skywave_peer::PeerEvent;
use tokio::sync::watch;

use crate::admission::HandshakePlace;
use crate::audience::Audience;
use crate::status::{Status, TransmitterState};

/// What the thread knows of a peer's handle.
pub(crate) struct Seat {
    status: watch::Sender<Status>,
    audience: Option<Audience>,
    /// Given back when it is connected, or gone.
    handshake: Option<HandshakePlace>,
}

impl Seat {
    pub(crate) fn new(status: watch::Sender<Status>) -> Self {
        Self {
            status,
            audience: None,
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
        if let PeerEvent::LossChanged(fraction_lost) = event {
            self.report(fraction_lost);
            return false;
        }
        self.status.send_modify(|status| status.apply(event));
        self.status.borrow().state.is_final()
    }

    fn report(&mut self, fraction_lost: u8) {
        if let Some(audience) = &mut self.audience {
            audience.report(fraction_lost);
        }
    }

    fn join(&mut self) {
        if let Some(audience) = &mut self.audience {
            audience.join();
        }
    }
}
