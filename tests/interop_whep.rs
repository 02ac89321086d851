//! WHEP beyond the first offer, with real browsers.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use skywave_tests::{Browser, BrowserKind, Server, turn};

#[test]
fn chromium_restarts_ice_and_misses_nothing() {
    restarts(BrowserKind::Chromium);
}

#[test]
fn firefox_restarts_ice_and_misses_a_round_trip_at_most() {
    restarts(BrowserKind::Firefox);
}

/// Restarts twice, the second time after the old credentials are long void.
fn restarts(kind: BrowserKind) {
    let _turn = turn();
    let server = Server::start("tone:440");
    let mut browser = Browser::start(kind);
    browser.open(&format!("{}/", server.base_url()));
    browser.install_whep();
    browser.evaluate("whep.play('/whep')");
    receives(&mut browser, 50);
    assert_eq!(browser.evaluate("whep.trickle()"), 204);
    let ssrc = browser.evaluate("whep.stats()")["ssrc"].clone();

    // Firefox leaves its old address before it has answered at the new one: what is sent until then,
    // a packet or none here, is lost. Chromium listens at both.
    let may_be_lost = match kind {
        BrowserKind::Firefox => 1,
        BrowserKind::Chromium => 0,
    };
    for restarts in 1..=2 {
        let ufrag = browser.evaluate("whep.restart()");
        assert_eq!(browser.evaluate("whep.trickle()"), 204);
        // Checks that the server refuses would end the call after some seconds.
        receives(&mut browser, 500);
        let stats = browser.evaluate("whep.stats()");
        assert_eq!(stats["remote"], ufrag, "{stats:#}");
        let report = server.report();
        let transport = &report["transport"];
        assert_eq!(transport["iceLocalUsernameFragment"], ufrag, "{report:#}");
        assert!(transport["dtlsCipher"].is_string(), "{report:#}");
        assert_eq!(stats["ssrc"], ssrc, "{stats:#}");
        let lost = stats["lost"].as_u64().expect("a count");
        assert!(lost <= restarts * may_be_lost, "{stats:#}");
        assert_eq!(stats["state"], "connected", "{stats:#}");
        let dropped = &server.stats()["engine"]["dropped"];
        println!("{} after a restart: {dropped}", browser.version());
    }
    // Between two checks of a browser on a busy machine it may be taken for lost, until the next.
    let deadline = Instant::now() + PATIENCE;
    while server.stats()["listeners"][0]["state"] != "connected" {
        assert!(Instant::now() < deadline, "{}", server.stats());
        thread::sleep(Duration::from_millis(100));
    }
    browser.close();
}

/// `@eyevinn/webrtc-player`, on a page of another origin, with a token. It offers video first.
#[test]
fn player_of_another_maker_plays_from_another_origin_with_a_token() {
    let _turn = turn();
    let page = Server::start("melody");
    let server = Server::start_with(
        "tone:440",
        &["--viewer-token", TOKEN, "--allow-origin", page.base_url()],
    );
    let mut browser = Browser::start(BrowserKind::Chromium);
    // A page without a policy of its own.
    browser.open(&format!("{}/healthz", page.base_url()));
    browser.run(&eyevinn_player());
    let url = server.base_url();
    browser.evaluate(&format!(
        "(globalThis.player = new Player(document.createElement('video')), \
          player.load(new URL('{url}/whep'), 'Bearer {TOKEN}'))"
    ));
    browser.evaluate_until("player.peer?.connectionState === 'connected'", PATIENCE);
    let received = "(async () => [...(await player.peer.getStats()).values()]\
                    .some((entry) => entry.type === 'inbound-rtp' && entry.packetsReceived > 50))()";
    browser.evaluate_until(received, PATIENCE);
    let listeners = server.stats()["listeners"].clone();
    assert_eq!(listeners[0]["state"], "connected", "{listeners:#}");

    browser.evaluate("player.unload()");
    assert_eq!(server.stats()["listeners"], Value::Array(Vec::new()));
    browser.close();
}

/// The player as a script for a page, which has no `require`: the global `Player`, for audio and
/// video, without servers elsewhere.
fn eyevinn_player() -> String {
    let read = |path: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../target/npm")
            .join(path);
        let advice = "is missing: cargo xtask setup";
        fs::read_to_string(&path).unwrap_or_else(|_| panic!("{} {advice}", path.display()))
    };
    let (player, events) = (
        read("webrtc-player-0.13.0/dist/main.js"),
        read("events-3.3.0/events.js"),
    );
    let module = |text: &str| {
        format!(
            "((module) => {{ const {{exports}} = module; {text}\n; return module.exports; }})({{exports: {{}}}})"
        )
    };
    let events = module(&events);
    // What it needs beside events is for advertisements and another protocol.
    let player = module(&player);
    format!(
        "{{ const events = {events}; \
            const require = (name) => name === 'events' ? events : {{}}; \
            const {{WebRTCPlayer}} = {player}; \
            globalThis.Player = class extends WebRTCPlayer {{ \
              constructor(video) {{ super({{video, type: 'whep', iceServers: []}}); }} }}; }}"
    )
}

/// Waits until so many more packets have come.
fn receives(browser: &mut Browser, packets: u64) {
    let before = browser.evaluate("whep.stats()")["received"].clone();
    let before = before.as_u64().unwrap_or_default();
    let enough = format!(
        "(async () => (await whep.stats()).received >= {})()",
        before + packets
    );
    let value = browser.evaluate_until(&enough, PATIENCE);
    assert_eq!(value, Value::Bool(true));
}

const TOKEN: &str = "viewer-0123456789abcdef";

const PATIENCE: Duration = Duration::from_secs(60);
