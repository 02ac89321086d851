//! A headless browser with one page, driven over WebDriver BiDi.
//!
//! Unless a test gives flags, no flag or preference touches autoplay, WebRTC or codecs: what works
//! here works for a person with a fresh profile. The preferences keep the browser
//! from calling home, and give Firefox a sound card where there is none.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use base64::Engine;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::Server;
use crate::bidi::Bidi;
use crate::child::Child;

/// A running browser with an empty page.
///
/// The order of the fields is the order they are dropped in: the browser
/// before the profile it writes to.
pub struct Browser {
    bidi: Bidi,
    context: String,
    version: String,
    _child: Child,
    _profile: TempDir,
}

/// The browsers that can be driven.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum BrowserKind {
    /// Chromium, through `chromedriver`.
    Chromium,
    /// Firefox, which speaks BiDi itself.
    Firefox,
}

impl Browser {
    /// Starts a browser with a fresh profile and a window of 1280 by 900 pixels.
    pub fn start(kind: BrowserKind) -> Browser {
        Browser::start_with(kind, &[])
    }

    /// The same with flags of its command line.
    pub fn start_with(kind: BrowserKind, flags: &[&str]) -> Browser {
        let profile = tempfile::tempdir().expect("a temporary folder can be made");
        let (child, mut bidi, version) = match kind {
            BrowserKind::Chromium => start_chromium(profile.path(), flags),
            BrowserKind::Firefox => start_firefox(profile.path(), flags),
        };
        bidi.call("session.subscribe", json!({"events": ["log.entryAdded"]}));
        let tree = bidi.call("browsingContext.getTree", json!({}));
        let context = tree["contexts"][0]["context"]
            .as_str()
            .expect("the browser has a page")
            .to_owned();
        let mut browser = Browser {
            context,
            bidi,
            version,
            _child: child,
            _profile: profile,
        };
        browser.set_viewport(1280, 900);
        browser
    }

    /// Makes the window so large inside, in pixels.
    pub fn set_viewport(&mut self, width: u32, height: u32) {
        let viewport = json!({"width": width, "height": height});
        let params = json!({"context": self.context, "viewport": viewport});
        self.bidi.call("browsingContext.setViewport", params);
    }

    /// Name and version, as the browser gives them.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Goes to an address and waits until the page is loaded.
    pub fn open(&mut self, url: &str) {
        let params = json!({"context": self.context, "url": url, "wait": "complete"});
        self.bidi.call("browsingContext.navigate", params);
    }

    /// Goes to a page of a server that lets anybody control it, and waits until all of it is there:
    /// what comes later moves the rest.
    pub fn open_page(&mut self, server: &Server, path: &str) {
        self.open(&format!("{}{path}", server.base_url()));
        let whole = "document.querySelector('#swap').checkVisibility()";
        self.evaluate_until(whole, START_TIMEOUT);
    }

    /// Puts the measuring script `probe.js` into the page, as the global `probe`.
    pub fn install_probe(&mut self) {
        self.run(include_str!("probe.js"));
    }

    /// Puts the player `whep.js` into the page, as the global `whep`.
    pub fn install_whep(&mut self) {
        self.run(include_str!("whep.js"));
    }

    /// The value of a JavaScript expression, awaited if it is a promise, by way of JSON.
    pub fn evaluate(&mut self, expression: &str) -> Value {
        let script = format!("(async () => JSON.stringify(await ({expression})))()");
        let result = self.run(&script);
        match result["value"].as_str() {
            Some(text) => serde_json::from_str(text).expect("JSON.stringify writes JSON"),
            None => Value::Null,
        }
    }

    /// Evaluates an expression until its value is neither null nor false, and returns it.
    pub fn evaluate_until(&mut self, expression: &str, timeout: Duration) -> Value {
        let deadline = Instant::now() + timeout;
        loop {
            let value = self.evaluate(expression);
            if !matches!(value, Value::Null | Value::Bool(false)) {
                return value;
            }
            assert!(
                Instant::now() < deadline,
                "{expression} is not true within {timeout:?}; console: {:#?}",
                self.console()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Clicks an element with the mouse, which counts as the user's activation of the page.
    pub fn click(&mut self, selector: &str) {
        self.press(selector, "mouse");
    }

    /// Taps an element with a finger.
    pub fn tap(&mut self, selector: &str) {
        self.press(selector, "touch");
    }

    fn press(&mut self, selector: &str, pointer: &str) {
        let element = self.element(selector);
        self.perform(json!([{
            "type": "pointer", "id": pointer, "parameters": {"pointerType": pointer}, "actions": [
                {"type": "pointerMove", "x": 0, "y": 0,
                 "origin": {"type": "element", "element": {"sharedId": element}}},
                {"type": "pointerDown", "button": 0},
                {"type": "pointerUp", "button": 0},
            ],
        }]));
    }

    /// Replaces the text of an input element, typing on the keyboard.
    pub fn fill(&mut self, selector: &str, text: &str) {
        self.click(selector);
        self.evaluate("document.activeElement.select()");
        let keys: Vec<Value> = text
            .chars()
            .flat_map(|key| ["keyDown", "keyUp"].map(|kind| json!({"type": kind, "value": key})))
            .collect();
        self.perform(json!([{"type": "key", "id": "keyboard", "actions": keys}]));
    }

    /// Writes what the page looks like to a PNG file, making its folder.
    pub fn screenshot(&mut self, path: &Path) {
        let params = json!({"context": self.context});
        let result = self.bidi.call("browsingContext.captureScreenshot", params);
        let png = base64::engine::general_purpose::STANDARD
            .decode(result["data"].as_str().expect("a screenshot has data"))
            .expect("a screenshot is base64");
        let folder = path.parent().expect("the path names a file");
        std::fs::create_dir_all(folder)
            .and_then(|()| std::fs::write(path, png))
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }

    /// The console lines and uncaught errors of the page so far.
    pub fn console(&self) -> &[String] {
        self.bidi.console()
    }

    /// Ends the browser in an orderly way; dropping kills it.
    pub fn close(mut self) {
        self.bidi.call("browser.close", json!({}));
    }

    fn element(&mut self, selector: &str) -> String {
        let params = json!({
            "context": self.context, "locator": {"type": "css", "value": selector},
        });
        let result = self.bidi.call("browsingContext.locateNodes", params);
        let id = result["nodes"][0]["sharedId"].as_str();
        let id = id
            .unwrap_or_else(|| panic!("the page has no {selector}"))
            .to_owned();
        let selector = json!(selector);
        self.evaluate(&format!(
            "document.querySelector({selector}).scrollIntoView({{block: 'center'}})"
        ));
        id
    }

    fn perform(&mut self, actions: Value) {
        let params = json!({"context": self.context, "actions": actions});
        self.bidi.call("input.performActions", params);
    }

    /// Runs a script in the page.
    pub fn run(&mut self, script: &str) -> Value {
        let result = self.bidi.call(
            "script.evaluate",
            json!({
                "expression": script,
                "target": {"context": self.context},
                "awaitPromise": true,
            }),
        );
        if result["type"] == "exception" {
            let text = &result["exceptionDetails"]["text"];
            panic!("{script}: {text}\nconsole: {:#?}", self.console());
        }
        result["result"].clone()
    }
}

fn start_chromium(profile: &Path, flags: &[&str]) -> (Child, Bidi, String) {
    let mut command = Command::new("chromedriver");
    let mut child = Child::spawn("chromedriver", command.arg("--port=0"));
    let port = child.find_in_stdout(START_TIMEOUT, |line| {
        let (_, port) = line.split_once("started successfully on port ")?;
        port.trim_end_matches('.').parse::<u16>().ok()
    });
    let mut response = ureq::post(format!("http://127.0.0.1:{port}/session"))
        .config()
        .http_status_as_error(false)
        .timeout_global(Some(START_TIMEOUT))
        .build()
        .send_json(chromium_capabilities(profile, flags))
        .unwrap_or_else(|error| panic!("chromedriver does not answer: {error}"));
    let reply: Value = response.body_mut().read_json().expect("the body is JSON");
    let capabilities = &reply["value"]["capabilities"];
    let url = capabilities["webSocketUrl"]
        .as_str()
        .unwrap_or_else(|| panic!("chromedriver makes no BiDi session: {reply:#}"));
    let bidi = Bidi::connect(url);
    (child, bidi, name_and_version(capabilities))
}

fn chromium_capabilities(profile: &Path, flags: &[&str]) -> Value {
    let flags = CHROMIUM_ARGUMENTS.iter().chain(flags);
    let mut arguments: Vec<String> = flags.map(|flag| (*flag).to_owned()).collect();
    arguments.push(format!("--user-data-dir={}", profile.display()));
    let mut options = json!({"args": arguments});
    // Elsewhere chromedriver finds the Chrome it belongs to by itself.
    if Path::new(CHROMIUM).exists() {
        options["binary"] = CHROMIUM.into();
    }
    json!({"capabilities": {"alwaysMatch": {
        "webSocketUrl": true, "goog:chromeOptions": options,
    }}})
}

fn start_firefox(profile: &Path, flags: &[&str]) -> (Child, Bidi, String) {
    std::fs::write(profile.join("user.js"), FIREFOX_PREFERENCES)
        .expect("the profile folder can be written");
    let mut command = Command::new(firefox());
    command.args(["--headless", "--no-remote", "--remote-debugging-port", "0"]);
    command.arg("--profile").arg(profile).args(flags);
    let mut child = Child::spawn("firefox", &mut command);
    let url = child.find_in_stderr(START_TIMEOUT, |line| {
        let (_, url) = line.split_once("WebDriver BiDi listening on ")?;
        Some(url.to_owned())
    });
    let mut bidi = Bidi::connect(&format!("{url}/session"));
    let session = bidi.call("session.new", json!({"capabilities": {}}));
    (child, bidi, name_and_version(&session["capabilities"]))
}

/// Debian calls it `firefox-esr`, everybody else `firefox`.
fn firefox() -> &'static str {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let debian = std::env::split_paths(&path).any(|folder| folder.join("firefox-esr").exists());
    if debian { "firefox-esr" } else { "firefox" }
}

fn name_and_version(capabilities: &Value) -> String {
    let text = |name: &str| capabilities[name].as_str().unwrap_or("?").to_owned();
    format!("{} {}", text("browserName"), text("browserVersion"))
}

const CHROMIUM: &str = "/usr/bin/chromium";
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// Without a sandbox because Chromium refuses to have one for root.
const CHROMIUM_ARGUMENTS: [&str; 7] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// The mock context stands for a sound card: without one an `AudioContext` of Firefox
/// stays suspended, whatever the autoplay rules say. Chromium brings its own.
const FIREFOX_PREFERENCES: &str = r#"
user_pref("app.normandy.enabled", false);
user_pref("app.update.disabledForTesting", true);
user_pref("browser.aboutwelcome.enabled", false);
user_pref("browser.newtabpage.enabled", false);
user_pref("browser.safebrowsing.downloads.remote.enabled", false);
user_pref("browser.safebrowsing.malware.enabled", false);
user_pref("browser.safebrowsing.phishing.enabled", false);
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("extensions.update.enabled", false);
user_pref("media.cubeb.force_mock_context", true);
user_pref("media.gmp-manager.updateEnabled", false);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("services.settings.server", "data:,");
user_pref("toolkit.telemetry.enabled", false);
user_pref("toolkit.telemetry.reportingpolicy.firstRun", false);
"#;
