//! Feedback and reports of the receiver.

use skywave_sdp::{Negotiated, SendCapabilities};

use crate::fixtures::{CHROMIUM, CODECS, FIREFOX, answer, local, mirrored, parse, with};

fn capable() -> SendCapabilities<'static> {
    SendCapabilities {
        transport_cc: true,
        ..SendCapabilities::new(&CODECS)
    }
}

fn answer_with(offer: &str, capabilities: &SendCapabilities<'_>) -> (String, Negotiated) {
    skywave_sdp::answer(&local(), &parse(offer), capabilities).unwrap()
}

fn feedback_lines(text: &str) -> Vec<&str> {
    text.lines()
        .filter(|line| line.starts_with("a=rtcp-fb:"))
        .collect()
}

#[test]
fn rfc4585_4_2_feedback_is_offered_for_each_codec() {
    let text = skywave_sdp::offer(&local(), &SendCapabilities::new(&CODECS));
    let lines = feedback_lines(&text);
    assert_eq!(lines.len(), 6);
    assert_eq!(
        lines[..2],
        ["a=rtcp-fb:111 nack", "a=rtcp-fb:111 ccm tmmbr"]
    );
    let text = skywave_sdp::offer(&local(), &capable());
    assert!(feedback_lines(&text).contains(&"a=rtcp-fb:8 transport-cc"));
    let silent = SendCapabilities {
        nack: false,
        ..SendCapabilities::new(&CODECS)
    };
    let text = skywave_sdp::offer(&local(), &silent);
    assert!(!text.contains("nack") && !text.contains("rtx"));
}

#[test]
fn rfc9429_5_3_1_feedback_is_answered_only_if_offered() {
    let (text, negotiated) = answer(CHROMIUM).unwrap();
    assert_eq!(feedback_lines(&text), [""; 0]);
    assert!(!negotiated.nack && !negotiated.tmmbr && !negotiated.transport_cc);
    let offer = with(
        CHROMIUM,
        "a=fmtp:111 ",
        "a=rtcp-fb:111 nack\r\na=rtcp-fb:111 nack pli\r\na=rtcp-fb:8 ccm tmmbr\r\na=fmtp:111 ",
    );
    let (text, negotiated) = answer(&offer).unwrap();
    assert_eq!(
        feedback_lines(&text),
        ["a=rtcp-fb:111 nack", "a=rtcp-fb:8 ccm tmmbr"]
    );
    // Of the codec that is sent.
    assert!(negotiated.nack && !negotiated.tmmbr);
    let silent = SendCapabilities {
        nack: false,
        ..capable()
    };
    assert!(!answer_with(&offer, &silent).1.nack);
}

#[test]
fn rfc4585_4_2_wildcard_stands_for_every_payload_type() {
    let lines = "a=rtcp-fb:* nack\r\na=rtcp-fb:* ccm tmmbr\r\na=fmtp:111 ";
    let (text, negotiated) = answer(&with(CHROMIUM, "a=fmtp:111 ", lines)).unwrap();
    assert!(negotiated.nack && negotiated.tmmbr);
    assert_eq!(feedback_lines(&text).len(), 6);
    assert!(text.contains("a=rtcp-fb:0 nack\r\n") && !text.contains("rtcp-fb:*"));
}

#[test]
fn feedback_on_arrival_needs_the_sequence_number_that_is_reported() {
    let (text, negotiated) = answer_with(CHROMIUM, &capable());
    assert!(negotiated.transport_cc && negotiated.extensions.transport_cc.is_some());
    assert_eq!(feedback_lines(&text), ["a=rtcp-fb:111 transport-cc"]);
    let offer = with(CHROMIUM, "a=extmap:3 ", "a=extmap:3/sendonly ");
    let (text, negotiated) = answer_with(&offer, &capable());
    assert!(!negotiated.transport_cc && !text.contains("transport-cc"));
}

#[test]
fn rfc3611_5_2_receivers_may_measure_round_trips_if_both_say_so() {
    let (text, negotiated) = answer(CHROMIUM).unwrap();
    assert!(negotiated.rcvr_rtt && text.contains("a=rtcp-xr:rcvr-rtt=all\r\n"));
    let (text, negotiated) = answer(FIREFOX).unwrap();
    assert!(!negotiated.rcvr_rtt && !text.contains("rtcp-xr"));
    let offer = skywave_sdp::offer(&local(), &capable());
    // This end is a sender: all a receiver needs.
    assert!(offer.contains("a=rtcp-xr:rcvr-rtt=sender\r\n"));
}

#[test]
fn answer_cannot_add_feedback_that_was_not_offered() {
    let plain = SendCapabilities {
        nack: false,
        ..SendCapabilities::new(&CODECS)
    };
    let everything = mirrored(&skywave_sdp::offer(&local(), &capable()));
    let negotiated = skywave_sdp::accept_answer(&parse(&everything), &plain).unwrap();
    assert!(!negotiated.nack && !negotiated.transport_cc && negotiated.tmmbr);
    let negotiated = skywave_sdp::accept_answer(&parse(&everything), &capable()).unwrap();
    assert!(negotiated.nack && negotiated.transport_cc && negotiated.rcvr_rtt);
}
