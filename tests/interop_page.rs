//! The page of `skywave serve` where something is in the way: what it says, on which screen, and how
//! it comes there.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use skywave_tests::{Browser, BrowserKind, Server, turn};

#[test]
fn chromium_that_may_not_use_udp_says_that_it_may_be_blocked() {
    let _turn = turn();
    let server = Server::start("tone:440");
    let flags = ["--webrtc-ip-handling-policy=disable_non_proxied_udp"];
    let browser = Browser::start_with(BrowserKind::Chromium, &flags);
    says_that_udp_may_be_blocked(browser, &server);
}

#[test]
fn firefox_whose_checks_are_not_answered_says_that_udp_may_be_blocked() {
    let _turn = turn();
    // RFC 5737 §3: nobody is there.
    let options = ["--udp", "127.0.0.1:0", "--public-ip", "192.0.2.1"];
    let server = Server::start_with("tone:440", &options);
    let browser = Browser::start(BrowserKind::Firefox);
    says_that_udp_may_be_blocked(browser, &server);
}

fn says_that_udp_may_be_blocked(mut browser: Browser, server: &Server) {
    browser.open_page(server, "/");
    browser.click("#play");
    assert_fails_with(&mut browser, "Perhaps a firewall blocks UDP");
    // The page hangs up, which takes its time.
    let deadline = Instant::now() + PATIENCE;
    while server.stats()["listeners"] != Value::Array(Vec::new()) {
        assert!(Instant::now() < deadline, "a listener is left");
        thread::sleep(Duration::from_millis(50));
    }
    browser.close();
}

#[test]
fn chromium_that_holds_the_sound_back_says_so_until_it_is_clicked() {
    says_that_sound_is_held_back(BrowserKind::Chromium, |browser| browser.click("#title"));
}

#[test]
fn firefox_that_holds_the_sound_back_says_so_until_it_is_clicked() {
    says_that_sound_is_held_back(BrowserKind::Firefox, |browser| browser.click("#title"));
}

#[test]
fn chromium_that_holds_the_sound_back_lets_it_go_at_the_first_tap() {
    says_that_sound_is_held_back(BrowserKind::Chromium, |browser| browser.tap("#title"));
}

#[test]
fn chromium_that_holds_the_sound_back_lets_it_go_at_the_button_that_else_stops_it() {
    says_that_sound_is_held_back(BrowserKind::Chromium, |browser| browser.click("#play"));
}

fn says_that_sound_is_held_back(kind: BrowserKind, touch: fn(&mut Browser)) {
    let _turn = turn();
    let server = Server::start("tone:440");
    let mut browser = Browser::start(kind);
    browser.open_page(&server, "/");
    // No person's click, so it does not count as leave to make a sound.
    browser.evaluate("document.querySelector('#play').click()");
    browser.evaluate_until(CONNECTED, PATIENCE);
    let held_back = message_says("holds the sound back");
    browser.evaluate_until(&held_back, PATIENCE);
    let silent = browser.evaluate("document.querySelector('#audio').paused");
    assert_eq!(silent, Value::Bool(true));

    touch(&mut browser);
    let heard =
        "!document.querySelector('#audio').paused && document.querySelector('#message').hidden";
    browser.evaluate_until(heard, PATIENCE);
    let connected = browser.evaluate(CONNECTED);
    assert_eq!(connected, Value::Bool(true), "it goes on");
    browser.click("#play");
    browser.evaluate_until(&state_is("ended"), PATIENCE);
    browser.close();
}

#[test]
fn chromium_without_a_codec_in_common_says_which_it_has() {
    without_a_codec_in_common(BrowserKind::Chromium);
}

#[test]
fn firefox_without_a_codec_in_common_says_which_it_has() {
    without_a_codec_in_common(BrowserKind::Firefox);
}

fn without_a_codec_in_common(kind: BrowserKind) {
    let _turn = turn();
    let server = Server::start("tone:440");
    let mut browser = Browser::start(kind);
    browser.open_page(&server, "/");
    browser.run(G722_ONLY);
    browser.click("#play");
    assert_fails_with(&mut browser, "nothing that this browser can play");
    assert_fails_with(&mut browser, "G722");
    assert_eq!(server.stats()["listeners"], Value::Array(Vec::new()));
    browser.close();
}

#[test]
fn chromium_on_a_phone_has_nothing_beside_the_screen() {
    fits_a_phone(BrowserKind::Chromium);
}

#[test]
fn firefox_on_a_phone_has_nothing_beside_the_screen() {
    fits_a_phone(BrowserKind::Firefox);
}

/// With all that the page can have in sight while it plays: several channels, a long name, control
/// and a refusal.
fn fits_a_phone(kind: BrowserKind) {
    let _turn = turn();
    let long = "a-channel-with-a-name-that-is-longer-than-a-phone-is-wide";
    let server = Server::start_with("one=tone:440", &[&format!("{long}=tone:880")]);
    let mut browser = Browser::start(kind);
    for width in [360, 400] {
        browser.set_viewport(width, 740);
        browser.open_page(&server, &format!("/?channel={long}"));
        browser.click("#play");
        browser.evaluate_until(CONNECTED, PATIENCE);
        browser.fill("#source", "no-such-file-and-so-it-is-refused.wav");
        browser.click("#swap");
        browser.evaluate_until(
            "document.querySelector('#reply').textContent !== ''",
            PATIENCE,
        );
        let root = browser.evaluate(
            "[document.documentElement.scrollWidth, document.documentElement.clientWidth]",
        );
        let [content, screen] = [0, 1].map(|index| root[index].as_u64().expect("a width"));
        assert!(content <= screen, "{width}: {root}");
        assert!(screen <= width.into(), "{width}: {root}");
        for control in ["#channel", "#play", "#source", "#swap", ".link a"] {
            let reachable = browser.evaluate(&format!("({REACHABLE})({})", Value::from(control)));
            assert_eq!(reachable, Value::Bool(true), "{control} at {width}");
        }
        browser.click("#play");
        browser.evaluate_until(&state_is("ended"), PATIENCE);
    }
    browser.close();
}

#[test]
fn chromium_gets_the_page_by_http_2_and_listens() {
    let _turn = turn();
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let signed = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]);
    let signed = signed.expect("a certificate can be made");
    let write = |name: &str, text: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("there is room for a file");
        path.to_str().expect("a path is text").to_owned()
    };
    let certificate = write("certificate.pem", signed.cert.pem());
    let key = write("key.pem", signed.signing_key.serialize_pem());
    let server = Server::start_with("tone:440", &["--tls-cert", &certificate, "--tls-key", &key]);
    // Nobody known has signed the certificate.
    let mut browser = Browser::start_with(BrowserKind::Chromium, &["--ignore-certificate-errors"]);
    browser.open_page(&server, "/");
    browser.install_probe();
    browser.click("#play");
    browser.evaluate_until(CONNECTED, PATIENCE);
    browser.evaluate("probe.listen(skywave.pc)");
    browser.evaluate("probe.hears(440, 20000)");
    let protocol = |entry: &str| format!("performance.{entry}.nextHopProtocol");
    let page = browser.evaluate(&protocol("getEntriesByType('navigation')[0]"));
    assert_eq!(page, "h2", "the page");
    let whep = "getEntriesByType('resource').find(({ name }) => name.includes('/whep'))";
    assert_eq!(browser.evaluate(&protocol(whep)), "h2", "the session");
    browser.close();
}

fn assert_fails_with(browser: &mut Browser, words: &str) {
    browser.evaluate_until(&state_is("failed"), PATIENCE);
    let message = browser.evaluate("document.querySelector('#message').textContent");
    let says = browser.evaluate(&message_says(words));
    assert_eq!(says, Value::Bool(true), "not {words:?}: {message}");
}

/// Whether the page shows a message with these words.
fn message_says(words: &str) -> String {
    let message = "document.querySelector('#message')";
    format!("{message}.checkVisibility() && {message}.textContent.includes('{words}')")
}

fn state_is(state: &str) -> String {
    format!("document.querySelector('#state').textContent === '{state}'")
}

const CONNECTED: &str = "document.querySelector('#state').textContent === 'connected'";

/// The browser offers a codec that the program does not send.
const G722_ONLY: &str = "
    const add = RTCPeerConnection.prototype.addTransceiver;
    RTCPeerConnection.prototype.addTransceiver = function (...words) {
      const transceiver = add.apply(this, words);
      const { codecs } = RTCRtpReceiver.getCapabilities('audio');
      transceiver.setCodecPreferences(codecs.filter(({ mimeType }) => mimeType === 'audio/G722'));
      return transceiver;
    };";

/// Whether an element lies within the screen's width, and nothing on top of it.
const REACHABLE: &str = "(selector) => {
      const element = document.querySelector(selector);
      element.scrollIntoView({ block: 'center' });
      const { left, right, top, bottom } = element.getBoundingClientRect();
      const middle = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
      return left >= 0 && right <= document.documentElement.clientWidth && element.contains(middle);
    }";

/// For what a browser or the page gives up after a quarter of a minute.
const PATIENCE: Duration = Duration::from_secs(60);
