//! An SDP offer of a stranger, read and answered (RFC 8866, RFC 9429 §5.3.1).

use std::collections::HashSet;

use skywave_sdp::{
    Candidate, CodecDescription, Fingerprint, IceCredentials, LocalDescription, MediaSection,
    Negotiated, SendCapabilities, SessionDescription, answer, ice_fragment,
};

/// Answers the offer in `data`; true if there is an answer.
///
/// # Panics
/// If the answer made cannot be read, has not one section for each of the offer's, accepts other
/// than one section, or does not say what was agreed on.
pub fn sdp_offer(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else {
        return false;
    };
    // What a stranger sends for an ICE restart (RFC 8840 §9).
    if let Ok(ice) = IceCredentials::from_fragment(text) {
        let again = ice_fragment("", &ice, &[]);
        assert_eq!(IceCredentials::from_fragment(&again), Ok(ice));
    }
    let Ok(offer) = SessionDescription::parse(text) else {
        return false;
    };
    let Ok((text, negotiated)) = answer(&local(), &offer, &CAPABILITIES) else {
        return false;
    };
    let answer = SessionDescription::parse(&text).expect("an answer can be read");
    assert_eq!(answer.media.len(), offer.media.len(), "{text}");
    let mut accepted = answer.media.iter().filter(|media| !media.is_rejected());
    let section = accepted.next().expect("one section is accepted");
    assert!(accepted.next().is_none(), "{text}");
    // Comfort noise may stand before it, as it did in the offer.
    let mut formats = section
        .formats
        .iter()
        .filter_map(|format| format.parse().ok());
    let first = formats.find(|payload_type| is_codec(section, *payload_type));
    assert_eq!(first, Some(negotiated.payload_type), "{text}");
    assert_agreed(&negotiated, section);
    true
}

fn is_codec(section: &MediaSection, payload_type: u8) -> bool {
    let rtpmap = section.rtpmap(payload_type);
    let name = rtpmap.map(|rtpmap| rtpmap.encoding);
    CODECS
        .iter()
        .any(|codec| name.as_deref() == Some(codec.name))
}

/// Checks that `section` of our own has all payload types and extensions agreed on, each under a
/// number of its own.
pub(crate) fn assert_agreed(negotiated: &Negotiated, section: &MediaSection) {
    let event = negotiated.telephone_event.as_ref();
    let payload_types = [
        Some(negotiated.payload_type),
        negotiated.rtx,
        negotiated.red,
        negotiated.comfort_noise,
        event.map(|event| event.payload_type),
    ];
    let mut seen = HashSet::new();
    for payload_type in payload_types.into_iter().flatten() {
        assert!(matches!(payload_type, 0..=63 | 96..=127), "{payload_type}");
        assert!(section.formats.contains(&payload_type.to_string()));
        assert!(seen.insert(payload_type), "{payload_type} twice");
    }
    let extensions = negotiated.extensions;
    let extensions = [
        extensions.mid,
        extensions.audio_level,
        extensions.abs_send_time,
        extensions.abs_capture_time,
        extensions.transport_cc,
    ];
    let mut seen = HashSet::new();
    for extension in extensions.into_iter().flatten() {
        let id = extension.id;
        let offered = section.extmaps.iter().any(|own| own.id == u16::from(id));
        assert!(offered && seen.insert(id), "extension {id}");
        assert!(!(extension.encrypted && negotiated.cryptex));
    }
}

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
            value: vec![0xab; 32],
        },
        candidates: vec![Candidate {
            foundation: "1".to_owned(),
            component: 1,
            priority: 2_130_706_431,
            address: ([192, 0, 2, 7], 5004).into(),
        }],
        ssrc: 0x1234_5678,
        rtx_ssrc: Some(0x1234_5679),
        cname: "c4bv1n".to_owned(),
        stream_id: "radio".to_owned(),
        track_id: "audio".to_owned(),
    }
}

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

/// All there is.
pub(crate) const CAPABILITIES: SendCapabilities<'_> = SendCapabilities {
    codecs: &CODECS,
    abs_send_time: true,
    abs_capture_time: true,
    transport_cc: true,
    encrypted_extensions: true,
    offer_encrypted_extensions: true,
    cryptex: true,
    nack: true,
    rtx: true,
    rtx_time: 1000,
    red: true,
    telephone_event: true,
    comfort_noise: true,
};
