//! What both ends agreed on about the packets of one peer.

use std::time::Duration;

use skywave_rtp::{ExtensionIds, Mid};
use skywave_sdp::{Negotiated, NegotiatedExtension, NegotiatedExtensions, TelephoneEvent};
use skywave_srtp::HeaderEncryption;

/// What both ends agreed on about RTP and RTCP.
#[derive(Clone, Debug)]
pub struct RtpTerms {
    /// Payload type of the codec.
    pub payload_type: u8,
    /// Header extensions of every packet.
    pub extensions: ExtensionIds,
    /// Which of them are encrypted.
    pub header_encryption: HeaderEncryption,
    /// The peer may ask for lost packets.
    pub nack: bool,
    /// Payload type of retransmissions in a stream of their own (RFC 4588).
    pub rtx: Option<u8>,
    /// Payload type of redundant audio (RFC 2198).
    pub red: Option<u8>,
    /// Payload type of telephone events, and those the peer takes (RFC 4733).
    pub telephone_event: Option<TelephoneEvent>,
    /// The peer may limit the bit rate (RFC 5104).
    pub tmmbr: bool,
    /// The peer may measure the round-trip time (RFC 3611).
    pub rcvr_rtt: bool,
    /// Reduced-size RTCP may be sent (RFC 5506).
    pub rtcp_rsize: bool,
    /// The limit that the peer's description set, in bit/s (`b=AS`, `b=TIAS`).
    pub max_bitrate: Option<u64>,
}

impl RtpTerms {
    /// Takes over what was negotiated.
    pub fn new(negotiated: &Negotiated) -> Self {
        Self {
            payload_type: negotiated.payload_type,
            extensions: extension_ids(&negotiated.extensions, negotiated.mid.as_deref()),
            header_encryption: header_encryption(negotiated),
            nack: negotiated.nack,
            rtx: negotiated.rtx,
            red: negotiated.red,
            telephone_event: negotiated.telephone_event,
            tmmbr: negotiated.tmmbr,
            rcvr_rtt: negotiated.rcvr_rtt,
            rtcp_rsize: negotiated.rtcp_rsize,
            max_bitrate: negotiated.bandwidth,
        }
    }
}

fn extension_ids(negotiated: &NegotiatedExtensions, mid: Option<&str>) -> ExtensionIds {
    let id = |extension: Option<NegotiatedExtension>| extension.map(|extension| extension.id);
    let mid = match (negotiated.mid, mid) {
        // A mid too long to be carried was not negotiated as an extension.
        (Some(extension), Some(mid)) => Mid::new(extension.id, mid).ok(),
        _ => None,
    };
    ExtensionIds {
        mid,
        audio_level: id(negotiated.audio_level),
        abs_send_time: id(negotiated.abs_send_time),
        abs_capture_time: id(negotiated.abs_capture_time),
        transport_cc: id(negotiated.transport_cc),
    }
}

/// Cryptex for all extensions, or RFC 6904 for some.
fn header_encryption(negotiated: &Negotiated) -> HeaderEncryption {
    if negotiated.cryptex {
        return HeaderEncryption::Cryptex;
    }
    let extensions = &negotiated.extensions;
    let all = [
        extensions.mid,
        extensions.audio_level,
        extensions.abs_send_time,
        extensions.abs_capture_time,
        extensions.transport_cc,
    ];
    let encrypted = all
        .into_iter()
        .flatten()
        .filter(|extension| extension.encrypted);
    let ids: Vec<u8> = encrypted.map(|extension| extension.id).collect();
    match skywave_srtp::ExtensionIds::new(&ids) {
        Ok(set) if !ids.is_empty() => HeaderEncryption::Elements(set),
        _ => HeaderEncryption::None,
    }
}

/// The media clock of a stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MediaFormat {
    /// Ticks of the media time in a second.
    pub clock_rate: u32,
    /// Length of a frame.
    pub frame_interval: Duration,
    /// Bit rate of the codec in bit/s, without headers.
    pub bit_rate: u32,
}

impl MediaFormat {
    /// Ticks of a frame.
    pub(crate) fn frame_len(&self) -> u32 {
        let ticks = self.frame_interval.as_nanos() * u128::from(self.clock_rate) / 1_000_000_000;
        u32::try_from(ticks).unwrap_or(u32::MAX)
    }

    /// Bit rate with the headers of RTP, UDP and IP, in bit/s.
    pub(crate) fn session_bandwidth(&self) -> u32 {
        let packets = 1.0 / self.frame_interval.as_secs_f64().max(0.0025);
        let headers = packets * f64::from(8 * PACKET_OVERHEAD);
        // Far below 2^32.
        (f64::from(self.bit_rate) + headers) as u32
    }
}

/// Octets on top of a payload: RTP's header with extensions, SRTP's tag, UDP and IPv6.
pub(crate) const PACKET_OVERHEAD: u32 = 20 + 16 + 8 + 40;
