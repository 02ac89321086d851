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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use skywave_audio::{
        Encoding, ExpectedLoss, OpusApplication, OpusOptions, Packetization, Ptime, SAMPLE_RATE,
    };

    use super::*;
    use crate::audio_track::{TrackId, TrackShared};
    use crate::config::TrackConfig;
    use crate::fec_response::FecResponse;

    /// A track as the thread that encodes it sees it.
    struct Track {
        shared: Arc<TrackShared>,
        response: FecResponse,
        /// In samples.
        now: u64,
    }

    impl Track {
        /// The options that it is encoded with so many seconds later.
        fn options_after(&mut self, seconds: u64) -> OpusOptions {
            for _ in 0..seconds.max(1) {
                self.shared.follow_losses(&mut self.response, self.now);
                self.now += u64::from(SAMPLE_RATE);
            }
            self.shared.encoding_options()
        }
    }

    fn track(opus: OpusOptions, adaptive_fec: bool) -> Track {
        let config = TrackConfig {
            opus,
            adaptive_fec,
            ..TrackConfig::default()
        };
        let id = TrackId {
            engine: 0,
            number: 0,
        };
        Track {
            shared: Arc::new(TrackShared::new(id, config, 1)),
            response: FecResponse::default(),
            now: 0,
        }
    }

    fn listener(track: &Track) -> Seat {
        let mut seat = Seat::new(watch::Sender::new(Status::default()));
        let packetization = Packetization::new(Encoding::OPUS_MONO, Ptime::Ms20);
        let audience = Audience::reserve(Arc::clone(&track.shared), 0, packetization);
        seat.set_audience(audience.unwrap());
        seat.join();
        seat
    }

    fn correcting(percent: u8) -> OpusOptions {
        OpusOptions {
            in_band_fec: true,
            expected_loss: ExpectedLoss::new(percent).unwrap(),
            ..speech()
        }
    }

    fn speech() -> OpusOptions {
        OpusOptions {
            application: OpusApplication::Voip,
            ..OpusOptions::default()
        }
    }

    /// In 1/256.
    const FIVE_PERCENT: u8 = 13;

    #[test]
    fn error_correction_follows_the_reports_of_the_worst_tenth() {
        let mut track = track(speech(), true);
        let mut listeners: Vec<_> = (0..20).map(|_| listener(&track)).collect();
        assert_eq!(track.options_after(0), speech());
        listeners[0].tell(PeerEvent::LossChanged(FIVE_PERCENT));
        assert_eq!(track.options_after(0), speech(), "one in twenty");
        listeners[1].tell(PeerEvent::LossChanged(FIVE_PERCENT));
        assert_eq!(track.options_after(0), correcting(5));
        listeners[0].tell(PeerEvent::LossChanged(0));
        assert_eq!(track.options_after(10), correcting(5), "still");
        assert_eq!(track.options_after(1), speech());
    }

    #[test]
    fn error_correction_ends_when_who_needed_it_is_gone() {
        let mut track = track(speech(), true);
        let (calm, mut lossy) = (listener(&track), listener(&track));
        lossy.tell(PeerEvent::LossChanged(FIVE_PERCENT));
        assert_eq!(track.options_after(0), correcting(5));
        drop(lossy);
        assert_eq!(track.options_after(11), speech());
        drop(calm);
    }

    #[test]
    fn error_correction_that_is_not_adaptive_stays_as_the_owner_wants_it() {
        for opus in [speech(), correcting(2)] {
            let mut track = track(opus, false);
            let mut listener = listener(&track);
            listener.tell(PeerEvent::LossChanged(FIVE_PERCENT));
            assert_eq!(track.options_after(0), opus);
        }
    }

    #[test]
    fn owner_who_expects_more_loss_than_is_reported_is_believed() {
        let mut track = track(correcting(20), true);
        let mut listener = listener(&track);
        listener.tell(PeerEvent::LossChanged(FIVE_PERCENT));
        assert_eq!(track.options_after(0), correcting(20));
    }

    /// The encoder would go over to its modes for speech.
    #[test]
    fn music_is_not_changed_by_what_listeners_lose() {
        let music = OpusOptions::default();
        let mut track = track(music, true);
        let mut listener = listener(&track);
        listener.tell(PeerEvent::LossChanged(100));
        assert_eq!(track.options_after(0), music);
    }
}
