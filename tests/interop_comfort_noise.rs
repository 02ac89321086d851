//! A pause of G.711 that is filled with comfort noise (RFC 3389), heard by browsers.
#![expect(
    clippy::disallowed_types,
    reason = "browsers take turns; no media thread waits here"
)]

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use skywave::{AudioCodec, AudioTransmitter, Config, Silence, SilencePolicy, Tone};
use skywave_tests::{Browser, BrowserKind};

#[test]
fn chromium_fills_a_pause_with_noise_and_hears_what_comes_after_it() {
    let _turn = turn();
    let mut transmitter = transmitter();
    let (mut browser, answer) = call(&mut transmitter, BrowserKind::Chromium);
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
fn firefox_does_not_take_noise_is_sent_nothing_and_hears_what_comes_after_it() {
    let _turn = turn();
    let mut transmitter = transmitter();
    let (mut browser, answer) = call(&mut transmitter, BrowserKind::Firefox);
    assert!(!answer.contains("CN/8000"), "{answer}");

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

/// Packets sent and received.
fn counts(transmitter: &AudioTransmitter, browser: &mut Browser) -> (u64, f64) {
    let sent = transmitter.transmission_stats().packets_sent;
    (sent, inbound(browser)[PACKETS])
}

/// The browser offers, and hears the tone. Gives the answer too.
fn call(transmitter: &mut AudioTransmitter, kind: BrowserKind) -> (Browser, String) {
    let mut browser = Browser::start(kind);
    browser.evaluate("document.body.append(document.createElement('button'))");
    browser.install_probe();
    browser.click("button");
    let offer = browser.evaluate("probe.offer()");
    let offer = offer.as_str().expect("an offer");
    let answer = transmitter
        .accept_offer(offer)
        .expect("the browser's offer");
    browser.evaluate(&format!("probe.accept({})", Value::from(&*answer)));
    browser.evaluate_until("probe.pc.connectionState === 'connected'", PATIENCE);
    browser.evaluate("probe.listen(probe.pc)");
    browser.evaluate("probe.settles(440, 20000)");
    (browser, answer)
}

/// One browser at a time.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
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
