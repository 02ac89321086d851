//! One local end, and offers to change.

use skywave_sdp::{
    CodecDescription, Error, Fingerprint, IceCredentials, LocalDescription, Negotiated,
    NegotiatedExtension, SendCapabilities, SessionDescription,
};

pub(crate) const CODECS: [CodecDescription; 3] = [
    CodecDescription {
        name: "opus",
        clock_rate: 48_000,
        channels: 2,
        payload_type: 111,
        fmtp: "minptime=10;useinbandfec=1",
    },
    CodecDescription {
        name: "PCMU",
        clock_rate: 8000,
        channels: 1,
        payload_type: 0,
        fmtp: "",
    },
    CodecDescription {
        name: "PCMA",
        clock_rate: 8000,
        channels: 1,
        payload_type: 8,
        fmtp: "",
    },
];

pub(crate) const CHROMIUM: &str = include_str!("../../testdata/chromium.sdp");
pub(crate) const CHROMIUM_VIDEO_FIRST: &str =
    include_str!("../../testdata/chromium_video_first.sdp");
pub(crate) const CHROMIUM_ANSWER: &str = include_str!("../../testdata/chromium_answer.sdp");
pub(crate) const FIREFOX: &str = include_str!("../../testdata/firefox.sdp");

pub(crate) fn local() -> LocalDescription {
    LocalDescription {
        session_id: 4_611_686_018_427,
        session_version: 1,
        ice: IceCredentials {
            ufrag: "s0me".to_owned(),
            pwd: "0123456789abcdefghijkl".to_owned(),
        },
        fingerprint: Fingerprint {
            algorithm: "sha-256".to_owned(),
            value: (0..32).collect(),
        },
        candidates: vec![
            "1 1 udp 2130706431 192.0.2.7 5004 typ host"
                .parse()
                .unwrap(),
            "2 1 udp 2130706175 2001:db8::7 5004 typ host"
                .parse()
                .unwrap(),
        ],
        ssrc: 0x1234_5678,
        rtx_ssrc: Some(0x8765_4321),
        cname: "c4bv1n".to_owned(),
        stream_id: "radio".to_owned(),
        track_id: "audio".to_owned(),
    }
}

pub(crate) fn parse(text: &str) -> SessionDescription {
    SessionDescription::parse(text).unwrap()
}

/// The answer to an offer of that text.
pub(crate) fn answer(offer: &str) -> Result<(String, Negotiated), Error> {
    skywave_sdp::answer(
        &local(),
        &SessionDescription::parse(offer)?,
        &SendCapabilities::new(&CODECS),
    )
}

pub(crate) fn accept_answer(answer: &str) -> Result<Negotiated, Error> {
    skywave_sdp::accept_answer(
        &SessionDescription::parse(answer)?,
        &SendCapabilities::new(&CODECS),
    )
}

/// What a peer that understands and wants everything would answer to the offer, made of its lines.
pub(crate) fn mirrored(offer: &str) -> String {
    let answer = without(offer, "a=ice-lite");
    let answer = with(&answer, "a=sendonly", "a=recvonly");
    with(&answer, "a=setup:actpass", "a=setup:active")
}

/// The same as a peer's own offer to receive.
pub(crate) fn receiving(offer: &str) -> String {
    with(&without(offer, "a=ice-lite"), "a=sendonly", "a=recvonly")
}

/// A header extension that is not encrypted.
#[allow(clippy::unnecessary_wraps)]
pub(crate) fn clear(id: u8) -> Option<NegotiatedExtension> {
    Some(NegotiatedExtension {
        id,
        encrypted: false,
    })
}

/// `text` with `from` replaced; fails if there is none, so that no test changes nothing.
pub(crate) fn with(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from:?} is not in the text");
    text.replace(from, to)
}

/// `text` without the lines that start so; fails if there are none.
pub(crate) fn without(text: &str, start: &str) -> String {
    let kept: String = text
        .split_inclusive('\n')
        .filter(|line| !line.starts_with(start))
        .collect();
    assert!(kept.len() < text.len(), "no line starts with {start:?}");
    kept
}
