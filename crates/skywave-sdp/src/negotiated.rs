//! What both ends agreed on.

use crate::transport::Transport;
use crate::{
    AUDIO_LEVEL_URI, Candidate, Extmap, Fingerprint, Fmtp, IceCredentials, MID_URI, MediaSection,
    SessionDescription, Setup,
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
    /// Limit the peer set with `b=AS` or `b=TIAS`, in bits per second.
    pub bandwidth: Option<u64>,
    /// Identification tag of the audio section, if the peer gave it one.
    pub mid: Option<String>,
    /// Id of the header extension that carries the mid. `None` also for a mid of more than 16 bytes,
    /// which an extension of the one-byte form cannot hold (RFC 8285 §4.2).
    pub mid_extension: Option<u8>,
    /// Id of the audio level header extension; its V bit is in use (RFC 6464 §4).
    pub audio_level_extension: Option<u8>,
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
}

impl Negotiated {
    /// Collects what the peer's section says about receiving `codec`.
    pub(crate) fn new(
        description: &SessionDescription,
        section: &MediaSection,
        transport: Transport,
        codec: usize,
        payload_type: u8,
    ) -> Self {
        let wire_id = |extmap: &Extmap| extmap.wire_id(section.extmap_allow_mixed);
        Self {
            codec,
            payload_type,
            remote_fmtp: section.fmtp(payload_type),
            ptime: section.ptime,
            maxptime: section.maxptime,
            bandwidth: section.bandwidth,
            mid: section.mid.clone(),
            mid_extension: agreed_extension(section, MID_URI).and_then(wire_id),
            audio_level_extension: agreed_extension(section, AUDIO_LEVEL_URI).and_then(wire_id),
            rtcp_rsize: section.rtcp_rsize,
            remote_ice: transport.ice,
            remote_ice_lite: description.ice_lite,
            remote_candidates: section.candidates.clone(),
            remote_fingerprints: transport.fingerprints,
            dtls_client: transport.setup == Some(Setup::Passive),
        }
    }
}

/// The peer's line for an extension this end can send under it.
pub(crate) fn agreed_extension<'a>(section: &'a MediaSection, uri: &str) -> Option<&'a Extmap> {
    let fits = uri != MID_URI
        || section
            .mid
            .as_ref()
            .is_some_and(|mid| mid.len() <= MAX_MID_BYTES);
    section.extmaps.iter().find(|extmap| {
        let usable = extmap.wire_id(section.extmap_allow_mixed).is_some();
        fits && usable && extmap.uri == uri && extmap.is_received()
    })
}

/// RFC 5761 §4: as the first byte of a packet, these look like RTCP.
pub(crate) fn collides_with_rtcp(payload_type: u8) -> bool {
    (64..=95).contains(&payload_type)
}

const MAX_MID_BYTES: usize = 16;
