//! What Chromium conceals of paths that lose packets, with what is done against it and without.

use std::time::Duration;

use serde_json::Value;
use skywave_tests::{Browser, BrowserKind, Relay, Server};

/// Takes half a minute, as receivers report every 5 s: all calls are under way side by side.
#[test]
fn chromium_conceals_at_most_half_once_redundancy_answers_its_reports() {
    let helping = Server::start_with("tone:440", &[]);
    let bare = Server::start_with("tone:440", &WITHOUT_HELP);
    let mut browser = page();
    for server in [&helping, &bare] {
        for percent in LOSSES {
            call(&mut browser, server).lose_percent(percent);
        }
    }
    await_redundancy(&mut browser, &helping);
    let before = heard(&mut browser);
    await_samples(&mut browser, &before);
    let after = heard(&mut browser);
    let shares: Vec<f64> = before.iter().zip(&after).map(share).collect();
    let (with_help, without_help) = shares.split_at(LOSSES.len());

    println!("{} of a tone, {} s", browser.version(), MEASURED_SECONDS);
    let waited = before[0][0] / 48_000.0;
    println!("redundancy for all {waited:.1} s after the first call began");
    println!("lost    concealed without help    with help");
    for ((percent, without), with) in LOSSES.iter().zip(without_help).zip(with_help) {
        let [without, with] = [without, with].map(|share| 100.0 * share);
        println!("{percent:>3} %   {without:>20.1} %   {with:>8.1} %");
    }
    for server in [&helping, &bare] {
        println!("{}", told(server));
    }
    // The first loses too little for a bound that holds on any machine.
    for (with, without) in with_help.iter().zip(without_help).skip(1) {
        assert!(*without > 0.02, "{shares:?}");
        assert!(with <= &(without / 2.0), "{shares:?}");
    }
    assert_eq!(redundant_listeners(&bare), 0);
    browser.close();
}

/// A page with a list of calls.
fn page() -> Browser {
    let mut browser = Browser::start(BrowserKind::Chromium);
    browser.evaluate("document.body.append(document.createElement('button'))");
    browser.install_probe();
    browser.click("button");
    browser.evaluate("probe.calls = []");
    browser
}

/// One more call in the page, over a relay of its own.
fn call(browser: &mut Browser, server: &Server) -> Relay {
    let offer = browser.evaluate("(probe.pc = null, probe.offer())");
    let answer = server.whep(offer.as_str().expect("an offer")).answer;
    let relay = Relay::start(&answer);
    let answer = Value::from(relay.redirect(&answer));
    browser.evaluate(&format!("probe.accept({answer})"));
    browser.evaluate_until("probe.pc.connectionState === 'connected'", PATIENCE);
    browser.evaluate(PLAY);
    let plays = "(await probe.stats(probe.pc)).inbound?.totalSamplesReceived > 0";
    browser.evaluate_until(&format!("(async () => {plays})()"), PATIENCE);
    relay
}

/// Waits until every listener of the server gets packets repeated.
fn await_redundancy(browser: &mut Browser, server: &Server) {
    for _ in 0..PATIENCE_FOR_REPORTS {
        if redundant_listeners(server) == LOSSES.len() {
            return;
        }
        let start = heard(browser);
        let some = format!(
            "{CALLS}.every(([samples]) => samples > {} + 24000)",
            start[0][0]
        );
        browser.evaluate_until(&format!("(async () => {some})()"), PATIENCE);
    }
    panic!("{:#}", server.stats());
}

/// Waits until every call has played as much as is measured.
fn await_samples(browser: &mut Browser, before: &[[f64; 2]]) {
    let enough = |(index, call): (usize, &[f64; 2])| {
        let samples = call[0] + MEASURED_SECONDS * 48_000.0;
        format!("calls[{index}][0] >= {samples}")
    };
    let all: Vec<String> = before.iter().enumerate().map(enough).collect();
    let all = all.join(" && ");
    let measured = format!("(async () => {{ const calls = {CALLS}; return {all}; }})()");
    browser.evaluate_until(&measured, 4 * PATIENCE);
}

/// Samples that each call has played, and how many of them were concealed.
fn heard(browser: &mut Browser) -> Vec<[f64; 2]> {
    let calls = browser.evaluate(&format!("(async () => {CALLS})()"));
    serde_json::from_value(calls).expect("two numbers of each call")
}

/// The share of samples that were concealed in between.
fn share((before, after): (&[f64; 2], &[f64; 2])) -> f64 {
    (after[1] - before[1]) / (after[0] - before[0])
}

fn redundant_listeners(server: &Server) -> usize {
    let stats = server.stats();
    let listeners = stats["listeners"].as_array().expect("a list");
    let redundant = |listener: &&Value| listener["redundantBytesSent"].as_u64() > Some(0);
    listeners.iter().filter(redundant).count()
}

/// What the server knows of its listeners.
fn told(server: &Server) -> String {
    let stats = server.stats();
    let listeners = stats["listeners"].as_array().expect("a list");
    let line = |listener: &Value| {
        let value = |name: &str| format!("{name} {}", listener[name]);
        TOLD.map(value).join(", ")
    };
    listeners.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// In per cent; from the second on they are judged.
const LOSSES: [u64; 3] = [5, 10, 20];

const WITHOUT_HELP: [&str; 3] = [
    "--no-adaptive-redundancy",
    "--no-retransmission",
    "--no-adaptive-fec",
];

const MEASURED_SECONDS: f64 = 15.0;

/// Takes the call up: Chromium decodes only what an element plays.
const PLAY: &str = "(async () => {
    const audio = new Audio();
    audio.muted = true;
    audio.srcObject = new MediaStream(probe.pc.getReceivers().map(({ track }) => track));
    await audio.play();
    probe.calls.push({ pc: probe.pc, audio });
})()";

/// Samples played and concealed of each call.
const CALLS: &str = "(await Promise.all(probe.calls.map(({ pc }) => probe.stats(pc))))
    .map(({ inbound }) => [inbound.totalSamplesReceived, inbound.concealedSamples])";

const TOLD: [&str; 5] = [
    "fractionLost",
    "packetsSent",
    "redundantBytesSent",
    "nackCount",
    "retransmittedPacketsSent",
];

const PATIENCE: Duration = Duration::from_secs(30);

/// In half seconds.
const PATIENCE_FOR_REPORTS: u32 = 60;
