//! Calls from aiortc over WHEP: what arrives, and how it ends.

use std::time::Duration;

use skywave_tests::{AiortcPeer, Report, Server, Session};

#[test]
fn opus_is_heard_at_its_pitch() {
    assert_heard("opus", 48_000, 960);
}

#[test]
fn pcmu_is_heard_at_its_pitch() {
    let report = assert_heard("PCMU", 8_000, 160);
    assert_eq!(report.rtp.payload_types, [0]);
}

#[test]
fn pcma_is_heard_at_its_pitch() {
    let report = assert_heard("PCMA", 8_000, 160);
    assert_eq!(report.rtp.payload_types, [8]);
}

#[test]
fn a_file_is_heard_at_its_pitch_over_and_over() {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../crates/skywave-audio/testdata/mono_22k05.mp3"
    );
    let server = Server::start(file);
    let (mut peer, _) = call(&server, "opus");
    // The file lasts half a second.
    peer.tone(1.5);
    hear(&mut peer, 440.0);
}

#[test]
fn raw_audio_from_standard_input_is_heard_at_its_pitch() {
    let mut server = Server::start("-");
    // Half a minute of both channels in 16 bits, at the pace the program reads.
    let sample = |n: u32| (f64::from(n) * 660.0 * std::f64::consts::TAU / 48_000.0).sin();
    let octets = |n| [((sample(n) * 8_000.0) as i16).to_le_bytes(); 2].concat();
    server.feed((0..30 * 48_000).flat_map(octets).collect());
    let (mut peer, _) = call(&server, "opus");
    hear(&mut peer, 660.0);
    assert_contiguous(&server, &peer.report(), 960);
}

#[test]
fn the_built_in_melody_is_heard() {
    let server = Server::start("melody");
    let (mut peer, _) = call(&server, "opus");
    let heard = peer.tone(1.0);
    assert!(heard.level.is_some_and(|level| level > -40.0), "{heard:?}");
    // From the lowest to the highest string, an octave of harmonics above it.
    assert!((60.0..2000.0).contains(&heard.frequency), "{heard:?}");
}

#[test]
fn a_swap_leaves_no_seam_in_the_rtp_stream() {
    let server = Server::start("tone:440");
    let (mut peer, _) = call(&server, "opus");
    peer.tone(0.3);
    let before = peer.report().rtp.packets;

    let (status, body) = server.put_source("tone:880");
    assert_eq!((status, &body["source"]), (200, &"tone:880".into()));
    hear(&mut peer, 880.0);

    let report = peer.report();
    assert!(report.rtp.packets > before);
    assert_contiguous(&server, &report, 960);
}

#[test]
fn a_source_that_cannot_be_opened_leaves_the_old_one_playing() {
    let server = Server::start("tone:440");
    let (mut peer, _) = call(&server, "opus");
    let (status, problem) = server.put_source("/nowhere/missing.wav");
    assert_eq!(status, 422, "{problem}");
    assert!(problem["detail"].is_string(), "{problem}");
    peer.tone(0.3);
    hear(&mut peer, 440.0);
}

#[test]
fn no_packet_carries_a_marker_because_silence_is_sent() {
    let server = Server::start("tone:440");
    let (mut peer, _) = call(&server, "opus");
    peer.tone(0.5);
    // RFC 3551 section 4.1: without silence suppression the marker is 0.
    assert_eq!(peer.report().rtp.markers, Vec::<u16>::new());
}

#[test]
fn sender_reports_count_what_was_sent_and_follow_the_clock() {
    let server = Server::start("tone:440");
    let (mut peer, _) = call(&server, "opus");
    let report = peer.report_when(PATIENCE, |report| report.rtcp.sender_reports.len() >= 2);
    assert_eq!(report.rtcp.malformed, 0);
    assert_eq!(report.rtcp.cnames.len(), 1);
    for sr in &report.rtcp.sender_reports {
        assert_eq!([sr.ssrc], *report.rtp.ssrcs);
        assert_eq!(sr.packets, sr.received_packets, "{sr:#?}");
        assert_eq!(sr.octets, sr.received_octets, "{sr:#?}");
        assert!((sr.ntp_time - sr.arrival_time).abs() < 2.0, "{sr:#?}");
    }
    let [first, .., last] = report.rtcp.sender_reports.as_slice() else {
        panic!("two reports were waited for");
    };
    let ticks = f64::from(last.rtp_timestamp.wrapping_sub(first.rtp_timestamp));
    let elapsed = last.ntp_time - first.ntp_time;
    // RFC 3550 section 6.4.1: both clocks name the same instant, to the millisecond.
    assert!(
        (ticks / 48_000.0 - elapsed).abs() < 0.002,
        "{first:#?} {last:#?}"
    );
}

#[test]
fn every_compound_begins_with_a_report_and_names_its_source() {
    let server = Server::start("tone:440");
    let (mut peer, session) = call(&server, "opus");
    peer.report_when(PATIENCE, |report| !report.rtcp.sender_reports.is_empty());
    server.delete(&session.location);
    let report = peer.report_when(PATIENCE, |report| !report.rtcp.byes.is_empty());
    for compound in &report.rtcp.compounds {
        // RFC 3550 section 6.1, also where the only news is a BYE.
        assert!(matches!(compound.first(), Some(200 | 201)), "{compound:?}");
        assert!(compound.contains(&202), "{compound:?}");
    }
}

#[test]
fn deleting_the_session_hangs_up() {
    let server = Server::start("tone:440");
    let (mut peer, session) = call(&server, "opus");
    hear(&mut peer, 440.0);
    assert_eq!(server.delete(&session.location), 200);
    assert_hung_up(&mut peer);
    assert_eq!(server.delete(&session.location), 404);
}

#[test]
fn an_interrupt_hangs_up_every_listener_and_ends_in_time() {
    let server = Server::start("tone:440");
    let (mut opus, _) = call(&server, "opus");
    let (mut pcmu, _) = call(&server, "PCMU");
    hear(&mut opus, 440.0);
    hear(&mut pcmu, 440.0);
    let (code, duration) = server.interrupt();
    assert_eq!(code, Some(0));
    assert!(duration < Duration::from_secs(6), "{duration:?}");
    assert_hung_up(&mut opus);
    assert_hung_up(&mut pcmu);
}

#[test]
fn statistics_count_the_listeners() {
    let server = Server::start("tone:440");
    let (mut peer, session) = call(&server, "opus");
    hear(&mut peer, 440.0);
    let stats = server.stats();
    assert_eq!(stats["source"], "tone:440");
    assert_eq!(stats["listeners"].as_array().map(Vec::len), Some(1));
    server.delete(&session.location);
    peer.report_when(PATIENCE, |report| report.close_notify);
    assert_eq!(
        server.stats()["listeners"].as_array().map(Vec::len),
        Some(0)
    );
}

#[test]
fn the_driver_answers_offers_and_sees_a_close_notify() {
    let mut offerer = AiortcPeer::spawn();
    let mut answerer = AiortcPeer::spawn();
    let offer = offerer.create_offer_with_direction(&["opus", "PCMU"], "sendrecv");
    let answer = answerer.accept_offer(&offer, &["PCMU"]);
    assert!(answer.contains("a=recvonly"), "{answer}");
    assert!(!answer.contains("opus"), "{answer}");
    offerer.accept_answer(&answer);
    offerer.report_when(PATIENCE, |report| report.connection_state == "connected");
    answerer.close();
    offerer.report_when(PATIENCE, |report| report.close_notify);
}

/// A peer that listens with one codec, connected.
fn call(server: &Server, codec: &str) -> (AiortcPeer, Session) {
    let mut peer = AiortcPeer::spawn();
    let offer = peer.create_offer(&[codec]);
    let session = server.whep(&offer);
    peer.accept_answer(&session.answer);
    peer.report_when(PATIENCE, |report| {
        report.connection_state == "connected" && report.rtp.packets > 0
    });
    (peer, session)
}

fn assert_heard(codec: &str, sample_rate: u32, step: u32) -> Report {
    let server = Server::start("tone:440");
    let (mut peer, session) = call(&server, codec);
    hear(&mut peer, 440.0);
    let tone = peer.tone(0.5);
    assert_eq!(tone.sample_rate, sample_rate);
    assert!(tone.purity > 0.95, "{tone:?}");
    let report = peer.report();
    assert_contiguous(&server, &report, step);
    let mid = session
        .answer
        .lines()
        .find_map(|l| l.strip_prefix("a=mid:"));
    assert_eq!(
        report.rtp.mids,
        [mid.expect("the answer names its section")]
    );
    report
}

/// Measures until the tone is there: what was decoded ahead may still be the old one.
fn hear(peer: &mut AiortcPeer, hertz: f64) {
    let mut heard = Vec::new();
    for _ in 0..40 {
        let tone = peer.tone(0.25);
        if (tone.frequency / hertz - 1.0).abs() < 0.02 {
            return;
        }
        heard.push(tone);
    }
    panic!("no {hertz} Hz: {heard:#?}");
}

/// No number is left out, and no time but that of the frames a busy server says it had to leave out.
fn assert_contiguous(server: &Server, report: &Report, step: u32) {
    let rtp = &report.rtp;
    assert_eq!((&rtp.gaps[..], &rtp.repeats[..]), (&[][..], &[][..]));
    let missing = rtp.frames_left_out(step);
    let left_out = server.frames_left_out();
    assert!(
        missing.is_some_and(|frames| frames <= left_out),
        "{left_out}: {rtp:#?}"
    );
    assert_eq!((rtp.ssrcs.len(), rtp.malformed), (1, 0));
}

fn assert_hung_up(peer: &mut AiortcPeer) {
    let report = peer.report_when(PATIENCE, |report| report.close_notify);
    assert_eq!(report.dtls_state, "closed");
    let [bye] = report.rtcp.byes.as_slice() else {
        panic!("one BYE: {:#?}", report.rtcp);
    };
    assert_eq!(bye.sources, report.rtp.ssrcs);
}

/// For what happens at once, on a machine that is busy with something else.
const PATIENCE: Duration = Duration::from_secs(60);
