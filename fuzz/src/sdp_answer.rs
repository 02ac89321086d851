//! An SDP answer of a stranger to our offer (RFC 8866, RFC 9429 §5.11).

use skywave_sdp::{SessionDescription, accept_answer, offer};

use crate::sdp_offer::{CAPABILITIES, CODECS, assert_agreed, local};

/// Accepts the answer in `data`; true if it fits the offer.
///
/// # Panics
/// If what was agreed on was not offered, or lacks a fingerprint or credentials.
pub fn sdp_answer(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else {
        return false;
    };
    let Ok(answer) = SessionDescription::parse(text) else {
        return false;
    };
    let Ok(negotiated) = accept_answer(&answer, &CAPABILITIES) else {
        return false;
    };
    let codec = &CODECS[negotiated.codec];
    assert_eq!(negotiated.payload_type, codec.payload_type);
    assert!(!negotiated.remote_fingerprints.is_empty());
    assert!(!negotiated.remote_ice.ufrag.is_empty() && !negotiated.remote_ice.pwd.is_empty());
    let offer = SessionDescription::parse(&offer(&local(), &CAPABILITIES));
    let offer = offer.expect("our own offer can be read");
    assert_agreed(&negotiated, &offer.media[0]);
    true
}
