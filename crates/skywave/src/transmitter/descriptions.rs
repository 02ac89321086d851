//! How a transmitter and its peer describe themselves: offer and answer (RFC 8829, RFC 3264).

use std::sync::Arc;
use std::time::Instant;

use skywave_peer::{Peer, PeerConfig};
use skywave_sdp::{CodecDescription, Negotiated, SendCapabilities, SessionDescription};

use super::agreed::Agreed;
use super::{AudioTransmitter, Signaling, invalid};
use crate::admission::HandshakePlace;
use crate::audience::Audience;
use crate::error::Error;
use crate::media_thread::Command;
use crate::negotiation;

impl AudioTransmitter {
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
        self.signaling = Signaling::Agreed(Agreed::new(negotiated, packetization));
        Ok(())
    }
}
