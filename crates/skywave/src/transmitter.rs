//! The audio transmitter: one send-only audio peer connection.

mod agreed;
mod descriptions;
mod report;
mod transmission_stats;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use skywave_audio::AudioSource;
use skywave_ice::Credentials;
use skywave_peer::{LocalParameters, PeerId, TransportCounters, restart_fragment};
use skywave_rtp::{Counters, Packing, ToneSender};
use skywave_sdp::IceCredentials;
use tokio::sync::watch;

use crate::admission::Place;
use crate::audio_track::AudioTrack;
use crate::config::Config;
use crate::engine::Engine;
use crate::error::Error;
use crate::listener_counters;
use crate::media_thread::Command;
use crate::negotiation;
use crate::patience::{PATIENCE, first, within};
use crate::shard::Shard;
use crate::speech::SpeechQueue;
use crate::state_change::StateChanges;
use crate::stats::AudioCodecCapability;
use crate::status::{Status, TransmitterState};
use agreed::Agreed;

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
            counters: listener_counters::take(),
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
        if self.state().is_final() {
            return;
        }
        self.hang_up();
        if within(PATIENCE, self.closed()).await.is_none() {
            self.abandoned.store(true, Relaxed);
        }
    }

    /// Lets speech be heard to its end and then [closes](Self::close): finishes the utterance,
    /// waits until everything pushed has left the machine ([`SpeechQueue::drained`]), and hangs up.
    /// Waits for no longer than `limit`, a pause and a listener that is still to come included, and
    /// no longer once nobody listens any more or the queue's source was replaced. `queue` is that
    /// of the source that this transmitter plays. If the future is dropped, the utterance is
    /// finished and the call goes on. Needs no particular runtime.
    ///
    /// ```no_run
    /// # async fn hang_up(queue: skywave::SpeechQueue, transmitter: skywave::AudioTransmitter)
    /// # -> Result<(), skywave::Error> {
    /// queue.push(&[0_i16; 24_000], 24_000, 1).await?; // "Goodbye!"
    /// let limit = std::time::Duration::from_secs(10);
    /// if let Err(error) = transmitter.close_after_drain(&queue, limit).await {
    ///     eprintln!("the last words were cut: {error}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::NotDrained`] if not everything was heard. The transmitter is closed all the same.
    pub async fn close_after_drain(
        &self,
        queue: &SpeechQueue,
        limit: Duration,
    ) -> Result<(), Error> {
        let drain = async {
            queue.finish().await?;
            queue.drained().await
        };
        let drained = within(limit, first(drain, self.closed())).await;
        let queued = queue.position().queued();
        self.close().await;
        match drained {
            Some(Some(Ok(()))) => Ok(()),
            _ => Err(Error::NotDrained { queued }),
        }
    }

    fn shard(&self) -> &Shard {
        self.engine.shard(self.shard)
    }

    fn hang_up(&self) {
        // If the engine is closed, so is the peer.
        let _ = self.shard().command(Command::Close(self.id));
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
