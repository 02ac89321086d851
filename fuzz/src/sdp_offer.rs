//! An SDP offer of a stranger, read and answered (RFC 8866, RFC 9429 §5.3.1).

use skywave_sdp::{
    Candidate, CodecDescription, Fingerprint, IceCredentials, LocalDescription, SessionDescription,
    answer,
};

/// Answers the offer in `data`; true if there is an answer.
///
/// # Panics
/// If the answer made cannot be read, has not one section for each of the offer's, or accepts
/// other than one section.
pub fn sdp_offer(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else {
        return false;
    };
    let Ok(offer) = SessionDescription::parse(text) else {
        return false;
    };
    let Ok((text, negotiated)) = answer(&local(), &offer, &CODECS) else {
        return false;
    };
    let answer = SessionDescription::parse(&text).expect("an answer can be read");
    assert_eq!(answer.media.len(), offer.media.len(), "{text}");
    let mut accepted = answer.media.iter().filter(|media| !media.is_rejected());
    let section = accepted.next().expect("one section is accepted");
    assert!(accepted.next().is_none(), "{text}");
    let payload_type = negotiated.payload_type.to_string();
    assert_eq!(section.formats.first(), Some(&payload_type), "{text}");
    true
}

fn local() -> LocalDescription {
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
        cname: "c4bv1n".to_owned(),
        stream_id: "radio".to_owned(),
        track_id: "audio".to_owned(),
    }
}

const CODECS: [CodecDescription; 3] = [
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
