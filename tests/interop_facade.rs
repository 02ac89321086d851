//! `AudioTransmitter` in this process, aiortc at the other end: the ways of negotiating that WHEP
//! does not use, and statistics held against what arrived.

use std::time::Duration;

use skywave::{
    AudioCodec, AudioTransmitter, Config, Error, RemoteInboundRtpStats, RtpConfig, SpeechEvent,
    SpeechQueue, SpeechQueueConfig, Stats, Tone, TransmitterState,
};
use skywave_tests::{AiortcPeer, Recording, Relay, Report, RtcpReport};
use tokio::runtime::Runtime;

#[test]
fn aiortc_answers_our_offer_and_hears_a_swap() {
    let (mut transmitter, mut peer) = (transmitter(AudioCodec::Opus), AiortcPeer::spawn());
    offer(&mut transmitter, &mut peer, "opus");
    hear(&mut peer, 440.0);
    transmitter.replace_audio_source(tone(880.0));
    hear(&mut peer, 880.0);
    assert_unbroken(&transmitter, &peer.report(), 960);
}

#[test]
fn aiortc_answers_our_offer_with_g711() {
    for (codec, name) in [(AudioCodec::Pcmu, "PCMU"), (AudioCodec::Pcma, "PCMA")] {
        let (mut transmitter, mut peer) = (transmitter(codec), AiortcPeer::spawn());
        offer(&mut transmitter, &mut peer, name);
        hear(&mut peer, 440.0);
        assert_unbroken(&transmitter, &peer.report(), 160);
    }
}

#[test]
fn aiortc_that_could_send_too_is_answered_and_only_listens() {
    let (mut transmitter, mut peer) = (transmitter(AudioCodec::Opus), AiortcPeer::spawn());
    let offer = peer.create_offer_with_direction(&["opus"], "sendrecv");
    let answer = transmitter
        .accept_offer(&offer)
        .expect("sendrecv includes recvonly");
    assert!(answer.contains("a=sendonly"));
    peer.accept_answer(&answer);
    wait_connected(&transmitter).expect("connected");
    hear(&mut peer, 440.0);
}

#[test]
fn aiortc_hears_us_with_everything_switched_on_whoever_offers() {
    for encrypted_headers in [true, false] {
        let rtp = RtpConfig {
            abs_send_time: true,
            abs_capture_time: true,
            transport_cc: true,
            encrypted_headers,
            redundancy: 2,
            ..RtpConfig::default()
        };
        for way in [offer, answer] {
            let (mut transmitter, mut peer) =
                (transmitter_with(AudioCodec::Opus, rtp), AiortcPeer::spawn());
            way(&mut transmitter, &mut peer, "opus");
            hear(&mut peer, 440.0);
            assert_unbroken(&transmitter, &peer.report(), 960);
        }
    }
}

#[test]
fn aiortc_hears_interrupted_speech_fall_silent_without_a_click() {
    // The tone's own steps are 0.5 % of full scale at 48 kHz and 3 % at 8 kHz, those of mu-law 1.6 %,
    // and the fade adds half as much; a cut at its peaks would be 37 %.
    for (codec, name, largest) in [
        (AudioCodec::Opus, "opus", 0.015),
        (AudioCodec::Pcmu, "PCMU", 0.09),
    ] {
        let (mut transmitter, mut peer) = (transmitter(codec), AiortcPeer::spawn());
        let (queue, source) = SpeechQueue::new(&SpeechQueueConfig::default());
        transmitter.replace_audio_source(source);
        offer(&mut transmitter, &mut peer, name);
        peer.report_when(PATIENCE, |report| report.decoded_frames > 10);
        peer.record(3.0);
        let (sent, before) = runtime().block_on(interrupt(&queue));
        assert!(sent <= before + 960 + 240, "{sent} after {before}");

        let recording = peer.recorded();
        let loud = loud_milliseconds(&recording);
        let (first, last) = (loud[0], loud[loud.len() - 1]);
        let heard = (last + 10 - first) as f64;
        let expected = sent as f64 / 48.0;
        assert!(
            (heard - expected).abs() <= 20.0,
            "{heard} ms, not {expected}"
        );
        assert!(last < 2_500, "{name}: no silence behind it");
        let step = largest_step(&recording);
        assert!(step < largest, "{name}: {step}");
    }
}

/// Speaks, a low tone, and is interrupted in the middle. Gives how many samples were sent of it,
/// and how many had been at that moment.
async fn interrupt(queue: &SpeechQueue) -> (u64, u64) {
    let step = std::f64::consts::TAU * 100.0 / 24_000.0;
    // It swells, and is at a peak wherever a packet begins: there it is taken back.
    let swell = |n| (f64::from(n) / 240.0).min(1.0);
    let speech: Vec<i16> = (0..24_000 * 30)
        .map(|n| (12_000.0 * swell(n) * (step * f64::from(n)).cos()) as i16)
        .collect();
    let pushed = queue.push(&speech[..], 24_000, 1).await;
    pushed.expect("there is room");
    while queue.position().sent < 48_000 {
        tokio::time::sleep(Duration::from_millis(7)).await;
    }
    let before = queue.position().sent;
    queue.clear();
    loop {
        match queue.next_event().await {
            Some(SpeechEvent::Interrupted { sent, .. }) => return (sent, before),
            Some(_) => {}
            None => panic!("the source is gone"),
        }
    }
}

/// Where pieces of 10 ms begin that can be heard.
fn loud_milliseconds(recording: &Recording) -> Vec<usize> {
    let piece = recording.sample_rate as usize / 100;
    let loud = |samples: &[i16]| samples.iter().any(|sample| sample.unsigned_abs() > 2_000);
    let pieces = recording.samples.chunks(piece).enumerate();
    let loud: Vec<usize> = pieces
        .filter(|(_, samples)| loud(samples))
        .map(|(number, _)| 10 * number)
        .collect();
    assert!(!loud.is_empty(), "silence");
    loud
}

/// Between two samples, as a share of full scale.
fn largest_step(recording: &Recording) -> f64 {
    let pairs = recording.samples.windows(2);
    let largest = pairs.map(|pair| pair[1].abs_diff(pair[0])).max();
    f64::from(largest.unwrap_or_default()) / 32_768.0
}

#[test]
fn statistics_match_what_aiortc_received() {
    let (mut transmitter, mut peer) = (transmitter(AudioCodec::Opus), AiortcPeer::spawn());
    offer(&mut transmitter, &mut peer, "opus");
    let report = peer.report_when(PATIENCE, |report| {
        let reported = transmitter.transmission_stats().reports_received > 0;
        reported && !report.rtcp.sender_reports.is_empty()
    });
    assert!(report.rtp.packets > 0);
    runtime().block_on(transmitter.close());
    let report = peer.report_when(PATIENCE, |report| !report.rtcp.byes.is_empty());
    let stats = transmitter.transmission_stats();
    assert_eq!(stats.state, TransmitterState::Closed);
    assert_eq!(stats.packets_sent, report.rtp.packets);
    assert_eq!(stats.bytes_sent, report.rtp.payload_octets);
    assert_eq!(report.rtp.ssrcs, [stats.ssrc]);
    assert_eq!(
        stats.rtcp_packets_sent as usize,
        report.rtcp.compounds.len()
    );
    for object in transmitter.stats_report().iter() {
        match object {
            Stats::OutboundRtp(sent) => {
                assert_eq!(sent.packets_sent, report.rtp.packets);
                assert_eq!(sent.bytes_sent, report.rtp.payload_octets);
            }
            // What it reported last was true then.
            Stats::RemoteInboundRtp(received) => {
                assert_eq!(received.packets_lost, 0);
                let packets = received.packets_received.expect("under the first SSRC");
                assert!((1..=report.rtp.packets).contains(&packets), "{packets}");
                assert!((0.0..0.5).contains(&received.jitter), "{}", received.jitter);
            }
            _ => {}
        }
    }
}

#[test]
fn loss_jitter_and_round_trip_are_told_as_aiortc_reported_them() {
    let (mut transmitter, mut peer) = (transmitter(AudioCodec::Opus), AiortcPeer::spawn());
    let offer = transmitter.create_offer().expect("an offer");
    let relay = Relay::start(&offer);
    let answer = peer.accept_offer(&relay.redirect(&offer), &["opus"]);
    transmitter.accept_answer(&answer).expect("aiortc's answer");
    wait_connected(&transmitter).expect("connected");
    relay.lose_every(5);

    let mut last = 0.0;
    for _ in 0..3 {
        let is_new = |told: RemoteInboundRtpStats| {
            let complete = told.fraction_lost > 0.0 && told.round_trip_time.is_some();
            complete && told.timestamp > last
        };
        peer.report_when(PATIENCE, |_| {
            remote_inbound(&transmitter).is_some_and(is_new)
        });
        let told = remote_inbound(&transmitter).expect("it was waited for");
        assert_told_as_reported(&told, &peer.report().rtcp);
        last = told.timestamp;
    }
}

/// Of the last report that arrived.
fn remote_inbound(transmitter: &AudioTransmitter) -> Option<RemoteInboundRtpStats> {
    let report = transmitter.stats_report();
    report.iter().find_map(|object| match object {
        Stats::RemoteInboundRtp(remote) => Some(remote.clone()),
        _ => None,
    })
}

fn assert_told_as_reported(told: &RemoteInboundRtpStats, rtcp: &RtcpReport) {
    let mut about_us = rtcp.receiver_reports.iter();
    let reported = about_us.rfind(|block| {
        let fraction = f64::from(block.fraction_lost) / 256.0;
        let jitter = f64::from(block.jitter) / 48_000.0;
        block.ssrc == told.ssrc
            && block.packets_lost == told.packets_lost
            && (fraction - told.fraction_lost).abs() < 1e-6
            && (jitter - told.jitter).abs() < 1e-6
    });
    let reported = reported.unwrap_or_else(|| panic!("{told:#?} {rtcp:#?}"));
    let mut sent = rtcp.sender_reports.iter();
    let answered = sent.rfind(|sr| (middle(sr.ntp_time) - i64::from(reported.last_sr)).abs() <= 1);
    let answered = answered.expect("it names a sender report of ours");

    let [arrived, delay] = [
        told.timestamp / 1_000.0,
        f64::from(reported.delay_since_last_sr) / 65_536.0,
    ];
    // RFC 3550 section 6.4.1, in ticks of 15 us and milliseconds of the timestamp.
    let round_trip = told.round_trip_time.expect("it was waited for");
    let expected = arrived - answered.ntp_time - delay;
    assert!(
        round_trip > 0.0 && (round_trip - expected).abs() < 0.002,
        "{round_trip}, not {expected}: {told:#?} {reported:#?} {answered:#?}"
    );
    // No shorter than both ways, as the wall clocks of two processes have them.
    let ways = answered.arrival_time - answered.ntp_time + arrived - reported.sent_time;
    assert!(round_trip > ways - 0.01, "{round_trip}, not {ways}");
}

/// The middle 32 of the 64 bits of an NTP time (RFC 3550 section 4).
fn middle(unix: f64) -> i64 {
    let ticks = (unix + 2_208_988_800.0) * 65_536.0;
    ticks as i64 & 0xffff_ffff
}

#[test]
fn aiortc_with_another_certificate_than_its_answer_says_hears_nothing() {
    let (mut transmitter, mut peer) = (transmitter(AudioCodec::Opus), AiortcPeer::spawn());
    let offer = transmitter.create_offer().expect("an offer");
    let answer = peer.accept_offer(&offer, &["opus"]);
    let forged: Vec<String> = answer
        .lines()
        .map(|line| match line.strip_prefix("a=fingerprint:") {
            Some(fingerprint) => format!("a=fingerprint:{}", rotate(fingerprint)),
            None => line.to_owned(),
        })
        .collect();
    transmitter
        .accept_answer(&forged.join("\r\n"))
        .expect("sound SDP");
    let outcome = wait_connected(&transmitter);
    assert!(matches!(outcome, Err(Error::Failed(_))), "{outcome:?}");
    assert_eq!(transmitter.transmission_stats().packets_sent, 0);
    assert_eq!(peer.report().rtp.packets, 0);
}

/// Another digest of the same length: the first byte goes to the end.
fn rotate(fingerprint: &str) -> String {
    let (algorithm, digest) = fingerprint.split_once(' ').expect("algorithm and digest");
    let (first, rest) = digest.trim_end().split_once(':').expect("many bytes");
    format!("{algorithm} {rest}:{first}")
}

fn transmitter(codec: AudioCodec) -> AudioTransmitter {
    transmitter_with(codec, RtpConfig::default())
}

fn transmitter_with(codec: AudioCodec, rtp: RtpConfig) -> AudioTransmitter {
    let mut config = Config::default();
    config.track.codecs = vec![codec];
    config.track.rtp = rtp;
    let transmitter = AudioTransmitter::new(config).expect("a media port");
    transmitter.start_transmission(tone(440.0));
    transmitter
}

fn tone(frequency: f64) -> Tone {
    Tone::new(frequency).expect("an audible tone")
}

fn offer(transmitter: &mut AudioTransmitter, peer: &mut AiortcPeer, codec: &str) {
    let offer = transmitter.create_offer().expect("an offer");
    let answer = peer.accept_offer(&offer, &[codec]);
    transmitter.accept_answer(&answer).expect("aiortc's answer");
    wait_connected(transmitter).expect("connected");
}

fn answer(transmitter: &mut AudioTransmitter, peer: &mut AiortcPeer, codec: &str) {
    let offer = peer.create_offer(&[codec]);
    let answer = transmitter.accept_offer(&offer).expect("aiortc's offer");
    peer.accept_answer(&answer);
    wait_connected(transmitter).expect("connected");
}

fn wait_connected(transmitter: &AudioTransmitter) -> Result<(), Error> {
    let wait = async { tokio::time::timeout(PATIENCE, transmitter.connected()).await };
    runtime().block_on(wait).expect("settled in time")
}

fn runtime() -> Runtime {
    Runtime::new().expect("a runtime")
}

/// Waits until the tone is heard: what was played before may still be in aiortc's jitter buffer.
fn hear(peer: &mut AiortcPeer, expected: f64) {
    for _ in 0..30 {
        let heard = peer.tone(0.5);
        if (heard.frequency / expected - 1.0).abs() < 0.02 && heard.purity > 0.9 {
            return;
        }
    }
    panic!("{expected} Hz is not heard: {:?}", peer.tone(0.5));
}

/// No number is left out, and no time but that of the frames a busy machine had to leave out.
fn assert_unbroken(transmitter: &AudioTransmitter, report: &Report, step: u32) {
    assert_eq!(report.rtp.ssrcs.len(), 1);
    assert_eq!(report.rtp.gaps, []);
    assert_eq!(report.rtp.repeats, Vec::<u16>::new());
    assert_eq!(report.rtp.markers, Vec::<u16>::new());
    assert_eq!(report.rtp.mids, ["0"]);
    let stats = transmitter.track().stats();
    let left_out = stats.frames_skipped + stats.frames_dropped;
    let missing = report.rtp.frames_left_out(step);
    assert!(
        missing.is_some_and(|frames| frames <= left_out),
        "{report:#?}"
    );
}

const PATIENCE: Duration = Duration::from_secs(60);
