//! Each reason for a refusal, its sentence, and whether it is 406 or 400 to an HTTP client.

use skywave_sdp::{Direction, Error, MAX_SDP_BYTES, SessionDescription};

use crate::fixtures::{CHROMIUM, CHROMIUM_ANSWER, accept_answer, answer, with, without};

fn refused(offer: &str) -> Error {
    answer(offer).unwrap_err()
}

fn refused_answer(answer: &str) -> Error {
    accept_answer(answer).unwrap_err()
}

fn acceptable(error: &Error) -> &Error {
    assert!(!error.is_unacceptable(), "{error}");
    error
}

fn unacceptable(error: &Error) -> &Error {
    assert!(error.is_unacceptable(), "{error}");
    error
}

#[test]
#[cfg_attr(miri, ignore = "reads 65,536 bytes")]
fn too_large_text_is_refused_before_it_is_read() {
    let text = CHROMIUM.to_owned() + &" ".repeat(MAX_SDP_BYTES - CHROMIUM.len());
    assert!(SessionDescription::parse(&text).is_ok());
    let error = refused(&(text + " "));
    assert_eq!(*acceptable(&error), Error::TooLarge { bytes: 65_537 });
    let sentence = "the session description has 65537 bytes, more than the 65536 allowed";
    assert_eq!(error.to_string(), sentence);
}

#[test]
fn text_that_is_not_sdp_is_refused_with_its_line() {
    let sections = "m=audio 9 RTP/AVP 0\n".repeat(65);
    for (text, line) in [
        ("", 1),
        ("\r\n \r\n", 1),
        ("hello", 1),
        ("{\"type\":\"offer\"}", 1),
        ("v=1\n", 1),
        ("o=- 1 1 IN IP4 0.0.0.0\nv=0\n", 1),
        ("v=0\no=- x 1 IN IP4 0.0.0.0\n", 2),
        ("v=0\no=- 1\n", 2),
        ("v=0\ns=-\n\nnonsense\n", 4),
        ("v=0\nm=audio\n", 2),
        ("v=0\nm=audio 70000 RTP/AVP 0\n", 2),
        ("v=0\nm=audio 9 RTP/AVP\n", 2),
        ("v=0\ni=a\0b\n", 2),
        ("v=0\nm=audio 9 RTP/AVP 0\rm=audio 9 RTP/AVP 0\n", 2),
        ("v=0\na=mid:a b\n", 2),
        ("v=0\na=mid\n", 2),
        ("v=0\na=ice-ufrag:abc\n", 2),
        ("v=0\na=ice-ufrag:ab:cd\n", 2),
        ("v=0\na=ice-pwd:tooshort\n", 2),
        (&format!("v=0\n{sections}"), 66),
    ] {
        let error = SessionDescription::parse(text).unwrap_err();
        let Error::Malformed { line: found, .. } = *acceptable(&error) else {
            panic!("{text:?}: {error}");
        };
        assert_eq!(found, line, "{text:?}");
    }
    assert_eq!(
        refused("<html>").to_string(),
        "line 1 is not valid SDP: a line is a letter, '=' and a value"
    );
}

#[test]
fn invalid_fingerprint_is_refused() {
    let error = refused(&with(CHROMIUM, "sha-256 A4:51", "sha-256 A4"));
    assert!(matches!(acceptable(&error), Error::InvalidFingerprint(_)));
    let sentence = error.to_string();
    assert!(sentence.starts_with("\"sha-256 A4:"), "{sentence}");
    assert!(sentence.len() < 130, "{sentence}");
}

#[test]
fn setup_holdconn_is_refused() {
    let error = refused(&with(CHROMIUM, "setup:actpass", "setup:holdconn"));
    assert_eq!(
        *acceptable(&error),
        Error::InvalidSetup("holdconn".to_owned())
    );
    let sentence = "a=setup:holdconn is not supported; it must be actpass, active or passive";
    assert_eq!(error.to_string(), sentence);
}

#[test]
fn offer_without_audio_is_refused() {
    let error = refused(&with(CHROMIUM, "m=audio", "m=video"));
    assert_eq!(*unacceptable(&error), Error::NoAudio);
    assert_eq!(refused("v=0\n"), Error::NoAudio);
}

#[test]
fn disabled_audio_is_refused() {
    let error = refused(&with(CHROMIUM, "m=audio 9", "m=audio 0"));
    assert_eq!(*unacceptable(&error), Error::AudioDisabled);
}

#[test]
fn offer_that_does_not_receive_is_refused() {
    let error = refused(include_str!("../../testdata/aiortc_sendonly.sdp"));
    assert_eq!(
        *unacceptable(&error),
        Error::NotReceiving(Direction::SendOnly)
    );
    let sentence = "the audio section is sendonly; only audio the peer receives can be served";
    assert_eq!(error.to_string(), sentence);
    let error = refused(&with(CHROMIUM, "a=recvonly", "a=inactive"));
    assert_eq!(error, Error::NotReceiving(Direction::Inactive));
}

#[test]
fn media_without_dtls_is_refused() {
    for proto in ["RTP/AVP", "RTP/AVPF", "UDP/TLS/RTP/AVP", "UDP"] {
        let error = refused(&with(CHROMIUM, "UDP/TLS/RTP/SAVPF", proto));
        assert_eq!(
            *unacceptable(&error),
            Error::UnprotectedMedia(proto.to_owned())
        );
    }
}

#[test]
fn missing_rtcp_mux_is_refused() {
    let error = refused(&without(CHROMIUM, "a=rtcp-mux"));
    assert_eq!(error, Error::MissingRtcpMux);
    assert!(!error.is_unacceptable());
}

#[test]
fn offer_without_common_codec_is_refused_with_what_it_has() {
    let error = refused(&with(
        CHROMIUM,
        "SAVPF 111 63 9 0 8 13 110 126",
        "SAVPF 63 9 99",
    ));
    let offered = "red/48000/2, G722/8000, 99".to_owned();
    assert_eq!(*unacceptable(&error), Error::NoCommonCodec { offered });
    let sentence = "none of the codecs offered (red/48000/2, G722/8000, 99) can be sent here";
    assert_eq!(error.to_string(), sentence);
}

#[test]
fn missing_ice_credentials_are_refused() {
    for start in ["a=ice-ufrag", "a=ice-pwd"] {
        let error = refused(&without(CHROMIUM, start));
        assert_eq!(*acceptable(&error), Error::MissingIceCredentials);
    }
}

#[test]
fn lite_peer_is_refused() {
    let error = refused(&with(CHROMIUM, "t=0 0", "t=0 0\r\na=ice-lite"));
    assert_eq!(*unacceptable(&error), Error::BothIceLite);
    let error = refused_answer(&with(CHROMIUM_ANSWER, "t=0 0", "t=0 0\r\na=ice-lite"));
    assert_eq!(error, Error::BothIceLite);
}

#[test]
fn missing_fingerprint_is_refused() {
    let error = refused(&without(CHROMIUM, "a=fingerprint"));
    assert_eq!(*acceptable(&error), Error::MissingFingerprint);
}

#[test]
fn only_weak_fingerprints_are_refused_and_weak_ones_beside_good_ones_dropped() {
    let sha1 = format!("a=fingerprint:sha-1 {}", ["AB"; 20].join(":"));
    let error = refused(&format!("{}{sha1}\r\n", without(CHROMIUM, "a=fingerprint")));
    let offered = "sha-1".to_owned();
    assert_eq!(
        *unacceptable(&error),
        Error::UnsupportedFingerprint { offered }
    );
    let (_, negotiated) = answer(&format!("{CHROMIUM}{sha1}\r\n")).unwrap();
    assert_eq!(negotiated.remote_fingerprints.len(), 1);
    assert_eq!(negotiated.remote_fingerprints[0].algorithm, "sha-256");
}

#[test]
fn answer_of_another_shape_is_refused() {
    let video = "m=video 0 UDP/TLS/RTP/SAVPF 96\r\n";
    for answer in [
        "v=0\r\n".to_owned(),
        CHROMIUM_ANSWER.to_owned() + video,
        with(CHROMIUM_ANSWER, "m=audio", "m=video"),
        with(CHROMIUM_ANSWER, "a=mid:0", "a=mid:1"),
    ] {
        let error = refused_answer(&answer);
        assert!(
            matches!(acceptable(&error), Error::AnswerMismatch(_)),
            "{error}"
        );
    }
}

#[test]
fn rejecting_answer_is_refused() {
    let error = refused_answer(&with(CHROMIUM_ANSWER, "m=audio 9", "m=audio 0"));
    assert_eq!(*unacceptable(&error), Error::Rejected);
    let error = refused_answer(&with(CHROMIUM_ANSWER, "a=recvonly", "a=inactive"));
    assert_eq!(error, Error::NotReceiving(Direction::Inactive));
}

#[test]
fn answer_with_codecs_never_offered_is_refused() {
    let error = refused_answer(&with(CHROMIUM_ANSWER, "SAVPF 111 0 8", "SAVPF 96 18"));
    let answered = "96, 18".to_owned();
    assert_eq!(*acceptable(&error), Error::CodecNotOffered { answered });
    // Opus was offered, but not under this number.
    let moved = with(CHROMIUM_ANSWER, "SAVPF 111 0 8", "SAVPF 96");
    let moved = with(&moved, "rtpmap:111", "rtpmap:96");
    let answered = "opus/48000/2".to_owned();
    assert_eq!(refused_answer(&moved), Error::CodecNotOffered { answered });
}

#[test]
fn answer_that_leaves_the_dtls_role_open_is_refused() {
    let error = refused_answer(&with(CHROMIUM_ANSWER, "setup:active", "setup:actpass"));
    assert_eq!(*acceptable(&error), Error::UndecidedSetup);
    assert_eq!(
        refused_answer(&without(CHROMIUM_ANSWER, "a=setup")),
        Error::UndecidedSetup
    );
}

#[test]
fn reason_told_is_that_of_the_first_audio_section() {
    let second = CHROMIUM[CHROMIUM.find("m=audio").unwrap()..].replace("a=mid:0", "a=mid:1");
    let offer =
        with(CHROMIUM, "a=recvonly", "a=sendonly") + &second.replace("m=audio 9", "m=audio 0");
    assert_eq!(refused(&offer), Error::NotReceiving(Direction::SendOnly));
}
