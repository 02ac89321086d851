//! `AudioTransmitter` in this process, a browser at the other end: what goes beside audio.

use std::sync::MutexGuard;
use std::time::Duration;

use serde_json::Value;
use skywave::{AudioTransmitter, Config, RtpConfig, Tone, TransmissionStats};
use skywave_tests::{Browser, BrowserKind, Relay, turn};

#[test]
fn chromium_plays_whatever_is_configured_and_whoever_offers() {
    plays_everything(BrowserKind::Chromium);
}

#[test]
fn firefox_plays_whatever_is_configured_and_whoever_offers() {
    plays_everything(BrowserKind::Firefox);
}

#[test]
fn chromium_hears_no_seam_where_redundancy_is_switched() {
    let (_turn, mut browser) = page(BrowserKind::Chromium);
    let mut transmitter = transmitter(RtpConfig::default());
    offer(&mut transmitter, &mut browser);
    listen(&mut browser, &transmitter);
    // A busy machine may send late, which is heard too: one undisturbed go is enough.
    let undisturbed = (0..5).any(|_| {
        let before = inbound(&mut browser);
        for frames in [2, 1, 0] {
            transmitter.set_redundancy(frames).expect("agreed");
            receive(&mut browser, 20);
        }
        let after = inbound(&mut browser);
        assert_eq!(after["packetsLost"], 0, "{after:#}");
        after["concealedSamples"] == before["concealedSamples"]
    });
    assert!(undisturbed, "{:#}", inbound(&mut browser));
    browser.evaluate("probe.hears(440, 20000)");

    assert!(transmitter.transmission_stats().redundant_bytes_sent > 0);
    let stats = browser.evaluate("probe.stats(probe.pc)");
    assert_eq!(stats["codec"]["mimeType"], "audio/opus", "{stats:#}");
    // Frames that it has got already.
    assert!(
        number(&stats["inbound"]["packetsDiscarded"]) > 0.0,
        "{stats:#}"
    );
    browser.close();
}

#[test]
fn chromium_conceals_less_of_a_lossy_path_with_redundancy() {
    let (_turn, mut browser) = page(BrowserKind::Chromium);
    let mut transmitter = transmitter(WITHOUT_RETRANSMISSION);
    let relay = offer_over_relay(&mut transmitter, &mut browser);
    listen(&mut browser, &transmitter);
    let mut concealed = |frames| {
        transmitter.set_redundancy(frames).expect("agreed");
        receive(&mut browser, 25);
        relay.lose_every(10);
        let before = number(&inbound(&mut browser)["concealedSamples"]);
        receive(&mut browser, 70);
        let after = number(&inbound(&mut browser)["concealedSamples"]);
        relay.lose_every(0);
        after - before
    };
    // A tenth of it is lost each time. A busy machine may send late, which is concealed too: one
    // undisturbed go is enough.
    let undisturbed = (0..3).any(|_| {
        let [without, with] = [0, 2].map(&mut concealed);
        without > 2.0 * 960.0 && with < without / 4.0
    });
    assert!(undisturbed, "{:#}", inbound(&mut browser));
    browser.close();
}

#[test]
fn chromium_learns_when_the_audio_was_captured() {
    let (_turn, mut browser) = page(BrowserKind::Chromium);
    let mut transmitter = transmitter(EVERYTHING);
    offer(&mut transmitter, &mut browser);
    listen(&mut browser, &transmitter);
    let captured = "probe.pc.getReceivers()[0].getSynchronizationSources()[0]?.captureTimestamp";
    let captured = browser.evaluate_until(&format!("{captured} ?? null"), PATIENCE);
    let now = number(&browser.evaluate("Date.now()"));
    // In milliseconds, of NTP's era.
    let age = now - (number(&captured) - 2_208_988_800_000.0);
    assert!((-100.0..5000.0).contains(&age), "{age} ms");
    browser.close();
}

#[test]
fn rfc4733_chromium_hears_digits_and_the_audio_after_them() {
    let (_turn, mut browser) = page(BrowserKind::Chromium);
    let mut transmitter = transmitter(RtpConfig::default());
    offer(&mut transmitter, &mut browser);
    listen(&mut browser, &transmitter);
    let [duration, gap] = [1500, 70].map(Duration::from_millis);
    transmitter.insert_dtmf("1", duration, gap).expect("agreed");
    // The digit is this tone and one of 697 Hz (ITU-T Q.23).
    browser.evaluate("probe.hears(1209, 20000)");
    browser.evaluate("probe.hears(440, 20000)");
    assert_eq!(inbound(&mut browser)["packetsLost"], 0);
    browser.close();
}

#[test]
fn rfc3611_4_4_chromium_that_only_receives_measures_the_round_trip() {
    let (_turn, mut browser) = page(BrowserKind::Chromium);
    let mut transmitter = transmitter(RtpConfig::default());
    answer(&mut transmitter, &mut browser);
    listen(&mut browser, &transmitter);
    let remote = "(await probe.stats(probe.pc)).remoteOutbound";
    let measured = format!("(async () => {remote}?.roundTripTimeMeasurements > 0)()");
    // Its request goes with a report, and so does our reply.
    browser.evaluate_until(&measured, 2 * PATIENCE);
    let round_trip = browser.evaluate(&format!("(async () => {remote}.roundTripTime)()"));
    assert!(number(&round_trip) < 1.0, "{round_trip}");
    browser.close();
}

/// It asks wherever our offer lets it, without a word of it in its answer.
#[test]
fn chromium_asks_for_what_is_lost_and_gets_it() {
    let (_turn, mut browser) = page(BrowserKind::Chromium);
    for way in [offer_over_relay, answer_over_relay] {
        let mut transmitter = transmitter(RtpConfig::default());
        let relay = way(&mut transmitter, &mut browser);
        listen(&mut browser, &transmitter);
        relay.lose_every(10);
        receive(&mut browser, 100);
        relay.lose_every(0);
        receive(&mut browser, 25);
        browser.evaluate("probe.hears(440, 20000)");

        let (stats, inbound) = (transmitter.transmission_stats(), inbound(&mut browser));
        let lost = relay.lost() as f64;
        assert!(lost >= 8.0, "{lost}");
        assert!(number(&inbound["packetsLost"]) < lost / 2.0, "{inbound:#}");
        assert!(stats.nack_count > 0, "{stats:#?}");
        assert!(
            stats.retransmitted_packets_sent as f64 > lost / 2.0,
            "{stats:#?}"
        );
    }
    browser.close();
}

#[test]
fn rfc9335_chromium_that_is_ahead_of_its_time_plays_encrypted_headers() {
    let (_turn, mut browser) = page_with(BrowserKind::Chromium, &[ON_TRIAL]);
    for way in [offer_over_relay, answer_over_relay] {
        let mut transmitter = transmitter(EVERYTHING);
        let relay = way(&mut transmitter, &mut browser);
        for description in ["local", "remote"] {
            let sdp = browser.evaluate(&format!("probe.pc.{description}Description.sdp"));
            let sdp = sdp.as_str().expect("it is set");
            assert!(sdp.contains("a=cryptex\r\n"), "{sdp}");
        }
        listen(&mut browser, &transmitter);
        assert_eq!(relay.extension_profile(), 0xc0de);
        // Read from the encrypted header.
        let level = "probe.pc.getReceivers()[0].getSynchronizationSources()[0]?.audioLevel";
        browser.evaluate_until(&format!("{level} > 0.01"), PATIENCE);
    }
    browser.close();
}

fn plays_everything(kind: BrowserKind) {
    let (_turn, mut browser) = page(kind);
    for rtp in [RtpConfig::default(), EVERYTHING] {
        for way in [offer, answer] {
            let mut transmitter = transmitter(rtp);
            way(&mut transmitter, &mut browser);
            listen(&mut browser, &transmitter);
            let stats = browser.evaluate("probe.stats(probe.pc)");
            assert_eq!(stats["inbound"]["packetsLost"], 0, "{stats:#}");
            let redundant = transmitter.transmission_stats().redundant_bytes_sent > 0;
            assert_eq!(redundant, takes_redundancy(kind) && rtp.redundancy > 0);
        }
    }
    let mut transmitter = transmitter(EVERYTHING);
    offer(&mut transmitter, &mut browser);
    listen(&mut browser, &transmitter);
    let stats = await_report(&mut browser, &transmitter);
    assert_eq!(stats.packets_lost, 0, "{stats:#?}");
    browser.close();
}

/// Firefox (153) knows no RED for audio.
fn takes_redundancy(kind: BrowserKind) -> bool {
    kind != BrowserKind::Firefox
}

/// A page that may play sound, with the others kept waiting.
fn page(kind: BrowserKind) -> (MutexGuard<'static, ()>, Browser) {
    page_with(kind, &[])
}

fn page_with(kind: BrowserKind, flags: &[&str]) -> (MutexGuard<'static, ()>, Browser) {
    let turn = turn();
    let mut browser = Browser::start_with(kind, flags);
    browser.evaluate("document.body.append(document.createElement('button'))");
    browser.install_probe();
    browser.click("button");
    (turn, browser)
}

fn transmitter(rtp: RtpConfig) -> AudioTransmitter {
    let mut config = Config::default();
    config.track.rtp = rtp;
    let transmitter = AudioTransmitter::new(config).expect("a media port");
    transmitter.start_transmission(Tone::new(440.0).expect("an audible tone"));
    transmitter
}

/// The transmitter offers.
fn offer(transmitter: &mut AudioTransmitter, browser: &mut Browser) {
    let offer = transmitter.create_offer().expect("an offer");
    let answer = answer_of(browser, &offer);
    transmitter
        .accept_answer(&answer)
        .expect("the browser's answer");
}

fn offer_over_relay(transmitter: &mut AudioTransmitter, browser: &mut Browser) -> Relay {
    let offer = transmitter.create_offer().expect("an offer");
    let relay = Relay::start(&offer);
    let answer = answer_of(browser, &relay.redirect(&offer));
    transmitter
        .accept_answer(&answer)
        .expect("the browser's answer");
    relay
}

fn answer_of(browser: &mut Browser, offer: &str) -> String {
    text(&browser.evaluate(&format!("probe.answer({})", Value::from(offer))))
}

/// The browser offers.
fn answer(transmitter: &mut AudioTransmitter, browser: &mut Browser) {
    let answer = answer_to(browser, transmitter, "probe.offer()");
    accept(browser, answer);
}

/// The browser offers to ask for lost packets.
fn answer_over_relay(transmitter: &mut AudioTransmitter, browser: &mut Browser) -> Relay {
    let answer = answer_to(browser, transmitter, "probe.offer('nack')");
    let relay = Relay::start(&answer);
    accept(browser, relay.redirect(&answer));
    relay
}

fn answer_to(browser: &mut Browser, transmitter: &mut AudioTransmitter, offer: &str) -> String {
    let offer = text(&browser.evaluate(offer));
    transmitter
        .accept_offer(&offer)
        .expect("the browser's offer")
}

fn accept(browser: &mut Browser, answer: String) {
    browser.evaluate(&format!("probe.accept({})", Value::from(answer)));
}

/// Waits until the tone is heard.
fn listen(browser: &mut Browser, transmitter: &AudioTransmitter) {
    browser.evaluate_until("probe.pc.connectionState === 'connected'", PATIENCE);
    browser.evaluate("probe.listen(probe.pc)");
    browser.evaluate("probe.hears(440, 20000)");
    assert!(transmitter.transmission_stats().packets_sent > 0);
}

/// Waits for so many more packets.
fn receive(browser: &mut Browser, packets: u32) {
    let so_far = number(&inbound(browser)["packetsReceived"]);
    let enough = so_far + f64::from(packets);
    let received = "(await probe.stats(probe.pc)).inbound.packetsReceived";
    browser.evaluate_until(&format!("(async () => {received} >= {enough})()"), PATIENCE);
}

/// Waits for the browser's first report of what it received.
fn await_report(browser: &mut Browser, transmitter: &AudioTransmitter) -> TransmissionStats {
    for _ in 0..20 {
        let stats = transmitter.transmission_stats();
        if stats.reports_received > 0 {
            return stats;
        }
        receive(browser, 25);
    }
    panic!("no report: {:#?}", transmitter.transmission_stats());
}

fn inbound(browser: &mut Browser) -> Value {
    browser.evaluate("probe.stats(probe.pc)")["inbound"].take()
}

fn number(value: &Value) -> f64 {
    value
        .as_f64()
        .unwrap_or_else(|| panic!("{value} is no number"))
}

fn text(value: &Value) -> String {
    value.as_str().expect("a description").to_owned()
}

const EVERYTHING: RtpConfig = RtpConfig {
    abs_send_time: true,
    abs_capture_time: true,
    transport_cc: true,
    encrypted_headers: true,
    retransmission: true,
    redundancy: 2,
    adaptive_redundancy: false,
};

const WITHOUT_RETRANSMISSION: RtpConfig = RtpConfig {
    abs_send_time: false,
    abs_capture_time: false,
    transport_cc: false,
    encrypted_headers: true,
    retransmission: false,
    redundancy: 0,
    adaptive_redundancy: false,
};

/// Everything that Chromium has, but not yet for everybody.
const ON_TRIAL: &str = "--enable-experimental-web-platform-features";

const PATIENCE: Duration = Duration::from_secs(30);
