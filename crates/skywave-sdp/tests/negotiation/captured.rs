//! What other implementations write is understood, and each gets an answer it can use.

use skywave_sdp::{Direction, Negotiated};

use crate::fixtures::{
    CHROMIUM, CHROMIUM_VIDEO_FIRST, FIREFOX, accept_answer, answer, clear, parse,
};

fn answered(offer: &str) -> (String, Negotiated) {
    let (text, negotiated) = answer(offer).unwrap();
    let (offer, answer) = (parse(offer), parse(&text));
    let shape = |media: &[skywave_sdp::MediaSection]| -> Vec<_> {
        media
            .iter()
            .map(|section| {
                (
                    section.kind.clone(),
                    section.proto.clone(),
                    section.mid.clone(),
                )
            })
            .collect()
    };
    assert_eq!(shape(&answer.media), shape(&offer.media));
    assert!(answer.ice_lite);
    for section in &answer.media {
        assert_eq!(section.ice_ufrag.as_deref(), Some("s0me"));
        assert_eq!(section.fingerprints.len(), 1);
        let accepted = section.direction == Direction::SendOnly;
        assert_eq!(section.is_rejected(), !accepted);
    }
    (text, negotiated)
}

#[test]
fn chromium_gets_opus_with_its_extension_ids() {
    let (text, negotiated) = answered(CHROMIUM);
    assert_eq!((negotiated.codec, negotiated.payload_type), (0, 111));
    assert_eq!(negotiated.mid.as_deref(), Some("0"));
    assert_eq!(negotiated.extensions.mid, clear(4));
    assert_eq!(negotiated.extensions.audio_level, clear(1));
    assert!(negotiated.rtcp_rsize);
    assert!(!negotiated.dtls_client);
    assert_eq!(negotiated.remote_ice.ufrag, "MV3G");
    assert_eq!(negotiated.remote_ice.pwd, "oc9AV4dpeOtWqiRRjTdaScAx");
    assert_eq!(negotiated.remote_fingerprints[0].value[..2], [0xa4, 0x51]);
    // Its mDNS names are no addresses.
    assert_eq!(negotiated.remote_candidates, []);
    assert!(text.contains("a=ice-options:trickle\r\n"));
    assert!(text.contains("a=extmap-allow-mixed\r\n"));
}

#[test]
fn chromium_video_and_data_are_rejected_around_the_audio() {
    let (text, negotiated) = answered(CHROMIUM_VIDEO_FIRST);
    assert_eq!(negotiated.mid.as_deref(), Some("1"));
    assert_eq!(parse(&text).bundle, ["1"]);
    assert!(text.contains("\r\nm=video 0 UDP/TLS/RTP/SAVPF 96 97 "));
    assert!(text.contains("\r\nm=audio 5004 UDP/TLS/RTP/SAVPF 111 63 0 8 13 110 126\r\n"));
    assert!(text.contains("\r\nm=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\n"));
}

#[test]
fn firefox_transport_at_session_level_is_found() {
    let (text, negotiated) = answered(FIREFOX);
    assert_eq!(negotiated.payload_type, 109);
    assert_eq!(negotiated.extensions.mid, clear(3));
    assert_eq!(negotiated.remote_fmtp.parameter("stereo"), Some("1"));
    assert_eq!(negotiated.remote_fingerprints.len(), 1);
    // It has a=sendrecv at session level and a=recvonly in the section.
    assert_eq!(parse(FIREFOX).media[0].direction, Direction::RecvOnly);
    // It does not offer reduced-size RTCP.
    assert!(!text.contains("rtcp-rsize"));
    // It allows mixed forms in the section only.
    assert_eq!(text.matches("a=extmap-allow-mixed").count(), 1);
    let video_first = include_str!("../../testdata/firefox_video_first.sdp");
    assert_eq!(answered(video_first).1.mid.as_deref(), Some("1"));
}

#[test]
fn aiortc_has_three_fingerprints_and_a_codec_in_each_section() {
    let (_, negotiated) = answered(include_str!("../../testdata/aiortc.sdp"));
    assert_eq!(negotiated.payload_type, 96);
    assert_eq!(negotiated.remote_fingerprints.len(), 3);
    assert_eq!(negotiated.remote_candidates.len(), 2);
    assert_eq!(negotiated.remote_fmtp.parameters, []);
    let (text, _) = answered(include_str!("../../testdata/aiortc_video_first.sdp"));
    let video = &parse(&text).media[0];
    assert!(video.is_rejected() && video.rtcp_mux && video.ice_pwd.is_some());
    assert_eq!(video.rtpmap(97).unwrap().encoding, "VP8");
}

#[test]
fn libdatachannel_ice_options_are_separated_by_commas() {
    let (text, negotiated) = answered(include_str!("../../testdata/libdatachannel.sdp"));
    assert_eq!(negotiated.mid.as_deref(), Some("audio"));
    assert_eq!(negotiated.extensions.mid, None);
    assert!(text.contains("a=ice-options:ice2 trickle\r\n"));
    assert!(!text.contains("a=extmap"));
}

#[test]
fn webrtc_rs_fingerprint_is_that_of_the_session() {
    let (text, negotiated) = answered(include_str!("../../testdata/webrtc_rs.sdp"));
    assert_eq!(negotiated.payload_type, 111);
    assert_eq!(negotiated.remote_fingerprints.len(), 1);
    assert!(!text.contains("G722"));
}

#[test]
fn gstreamer_opus_needs_no_channels() {
    let (text, negotiated) = answered(include_str!("../../testdata/gstreamer.sdp"));
    assert_eq!((negotiated.codec, negotiated.payload_type), (0, 96));
    assert_eq!(negotiated.mid.as_deref(), Some("audio0"));
    assert!(text.contains("a=rtpmap:96 opus/48000/2\r\n"));
    // It offers a=rtcp-mux-only, which no answer has.
    assert!(!text.contains("a=rtcp-mux-only"));
    // Its TCP candidates are passed over.
    assert_eq!(negotiated.remote_candidates.len(), 3);
}

#[test]
fn lines_may_end_in_line_feeds_alone_or_in_blanks() {
    let offer = include_str!("../../testdata/chromium.sdp");
    let (_, expected) = answered(offer);
    for end in ["\n", " \r\n", " \n"] {
        let (_, negotiated) = answered(&offer.replace("\r\n", end));
        assert_eq!(negotiated, expected, "{end:?}");
    }
}

#[test]
fn rfc8834_7_1_bandwidth_is_that_of_the_section() {
    let offer = include_str!("../../testdata/chromium.sdp");
    let limited = offer.replace("a=mid:0\r\n", "b=AS:64\r\na=mid:0\r\n");
    assert_eq!(parse(&limited).media[0].bandwidth, Some(64_000));
    assert_eq!(parse(offer).media[0].bandwidth, None);
}

#[test]
fn rfc8834_7_1_bandwidth_of_the_whole_conference_limits_its_only_stream() {
    let offer = include_str!("../../testdata/chromium.sdp");
    let limited = offer.replace("t=0 0\r\n", "b=CT:96\r\nt=0 0\r\n");
    assert_eq!(parse(&limited).media[0].bandwidth, Some(96_000));
    let lower = limited.replace("a=mid:0\r\n", "b=AS:64\r\na=mid:0\r\n");
    assert_eq!(parse(&lower).media[0].bandwidth, Some(64_000));
}

#[test]
fn answers_of_four_peers_are_accepted() {
    for (text, rsize) in [
        (include_str!("../../testdata/chromium_answer.sdp"), true),
        (include_str!("../../testdata/firefox_answer.sdp"), false),
        (include_str!("../../testdata/aiortc_answer.sdp"), false),
        (
            include_str!("../../testdata/libdatachannel_answer.sdp"),
            false,
        ),
    ] {
        let negotiated = accept_answer(text).unwrap();
        // libdatachannel lists the rtpmap of payload type 111 last.
        assert_eq!((negotiated.codec, negotiated.payload_type), (0, 111));
        assert_eq!(negotiated.mid.as_deref(), Some("0"));
        assert_eq!(negotiated.extensions.mid, clear(1));
        assert_eq!(negotiated.extensions.audio_level, clear(2));
        assert_eq!(negotiated.rtcp_rsize, rsize);
        assert!(!negotiated.dtls_client);
    }
}
