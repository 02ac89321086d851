//! SDP text to values and back (RFC 8866), and the audio subset of JSEP's offer and answer
//! (RFC 9429) for an end that only sends audio.
//!
//! It reads a peer's description tolerantly, writes a `sendonly` offer or answer, and says what both
//! ends agreed on: codec and payload type and what may be sent beside it, header extensions
//! (RFC 8285) and their encryption, feedback (RFC 4585), ICE credentials (RFC 8839), certificate
//! fingerprints and the DTLS role (RFC 8842).
//!
//! It does **not** receive media, offer video or data channels, renegotiate, trickle candidates,
//! or draw random values: identifiers and credentials come from the caller. It refuses media
//! without DTLS-SRTP, without RTP/RTCP multiplexing (RFC 5761), and peers that are ICE-lite too.
//!
//! ```
//! use skywave_sdp::{CodecDescription, Fingerprint, IceCredentials, LocalDescription};
//! use skywave_sdp::{SendCapabilities, SessionDescription, accept_answer, offer};
//!
//! let local = LocalDescription {
//!     session_id: 4_611_686_018_427,
//!     session_version: 1,
//!     ice: IceCredentials { ufrag: "s0me".into(), pwd: "0123456789abcdefghijkl".into() },
//!     fingerprint: Fingerprint { algorithm: "sha-256".into(), value: vec![0xab; 32] },
//!     candidates: vec!["1 1 udp 2130706431 192.0.2.7 5004 typ host".parse()?],
//!     ssrc: 0x1234_5678,
//!     rtx_ssrc: Some(0x8765_4321),
//!     cname: "c4bv1n".into(),
//!     stream_id: "radio".into(),
//!     track_id: "audio".into(),
//! };
//! let codecs = [CodecDescription {
//!     name: "opus",
//!     clock_rate: 48_000,
//!     channels: 2,
//!     payload_type: 111,
//!     fmtp: "minptime=10;useinbandfec=1",
//! }];
//! let capabilities = SendCapabilities::new(&codecs);
//! let text = offer(&local, &capabilities);
//! assert!(text.contains("m=audio 5004 UDP/TLS/RTP/SAVPF 111 96 97 98\r\n"));
//!
//! // What a peer that wants to hear this would answer, made of the offer's own lines.
//! let answer = text
//!     .replace("a=ice-lite\r\n", "")
//!     .replace("a=sendonly", "a=recvonly")
//!     .replace("a=setup:actpass", "a=setup:active");
//! let negotiated = accept_answer(&SessionDescription::parse(&answer)?, &capabilities)?;
//! assert_eq!(negotiated.payload_type, 111);
//! assert_eq!((negotiated.red, negotiated.rtx), (Some(96), Some(98)));
//! assert!(!negotiated.dtls_client);
//! # Ok::<(), skywave_sdp::Error>(())
//! ```

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod agreed_formats;
mod answer;
mod candidate;
mod codec_description;
mod direction;
mod error;
mod extensions;
mod extmap;
mod fingerprint;
mod fmtp;
mod format;
mod ice_credentials;
mod ice_fragment;
mod local_description;
mod media_section;
mod negotiated;
mod offer;
mod offered_formats;
mod payload_type;
mod rcvr_rtt;
mod rtcp_feedback;
mod rtpmap;
mod send_capabilities;
mod session_description;
mod setup;
mod telephone_event;
mod terms;
mod transport;

pub use answer::answer;
pub use candidate::Candidate;
pub use codec_description::CodecDescription;
pub use direction::Direction;
pub use error::Error;
pub use extensions::{NegotiatedExtension, NegotiatedExtensions};
pub use extmap::{
    ABS_CAPTURE_TIME_URI, ABS_SEND_TIME_URI, AUDIO_LEVEL_URI, Extmap, MID_URI, TRANSPORT_CC_URI,
};
pub use fingerprint::Fingerprint;
pub use fmtp::Fmtp;
pub use ice_credentials::IceCredentials;
pub use ice_fragment::ice_fragment;
pub use local_description::LocalDescription;
pub use media_section::{MAX_ATTRIBUTES, MediaSection};
pub use negotiated::Negotiated;
pub use offer::{accept_answer, offer};
pub use rcvr_rtt::RcvrRtt;
pub use rtcp_feedback::{FeedbackKind, RtcpFeedback};
pub use rtpmap::Rtpmap;
pub use send_capabilities::SendCapabilities;
pub use session_description::{MAX_MEDIA_SECTIONS, MAX_SDP_BYTES, SessionDescription};
pub use setup::Setup;
pub use telephone_event::TelephoneEvent;
