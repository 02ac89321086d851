//! The page of `skywave serve` in real browsers, used as a person uses it.

use std::path::Path;
use std::thread;
use std::time::Duration;

use serde_json::Value;
use skywave_tests::{Browser, BrowserKind, Server, turn};

#[test]
fn chromium_plays_the_page_and_hears_a_swap() {
    page_plays_and_swaps(BrowserKind::Chromium);
}

#[test]
fn firefox_plays_the_page_and_hears_a_swap() {
    page_plays_and_swaps(BrowserKind::Firefox);
}

#[test]
fn chromium_sees_the_stream_end_when_the_server_ends() {
    server_ends(BrowserKind::Chromium);
}

#[test]
fn firefox_sees_the_stream_end_when_the_server_ends() {
    server_ends(BrowserKind::Firefox);
}

#[test]
fn chromium_gets_the_redundancy_that_the_command_line_asks_for() {
    let _turn = turn();
    let server = Server::start_with("tone:440", &["--redundancy", "2"]);
    let mut browser = play(BrowserKind::Chromium, &server);
    browser.evaluate("probe.hears(440, 20000)");
    browser.evaluate_until(
        "(async () => (await probe.stats(skywave.pc)).inbound.packetsReceived >= 10)()",
        PATIENCE,
    );
    let stats = server.stats();
    let redundant = &stats["listeners"][0]["redundantBytesSent"];
    assert!(number(redundant) > 0.0, "{stats:#}");
    browser.close();
}

#[test]
fn operator_sees_a_listener_and_hangs_it_up() {
    let _turn = turn();
    let server = Server::start("tone:440");
    let mut browser = Browser::start(BrowserKind::Chromium);
    browser.open(&format!("{}/operator", server.base_url()));
    browser.install_probe();
    browser.evaluate_until(
        "document.querySelector('#more').textContent === 'Nobody listens.'",
        PATIENCE,
    );
    browser.evaluate(
        "(async () => {
          const body = await probe.offer();
          const headers = { 'content-type': 'application/sdp' };
          const response = await fetch('/whep', { method: 'POST', headers, body });
          return probe.accept(await response.text());
        })()",
    );
    browser.evaluate_until(
        "document.querySelector('#rows tr[data-state=connected]') !== null \
         && document.querySelector('#listeners').textContent === '1'",
        PATIENCE,
    );
    browser.screenshot(&screenshots().join("operator-chromium.png"));
    // A phone: nothing lies to the right of the screen.
    browser.set_viewport(390, 844);
    let widest = browser.evaluate(
        "Math.max(...[...document.querySelectorAll('main *')]\
           .filter((element) => !element.closest('thead, [hidden]'))\
           .map((element) => element.getBoundingClientRect().right),\
         document.documentElement.scrollWidth)",
    );
    browser.evaluate("document.querySelector('.table').scrollIntoView()");
    browser.screenshot(&screenshots().join("operator-phone.png"));
    let widest = widest.as_f64();
    assert!(widest.is_some_and(|widest| widest <= 390.0), "{widest:?}");
    browser.click("#rows button");
    browser.evaluate_until(
        "document.querySelector('#rows').children.length === 0 \
         && probe.pc.getReceivers()[0].transport.state === 'closed'",
        PATIENCE,
    );
    browser.close();
}

#[test]
fn page_asks_for_the_token_and_plays_the_channel_that_is_chosen() {
    let _turn = turn();
    let token = "a-token-for-listeners";
    let options = ["two=tone:880", "--viewer-token", token];
    let server = Server::start_with("one=tone:440", &options);
    let mut browser = Browser::start(BrowserKind::Chromium);
    browser.open(&format!("{}/?channel=two", server.base_url()));
    browser.install_probe();
    browser.evaluate_until(
        "document.querySelector('#channel').checkVisibility() \
         && document.querySelector('#title').textContent === 'tone:880'",
        PATIENCE,
    );
    browser.click("#play");
    browser.evaluate_until(
        "document.querySelector('#viewer').checkVisibility()",
        PATIENCE,
    );
    browser.fill("#viewer-token", "not-the-right-token");
    browser.click("#viewer button");
    browser.evaluate_until(
        "document.querySelector('#viewer .refused').textContent.includes('not the right one')",
        PATIENCE,
    );
    browser.screenshot(&screenshots().join("token-chromium.png"));
    browser.fill("#viewer-token", token);
    browser.click("#viewer button");
    hear(&mut browser, 880);

    browser.evaluate(
        "(() => {
          const select = document.querySelector('#channel');
          select.value = 'one';
          select.dispatchEvent(new Event('change'));
        })()",
    );
    hear(&mut browser, 440);
    let address = browser.evaluate("location.search");
    assert_eq!(address, "?channel=one");

    browser.evaluate(
        "(() => {
          const real = fetch;
          globalThis.fetch = async (url, options) => {
            const response = await real(url, options);
            if (options.method === 'DELETE') globalThis.hungUp = response.status;
            return response;
          };
        })()",
    );
    browser.click("#play");
    let status = browser.evaluate_until("globalThis.hungUp", PATIENCE);
    assert_eq!(status, 200);
    browser.close();
}

/// Waits for the tone on the page's newest connection.
fn hear(browser: &mut Browser, hertz: u32) {
    browser.evaluate_until(
        "document.querySelector('#state').textContent.trim() === 'connected' \
         && skywave.pc.connectionState === 'connected'",
        PATIENCE,
    );
    browser.evaluate("probe.listen(skywave.pc)");
    browser.evaluate(&format!("probe.hears({hertz}, 20000)"));
}

/// A swap that broke the stream would be heard as concealed audio every time. A host too busy for
/// the browser or the server makes some too, but hardly in each of the rounds.
#[test]
fn chromium_conceals_nothing_for_fifty_swaps() {
    let _turn = turn();
    let server = Server::start("tone:440");
    let mut browser = play(BrowserKind::Chromium, &server);
    browser.evaluate("probe.hears(440, 20000)");
    let mut concealed = || {
        let stats = browser.evaluate("probe.stats(skywave.pc)");
        number(&stats["inbound"]["concealedSamples"])
    };
    let mut round = || {
        // Until the jitter buffer has settled.
        std::thread::sleep(Duration::from_secs(3));
        let before = concealed();
        for swap in 0..50 {
            let (status, body) = server.put_source(["tone:880", "tone:440"][swap % 2]);
            assert_eq!(status, 200, "{body}");
            std::thread::sleep(Duration::from_millis(30));
        }
        std::thread::sleep(Duration::from_millis(500));
        concealed() - before
    };
    let mut rounds = Vec::new();
    let undisturbed = (0..8).any(|_| {
        rounds.push(round());
        rounds.last() == Some(&0.0)
    });
    println!("samples concealed in rounds of 50 swaps: {rounds:?}");
    assert!(undisturbed, "{rounds:?}");
    browser.evaluate("probe.hears(440, 20000)");
    browser.close();
}

#[test]
fn chromium_received_octet_for_octet_what_statistics_say_was_sent() {
    received_octet_for_octet(BrowserKind::Chromium);
}

#[test]
fn firefox_received_octet_for_octet_what_statistics_say_was_sent() {
    received_octet_for_octet(BrowserKind::Firefox);
}

fn received_octet_for_octet(kind: BrowserKind) {
    let _turn = turn();
    let server = Server::start("tone:440");
    let mut browser = play(kind, &server);
    browser.evaluate_until(
        "(async () => (await probe.stats(skywave.pc)).inbound?.packetsReceived >= 50)()",
        PATIENCE,
    );
    // From one moment to another at which no packet is between the two: the first packets may have
    // come before the browser was ready for them.
    let mut at_rest = || {
        let moments = (0..100).map(|_| {
            let received = browser.evaluate("probe.stats(skywave.pc)")["inbound"].clone();
            (server.stats()["listeners"][0].clone(), received)
        });
        let under_way = |(sent, received): &(Value, Value)| {
            (number(&sent["packetsSent"]) - number(&received["packetsReceived"])) as i64
        };
        moments.min_by_key(under_way).expect("moments")
    };
    let (sent, received) = at_rest();
    while number(&server.stats()["listeners"][0]["packetsSent"])
        < number(&sent["packetsSent"]) + 200.0
    {
        thread::sleep(Duration::from_millis(100));
    }
    let (sent_later, received_later) = at_rest();
    for (ours, its) in [
        ("packetsSent", "packetsReceived"),
        ("bytesSent", "bytesReceived"),
        ("headerBytesSent", "headerBytesReceived"),
    ] {
        let here = number(&sent_later[ours]) - number(&sent[ours]);
        let there = number(&received_later[its]) - number(&received[its]);
        assert_eq!(here, there, "{ours}: {sent_later:#} {received_later:#}");
    }
    assert_eq!(received_later["packetsLost"], 0, "{received_later:#}");
    assert_eq!(sent["ssrc"], received["ssrc"]);
    browser.close();
}

fn page_plays_and_swaps(kind: BrowserKind) {
    let _turn = turn();
    let server = Server::start("tone:440");
    let mut browser = play(kind, &server);

    browser.evaluate("probe.settles(440, 20000)");

    let mut times = Vec::new();
    let soon = [880, 440, 880, 440, 880].into_iter().any(|hertz| {
        browser.fill("#source", &format!("tone:{hertz}"));
        browser.evaluate(&format!("probe.timeSwap('#swap', {hertz}, 20000)"));
        browser.click("#swap");
        times.push(number(&browser.evaluate("probe.swapped")));
        browser.evaluate(&format!("probe.settles({hertz}, 20000)"));
        times.last() < Some(&1000.0)
    });
    // A busy machine may take longer, but hardly each time.
    assert!(soon, "swaps heard after {times:?} ms");

    browser.evaluate_until(
        "(async () => (await probe.stats(skywave.pc)).remoteOutbound)()",
        PATIENCE,
    );
    let stats = browser.evaluate("probe.stats(skywave.pc)");
    assert_received_all(&stats);
    let name = format!("page-{kind:?}.png").to_lowercase();
    browser.screenshot(&screenshots().join(name));
    println!("{}: swaps heard after {times:.0?} ms", browser.version());
    browser.close();
}

fn server_ends(kind: BrowserKind) {
    let _turn = turn();
    let server = Server::start("tone:440");
    let mut browser = play(kind, &server);
    browser.evaluate("probe.hears(440, 20000)");

    let (code, _) = server.interrupt();
    assert_eq!(code, Some(0));
    // Long before ICE would notice: the browser was told.
    browser.evaluate_until(
        "skywave.pc.connectionState === 'closed' \
         || skywave.pc.getReceivers()[0]?.transport.state === 'closed'",
        Duration::from_secs(3),
    );
    browser.evaluate_until(
        "document.querySelector('#state').textContent.trim() !== 'connected'",
        PATIENCE,
    );
    browser.close();
}

/// Opens the page, presses Play, and listens once the call is connected.
fn play(kind: BrowserKind, server: &Server) -> Browser {
    let mut browser = Browser::start(kind);
    browser.open_page(server, "/");
    browser.install_probe();
    assert_eq!(browser.evaluate("probe.autoplays()"), Value::Bool(false));
    browser.click("#play");
    browser.evaluate_until(
        "globalThis.skywave?.pc?.connectionState === 'connected'",
        PATIENCE,
    );
    browser.evaluate_until("!document.querySelector('#audio').paused", PATIENCE);
    browser.evaluate_until(
        "document.querySelector('#state').textContent.trim() === 'connected'",
        PATIENCE,
    );
    browser.evaluate("probe.listen(skywave.pc)");
    browser
}

fn assert_received_all(stats: &Value) {
    assert_eq!(stats["dtlsState"], "connected", "{stats:#}");
    let inbound = &stats["inbound"];
    assert_eq!(inbound["packetsLost"], 0, "{stats:#}");
    assert_eq!(stats["codec"]["mimeType"], "audio/opus", "{stats:#}");
    let remote = &stats["remoteOutbound"];
    let sent = number(&remote["packetsSent"]);
    // The report was written before these statistics were read.
    assert!(
        sent > 0.0 && sent <= number(&inbound["packetsReceived"]),
        "{stats:#}"
    );
    assert!(number(&remote["bytesSent"]) > 0.0, "{stats:#}");
}

fn number(value: &Value) -> f64 {
    value
        .as_f64()
        .unwrap_or_else(|| panic!("{value} is no number"))
}

fn screenshots() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/screenshots")
}

/// For what happens at once, on a machine that is busy with something else.
const PATIENCE: Duration = Duration::from_secs(30);
