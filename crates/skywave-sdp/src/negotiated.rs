//! What both ends agreed on.

use crate::answer::answered_ice_options;
use crate::format::{Format, Role};
use crate::telephone_event::events;
use crate::terms::Terms;
use crate::transport::{Transport, is_bundled};
use crate::{
    Candidate, Extmap, FeedbackKind, Fingerprint, Fmtp, IceCredentials, MediaSection,
    NegotiatedExtensions, SessionDescription, Setup, TelephoneEvent,
};

/// What both ends agreed on, as far as a sender of audio needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Negotiated {
    /// Index into the codecs given.
    pub codec: usize,
    /// Payload type to send with; never 64 to 95 (RFC 5761 §4).
    pub payload_type: u8,
    /// What the peer's decoder prefers.
    pub remote_fmtp: Fmtp,
    /// Length of a packet the peer prefers, in milliseconds.
    pub ptime: Option<u32>,
    /// Greatest length of a packet the peer takes, in milliseconds.
    pub maxptime: Option<u32>,
    /// Limit the peer set with `b=AS`, `b=TIAS` or `b=CT`, in bits per second.
    pub bandwidth: Option<u64>,
    /// Identification tag of the audio section, if the peer gave it one.
    pub mid: Option<String>,
    /// Header extensions of every packet.
    pub extensions: NegotiatedExtensions,
    /// The V bit of the audio level is in use, so it must be right (RFC 6464 §4).
    pub audio_level_vad: bool,
    /// Header extensions are encrypted all together (RFC 9335); then none is by itself.
    pub cryptex: bool,
    /// The peer may ask for lost packets (RFC 4585 §6.2.1).
    pub nack: bool,
    /// Payload type to retransmit the codec's packets with, in a stream of its own (RFC 4588).
    pub rtx: Option<u8>,
    /// Payload type of redundant audio of the codec (RFC 2198).
    pub red: Option<u8>,
    /// Telephone events of the codec's clock rate (RFC 4733).
    pub telephone_event: Option<TelephoneEvent>,
    /// Payload type of comfort noise of the codec's clock rate (RFC 3389); never beside Opus.
    pub comfort_noise: Option<u8>,
    /// The peer reports the arrival of packets by the transport-wide sequence number.
    pub transport_cc: bool,
    /// The peer may limit the bit rate (RFC 5104 §4.2.1).
    pub tmmbr: bool,
    /// The peer may measure the round-trip time by extended reports (RFC 3611 §4.4, §4.5).
    pub rcvr_rtt: bool,
    /// Reduced-size RTCP may be sent (RFC 5506).
    pub rtcp_rsize: bool,
    /// Credentials the peer's connectivity checks are signed with.
    pub remote_ice: IceCredentials,
    /// The peer sends no connectivity checks. False as long as this end is ICE-lite itself.
    pub remote_ice_lite: bool,
    /// Addresses of the peer named so far.
    pub remote_candidates: Vec<Candidate>,
    /// Fingerprints of the peer's certificate, all by algorithms that are understood; at least one.
    pub remote_fingerprints: Vec<Fingerprint>,
    /// This end sends the ClientHello.
    pub dtls_client: bool,
    /// The audio section belongs to a BUNDLE group.
    pub bundled: bool,
    /// What `a=ice-options` of our answer says; empty if there is no such line.
    pub ice_options: String,
}

impl Negotiated {
    /// Collects what the peer's section says about receiving the codec of that index, which is one
    /// of the terms.
    pub(crate) fn new(
        description: &SessionDescription,
        section: &MediaSection,
        transport: Transport,
        terms: &Terms,
        (codec, format): (usize, &Format),
    ) -> Self {
        let payload_type = format.payload_type();
        let clock_rate = format.rtpmap.clock_rate;
        let feeds_back = |kind| format.feedback.contains(&kind);
        Self {
            codec,
            payload_type,
            remote_fmtp: section.fmtp(payload_type),
            ptime: section.ptime,
            maxptime: section.maxptime,
            bandwidth: section.bandwidth,
            mid: section.mid.clone(),
            extensions: NegotiatedExtensions::of(&terms.extmaps),
            audio_level_vad: !terms.extmaps.iter().any(Extmap::is_vad_off),
            cryptex: terms.cryptex,
            nack: feeds_back(FeedbackKind::Nack),
            rtx: terms.payload_type(Role::Retransmission(payload_type)),
            red: terms.payload_type(Role::Redundancy(payload_type)),
            telephone_event: terms.payload_type(Role::TelephoneEvent(clock_rate)).map(
                |payload_type| TelephoneEvent {
                    payload_type,
                    events: events(&section.fmtp(payload_type)),
                },
            ),
            comfort_noise: terms.payload_type(Role::ComfortNoise(clock_rate)),
            transport_cc: feeds_back(FeedbackKind::TransportCc),
            tmmbr: feeds_back(FeedbackKind::Tmmbr),
            rcvr_rtt: terms.rcvr_rtt.is_some(),
            rtcp_rsize: section.rtcp_rsize,
            remote_ice: transport.ice,
            remote_ice_lite: description.ice_lite,
            remote_candidates: section.candidates.clone(),
            remote_fingerprints: transport.fingerprints,
            dtls_client: transport.setup == Some(Setup::Passive),
            bundled: is_bundled(description, section),
            ice_options: answered_ice_options(section),
        }
    }
}
