//! The audio transmitter: one send-only audio peer connection.

mod report;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use skywave_audio::{AudioCodec, AudioSource, Packetization};
use skywave_dtls::Version;
use skywave_ice::Credentials;
use skywave_peer::{
    LocalParameters, Peer, PeerConfig, PeerId, TransportCounters, restart_fragment,
};
use skywave_rtp::{Counters, CountersSnapshot, Packing, ToneSender};
use skywave_sdp::{
    CodecDescription, IceCredentials, Negotiated, SendCapabilities, SessionDescription,
};
use tokio::sync::watch;

use crate::admission::{HandshakePlace, Place};
use crate::audience::Audience;
use crate::audio_track::AudioTrack;
use crate::config::Config;
use crate::engine::Engine;
use crate::error::Error;
use crate::listening_quality::{Conditions, estimated_mos};
use crate::media_thread::Command;
use crate::negotiation;
use crate::patience::within_patience;
use crate::shard::Shard;
use crate::state_change::{StateChanges, StateReason};
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
    /// Of its engine.
    shard: usize,
    id: PeerId,
    local: LocalParameters,
    signaling: Signaling,
    counters: Arc<Counters>,
    transport: Arc<TransportCounters>,
    /// Its other end is with the media thread: if that is gone, everything is closed.
    status: watch::Receiver<Status>,
    /// The media thread did not hang up in time.
    abandoned: AtomicBool,
    /// Given back with the transmitter.
    _place: Place,
}

/// What was said so far.
enum Signaling {
    New,
    OfferMade,
    Agreed(Agreed),
}

/// What both ends agreed on.
#[derive(Clone)]
struct Agreed {
    codec: AudioCodec,
    payload_type: u8,
    mid: Option<String>,
    /// Redundant audio may be sent.
    red: bool,
    /// The telephone events that the peer takes, a bit each.
    telephone_events: Option<u16>,
    /// Of the description that was accepted.
    remote_ufrag: String,
    /// How our fragments begin.
    fragment_head: String,
    /// The peer's format parameters.
    fmtp: String,
    /// Retransmissions have a stream of their own.
    rtx: bool,
    packetization: Packetization,
}

impl Agreed {
    /// None before the first report.
    fn estimated_mos(&self, counters: &CountersSnapshot) -> Option<f64> {
        counters.last_report?;
        let conditions = Conditions {
            loss: counters.fraction_lost,
            jitter: Duration::from_secs_f64(counters.jitter_seconds(self.codec.clock_rate())),
            round_trip_time: counters.round_trip_time.unwrap_or_default(),
            ptime: self.packetization.ptime.duration(),
        };
        Some(estimated_mos(self.codec, conditions))
    }
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
        let place = engine.admission().take_place()?;
        let (shard, id) = (engine.emptiest_shard(), engine.new_peer());
        let (sender, status) = watch::channel(Status::default());
        let register = Command::Register { id, status: sender };
        engine.shard(shard).enter();
        let transmitter = Self {
            engine,
            track,
            shard,
            id,
            local: LocalParameters::from_random(rand::random()),
            signaling: Signaling::New,
            counters: Arc::default(),
            transport: Arc::default(),
            status,
            abandoned: AtomicBool::new(false),
            _place: place,
        };
        transmitter.shard().queue(register)?;
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
    /// [`Error::InvalidState`] unless this is the first description;
    /// [`Error::TooManyHandshakes`], [`Error::TooManyJoins`]; [`Error::Closed`].
    pub fn create_offer(&mut self) -> Result<String, Error> {
        self.expect_new("create_offer")?;
        let handshake = self.join()?;
        let local = self
            .local
            .description(self.engine.identity(), &self.shard().candidates);
        let codecs = self.codecs();
        let offer = skywave_sdp::offer(&local, &self.capabilities(&codecs));
        self.shard().command(self.new_peer(handshake))?;
        self.signaling = Signaling::OfferMade;
        Ok(offer)
    }

    /// Takes the answer to the offer.
    ///
    /// # Errors
    /// [`Error::InvalidDescription`], [`Error::NotAcceptable`]: another answer may be tried.
    /// [`Error::TooManyEncodings`].
    /// [`Error::InvalidState`] if there is no offer to answer; [`Error::Closed`].
    pub fn accept_answer(&mut self, sdp: &str) -> Result<(), Error> {
        let call = "accept_answer";
        if self.state().is_final() {
            return Err(Error::Closed);
        }
        match self.signaling {
            Signaling::OfferMade => {}
            Signaling::New => return Err(invalid(call, "before create_offer")),
            Signaling::Agreed(_) => return Err(invalid(call, "a second time")),
        }
        let answer = SessionDescription::parse(sdp)?;
        let codecs = self.codecs();
        let capabilities = self.capabilities(&codecs);
        let mut negotiated = skywave_sdp::accept_answer(&answer, &capabilities)?;
        // Chromium (156) asks for lost audio wherever the offer lets it, but leaves that out of
        // its answer.
        negotiated.nack = capabilities.nack;
        let audience = self.audience(&negotiated)?;
        self.agree(&negotiated, audience)
    }

    /// Takes an offer that wants to receive audio, and makes the answer.
    ///
    /// # Errors
    /// [`Error::InvalidDescription`], [`Error::NotAcceptable`]: another offer may be tried.
    /// [`Error::TooManyEncodings`].
    /// [`Error::InvalidState`] unless this is the first description;
    /// [`Error::TooManyHandshakes`], [`Error::TooManyJoins`]; [`Error::Closed`].
    pub fn accept_offer(&mut self, sdp: &str) -> Result<String, Error> {
        self.expect_new("accept_offer")?;
        let handshake = self.join()?;
        let offer = SessionDescription::parse(sdp)?;
        let local = self
            .local
            .description(self.engine.identity(), &self.shard().candidates);
        let codecs = self.codecs();
        let capabilities = self.capabilities(&codecs);
        let (answer, negotiated) = skywave_sdp::answer(&local, &offer, &capabilities)?;
        let audience = self.audience(&negotiated)?;
        self.shard().queue(self.new_peer(handshake))?;
        self.agree(&negotiated, audience)?;
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

    /// Repeats `frames` earlier frames, 0 to 2, in every packet from the next one on (RED,
    /// RFC 2198): a listener hears nothing of that many packets lost in a row. For this listener
    /// alone, at any time, without negotiation; costs as many times the bit rate. A limit that the
    /// listener has set to the bit rate goes before it.
    ///
    /// # Errors
    /// [`Error::InvalidRedundancy`]; [`Error::NotAgreed`] if the listener takes none;
    /// [`Error::Closed`].
    pub fn set_redundancy(&self, frames: u8) -> Result<(), Error> {
        if frames > Packing::MAX_REDUNDANCY {
            return Err(Error::InvalidRedundancy(frames));
        }
        if !self.agreed("redundant audio")?.red {
            return Err(Error::NotAgreed("redundant audio"));
        }
        let id = self.id;
        self.shard().command(Command::SetRedundancy { id, frames })
    }

    /// Sends digits to this listener in place of audio (RFC 4733), as the W3C's `insertDTMF`:
    /// `0` to `9`, `*`, `#`, `A` to `D`, and `,` for a pause of 2 s. Digits inserted before that
    /// have not begun are replaced; the empty string takes them back.
    ///
    /// `duration` of a digit is 40 ms to 8 s, usually 100 ms; `gap` after it at least 30 ms,
    /// usually 70 ms, both rounded up to whole packets.
    ///
    /// # Errors
    /// [`Error::InvalidDtmf`]; [`Error::NotAgreed`] if the listener takes no telephone events;
    /// [`Error::InvalidState`] before media flows, as the W3C has it; [`Error::Closed`].
    pub fn insert_dtmf(
        &self,
        digits: &str,
        duration: Duration,
        gap: Duration,
    ) -> Result<(), Error> {
        let what = "telephone events";
        let events = self.agreed(what)?.telephone_events;
        let mut check = ToneSender::new(events.ok_or(Error::NotAgreed(what))?);
        check
            .insert(digits, duration, gap)
            .map_err(Error::InvalidDtmf)?;
        if self.state() == TransmitterState::Connecting {
            return Err(invalid("insert_dtmf", "before media flows"));
        }
        self.shard().command(Command::InsertDtmf {
            id: self.id,
            digits: digits.to_owned(),
            duration,
            gap,
        })
    }

    /// Takes the credentials with which the peer restarts ICE ([`IceCredentials::from_fragment`]),
    /// and makes the fragment (RFC 8840) with ours to send back. Media goes on where it goes until
    /// the peer nominates a path with the new credentials; nothing but ICE is negotiated anew.
    ///
    /// # Errors
    /// [`Error::InvalidState`] before both descriptions are known; [`Error::Closed`].
    pub fn restart_ice(&self, remote: &IceCredentials) -> Result<String, Error> {
        let Signaling::Agreed(agreed) = &self.signaling else {
            return Err(invalid("restart_ice", "before both descriptions are known"));
        };
        if self.state().is_final() {
            return Err(Error::Closed);
        }
        let local = Credentials::from_random(rand::random());
        let candidates = &self.shard().candidates;
        let fragment = restart_fragment(&agreed.fragment_head, &local, candidates);
        self.shard().command(Command::RestartIce {
            id: self.id,
            local,
            remote: Credentials::new(&remote.ufrag, &remote.pwd),
        })?;
        Ok(fragment)
    }

    /// The ICE user name fragment of the description that was accepted, if one was; that of a
    /// later restart is known to who asked for it.
    pub fn remote_ice_ufrag(&self) -> Option<&str> {
        match &self.signaling {
            Signaling::Agreed(agreed) => Some(&agreed.remote_ufrag),
            _ => None,
        }
    }

    fn agreed(&self, what: &'static str) -> Result<&Agreed, Error> {
        match &self.signaling {
            _ if self.state().is_final() => Err(Error::Closed),
            Signaling::Agreed(agreed) => Ok(agreed),
            _ => Err(Error::NotAgreed(what)),
        }
    }

    /// The track that is sent.
    pub fn track(&self) -> &AudioTrack {
        &self.track
    }

    /// What was sent so far and how it arrived.
    pub fn transmission_stats(&self) -> TransmissionStats {
        let counters = self.counters.snapshot();
        let state = self.state();
        let status = self.status.borrow();
        let agreed = match &self.signaling {
            Signaling::Agreed(agreed) => Some(agreed),
            _ => None,
        };
        let codec = agreed.map(|agreed| agreed.codec);
        let clock_rate = codec.map(AudioCodec::clock_rate);
        let connection = status.connection.as_ref();
        TransmissionStats {
            reason: reason(&status),
            state,
            ssrc: status.ssrc.unwrap_or(self.local.ssrc),
            mid: agreed.and_then(|agreed| agreed.mid.clone()),
            mime_type: codec.map(AudioCodec::mime_type),
            payload_type: agreed.map(|agreed| agreed.payload_type),
            clock_rate,
            packets_sent: counters.packets_sent,
            bytes_sent: counters.bytes_sent,
            header_bytes_sent: counters.header_bytes_sent,
            retransmitted_packets_sent: counters.retransmitted_packets_sent,
            retransmitted_bytes_sent: counters.retransmitted_bytes_sent,
            redundant_bytes_sent: counters.redundant_bytes_sent,
            max_lateness: counters.max_lateness.as_secs_f64(),
            nack_count: counters.nack_count,
            available_outgoing_bitrate: counters.bandwidth_estimate,
            max_bitrate: status.max_bitrate,
            rtcp_packets_sent: counters.rtcp_packets_sent,
            reports_received: counters.reports_received,
            packets_lost: counters.packets_lost,
            fraction_lost: counters.fraction_lost,
            jitter: clock_rate.map_or(0.0, |rate| self.counters.jitter_seconds(rate)),
            round_trip_time: counters.round_trip_time.map(|time| time.as_secs_f64()),
            total_round_trip_time: counters.total_round_trip_time.as_secs_f64(),
            round_trip_time_measurements: counters.round_trip_time_measurements,
            estimated_mos: agreed.and_then(|agreed| agreed.estimated_mos(&counters)),
            remote_address: connection.map(|connection| connection.path.remote),
            srtp_cipher: connection.map(|connection| connection.profile.name()),
            tls_version: connection
                .and_then(|connection| connection.dtls_version)
                .map(tls_version),
        }
    }

    /// The state of the connection.
    pub fn state(&self) -> TransmitterState {
        let state = self.status.borrow().state;
        if state.is_final() {
            return state;
        }
        if self.status.has_changed().is_err() || self.abandoned.load(Relaxed) {
            return TransmitterState::Closed;
        }
        match self.signaling {
            // The media thread is about to hear of it.
            Signaling::Agreed(_) if state == TransmitterState::New => TransmitterState::Connecting,
            _ => state,
        }
    }

    /// All changes of the state in their order, from the first on: those that were, and those to
    /// come.
    pub fn state_changes(&self) -> StateChanges {
        StateChanges::new(self.status.clone())
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

    /// Hangs up, with RTCP BYE and DTLS close_notify, and waits until that is done; no longer than
    /// a second, however busy the media thread is. Calling it again does nothing. Needs no
    /// particular runtime.
    pub async fn close(&self) {
        self.hang_up();
        if !within_patience(self.closed()).await {
            self.abandoned.store(true, Relaxed);
        }
    }

    fn shard(&self) -> &Shard {
        self.engine.shard(self.shard)
    }

    fn hang_up(&self) {
        // If the engine is closed, so is the peer.
        let _ = self.shard().command(Command::Close(self.id));
    }

    fn codecs(&self) -> Vec<CodecDescription> {
        let codecs = self.track.shared.config.codecs.iter();
        codecs.copied().map(negotiation::description).collect()
    }

    fn capabilities<'a>(&self, codecs: &'a [CodecDescription]) -> SendCapabilities<'a> {
        negotiation::send_capabilities(codecs, &self.track.shared.config)
    }

    /// Takes the place that serves what was negotiated.
    fn audience(&self, negotiated: &Negotiated) -> Result<Audience, Error> {
        let track = &self.track.shared;
        let needed = negotiation::packetization(negotiated, track)?;
        Audience::reserve(Arc::clone(track), self.shard, needed)
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

    /// Asks to come in, before any work is done for it.
    fn join(&self) -> Result<HandshakePlace, Error> {
        self.engine.admission().join(Instant::now())
    }

    /// Makes the peer, for the media thread: it answers checks as soon as it is there.
    fn new_peer(&self, handshake: HandshakePlace) -> Command {
        let config = PeerConfig {
            id: self.id,
            local: self.local.clone(),
            identity: self.engine.identity().clone(),
            counters: Arc::clone(&self.counters),
            transport: Arc::clone(&self.transport),
            limits: self.engine.limits(),
        };
        let peer = Box::new(Peer::new(config, Instant::now()));
        Command::Add {
            id: self.id,
            peer,
            handshake,
        }
    }

    fn agree(&mut self, negotiated: &Negotiated, audience: Audience) -> Result<(), Error> {
        let remote = negotiation::remote(negotiated, &self.track.shared, &audience);
        let packetization = audience.packetization();
        self.shard().command(Command::SetRemote {
            id: self.id,
            remote: Box::new(remote),
            audience,
        })?;
        self.signaling = Signaling::Agreed(Agreed {
            codec: packetization.encoding.codec(),
            payload_type: negotiated.payload_type,
            mid: negotiated.mid.clone(),
            red: negotiated.red.is_some(),
            telephone_events: negotiated.telephone_event.map(|event| event.events),
            remote_ufrag: negotiated.remote_ice.ufrag.clone(),
            fragment_head: negotiated.fragment_head(),
            fmtp: negotiation::fmtp_line(&negotiated.remote_fmtp),
            rtx: negotiated.rtx.is_some(),
            packetization,
        });
        Ok(())
    }
}

impl Drop for AudioTransmitter {
    fn drop(&mut self) {
        self.hang_up();
        self.shard().leave();
    }
}

fn invalid(call: &'static str, when: &'static str) -> Error {
    Error::InvalidState { call, when }
}

fn reason(status: &Status) -> Option<String> {
    let closed = status.closed_by.map(StateReason::HungUp);
    let failed = status.failure.clone().map(StateReason::Failed);
    Some(failed.or(closed)?.to_string())
}

/// As the W3C's `tlsVersion`: four upper-case hexadecimal digits.
fn tls_version(version: Version) -> &'static str {
    match version {
        Version::Dtls12 => "FEFD",
        Version::Dtls13 => "FEFC",
    }
}
