//! A pause of G.711 that is filled with comfort noise (RFC 3389) for Chromium, and left empty for
//! Firefox, aiortc and GStreamer, which do not take it.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use skywave::{AudioCodec, AudioTransmitter, Config, Silence, SilencePolicy, Tone};
use skywave_tests::{AiortcPeer, Browser, BrowserKind, GstreamerPeer, turn};

#[test]
fn chromium_fills_a_pause_with_noise_and_hears_what_comes_after_it() {
    let _turn = turn();
    let mut transmitter = transmitter();
    let (mut browser, answer) = call(&mut transmitter);
    assert!(answer.contains("a=rtpmap:13 CN/8000\r\n"), "{answer}");

    transmitter.replace_audio_source(Silence);
    // The end of the tone is in the first of these, as statistics come late; the next four seconds
    // are nothing but the pause.
    play_for(&mut browser, 3);
    let before = inbound(&mut browser);
    play_for(&mut browser, 4);
    let after = inbound(&mut browser);
    println!(
        "{}: {NAMES:?} {before:?}, then {after:?}",
        browser.version()
    );
    let packets = after[PACKETS] - before[PACKETS];
    // One in 400 ms: without comfort noise there would be none, and without a pause 200.
    assert!((5.0..=20.0).contains(&packets), "{packets} packets");
    // What comfort noise fills is not concealed.
    let concealed = after[CONCEALED] - before[CONCEALED];
    assert!(concealed < 9_600.0, "{concealed} samples");
    assert_eq!(after[LOST], before[LOST]);
    assert_eq!(after[DISCARDED], before[DISCARDED]);

    transmitter.replace_audio_source(tone(880.0));
    browser.evaluate("probe.settles(880, 20000)");
    browser.close();
}

#[test]
fn firefox_refuses_noise_is_sent_nothing_and_hears_what_comes_after_it() {
    let _turn = turn();
    let mut transmitter = transmitter();
    let mut browser = ready(BrowserKind::Firefox);
    let offer = Value::from(offer_of_noise(&mut transmitter));
    let answer = browser.evaluate(&format!("probe.answer({offer})"));
    let answer = answer.as_str().expect("an answer");
    assert_refused(answer);
    transmitter.accept_answer(answer).expect("its answer");
    hear(&mut browser);
    // What it set up, whatever it says.
    let codecs = "probe.pc.getStats().then((all) => [...all.values()].filter((entry) => \
                  entry.type === 'codec').map((entry) => entry.mimeType))";
    assert_eq!(browser.evaluate(codecs), json!(["audio/PCMU"]));

    transmitter.replace_audio_source(Silence);
    play_for(&mut browser, 2);
    let (sent, received) = counts(&transmitter, &mut browser);
    play_for(&mut browser, 2);
    assert_eq!(counts(&transmitter, &mut browser), (sent, received));

    transmitter.replace_audio_source(tone(880.0));
    browser.evaluate("probe.settles(880, 20000)");
    transmitter.replace_audio_source(Silence);
    play_for(&mut browser, 2);
    // From pause to pause: the first packets may come before the browser is ready for them.
    let (sent_later, received_later) = counts(&transmitter, &mut browser);
    let all = inbound(&mut browser);
    println!("{}: {NAMES:?} {all:?}", browser.version());
    assert!(sent_later > sent);
    assert_eq!(received_later - received, (sent_later - sent) as f64);
    browser.close();
}

#[test]
fn aiortc_refuses_noise_is_sent_nothing_and_hears_what_comes_after_it() {
    let _turn = turn();
    let mut transmitter = transmitter();
    let mut peer = AiortcPeer::spawn();
    let answer = peer.accept_offer(&offer_of_noise(&mut transmitter), &["PCMU"]);
    assert_refused(&answer);
    transmitter.accept_answer(&answer).expect("its answer");
    assert!((peer.tone(0.5).frequency - 440.0).abs() < 5.0);

    pause(&transmitter);
    let before = peer.report().rtp;
    transmitter.replace_audio_source(tone(880.0));
    // What its jitter buffer kept from before the pause comes first.
    peer.tone(0.2);
    let heard = peer.tone(0.5);
    assert!((heard.frequency - 880.0).abs() < 5.0, "{heard:?}");
    assert!(heard.purity > 0.95, "{heard:?}");

    let after = peer.report().rtp;
    assert_eq!(after.payload_types, [0]);
    assert_eq!(after.gaps, []);
    // RFC 3551 §4.1: the first packet after silence, and the time went on meanwhile.
    let resumed = before.last.expect("packets").0.wrapping_add(1);
    assert!(after.markers.contains(&resumed), "{:?}", after.markers);
    let left_out = after.frames_left_out(160);
    assert!(left_out.is_some_and(|frames| frames >= 100), "{left_out:?}");
    peer.close();
}

#[test]
fn gstreamer_refuses_noise_is_sent_nothing_and_hears_what_comes_after_it() {
    let _turn = turn();
    let mut transmitter = transmitter();
    let (peer, answer) = GstreamerPeer::answering(&offer_of_noise(&mut transmitter));
    assert_refused(&answer);
    transmitter.accept_answer(&answer).expect("its answer");
    until_recorded(&peer, 440.0);
    pause(&transmitter);
    transmitter.replace_audio_source(tone(880.0));
    until_recorded(&peer, 880.0);
    peer.close();
}

fn offer_of_noise(transmitter: &mut AudioTransmitter) -> String {
    let offer = transmitter.create_offer().expect("an offer");
    assert!(offer.contains("a=rtpmap:13 CN/8000\r\n"), "{offer}");
    offer
}

/// The answer takes PCMU and no comfort noise.
fn assert_refused(answer: &str) {
    let takes = |format: &str| answer.lines().any(|line| line.contains(format));
    assert!(takes("PCMU/8000"), "{answer}");
    assert!(!takes("CN/8000"), "{answer}");
    let media = answer.lines().find(|line| line.starts_with("m=audio "));
    let formats: Vec<&str> = media.expect("audio").split(' ').skip(3).collect();
    assert!(!formats.contains(&"13"), "{answer}");
}

/// Two seconds of silence, of which nothing is sent but the end of the tone.
fn pause(transmitter: &AudioTransmitter) {
    let sent = || transmitter.transmission_stats().packets_sent;
    transmitter.replace_audio_source(Silence);
    thread::sleep(Duration::from_secs(1));
    let before = sent();
    thread::sleep(Duration::from_secs(2));
    assert_eq!(sent(), before);
}

/// Waits until the last second that was decoded is a tone of so many hertz.
fn until_recorded(peer: &GstreamerPeer, frequency: f64) {
    let end = Instant::now() + PATIENCE;
    loop {
        let recording = peer.recording();
        let share = recording.share_at(frequency);
        if recording.samples.len() > 8_000 && share > 0.95 {
            return;
        }
        assert!(Instant::now() < end, "{frequency} Hz: {share}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Packets sent and received.
fn counts(transmitter: &AudioTransmitter, browser: &mut Browser) -> (u64, f64) {
    let sent = transmitter.transmission_stats().packets_sent;
    (sent, inbound(browser)[PACKETS])
}

/// Chromium offers, and hears the tone. Gives the answer too.
fn call(transmitter: &mut AudioTransmitter) -> (Browser, String) {
    let mut browser = ready(BrowserKind::Chromium);
    let offer = browser.evaluate("probe.offer()");
    let offer = offer.as_str().expect("an offer");
    let answer = transmitter.accept_offer(offer).expect("Chromium's offer");
    browser.evaluate(&format!("probe.accept({})", Value::from(&*answer)));
    hear(&mut browser);
    (browser, answer)
}

/// A browser whose page may play sound.
fn ready(kind: BrowserKind) -> Browser {
    let mut browser = Browser::start(kind);
    browser.evaluate("document.body.append(document.createElement('button'))");
    browser.install_probe();
    browser.click("button");
    browser
}

/// Waits until it hears the tone.
fn hear(browser: &mut Browser) {
    browser.evaluate_until("probe.pc.connectionState === 'connected'", PATIENCE);
    browser.evaluate("probe.listen(probe.pc)");
    browser.evaluate("probe.settles(440, 20000)");
}

/// Lets so many seconds pass in the browser. There is no counter to wait for: what noise fills is
/// not counted as received.
fn play_for(browser: &mut Browser, seconds: u32) {
    let wait = format!("new Promise((resolve) => setTimeout(resolve, {seconds}000, true))");
    browser.evaluate(&wait);
}

fn transmitter() -> AudioTransmitter {
    let mut config = Config::default();
    config.track.codecs = vec![AudioCodec::Pcmu];
    config.track.silence = SilencePolicy::Stop;
    let transmitter = AudioTransmitter::new(config).expect("a media port");
    transmitter.start_transmission(tone(440.0));
    transmitter
}

fn tone(frequency: f64) -> Tone {
    Tone::new(frequency).expect("an audible tone")
}

/// What the browser says of the stream, by [`NAMES`].
fn inbound(browser: &mut Browser) -> Vec<f64> {
    let stats = browser.evaluate("probe.stats(probe.pc)");
    let value = |name: &str| stats["inbound"][name].as_f64().unwrap_or(0.0);
    NAMES.map(value).to_vec()
}

const NAMES: [&str; 5] = [
    "packetsReceived",
    "packetsLost",
    "packetsDiscarded",
    "concealedSamples",
    "silentConcealedSamples",
];
const PACKETS: usize = 0;
const LOST: usize = 1;
const DISCARDED: usize = 2;
const CONCEALED: usize = 3;

/// Nothing that this test waits for takes longer on any machine that works.
const PATIENCE: Duration = Duration::from_secs(30);
