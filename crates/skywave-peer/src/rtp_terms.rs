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
    /// Payload type of comfort noise (RFC 3389).
    pub comfort_noise: Option<u8>,
    /// The peer may limit the bit rate (RFC 5104).
    pub tmmbr: bool,
    /// The peer may measure the round-trip time (RFC 3611).
    pub rcvr_rtt: bool,
    /// Reduced-size RTCP may be sent (RFC 5506).
    pub rtcp_rsize: bool,
    /// The limit that the peer's description set, in bit/s (`b=AS`, `b=TIAS`, `b=CT`).
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
            comfort_noise: negotiated.comfort_noise,
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
    /// Length of a frame; of those that differ, the longest.
    pub frame_interval: Duration,
    /// Bit rate of the codec in bit/s, without headers.
    pub bit_rate: u32,
}

impl MediaFormat {
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

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use skywave_dtls::Identity;
    use skywave_sdp::{CodecDescription, SendCapabilities, SessionDescription};

    use super::*;
    use crate::LocalParameters;

    const CHROMIUM: &str = include_str!("../../skywave-sdp/testdata/chromium.sdp");
    const FIREFOX: &str = include_str!("../../skywave-sdp/testdata/firefox.sdp");

    const OPUS: CodecDescription = CodecDescription {
        name: "opus",
        clock_rate: 48_000,
        channels: 2,
        payload_type: 111,
        fmtp: "",
    };

    /// What an answer of all that can be sent agrees to.
    fn terms(offer: &str) -> RtpTerms {
        let local = LocalParameters::from_random([1; LocalParameters::RANDOM_BYTES]);
        let identity = Identity::generate(SystemTime::now()).unwrap();
        let capabilities = SendCapabilities {
            abs_send_time: true,
            abs_capture_time: true,
            transport_cc: true,
            ..SendCapabilities::new(std::slice::from_ref(&OPUS))
        };
        let offer = SessionDescription::parse(offer).unwrap();
        let local = local.description(&identity, &[]);
        let (_, negotiated) = skywave_sdp::answer(&local, &offer, &capabilities).unwrap();
        RtpTerms::new(&negotiated)
    }

    /// Chromium's offer with more in its audio section.
    fn chromium_with(lines: &str) -> RtpTerms {
        let with = format!("{lines}\r\na=rtcp-mux\r\n");
        let offer = CHROMIUM.replace("a=rtcp-mux\r\n", &with);
        assert_ne!(offer, CHROMIUM);
        terms(&offer)
    }

    #[test]
    fn rfc8285_5_and_rfc4733_2_1_ids_and_payload_types_are_those_of_the_offer() {
        let terms = terms(CHROMIUM);
        let expected = ExtensionIds {
            mid: Mid::new(4, "0").ok(),
            audio_level: Some(1),
            abs_send_time: Some(2),
            abs_capture_time: None,
            transport_cc: Some(3),
        };
        assert_eq!(terms.extensions, expected);
        assert_eq!((terms.payload_type, terms.red), (111, Some(63)));
        assert_eq!(terms.telephone_event.unwrap().payload_type, 110);
        let capture = "a=extmap:9 http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time";
        assert_eq!(chromium_with(capture).extensions.abs_capture_time, Some(9));
    }

    #[test]
    fn rfc8834_4_6_reduced_size_is_sent_to_those_only_who_agreed() {
        assert!(terms(CHROMIUM).rtcp_rsize);
        assert!(!terms(FIREFOX).rtcp_rsize);
    }

    #[test]
    fn rfc4585_4_2_feedback_that_was_not_agreed_to_is_not_obeyed() {
        let plain = terms(FIREFOX);
        assert_eq!(
            (plain.nack, plain.rtx, plain.tmmbr, plain.rcvr_rtt),
            (false, None, false, false)
        );
        assert!(chromium_with("a=rtcp-fb:111 nack").nack);
        assert!(chromium_with("a=rtcp-fb:111 ccm tmmbr").tmmbr);
        assert!(terms(CHROMIUM).rcvr_rtt);
    }

    #[test]
    fn rfc8834_7_1_limit_of_the_description_is_taken_over() {
        assert_eq!(terms(CHROMIUM).max_bitrate, None);
        let limited = CHROMIUM.replace("t=0 0\r\n", "b=AS:50\r\nt=0 0\r\n");
        assert_eq!(terms(&limited).max_bitrate, Some(50_000));
    }

    #[test]
    fn rfc6904_4_and_rfc9335_4_headers_are_encrypted_as_agreed() {
        assert_eq!(terms(CHROMIUM).header_encryption, HeaderEncryption::None);
        let level = "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc";
        let encrypted = level.replace("urn", "urn:ietf:params:rtp-hdrext:encrypt urn");
        let terms_of = |offer: &str| {
            assert_ne!(offer, CHROMIUM);
            terms(offer).header_encryption
        };
        let elements = skywave_srtp::ExtensionIds::new(&[1]).unwrap();
        assert_eq!(
            terms_of(&CHROMIUM.replace(level, &encrypted)),
            HeaderEncryption::Elements(elements)
        );
        assert_eq!(
            terms_of(&CHROMIUM.replace("t=0 0\r\n", "t=0 0\r\na=cryptex\r\n")),
            HeaderEncryption::Cryptex
        );
    }

    #[test]
    fn rfc3550_6_2_session_bandwidth_is_that_of_the_packets_with_all_their_headers() {
        let format = |milliseconds| MediaFormat {
            clock_rate: 48_000,
            frame_interval: Duration::from_millis(milliseconds),
            bit_rate: 48_000,
        };
        assert_eq!(format(20).session_bandwidth(), 48_000 + 50 * 84 * 8);
        assert_eq!(format(40).session_bandwidth(), 48_000 + 25 * 84 * 8);
    }
}
