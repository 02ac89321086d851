//! The offer, and what is checked of its answer.

use skywave_sdp::{CodecDescription, Direction, SendCapabilities, Setup, offer};

use crate::fixtures::{CHROMIUM_ANSWER, CODECS, accept_answer, clear, local, parse, with};

#[test]
fn offer_is_read_back() {
    let local = local();
    let text = offer(&local, &SendCapabilities::new(&CODECS));
    let description = parse(&text);
    assert_eq!(description.session_id, local.session_id);
    assert_eq!(description.session_version, 1);
    assert!(description.ice_lite && description.bundle == ["0"]);
    let [section] = description.media.as_slice() else {
        panic!("one section expected");
    };
    assert_eq!((section.kind.as_str(), section.port), ("audio", 5004));
    assert_eq!(section.proto, "UDP/TLS/RTP/SAVPF");
    assert_eq!(
        section.formats,
        ["111", "0", "8", "96", "97", "98", "13", "99", "100", "101"]
    );
    assert_eq!(section.direction, Direction::SendOnly);
    assert_eq!(section.setup, Some(Setup::ActPass));
    assert!(section.rtcp_mux && section.rtcp_mux_only && section.rtcp_rsize);
    assert_eq!(section.ice_ufrag.as_ref(), Some(&local.ice.ufrag));
    assert_eq!(section.ice_pwd.as_ref(), Some(&local.ice.pwd));
    assert_eq!(section.fingerprints, [local.fingerprint]);
    assert_eq!(section.candidates, local.candidates);
    assert_eq!(
        (section.ssrc, section.cname.as_ref()),
        (Some(local.ssrc), Some(&local.cname))
    );
    assert_eq!(section.msid.as_deref(), Some("radio audio"));
    let extensions: Vec<_> = section.extmaps.iter().map(|extmap| extmap.id).collect();
    assert_eq!(extensions, [1, 2]);
    assert!(text.ends_with("a=end-of-candidates\r\n"));
    assert!(text.lines().all(|line| !line.is_empty()));
}

#[test]
fn answer_order_decides_the_codec() {
    let answer = with(CHROMIUM_ANSWER, "SAVPF 111 0 8", "SAVPF 126 8 111");
    let negotiated = accept_answer(&answer).unwrap();
    assert_eq!((negotiated.codec, negotiated.payload_type), (2, 8));
}

#[test]
fn passive_answer_makes_this_end_the_dtls_client() {
    let answer = with(CHROMIUM_ANSWER, "setup:active", "setup:passive");
    assert!(accept_answer(&answer).unwrap().dtls_client);
}

#[test]
fn answer_that_would_also_send_is_accepted() {
    let answer = with(CHROMIUM_ANSWER, "a=recvonly", "a=sendrecv");
    assert_eq!(accept_answer(&answer).unwrap().payload_type, 111);
}

#[test]
fn extension_moved_to_another_id_is_not_used() {
    let answer = with(CHROMIUM_ANSWER, "a=extmap:2 ", "a=extmap:7 ");
    let negotiated = accept_answer(&answer).unwrap();
    assert_eq!(negotiated.extensions.audio_level, None);
    assert_eq!(negotiated.extensions.mid, clear(1));
}

#[test]
fn payload_type_that_changed_its_meaning_is_skipped() {
    let answer = with(
        CHROMIUM_ANSWER,
        "rtpmap:111 opus/48000/2",
        "rtpmap:111 G722/8000",
    );
    assert_eq!(accept_answer(&answer).unwrap().payload_type, 0);
}

#[test]
fn rfc9429_5_2_1_and_rfc8858_4_offer_insists_on_one_port() {
    let text = offer(&local(), &SendCapabilities::new(&CODECS));
    for line in [
        "a=rtcp:9 IN IP4 0.0.0.0",
        "a=rtcp-mux",
        "a=rtcp-mux-only",
        "a=rtcp-rsize",
        "a=setup:actpass",
        "a=group:BUNDLE 0",
    ] {
        assert!(text.lines().any(|written| written == line), "{line}");
    }
}

#[test]
fn rfc9429_5_2_1_keys_are_never_in_the_description() {
    let text = offer(&local(), &SendCapabilities::new(&CODECS));
    assert!(!text.contains("a=crypto"));
}

#[test]
fn rfc9429_5_2_3_2_wish_against_silence_suppression_is_told() {
    let answer = with(CHROMIUM_ANSWER, "useinbandfec=1", "useinbandfec=1;usedtx=0");
    let negotiated = accept_answer(&answer).unwrap();
    assert_eq!(negotiated.remote_fmtp.parameter("usedtx"), Some("0"));
    // Chromium's answer to an offer without comfort noise.
    let g711 = with(&answer, "SAVPF 111 0 8", "SAVPF 0");
    assert_eq!(accept_answer(&g711).unwrap().comfort_noise, None);
}

#[test]
fn codecs_that_differ_in_their_parameters_are_told_apart_by_their_number() {
    let codecs = [112, 111].map(|payload_type| CodecDescription {
        payload_type,
        ..CODECS[0]
    });
    let capabilities = SendCapabilities::new(&codecs);
    let answer = parse(CHROMIUM_ANSWER);
    let negotiated = skywave_sdp::accept_answer(&answer, &capabilities).unwrap();
    assert_eq!((negotiated.codec, negotiated.payload_type), (1, 111));
}
