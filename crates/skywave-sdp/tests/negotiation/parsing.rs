//! Lines that are read tolerantly, and what is inherited from the session level.

use skywave_sdp::{Direction, FeedbackKind, MAX_ATTRIBUTES, RcvrRtt, Setup};

use crate::fixtures::{CHROMIUM, FIREFOX, parse, with};

#[test]
fn line_endings_and_trailing_blanks_do_not_matter() {
    let expected = parse(CHROMIUM);
    assert_eq!(parse(&with(CHROMIUM, "\r\n", "\n")), expected);
    assert_eq!(parse(&with(CHROMIUM, "\r\n", " \t\r\n")), expected);
    assert_eq!(parse(&with(CHROMIUM, "\r\n", "\r\n\r\n")), expected);
    assert_eq!(parse(CHROMIUM.trim_end()), expected);
}

#[test]
fn unknown_lines_and_attributes_are_skipped() {
    let expected = parse(CHROMIUM);
    let noise = "a=recvonly\r\nq=1\r\na=\r\na=:\r\na=rtcp\r\na=rtcp:9\r\na=rtcp-fb:* nack sli\r\na=rtcp-fb:x nack\r\n\
        a=rtcp-fb\r\na=ssrc-group:FID\r\na=extmap:1 urn:ietf:params:rtp-hdrext:encrypt\r\n\
        a=x-new:1\r\na=fmtp:* a=b\r\na=rtpmap:x\r\na=extmap:1\r\na=candidate:1\r\na=ptime:x\r\n\
        a=ssrc:x\r\nb=AS:x\r\nb=X-YZ:12\r\nk=clear:secret";
    assert_eq!(parse(&with(CHROMIUM, "a=recvonly", noise)), expected);
}

#[test]
fn section_says_more_than_the_session_level() {
    let session = "v=0\na=sendonly\na=setup:active\na=ice-ufrag:sess\n\
        a=ice-pwd:0123456789abcdefghijkl\na=fingerprint:sha-x 01:02\na=ice-options:ice2\n\
        a=extmap:3 urn:session\n";
    let own = "m=audio 9 RTP/AVP 0\na=recvonly\na=setup:passive\na=ice-ufrag:media\n\
        a=ice-pwd:abcdefghijklmnopqrstuv\na=fingerprint:sha-y 03\na=ice-options:trickle\n\
        a=extmap:4 urn:media\n";
    let description = parse(&format!("{session}{own}m=video 9 RTP/AVP 31\n"));
    let [audio, video] = description.media.as_slice() else {
        panic!("two sections expected");
    };
    assert_eq!(
        (audio.direction, audio.setup),
        (Direction::RecvOnly, Some(Setup::Passive))
    );
    assert_eq!(audio.ice_ufrag.as_deref(), Some("media"));
    assert_eq!(audio.fingerprints.len(), 1);
    assert_eq!(audio.fingerprints[0].algorithm, "sha-y");
    assert_eq!(audio.ice_options, ["trickle"]);
    assert_eq!(audio.extmaps[0].id, 4);
    assert_eq!(
        (video.direction, video.setup),
        (Direction::SendOnly, Some(Setup::Active))
    );
    assert_eq!(video.ice_ufrag.as_deref(), Some("sess"));
    assert_eq!(video.fingerprints[0].value, [1, 2]);
    assert_eq!(video.ice_options, ["ice2"]);
    assert_eq!(video.extmaps[0].id, 3);
}

#[test]
fn last_of_two_attributes_counts() {
    let text = with(
        FIREFOX,
        "a=mid:0",
        "a=mid:9\r\na=mid:0\r\na=ptime:20\r\na=ptime:40",
    );
    let section = &parse(&text).media[0];
    assert_eq!(
        (section.mid.as_deref(), section.ptime),
        (Some("0"), Some(40))
    );
}

#[test]
fn only_the_bundle_group_is_a_bundle_group() {
    let text = with(
        FIREFOX,
        "a=group:BUNDLE 0",
        "a=group:LS 0 1\r\na=group:BUNDLE 0 1",
    );
    assert_eq!(parse(&text).bundle, ["0", "1"]);
}

#[test]
#[cfg_attr(miri, ignore = "reads 63,000 bytes")]
fn lists_are_bounded() {
    let formats = " 0".repeat(1000);
    let many = "a=rtpmap:0 PCMU/8000\na=candidate:1 1 udp 1 192.0.2.1 9 typ host\n".repeat(900);
    let section = &parse(&format!("v=0\nm=audio 9 RTP/AVP{formats}\n{many}")).media[0];
    assert_eq!(section.formats.len(), MAX_ATTRIBUTES);
    assert_eq!(section.rtpmaps.len(), MAX_ATTRIBUTES);
    assert_eq!(section.candidates.len(), MAX_ATTRIBUTES);
}

#[test]
fn rfc9335_4_and_rfc3611_5_1_cryptex_and_reports_hold_for_all_sections_from_the_session_level() {
    let text = "v=0\na=cryptex\na=rtcp-xr:rcvr-rtt=all:10 voip-metrics\nm=audio 9 RTP/AVP 0\n\
        m=audio 9 RTP/AVP 0\na=rtcp-xr:\n";
    let media = parse(text).media;
    assert!(media[0].cryptex && media[1].cryptex);
    assert_eq!(media[0].rcvr_rtt, Some(RcvrRtt::All));
    // A section that lists no report has none.
    assert_eq!(media[1].rcvr_rtt, None);
}

#[test]
fn rfc4585_4_2_feedback_is_kept_once_and_for_no_other_section() {
    let again = "a=rtcp-fb:0 nack\n".repeat(MAX_ATTRIBUTES);
    let text = format!(
        "v=0\na=rtcp-fb:* nack\nm=audio 9 RTP/AVP 0\n{again}a=rtcp-fb:8 nack\nm=audio 9 RTP/AVP 0\n"
    );
    let media = parse(&text).media;
    assert!(media[0].feeds_back(0, FeedbackKind::Nack));
    assert!(media[0].feeds_back(8, FeedbackKind::Nack));
    assert!(!media[0].feeds_back(9, FeedbackKind::Nack));
    assert_eq!(media[0].rtcp_feedback.len(), 2);
    assert_eq!(media[1].rtcp_feedback, []);
}

#[test]
fn rfc5576_4_2_first_of_several_sources_is_the_audio() {
    let text = "v=0\nm=audio 9 RTP/AVP 0\na=ssrc-group:FID 1 2\na=ssrc:1 cname:a\n\
        a=ssrc:2 cname:b\n";
    let section = &parse(text).media[0];
    assert_eq!(
        (section.ssrc, section.cname.as_deref()),
        (Some(1), Some("a"))
    );
}
