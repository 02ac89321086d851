//! Header extensions: in clear, encrypted one by one, encrypted all together.

use skywave_sdp::{
    ABS_CAPTURE_TIME_URI, ABS_SEND_TIME_URI, AUDIO_LEVEL_URI, MID_URI, Negotiated,
    NegotiatedExtension, SendCapabilities, TRANSPORT_CC_URI,
};

use crate::fixtures::{CHROMIUM, CODECS, clear, local, mirrored, parse, receiving, with, without};

/// All extensions, also encrypted.
fn everything() -> SendCapabilities<'static> {
    SendCapabilities {
        abs_send_time: true,
        abs_capture_time: true,
        transport_cc: true,
        offer_encrypted_extensions: true,
        ..SendCapabilities::new(&CODECS)
    }
}

fn offer(capabilities: &SendCapabilities<'_>) -> String {
    skywave_sdp::offer(&local(), capabilities)
}

fn answer(offer: &str, capabilities: &SendCapabilities<'_>) -> (String, Negotiated) {
    skywave_sdp::answer(&local(), &parse(offer), capabilities).unwrap()
}

fn accept(answer: &str, capabilities: &SendCapabilities<'_>) -> Negotiated {
    skywave_sdp::accept_answer(&parse(answer), capabilities).unwrap()
}

fn encrypted(id: u8) -> Option<NegotiatedExtension> {
    clear(id).map(|extension| NegotiatedExtension {
        encrypted: true,
        ..extension
    })
}

fn extmap_lines(text: &str) -> Vec<&str> {
    text.lines()
        .filter(|line| line.starts_with("a=extmap:"))
        .collect()
}

#[test]
fn rfc8834_5_2_mid_and_audio_level_are_always_offered_and_the_others_on_request() {
    let plain = offer(&SendCapabilities::new(&CODECS));
    assert_eq!(
        extmap_lines(&plain),
        [
            format!("a=extmap:1 {MID_URI}"),
            format!("a=extmap:2 {AUDIO_LEVEL_URI}")
        ]
    );
    let timed = offer(&SendCapabilities {
        abs_capture_time: true,
        ..SendCapabilities::new(&CODECS)
    });
    assert_eq!(
        extmap_lines(&timed)[2],
        format!("a=extmap:4 {ABS_CAPTURE_TIME_URI}")
    );
}

#[test]
fn rfc6904_4_encrypted_versions_are_offered_under_ids_of_their_own_after_those_in_clear() {
    let text = offer(&everything());
    let lines = extmap_lines(&text);
    assert_eq!(lines[2], format!("a=extmap:3 {ABS_SEND_TIME_URI}"));
    let encrypt = "urn:ietf:params:rtp-hdrext:encrypt";
    assert_eq!(lines[5], format!("a=extmap:6 {encrypt} {MID_URI}"));
    assert_eq!(
        lines[9],
        format!("a=extmap:10 {encrypt} {TRANSPORT_CC_URI}")
    );
    assert_eq!(lines.len(), 10);
    let mut ids: Vec<_> = parse(&text).media[0]
        .extmaps
        .iter()
        .map(|extmap| extmap.id)
        .collect();
    ids.dedup();
    assert_eq!(ids, (1..=10).collect::<Vec<_>>());
}

#[test]
fn aiortc_could_not_read_an_offer_with_more_words_after_an_extension() {
    for line in extmap_lines(&offer(&SendCapabilities {
        offer_encrypted_extensions: false,
        ..everything()
    })) {
        assert_eq!(line.split(' ').count(), 2, "{line}");
    }
}

#[test]
fn rfc6904_4_of_both_versions_the_encrypted_one_is_answered() {
    let offered = without(&receiving(&offer(&everything())), "a=cryptex");
    let (text, negotiated) = answer(&offered, &everything());
    assert_eq!(negotiated.extensions.mid, encrypted(6));
    assert_eq!(negotiated.extensions.transport_cc, encrypted(10));
    assert!(!negotiated.cryptex && negotiated.transport_cc);
    assert_eq!(extmap_lines(&text).len(), 5);
    assert!(
        extmap_lines(&text)
            .iter()
            .all(|line| line.contains(":encrypt "))
    );
}

#[test]
fn rfc9335_4_cryptex_is_agreed_with_extensions_in_clear() {
    let (text, negotiated) = answer(&receiving(&offer(&everything())), &everything());
    assert!(negotiated.cryptex && text.contains("\r\na=cryptex\r\n"));
    assert_eq!(negotiated.extensions.mid, clear(1));
    assert_eq!(negotiated.extensions.abs_send_time, clear(3));
    assert_eq!(negotiated.extensions.abs_capture_time, clear(4));
    assert!(!text.contains(":encrypt "));
}

#[test]
fn rfc9335_4_extension_only_encrypted_by_itself_rules_cryptex_out() {
    let offered = receiving(&offer(&everything()));
    let offered = without(&offered, "a=extmap:2 ");
    let (text, negotiated) = answer(&offered, &everything());
    assert!(!negotiated.cryptex && !text.contains("a=cryptex"));
    assert_eq!(negotiated.extensions.audio_level, encrypted(7));
    assert_eq!(negotiated.extensions.mid, encrypted(6));
    // A sender that cannot do it has Cryptex without that extension.
    let incapable = SendCapabilities {
        encrypted_extensions: false,
        ..everything()
    };
    let (text, negotiated) = answer(&offered, &incapable);
    assert!(negotiated.cryptex && !text.contains("ssrc-audio-level"));
    assert_eq!(negotiated.extensions.audio_level, None);
}

#[test]
fn rfc9335_4_cryptex_is_answered_only_if_offered_and_wanted() {
    let (text, negotiated) = answer(CHROMIUM, &everything());
    assert!(!negotiated.cryptex && !text.contains("cryptex"));
    let willing = with(CHROMIUM, "t=0 0", "t=0 0\r\na=cryptex");
    assert!(answer(&willing, &everything()).1.cryptex);
    let unwilling = SendCapabilities {
        cryptex: false,
        ..everything()
    };
    assert!(!answer(&willing, &unwilling).1.cryptex);
    assert!(!offer(&unwilling).contains("cryptex"));
}

#[test]
fn rfc6904_4_encrypted_version_alone_is_answered_only_by_a_capable_sender() {
    let encrypt = "a=extmap:4 urn:ietf:params:rtp-hdrext:encrypt urn";
    let offered = with(CHROMIUM, "a=extmap:4 urn", encrypt);
    let (text, negotiated) = answer(&offered, &everything());
    assert_eq!(negotiated.extensions.mid, encrypted(4));
    assert!(text.contains(encrypt));
    let incapable = SendCapabilities {
        encrypted_extensions: false,
        ..everything()
    };
    let (text, negotiated) = answer(&offered, &incapable);
    assert_eq!(negotiated.extensions.mid, None);
    assert!(!text.contains("sdes:mid"));
}

#[test]
fn rfc6464_4_vad_off_is_answered_and_told() {
    let offered = with(CHROMIUM, "ssrc-audio-level", "ssrc-audio-level vad=off");
    let (text, negotiated) = answer(&offered, &everything());
    assert_eq!(negotiated.extensions.audio_level, clear(1));
    assert!(!negotiated.audio_level_vad);
    assert!(text.contains("ssrc-audio-level vad=off\r\n"));
    let offered = with(CHROMIUM, "ssrc-audio-level", "ssrc-audio-level vad=on");
    let (text, negotiated) = answer(&offered, &everything());
    assert!(negotiated.audio_level_vad && !text.contains("vad="));
    assert!(answer(CHROMIUM, &everything()).1.audio_level_vad);
}

#[test]
fn rfc8285_5_id_used_twice_names_the_first_extension_only() {
    let offered = with(CHROMIUM, "a=extmap:1 ", "a=extmap:4 ");
    let (text, negotiated) = answer(&offered, &everything());
    assert_eq!(negotiated.extensions.mid, clear(4));
    assert_eq!(negotiated.extensions.audio_level, None);
    assert_eq!(text.matches("a=extmap:4").count(), 1);
}

#[test]
fn rfc9429_5_3_1_extensions_are_answered_only_if_offered() {
    let (text, negotiated) = answer(CHROMIUM, &everything());
    assert_eq!(negotiated.extensions.abs_send_time, clear(2));
    assert_eq!(negotiated.extensions.transport_cc, clear(3));
    assert_eq!(negotiated.extensions.abs_capture_time, None);
    assert!(!text.contains("abs-capture-time"));
    let (text, negotiated) = answer(CHROMIUM, &SendCapabilities::new(&CODECS));
    assert_eq!(negotiated.extensions.abs_send_time, None);
    assert!(!text.contains("abs-send-time"));
}

#[test]
fn rfc8285_7_answer_must_keep_id_and_version() {
    let answer = without(&mirrored(&offer(&everything())), "a=cryptex");
    let negotiated = accept(&answer, &everything());
    assert_eq!(negotiated.extensions.mid, encrypted(6));
    let moved = with(&answer, "a=extmap:6 ", "a=extmap:11 ");
    assert_eq!(accept(&moved, &everything()).extensions.mid, clear(1));
    // The id of the version in clear, said of the encrypted one.
    let moved = without(&answer, "a=extmap:1 ");
    let moved = with(&moved, "a=extmap:6 ", "a=extmap:1 ");
    assert_eq!(accept(&moved, &everything()).extensions.mid, None);
    // Not offered.
    let plain = SendCapabilities::new(&CODECS);
    assert_eq!(accept(&answer, &plain).extensions.mid, clear(1));
    assert_eq!(accept(&answer, &plain).extensions.transport_cc, None);
}

#[test]
fn chromium_gives_up_extensions_that_are_offered_encrypted_too() {
    // Why an offer does not have them unless it is told to.
    let answer = include_str!("../../testdata/chromium_encrypted_answer.sdp");
    let negotiated = accept(answer, &everything());
    assert_eq!(negotiated.extensions, Default::default());
}
