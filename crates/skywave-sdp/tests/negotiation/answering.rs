//! What an answer takes from the offer, and what it leaves out.

use skywave_sdp::{Direction, LocalDescription, SendCapabilities, Setup};

use crate::fixtures::{
    CHROMIUM, CHROMIUM_VIDEO_FIRST, CODECS, FIREFOX, answer, clear, local, parse, with, without,
};

/// The whole text, so that any change of a line shows.
#[test]
fn answer_to_chromium_is_written_line_by_line() {
    let (text, _) = answer(CHROMIUM).unwrap();
    let expected = "v=0
o=- 4611686018427 1 IN IP4 0.0.0.0
s=-
t=0 0
a=ice-lite
a=group:BUNDLE 0
a=ice-options:trickle
a=extmap-allow-mixed
m=audio 5004 UDP/TLS/RTP/SAVPF 111 63 0 8 13 110 126
c=IN IP4 192.0.2.7
a=rtcp:9 IN IP4 0.0.0.0
a=ice-ufrag:s0me
a=ice-pwd:0123456789abcdefghijkl
a=fingerprint:sha-256 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:\
10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F
a=setup:passive
a=mid:0
a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid
a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
a=sendonly
a=rtcp-mux
a=rtcp-rsize
a=rtcp-xr:rcvr-rtt=all
a=rtpmap:111 opus/48000/2
a=fmtp:111 minptime=10;useinbandfec=1
a=rtpmap:63 red/48000/2
a=fmtp:63 111/111
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:13 CN/8000
a=rtpmap:110 telephone-event/48000
a=fmtp:110 0-15
a=rtpmap:126 telephone-event/8000
a=fmtp:126 0-15
a=msid:radio audio
a=ssrc:305419896 cname:c4bv1n
a=candidate:1 1 udp 2130706431 192.0.2.7 5004 typ host
a=candidate:2 1 udp 2130706175 2001:db8::7 5004 typ host
a=end-of-candidates
";
    assert_eq!(text, expected.replace('\n', "\r\n"));
}

#[test]
fn rfc8842_5_3_association_without_an_identifier_is_answered_without_one() {
    let (text, _) = answer(CHROMIUM).unwrap();
    assert!(!text.contains("a=tls-id"));
    // RFC 8842 leaves out of account whoever does not know the attribute.
    let with_id = with(
        CHROMIUM,
        "a=mid:0",
        "a=tls-id:91bbf309c0990a6bec11e38ba2933cee\r\na=mid:0",
    );
    assert_eq!(answer(&with_id).unwrap().0, text);
}

#[test]
fn order_of_the_media_line_decides_the_codec() {
    let offer = with(CHROMIUM, "SAVPF 111 63 9 0 8", "SAVPF 8 63 9 111 0");
    let (text, negotiated) = answer(&offer).unwrap();
    assert_eq!((negotiated.codec, negotiated.payload_type), (2, 8));
    assert!(text.contains("m=audio 5004 UDP/TLS/RTP/SAVPF 8 63 111 0 13 110 126\r\n"));
}

/// RFC 3264 §6.1: an answer with `0` would list what an offer of `00` does not.
#[test]
fn format_with_a_leading_zero_is_no_payload_type() {
    let offer = with(CHROMIUM, "SAVPF 111 63 9 0 8", "SAVPF 111 63 9 00 8");
    let (text, _) = answer(&offer).unwrap();
    assert!(text.contains("m=audio 5004 UDP/TLS/RTP/SAVPF 111 63 8 13 110 126\r\n"));
}

#[test]
fn static_payload_types_need_no_rtpmap_and_dynamic_ones_do() {
    let offer = without(&without(CHROMIUM, "a=rtpmap:0 "), "a=rtpmap:111 ");
    let (text, negotiated) = answer(&offer).unwrap();
    assert_eq!((negotiated.codec, negotiated.payload_type), (1, 0));
    assert!(text.contains("SAVPF 0 8 13 126\r\n"));
}

#[test]
fn static_payload_type_with_another_meaning_is_not_taken() {
    let offer = with(CHROMIUM, "a=rtpmap:0 PCMU/8000", "a=rtpmap:0 L16/8000");
    let (text, _) = answer(&offer).unwrap();
    assert!(text.contains("SAVPF 111 63 8 13 110 126\r\n"));
}

#[test]
fn payload_types_that_collide_with_rtcp_are_not_taken() {
    for (number, taken) in [(63, true), (64, false), (95, false), (96, true)] {
        let offer = CHROMIUM
            .replace("SAVPF 111 63 9", &format!("SAVPF {number} 9"))
            .replace(
                "a=rtpmap:111 opus/48000/2",
                &format!("a=rtpmap:{number} OPUS/48000/2"),
            )
            .replace("a=rtpmap:63 red/48000/2\r\n", "");
        let (_, negotiated) = answer(&offer).unwrap();
        assert_eq!(negotiated.codec == 0, taken, "{number}");
    }
}

#[test]
fn codec_of_another_clock_rate_is_not_taken() {
    let offer = with(CHROMIUM, "opus/48000/2", "opus/16000/2");
    assert_eq!(answer(&offer).unwrap().1.codec, 1);
    let offer = with(CHROMIUM, "PCMU/8000", "PCMU/8000/2");
    assert!(!answer(&offer).unwrap().0.contains("PCMU"));
}

#[test]
fn codec_offered_twice_is_answered_once() {
    let offer = with(CHROMIUM, "SAVPF 111", "SAVPF 121 111");
    let offer = with(
        &offer,
        "a=rtpmap:111 opus/48000/2",
        "a=rtpmap:111 opus/48000/2\r\na=rtpmap:121 opus/48000/2",
    );
    let (text, negotiated) = answer(&offer).unwrap();
    assert_eq!(negotiated.payload_type, 121);
    assert!(text.contains("SAVPF 121 0 8 13 110 126\r\n"));
}

#[test]
fn dtls_role_is_the_other_one() {
    for (offered, answered, client) in [
        ("actpass", Setup::Passive, false),
        ("active", Setup::Passive, false),
        ("passive", Setup::Active, true),
    ] {
        let offer = with(CHROMIUM, "setup:actpass", &format!("setup:{offered}"));
        let (text, negotiated) = answer(&offer).unwrap();
        assert_eq!(parse(&text).media[0].setup, Some(answered));
        assert_eq!(negotiated.dtls_client, client);
    }
    let (text, _) = answer(&without(CHROMIUM, "a=setup")).unwrap();
    assert_eq!(parse(&text).media[0].setup, Some(Setup::Passive));
}

#[test]
fn mid_and_bundle_are_answered_only_if_offered() {
    let (text, negotiated) = answer(&without(CHROMIUM, "a=mid")).unwrap();
    assert_eq!((negotiated.mid, negotiated.extensions.mid), (None, None));
    assert!(!text.contains("a=mid") && !text.contains("a=group") && !text.contains("sdes:mid"));
    let (text, _) = answer(&without(CHROMIUM, "a=group")).unwrap();
    assert!(text.contains("a=mid:0\r\n") && !text.contains("a=group"));
}

#[test]
fn ice_options_are_answered_only_if_offered_and_known() {
    let offer = with(
        CHROMIUM,
        "a=ice-options:trickle",
        "a=ice-options:renomination ice2",
    );
    assert!(answer(&offer).unwrap().0.contains("a=ice-options:ice2\r\n"));
    let (text, _) = answer(&without(CHROMIUM, "a=ice-options")).unwrap();
    assert!(!text.contains("a=ice-options"));
}

#[test]
fn extension_ids_above_14_need_mixed_forms() {
    for (id, mixed, agreed) in [
        (14, false, Some(14)),
        (15, true, None),
        (16, false, None),
        (16, true, Some(16)),
        (255, true, Some(255)),
        (256, true, None),
        (0, true, None),
    ] {
        let offer = with(CHROMIUM, "a=extmap:1 ", &format!("a=extmap:{id} "));
        let offer = if mixed {
            offer
        } else {
            without(&offer, "a=extmap-allow-mixed")
        };
        let (text, negotiated) = answer(&offer).unwrap();
        assert_eq!(
            negotiated.extensions.audio_level,
            agreed.and_then(clear),
            "{id} {mixed}"
        );
        assert_eq!(text.contains("ssrc-audio-level"), agreed.is_some());
        assert_eq!(text.contains("a=extmap-allow-mixed"), mixed);
    }
}

#[test]
fn extension_direction_is_mirrored_and_one_not_received_is_left_out() {
    for (offered, answered) in [
        ("/recvonly", Some("a=extmap:1/sendonly urn")),
        ("/sendrecv", Some("a=extmap:1/sendrecv urn")),
        ("/sendonly", None),
        ("/inactive", None),
    ] {
        let offer = with(CHROMIUM, "a=extmap:1 ", &format!("a=extmap:1{offered} "));
        let (text, negotiated) = answer(&offer).unwrap();
        assert_eq!(
            negotiated.extensions.audio_level.is_some(),
            answered.is_some()
        );
        match answered {
            Some(line) => assert!(text.contains(line), "{line}"),
            None => assert!(!text.contains("ssrc-audio-level")),
        }
    }
}

#[test]
fn mid_too_long_for_an_extension_is_not_sent_in_one() {
    for (length, sent) in [(16, true), (17, false)] {
        let mid = "m".repeat(length);
        let offer = with(CHROMIUM, "a=mid:0", &format!("a=mid:{mid}"));
        let offer = with(&offer, "BUNDLE 0", &format!("BUNDLE {mid}"));
        let (text, negotiated) = answer(&offer).unwrap();
        assert_eq!(negotiated.extensions.mid.is_some(), sent);
        assert_eq!(text.contains("sdes:mid"), sent);
        assert!(text.contains(&format!("a=group:BUNDLE {mid}\r\n")));
    }
}

#[test]
fn bundle_only_section_is_no_rejection_and_uses_the_tagged_transport() {
    let offer = with(CHROMIUM_VIDEO_FIRST, "m=audio 9 ", "m=audio 0 ");
    let (before, audio) = offer.split_once("m=audio").unwrap();
    let audio = ["a=ice-", "a=fingerprint", "a=setup", "a=rtcp-mux"]
        .iter()
        .fold(format!("m=audio{audio}"), |text, start| {
            without(&text, start)
        });
    let audio = with(&audio, "a=mid:1", "a=mid:1\r\na=bundle-only");
    let offer = format!("{before}{audio}");
    assert!(parse(&offer).media[1].ice_ufrag.is_none());
    let (text, negotiated) = answer(&offer).unwrap();
    assert_eq!(negotiated.remote_ice.ufrag, "Hok3");
    assert!(text.contains("m=audio 5004 "));
    assert!(!text.contains("a=bundle-only"));
}

#[test]
fn second_audio_section_is_used_if_the_first_cannot_be() {
    let second = CHROMIUM[CHROMIUM.find("m=audio").unwrap()..].replace("a=mid:0", "a=mid:1");
    let offer = with(CHROMIUM, "a=recvonly", "a=sendonly") + &second;
    let offer = with(&offer, "BUNDLE 0", "BUNDLE 0 1");
    let (text, negotiated) = answer(&offer).unwrap();
    assert_eq!(negotiated.mid.as_deref(), Some("1"));
    let directions: Vec<_> = parse(&text)
        .media
        .iter()
        .map(|media| media.direction)
        .collect();
    assert_eq!(directions, [Direction::Inactive, Direction::SendOnly]);
    assert_eq!(parse(&text).bundle, ["1"]);
}

#[test]
fn proto_is_copied_exactly() {
    for proto in ["UDP/TLS/RTP/SAVP", "RTP/SAVPF", "TCP/DTLS/RTP/SAVPF"] {
        let offer = with(CHROMIUM, "UDP/TLS/RTP/SAVPF", proto);
        let (text, _) = answer(&offer).unwrap();
        assert!(text.contains(&format!("m=audio 5004 {proto} 111 63 0 8 13 110 126\r\n")));
    }
}

#[test]
fn packet_lengths_bandwidth_and_parameters_of_the_peer_are_told() {
    let offer = with(
        CHROMIUM,
        "a=recvonly",
        "b=AS:64\r\nb=TIAS:48000\r\na=recvonly\r\na=ptime:40\r\na=maxptime:60",
    );
    let offer = with(&offer, "t=0 0", "b=AS:100\r\nt=0 0");
    let (_, negotiated) = answer(&offer).unwrap();
    assert_eq!(
        (negotiated.ptime, negotiated.maxptime),
        (Some(40), Some(60))
    );
    assert_eq!(negotiated.bandwidth, Some(48_000));
    assert_eq!(negotiated.remote_fmtp.parameter("UseInbandFEC"), Some("1"));
    let (_, negotiated) = answer(&with(CHROMIUM, "t=0 0", "b=AS:100\r\nt=0 0")).unwrap();
    assert_eq!(negotiated.bandwidth, Some(100_000));
}

#[test]
fn default_address_is_the_first_candidate_or_none() {
    let offer = parse(FIREFOX);
    let address_of = |local: &LocalDescription| {
        let (text, _) =
            skywave_sdp::answer(local, &offer, &SendCapabilities::new(&CODECS)).unwrap();
        let lines = text.lines().filter(|line| line.starts_with(['m', 'c']));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let mut local = local();
    local.candidates.swap(0, 1);
    let with_v6 = [
        "m=audio 5004 UDP/TLS/RTP/SAVPF 109 0 8 101",
        "c=IN IP6 2001:db8::7",
    ];
    assert_eq!(address_of(&local), with_v6);
    local.candidates.clear();
    let without = [
        "m=audio 9 UDP/TLS/RTP/SAVPF 109 0 8 101",
        "c=IN IP4 0.0.0.0",
    ];
    assert_eq!(address_of(&local), without);
}

#[test]
fn own_fmtp_is_answered_whatever_the_peer_prefers() {
    // Firefox offers stereo=1.
    let (text, _) = answer(FIREFOX).unwrap();
    assert!(text.contains("a=fmtp:109 minptime=10;useinbandfec=1\r\n"));
}
