//! The audio transmitter: one send-only audio peer connection.

use std::sync::Arc;
use std::time::Instant;

use skywave_audio::{AudioCodec, AudioSource};
use skywave_dtls::Version;
use skywave_peer::{CloseReason, LocalParameters, Peer, PeerConfig, PeerId, Remote};
use skywave_rtp::Counters;
use skywave_sdp::{CodecDescription, Negotiated, SessionDescription};
use tokio::sync::watch;

use crate::audio_track::AudioTrack;
use crate::config::Config;
use crate::engine::Engine;
use crate::error::Error;
use crate::media_thread::Command;
use crate::negotiation;
use crate::seat::Audience;
use crate::stats::{AudioCodecCapability, TransmissionStats};
use crate::status::{Status, TransmitterState};

/// Sends one audio track to one peer.
///
/// Negotiate by [`create_offer`](Self::create_offer) and [`accept_answer`](Self::accept_answer),
/// or by [`accept_offer`](Self::accept_offer); these are plain functions and need no async
/// runtime. Dropping the transmitter hangs up.
pub struct AudioTransmitter {
    engine: Engine,
    track: AudioTrack,
    id: PeerId,
    local: LocalParameters,
    signaling: Signaling,
    counters: Arc<Counters>,
    /// Its other end is with the media thread: if that is gone, everything is closed.
    status: watch::Receiver<Status>,
}

/// What was said so far.
enum Signaling {
    New,
    OfferMade,
    Agreed {
        codec: AudioCodec,
        payload_type: u8,
        mid: Option<String>,
    },
}

impl AudioTransmitter {
    /// A transmitter with an engine and a track of its own. Use
    /// [`Engine::transmitter`](crate::Engine::transmitter) for many listeners of one source.
    ///
    /// # Errors
    /// Those of [`Engine::bind`](crate::Engine::bind).
    pub fn new(config: Config) -> Result<Self, Error> {
        let engine = Engine::bind(config.engine)?;
        let track = engine.audio_track(config.track);
        engine.transmitter(&track)
    }

    pub(crate) fn on_track(engine: Engine, track: AudioTrack) -> Result<Self, Error> {
        let id = engine.take_place()?;
        let (sender, status) = watch::channel(Status::default());
        let register = Command::Register { id, status: sender };
        let transmitter = Self {
            engine,
            track,
            id,
            local: LocalParameters::from_random(rand::random()),
            signaling: Signaling::New,
            counters: Arc::default(),
            status,
        };
        transmitter.engine.command(register)?;
        Ok(transmitter)
    }

    /// The codecs that can be sent, the preferred first.
    pub fn supported_audio_codecs() -> Vec<AudioCodecCapability> {
        negotiation::capabilities()
    }

    /// Makes the offer of a send-only audio connection. It becomes the local description at once:
    /// checks and the handshake may begin before the answer is here.
    ///
    /// # Errors
    /// [`Error::InvalidState`] unless this is the first description; [`Error::Closed`].
    pub fn create_offer(&mut self) -> Result<String, Error> {
        self.expect_new("create_offer")?;
        let local = self
            .local
            .description(self.engine.identity(), self.engine.candidates());
        let offer = skywave_sdp::offer(&local, &self.codecs());
        self.add_peer()?;
        self.signaling = Signaling::OfferMade;
        Ok(offer)
    }

    /// Takes the answer to the offer.
    ///
    /// # Errors
    /// [`Error::InvalidDescription`], [`Error::NotAcceptable`]: another answer may be tried.
    /// [`Error::InvalidState`] if there is no offer to answer; [`Error::Closed`].
    pub fn accept_answer(&mut self, sdp: &str) -> Result<(), Error> {
        let call = "accept_answer";
        if self.state().is_final() {
            return Err(Error::Closed);
        }
        match self.signaling {
            Signaling::OfferMade => {}
            Signaling::New => return Err(invalid(call, "before create_offer")),
            Signaling::Agreed { .. } => return Err(invalid(call, "a second time")),
        }
        let answer = SessionDescription::parse(sdp)?;
        let negotiated = skywave_sdp::accept_answer(&answer, &self.codecs())?;
        self.agree(&negotiated)
    }

    /// Takes an offer that wants to receive audio, and makes the answer.
    ///
    /// # Errors
    /// [`Error::InvalidDescription`], [`Error::NotAcceptable`]: another offer may be tried.
    /// [`Error::InvalidState`] unless this is the first description; [`Error::Closed`].
    pub fn accept_offer(&mut self, sdp: &str) -> Result<String, Error> {
        self.expect_new("accept_offer")?;
        let offer = SessionDescription::parse(sdp)?;
        let local = self
            .local
            .description(self.engine.identity(), self.engine.candidates());
        let (answer, negotiated) = skywave_sdp::answer(&local, &offer, &self.codecs())?;
        self.add_peer()?;
        self.agree(&negotiated)?;
        Ok(answer)
    }

    /// Puts the first source in. If the track waits for its listener
    /// ([`TrackConfig::wait_for_listener`](crate::TrackConfig)), the source is first read when the
    /// connection stands. On a shared track this is for all its listeners.
    pub fn start_transmission(&self, source: impl AudioSource + 'static) {
        self.track.replace_audio_source(source);
    }

    /// Plays another source from the next frame on; see [`AudioTrack::replace_audio_source`]. On
    /// a shared track this is for all its listeners.
    pub fn replace_audio_source(&self, source: impl AudioSource + 'static) {
        self.track.replace_audio_source(source);
    }

    /// The track that is sent.
    pub fn track(&self) -> &AudioTrack {
        &self.track
    }

    /// What was sent so far and how it arrived.
    pub fn transmission_stats(&self) -> TransmissionStats {
        let counters = self.counters.snapshot();
        let status = self.status.borrow().clone();
        let (codec, payload_type, mid) = match &self.signaling {
            Signaling::Agreed {
                codec,
                payload_type,
                mid,
            } => (Some(*codec), Some(*payload_type), mid.clone()),
            _ => (None, None, None),
        };
        let clock_rate = codec.map(AudioCodec::clock_rate);
        let connection = status.connection;
        TransmissionStats {
            reason: reason(&status),
            state: self.state(),
            ssrc: self.local.ssrc,
            mid,
            mime_type: codec.map(AudioCodec::mime_type),
            payload_type,
            clock_rate,
            packets_sent: counters.packets_sent,
            bytes_sent: counters.bytes_sent,
            header_bytes_sent: counters.header_bytes_sent,
            rtcp_packets_sent: counters.rtcp_packets_sent,
            reports_received: counters.reports_received,
            packets_lost: counters.packets_lost,
            fraction_lost: counters.fraction_lost,
            jitter: clock_rate.map_or(0.0, |rate| self.counters.jitter_seconds(rate)),
            round_trip_time: counters.round_trip_time.map(|time| time.as_secs_f64()),
            total_round_trip_time: counters.total_round_trip_time.as_secs_f64(),
            round_trip_time_measurements: counters.round_trip_time_measurements,
            remote_address: connection.map(|connection| connection.remote),
            srtp_cipher: connection.map(|connection| connection.profile.name()),
            tls_version: connection
                .and_then(|connection| connection.dtls_version)
                .map(tls_version),
        }
    }

    /// The state of the connection.
    pub fn state(&self) -> TransmitterState {
        let state = self.status.borrow().state;
        if !state.is_final() && self.status.has_changed().is_err() {
            return TransmitterState::Closed;
        }
        state
    }

    /// Waits until media flows. Needs no particular runtime.
    ///
    /// # Errors
    /// [`Error::Failed`] or [`Error::Closed`] if it came to an end.
    pub async fn connected(&self) -> Result<(), Error> {
        let mut status = self.status.clone();
        let settled = |status: &Status| {
            use TransmitterState::{Connected, Disconnected};
            status.state.is_final() || matches!(status.state, Connected | Disconnected)
        };
        let status = status.wait_for(settled).await.map_err(|_| Error::Closed)?;
        match (status.state, &status.failure) {
            (TransmitterState::Closed, _) => Err(Error::Closed),
            (_, Some(reason)) => Err(Error::Failed(reason.clone())),
            _ => Ok(()),
        }
    }

    /// Waits until the connection has come to an end, by either side.
    pub async fn closed(&self) {
        let mut status = self.status.clone();
        // An error says that the media thread is gone, which is an end too.
        let _ = status.wait_for(|status| status.state.is_final()).await;
    }

    /// Hangs up, with RTCP BYE and DTLS close_notify. Calling it again does nothing.
    pub async fn close(&self) {
        self.hang_up();
        self.closed().await;
    }

    fn hang_up(&self) {
        // If the engine is closed, so is the peer.
        let _ = self.engine.command(Command::Close(self.id));
    }

    fn codecs(&self) -> Vec<CodecDescription> {
        let codecs = self.track.shared.config.codecs.iter();
        codecs.copied().map(negotiation::description).collect()
    }

    fn expect_new(&self, call: &'static str) -> Result<(), Error> {
        if self.state().is_final() {
            return Err(Error::Closed);
        }
        match self.signaling {
            Signaling::New => Ok(()),
            _ => Err(invalid(call, "after another description")),
        }
    }

    /// Hands the peer to the media thread, which answers checks from then on.
    fn add_peer(&self) -> Result<(), Error> {
        let config = PeerConfig {
            id: self.id,
            local: self.local.clone(),
            identity: self.engine.identity().clone(),
            counters: Arc::clone(&self.counters),
            limits: self.engine.limits(),
        };
        let peer = Box::new(Peer::new(config, Instant::now()));
        self.engine.command(Command::Add(peer))
    }

    fn agree(&mut self, negotiated: &Negotiated) -> Result<(), Error> {
        let codec = self.track.shared.config.codecs[negotiated.codec];
        let encoding = negotiation::encoding(codec, negotiated);
        let stream = self.track.shared.stream(encoding);
        self.engine.command(Command::SetRemote {
            id: self.id,
            remote: Box::new(Remote::new(negotiated, stream)),
            audience: Audience {
                track: Arc::clone(&self.track.shared),
                encoding,
            },
        })?;
        self.signaling = Signaling::Agreed {
            codec,
            payload_type: negotiated.payload_type,
            mid: negotiated.mid.clone(),
        };
        Ok(())
    }
}

impl Drop for AudioTransmitter {
    fn drop(&mut self) {
        self.hang_up();
        self.engine.leave_place();
    }
}

fn invalid(call: &'static str, when: &'static str) -> Error {
    Error::InvalidState { call, when }
}

fn reason(status: &Status) -> Option<String> {
    let closed = status.closed_by.map(|reason| match reason {
        CloseReason::Local => "hung up here",
        CloseReason::DtlsClosed => "hung up by the peer (DTLS)",
        CloseReason::Bye => "hung up by the peer (RTCP BYE)",
        _ => "hung up",
    });
    let failure = status.failure.as_ref().map(ToString::to_string);
    failure.or_else(|| closed.map(str::to_owned))
}

/// As the W3C's `tlsVersion`: four upper-case hexadecimal digits.
fn tls_version(version: Version) -> &'static str {
    match version {
        Version::Dtls12 => "FEFD",
        Version::Dtls13 => "FEFC",
    }
}
