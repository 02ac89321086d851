//! The other end of a peer: a controlling ICE agent, DTLS, and a receiver.

use std::time::Instant;

use skywave_dtls::{Dtls, Event, Identity, Role};
use skywave_ice::{BINDING, Class, Credentials, IntegrityKey, Path, StunWriter};
use skywave_peer::{LocalParameters, Protocol};
use skywave_rtp::RtpPacket;
use skywave_srtp::{MasterKey, Profile, SrtcpReceiver, SrtcpSender, SrtpReceiver};

/// One listener, or who says so.
pub(crate) struct FarEnd {
    pub(crate) path: Path,
    pub(crate) credentials: Credentials,
    /// What it sends next.
    pub(crate) outgoing: Vec<Vec<u8>>,
    /// Of the packets that came.
    pub(crate) numbers: Vec<u16>,
    /// The newest packet with the rollovers before it, and its source.
    newest: Option<(u32, u32)>,
    username: String,
    key: IntegrityKey,
    /// The same after an ICE restart.
    restarted: Option<(String, IntegrityKey)>,
    dtls: Dtls,
    identity: Identity,
    contexts: Option<Contexts>,
}

/// What came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Heard {
    /// What its peer sends, for the first time.
    Own,
    /// Anything else.
    Strange,
}

struct Contexts {
    rtp: SrtpReceiver,
    rtcp: SrtcpReceiver,
    sender: SrtcpSender,
}

impl FarEnd {
    pub(crate) fn new(
        path: Path,
        local: &LocalParameters,
        identity: &Identity,
        now: Instant,
    ) -> Self {
        let number = path.remote.port();
        let credentials =
            Credentials::new(&format!("far{number}"), &format!("its password {number}"));
        Self {
            path,
            outgoing: Vec::new(),
            numbers: Vec::new(),
            newest: None,
            username: format!("{}:{}", local.credentials.ufrag(), credentials.ufrag()),
            credentials,
            key: IntegrityKey::new(local.credentials.pwd()),
            restarted: None,
            dtls: Dtls::new(identity, Role::Client, now),
            identity: identity.clone(),
            contexts: None,
        }
    }

    /// Begins an ICE restart, the peer's credentials for which are these; its own, with the
    /// password as before so that one answer is right for either.
    pub(crate) fn restart(&mut self, local: &Credentials) -> Credentials {
        let own = Credentials::new("again", self.credentials.pwd());
        let username = format!("{}:{}", local.ufrag(), own.ufrag());
        self.restarted = Some((username, IntegrityKey::new(local.pwd())));
        own
    }

    /// A connectivity check with these attributes beside the user name.
    pub(crate) fn check(&self, fill: impl FnOnce(&mut StunWriter<'_>)) -> Vec<u8> {
        check(&self.username, &self.key, fill)
    }

    /// The same with the credentials of the last restart, if there was one.
    pub(crate) fn check_restarted(&self, fill: impl FnOnce(&mut StunWriter<'_>)) -> Vec<u8> {
        match &self.restarted {
            Some((username, key)) => check(username, key, fill),
            None => self.check(fill),
        }
    }

    /// Its answer to a check of the hub.
    pub(crate) fn answer(&self, transaction_id: [u8; 12]) -> Vec<u8> {
        let mut buffer = [0; 128];
        let mut writer = StunWriter::new(&mut buffer, Class::Success, BINDING, transaction_id);
        writer.xor_mapped_address(self.path.remote);
        let len = writer.finish(Some(&IntegrityKey::new(self.credentials.pwd())));
        buffer[..len.unwrap_or_default()].to_vec()
    }

    /// Sends its ClientHello.
    pub(crate) fn start(&mut self, now: Instant) {
        let outgoing = &mut self.outgoing;
        let emit = &mut |bytes: &[u8]| outgoing.push(bytes.to_vec());
        self.dtls.start(now, emit).expect("a client can begin");
    }

    /// Takes what the hub sent. Of media without keys for it nothing is to be said: it was led here.
    pub(crate) fn handle(&mut self, now: Instant, datagram: &[u8]) -> Heard {
        let mut datagram = datagram.to_vec();
        let genuine = match (Protocol::of(&datagram), &mut self.contexts) {
            (Protocol::Dtls, _) => {
                self.handle_dtls(now, &datagram);
                true
            }
            (Protocol::Srtp, Some(contexts)) => match contexts.rtp.unprotect(&mut datagram) {
                Ok(len) => {
                    self.note(&datagram[..len]);
                    true
                }
                Err(_) => false,
            },
            (Protocol::Srtcp, Some(contexts)) => contexts.rtcp.unprotect(&mut datagram).is_ok(),
            (protocol, _) => protocol == Protocol::Stun,
        };
        if genuine { Heard::Own } else { Heard::Strange }
    }

    fn handle_dtls(&mut self, now: Instant, datagram: &[u8]) {
        let outgoing = &mut self.outgoing;
        let emit = &mut |bytes: &[u8]| outgoing.push(bytes.to_vec());
        let Ok(Some(Event::Connected)) = self.dtls.handle_datagram(now, datagram, emit) else {
            return;
        };
        // All ends have one certificate.
        let keys = self.dtls.verify(&[self.identity.fingerprint()]);
        let keys = keys.expect("the certificate is the only one there is");
        let profile = Profile::from_iana(keys.profile).expect("a profile we offered");
        let master = |key, salt| MasterKey::new(profile, key, salt).expect("lengths are right");
        let remote = master(keys.remote_key(), keys.remote_salt());
        self.contexts = Some(Contexts {
            rtp: SrtpReceiver::new(&remote),
            rtcp: SrtcpReceiver::new(&remote),
            sender: SrtcpSender::new(&master(keys.local_key(), keys.local_salt())),
        });
    }

    fn note(&mut self, packet: &[u8]) {
        let packet = RtpPacket::parse(packet).expect("what our sender made");
        let number = packet.sequence_number();
        self.numbers.push(number);
        let before = self.newest.map_or(number.into(), |(newest, _)| newest);
        let ahead = number.wrapping_sub(before as u16) as i16;
        self.newest = Some((
            before.wrapping_add_signed(ahead.max(0).into()),
            packet.ssrc(),
        ));
    }

    /// A receiver report of SSRC 1 that all arrived (RFC 3550 §6.4.2).
    pub(crate) fn report(&mut self) -> Vec<u8> {
        let (newest, ssrc) = self.newest.unwrap_or_default();
        let words = [0x81c9_0007, 1, ssrc, 0, newest, 0, 0, 0];
        self.protect_rtcp(&words.map(u32::to_be_bytes).concat())
    }

    /// RTCP under its keys; nothing before the handshake or if it is too long.
    pub(crate) fn protect_rtcp(&mut self, compound: &[u8]) -> Vec<u8> {
        let mut buffer = [0; 1500];
        let (Some(contexts), Some(plain)) = (&mut self.contexts, buffer.get_mut(..compound.len()))
        else {
            return Vec::new();
        };
        plain.copy_from_slice(compound);
        let len = contexts.sender.protect(&mut buffer, compound.len());
        buffer[..len.unwrap_or_default()].to_vec()
    }

    /// Whether the handshake is done.
    pub(crate) fn is_connected(&self) -> bool {
        self.contexts.is_some()
    }
}

fn check(username: &str, key: &IntegrityKey, fill: impl FnOnce(&mut StunWriter<'_>)) -> Vec<u8> {
    let mut buffer = [0; 1500];
    let mut writer = StunWriter::new(&mut buffer, Class::Request, BINDING, [9; 12]);
    writer.username(username);
    fill(&mut writer);
    let len = writer.finish(Some(key));
    buffer[..len.unwrap_or_default()].to_vec()
}
