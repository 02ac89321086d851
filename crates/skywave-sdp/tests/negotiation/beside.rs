//! What is sent beside codecs or around them: redundancy, telephone events, comfort noise,
//! retransmission.

use std::collections::HashSet;

use skywave_sdp::{CodecDescription, Negotiated, SendCapabilities, TelephoneEvent};

use crate::fixtures::{
    CHROMIUM, CODECS, accept_answer, answer, local, mirrored, parse, with, without,
};

fn offer(capabilities: &SendCapabilities<'_>) -> String {
    skywave_sdp::offer(&local(), capabilities)
}

/// The answer to Chromium's offer with an `a=fmtp` of the telephone events at 48 kHz.
fn with_events(list: &str) -> (String, Negotiated) {
    let line = "a=rtpmap:110 telephone-event/48000";
    answer(&with(
        CHROMIUM,
        line,
        &format!("{line}\r\na=fmtp:110 {list}"),
    ))
    .unwrap()
}

/// Chromium's offer with NACK and retransmission of a codec.
fn with_retransmission(rtpmap: &str, fmtp: &str) -> String {
    let offer = with(CHROMIUM, "SAVPF 111", "SAVPF 111 120");
    with(
        &offer,
        "a=rtcp-fb:111 ",
        &format!(
            "a=rtcp-fb:111 nack\r\na=rtpmap:120 {rtpmap}\r\na=fmtp:120 {fmtp}\r\na=rtcp-fb:111 "
        ),
    )
}

/// The lines about formats, so that any change shows.
#[test]
fn offer_lists_codecs_first_and_retransmission_last() {
    let text = offer(&SendCapabilities::new(&CODECS));
    assert!(text.contains("SAVPF 111 0 8 96 97 98 13 99 100 101\r\n"));
    let expected = "a=cryptex
a=rtcp-xr:rcvr-rtt=sender
a=rtpmap:111 opus/48000/2
a=rtcp-fb:111 nack
a=rtcp-fb:111 ccm tmmbr
a=fmtp:111 minptime=10;useinbandfec=1
a=rtpmap:0 PCMU/8000
a=rtcp-fb:0 nack
a=rtcp-fb:0 ccm tmmbr
a=rtpmap:8 PCMA/8000
a=rtcp-fb:8 nack
a=rtcp-fb:8 ccm tmmbr
a=rtpmap:96 red/48000/2
a=fmtp:96 111/111
a=rtpmap:97 telephone-event/48000
a=fmtp:97 0-15
a=rtpmap:98 telephone-event/8000
a=fmtp:98 0-15
a=rtpmap:13 CN/8000
a=rtpmap:99 rtx/48000/2
a=fmtp:99 apt=111;rtx-time=1000
a=rtpmap:100 rtx/8000
a=fmtp:100 apt=0;rtx-time=1000
a=rtpmap:101 rtx/8000
a=fmtp:101 apt=8;rtx-time=1000
a=msid:";
    assert!(text.contains(&expected.replace('\n', "\r\n")), "{text}");
}

#[test]
fn chromium_would_refuse_audio_of_two_sources() {
    let text = offer(&SendCapabilities::new(&CODECS));
    assert_eq!(text.matches("a=ssrc").count(), 1);
}

#[test]
fn nothing_beside_codecs_is_offered_that_was_not_asked_for() {
    let bare = SendCapabilities {
        red: false,
        telephone_event: false,
        comfort_noise: false,
        rtx: false,
        ..SendCapabilities::new(&CODECS)
    };
    assert!(offer(&bare).contains("SAVPF 111 0 8\r\n"));
    let (text, negotiated) = skywave_sdp::answer(&local(), &parse(CHROMIUM), &bare).unwrap();
    assert!(text.contains("SAVPF 111 0 8\r\n"));
    assert_eq!((negotiated.red, negotiated.telephone_event), (None, None));
    let opus = SendCapabilities::new(&CODECS[..1]);
    assert!(offer(&opus).contains("SAVPF 111 96 97 98\r\n"));
    let g711 = SendCapabilities::new(&CODECS[1..]);
    assert!(offer(&g711).contains("SAVPF 0 8 96 13 97 98\r\n"));
}

#[test]
fn rfc8834_4_3_and_rfc5761_4_no_payload_type_is_used_twice_or_looks_like_rtcp() {
    // More than there are numbers for: retransmission finds none left.
    let codecs: Vec<_> = (96..=127)
        .map(|payload_type| CodecDescription {
            payload_type,
            ..CODECS[0]
        })
        .collect();
    for count in 1..=codecs.len() {
        let text = offer(&SendCapabilities::new(&codecs[..count]));
        let formats = &parse(&text).media[0].formats;
        let numbers: HashSet<u8> = formats.iter().map(|text| text.parse().unwrap()).collect();
        assert_eq!(numbers.len(), formats.len());
        assert!(numbers.iter().all(|number| !(64..=95).contains(number)));
        assert!(numbers.len() > count && numbers.iter().all(|number| *number >= 35));
    }
}

#[test]
fn rfc2198_5_red_is_answered_only_if_it_lists_the_codec() {
    for (fmtp, agreed) in [
        ("111/111", true),
        ("8/111", true),
        (" 0 / 111 ", true),
        ("111", true),
        ("110/110", false),
        ("9/9", false),
        ("x/", false),
    ] {
        let offer = with(CHROMIUM, "a=fmtp:63 111/111", &format!("a=fmtp:63 {fmtp}"));
        let (text, negotiated) = answer(&offer).unwrap();
        assert_eq!(negotiated.red, agreed.then_some(63), "{fmtp}");
        assert_eq!(text.contains("a=fmtp:63 111/111\r\n"), agreed, "{fmtp}");
    }
    let (text, negotiated) = answer(&without(CHROMIUM, "a=fmtp:63 ")).unwrap();
    assert_eq!(negotiated.red, Some(63));
    assert!(text.contains("a=rtpmap:63 red/48000/2\r\n") && !text.contains("a=fmtp:63"));
}

#[test]
fn rfc2198_5_red_of_another_codec_is_not_used_for_the_one_sent() {
    let offer = with(CHROMIUM, "SAVPF 111 63", "SAVPF 8 63 111");
    assert_eq!(answer(&offer).unwrap().1.red, None);
    let offer = with(CHROMIUM, "red/48000/2", "red/8000");
    let offer = with(&offer, "a=fmtp:63 111/111", "a=fmtp:63 8/8");
    let (_, negotiated) = answer(&with(&offer, "SAVPF 111 ", "SAVPF 8 ")).unwrap();
    assert_eq!((negotiated.payload_type, negotiated.red), (8, Some(63)));
}

#[test]
fn rfc4733_2_4_1_events_of_the_peer_are_told_and_answered() {
    for (list, events, answered) in [
        ("0-15", 0xffff, "0-15"),
        ("0-11,16", 0x0fff, "0-11"),
        ("0-15,66,70", 0xffff, "0-15"),
        ("1,3-4", 0b1_1010, "1,3-4"),
    ] {
        let (text, negotiated) = with_events(list);
        let expected = TelephoneEvent {
            payload_type: 110,
            events,
        };
        assert_eq!(negotiated.telephone_event, Some(expected), "{list}");
        assert!(
            text.contains(&format!("a=fmtp:110 {answered}\r\n")),
            "{list}"
        );
    }
    let (text, negotiated) = with_events("32-49");
    assert_eq!(negotiated.telephone_event, None);
    assert!(!text.contains("telephone-event/48000"));
    // None listed: RFC 4733 §2.4.1 takes that for 0 to 15.
    let negotiated = answer(CHROMIUM).unwrap().1;
    assert_eq!(negotiated.telephone_event.unwrap().events, 0xffff);
}

#[test]
fn rfc4733_2_1_events_have_the_clock_rate_of_the_codec() {
    let offer = with(CHROMIUM, "SAVPF 111", "SAVPF 8 111");
    let negotiated = answer(&offer).unwrap().1;
    assert_eq!(negotiated.telephone_event.unwrap().payload_type, 126);
    let offer = with(CHROMIUM, "telephone-event/48000", "telephone-event/16000");
    let (text, negotiated) = answer(&offer).unwrap();
    assert_eq!(negotiated.telephone_event, None);
    // For the other codecs of the answer.
    assert!(text.contains("a=rtpmap:126 ") && !text.contains("a=rtpmap:110 "));
}

#[test]
fn rfc7874_3_comfort_noise_goes_with_g711_only() {
    let (text, negotiated) = answer(CHROMIUM).unwrap();
    assert_eq!(negotiated.comfort_noise, None);
    assert!(text.contains("a=rtpmap:13 CN/8000\r\n"));
    let g711 = with(CHROMIUM, "SAVPF 111 63 9 0 8 13", "SAVPF 0 13");
    assert_eq!(answer(&g711).unwrap().1.comfort_noise, Some(13));
    // RFC 3551 §6 lets 13 do without a line of its own.
    let (text, negotiated) = answer(&without(&g711, "a=rtpmap:13 ")).unwrap();
    assert_eq!(negotiated.comfort_noise, Some(13));
    assert!(text.contains("SAVPF 0 13 126\r\n"));
    let opus = with(CHROMIUM, "SAVPF 111 63 9 0 8 13", "SAVPF 111 13");
    assert!(!answer(&opus).unwrap().0.contains("CN/8000"));
    let wide = with(CHROMIUM, "CN/8000", "CN/48000");
    assert!(!answer(&wide).unwrap().0.contains("CN/"));
}

#[test]
fn rfc4588_8_6_retransmission_is_answered_only_for_an_accepted_codec_with_nack() {
    let offer = with_retransmission("rtx/48000/2", "apt=111");
    let (text, negotiated) = answer(&offer).unwrap();
    assert_eq!(negotiated.rtx, Some(120));
    assert!(text.contains("a=fmtp:120 apt=111;rtx-time=1000\r\n"));
    assert!(text.contains(
        "a=ssrc-group:FID 305419896 2271560481\r\na=ssrc:305419896 cname:c4bv1n\r\n\
         a=ssrc:2271560481 cname:c4bv1n\r\n"
    ));
    for (rtpmap, fmtp) in [
        ("rtx/48000/2", "apt=9"),
        ("rtx/48000/2", "apt=63"),
        ("rtx/48000/2", "apt=0"),
        ("rtx/48000/2", "apt=x"),
        ("rtx/48000/2", "rtx-time=3000"),
        ("rtx/90000", "apt=111"),
    ] {
        let (text, negotiated) = answer(&with_retransmission(rtpmap, fmtp)).unwrap();
        assert_eq!(negotiated.rtx, None, "{rtpmap} {fmtp}");
        assert!(!text.contains("rtx") && !text.contains("FID"));
    }
    let unasked = with(&offer, "a=rtcp-fb:111 nack\r\n", "");
    assert_eq!(answer(&unasked).unwrap().1.rtx, None);
}

#[test]
fn rfc4588_8_6_retransmission_may_be_listed_before_its_codec() {
    let offer = with_retransmission("RTX/48000", "rtx-time=500; apt=111");
    let offer = with(&offer, "SAVPF 111 120", "SAVPF 120 111");
    let (text, negotiated) = answer(&offer).unwrap();
    assert_eq!((negotiated.payload_type, negotiated.rtx), (111, Some(120)));
    assert!(text.contains("SAVPF 120 111 63 "));
}

#[test]
fn rfc8834_4_8_retransmission_without_a_known_source_is_not_announced() {
    let offer = with_retransmission("rtx/48000/2", "apt=111");
    let local = skywave_sdp::LocalDescription {
        rtx_ssrc: None,
        ..local()
    };
    let capabilities = SendCapabilities::new(&CODECS);
    let (text, negotiated) = skywave_sdp::answer(&local, &parse(&offer), &capabilities).unwrap();
    assert_eq!(negotiated.rtx, Some(120));
    assert!(!text.contains("FID"));
}

#[test]
fn formats_of_one_role_are_answered_once() {
    let offer = with(CHROMIUM, "SAVPF 111 63", "SAVPF 111 63 63 62");
    let offer = with(
        &offer,
        "a=fmtp:63 ",
        "a=rtpmap:62 red/48000/2\r\na=fmtp:62 111/111\r\na=fmtp:63 ",
    );
    let (text, negotiated) = answer(&offer).unwrap();
    assert_eq!(negotiated.red, Some(63));
    assert!(text.contains("SAVPF 111 63 0 8 13 110 126\r\n"));
}

#[test]
fn rfc3264_6_1_answer_leaves_out_and_does_not_add() {
    let everything = mirrored(&offer(&SendCapabilities::new(&CODECS)));
    let negotiated = accept_answer(&everything).unwrap();
    assert_eq!((negotiated.red, negotiated.rtx), (Some(96), Some(99)));
    assert_eq!(negotiated.telephone_event.unwrap().payload_type, 97);
    let g711 = with(
        &everything,
        "SAVPF 111 0 8 96 97 98 13 99",
        "SAVPF 0 96 98 13",
    );
    let negotiated = accept_answer(&g711).unwrap();
    assert_eq!((negotiated.red, negotiated.rtx), (None, Some(100)));
    assert_eq!(negotiated.comfort_noise, Some(13));
    assert_eq!(negotiated.telephone_event.unwrap().payload_type, 98);
    // Listed, but with another meaning than in the offer.
    for (from, to) in [
        ("a=rtpmap:96 red", "a=rtpmap:96 ulpfec"),
        ("96 97 98", "97 98"),
        ("96 97 98", "95 97 98"),
    ] {
        let moved = with(&everything, from, to);
        assert_eq!(accept_answer(&moved).unwrap().red, None, "{to}");
    }
    let moved = with(
        &everything,
        "a=rtpmap:97 telephone-event/48000",
        "a=rtpmap:97 red/48000",
    );
    let moved = with(&moved, "a=fmtp:97 0-15", "a=fmtp:97 111/111");
    let negotiated = accept_answer(&without(&moved, "a=rtpmap:96 ")).unwrap();
    assert_eq!((negotiated.red, negotiated.telephone_event), (None, None));
}

#[test]
fn answers_of_five_peers_to_everything_are_accepted() {
    let capabilities = SendCapabilities {
        abs_send_time: true,
        abs_capture_time: true,
        transport_cc: true,
        ..SendCapabilities::new(&CODECS)
    };
    let accept = |text: &str| skywave_sdp::accept_answer(&parse(text), &capabilities).unwrap();
    let chromium = accept(include_str!("../../testdata/chromium_full_answer.sdp"));
    assert_eq!((chromium.payload_type, chromium.red), (111, Some(96)));
    assert_eq!(chromium.telephone_event.unwrap().payload_type, 97);
    assert!(chromium.transport_cc && chromium.rcvr_rtt && chromium.rtcp_rsize);
    assert_eq!(chromium.extensions.abs_capture_time.unwrap().id, 4);
    // It drops what it does not do for audio.
    assert!(!chromium.nack && !chromium.tmmbr && !chromium.cryptex);
    assert_eq!(chromium.rtx, None);
    let firefox = accept(include_str!("../../testdata/firefox_full_answer.sdp"));
    assert_eq!((firefox.payload_type, firefox.red), (111, None));
    assert!(firefox.transport_cc && !firefox.rcvr_rtt && !firefox.nack);
    // It has telephone events at 8000 Hz only.
    assert_eq!(firefox.telephone_event, None);
    let aiortc = accept(include_str!("../../testdata/aiortc_full_answer.sdp"));
    assert_eq!(aiortc.payload_type, 111);
    // It lists retransmission but no NACK to ask for any.
    assert_eq!((aiortc.nack, aiortc.rtx), (false, None));
    assert_eq!(aiortc.extensions.audio_level.unwrap().id, 2);
    // It says yes to feedback whether or not it has a use for it.
    let webrtc_rs = accept(include_str!("../../testdata/webrtc_rs_full_answer.sdp"));
    assert!(webrtc_rs.nack && webrtc_rs.tmmbr && webrtc_rs.transport_cc);
    assert!(webrtc_rs.dtls_client && webrtc_rs.rtx.is_none());
    assert_eq!(webrtc_rs.extensions.mid, None);
    // It lists retransmission without channels, and no NACK either.
    let str0m = accept(include_str!("../../testdata/str0m_full_answer.sdp"));
    assert!(str0m.transport_cc && !str0m.nack && str0m.rtx.is_none());
    assert_eq!(str0m.extensions.abs_send_time.unwrap().id, 3);
    let asking = with(
        include_str!("../../testdata/str0m_full_answer.sdp"),
        "a=rtcp-fb:111 ",
        "a=rtcp-fb:111 nack\r\na=rtcp-fb:111 ",
    );
    assert_eq!(accept(&asking).rtx, Some(99));
}
