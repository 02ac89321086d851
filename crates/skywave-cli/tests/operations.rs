//! The program as those who run it for others see it: tokens, channels, options, health, the end.

#![allow(clippy::unwrap_used)]

mod support;

use std::fs::{self, File};
use std::net::{TcpListener, UdpSocket};
use std::time::{Duration, Instant};

use serde_json::{Value, json as value};
use support::{Program, detail, json, run};

const OFFER: &str = include_str!("../../skywave-sdp/testdata/chromium.sdp");
const VIEWER: &str = "viewer-0123456789abcdef";
const CONTROL: &str = "control-0123456789abcdef";
const SDP: (&str, &str) = ("content-type", "application/sdp");
const JSON: (&str, &str) = ("content-type", "application/json");

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

#[test]
fn rfc6750_listeners_need_the_viewer_token_and_pages_can_read_that() {
    let program = Program::start(&["tone:440", "--viewer-token", VIEWER]);
    let origin = ("origin", "https://radio.example");
    let refused = program.request("POST", "/whep", &[SDP, origin], OFFER);
    assert_eq!(refused.status(), 401);
    assert_eq!(
        refused.headers()["www-authenticate"],
        "Bearer realm=\"skywave\""
    );
    assert_eq!(refused.headers()["access-control-allow-origin"], "*");
    assert!(detail(refused).contains("token"));
    for token in [CONTROL, "viewer-0123456789abcdeg"] {
        let authorization = bearer(token);
        let headers = [SDP, ("authorization", authorization.as_str())];
        assert_eq!(
            program.request("POST", "/whep", &headers, OFFER).status(),
            401,
            "{token}"
        );
    }
    // Tokens in addresses end in logs: they are not looked at.
    let path = format!("/whep?access_token={VIEWER}");
    assert_eq!(program.request("POST", &path, &[SDP], OFFER).status(), 401);

    let preflight = [origin, ("access-control-request-method", "POST")];
    let allowed = program.request("OPTIONS", "/whep", &preflight, "");
    assert_eq!(allowed.status(), 200);
    let authorization = bearer(VIEWER);
    let headers = [SDP, ("authorization", authorization.as_str())];
    let accepted = program.request("POST", "/whep", &headers, OFFER);
    assert_eq!(accepted.status(), 201);
    let session = accepted.headers()["location"].to_str().unwrap().to_owned();
    assert_eq!(program.request("DELETE", &session, &[], "").status(), 401);
    assert_eq!(
        program.request("DELETE", &session, &headers, "").status(),
        200
    );
    assert_eq!(program.get("/").status(), 200, "the page is for all");
}

#[test]
fn control_token_opens_the_api_to_who_has_it_and_to_nobody_else() {
    let program = Program::start(&["tone:440", "--control-token", CONTROL]);
    let body = r#"{"source":"tone:880"}"#;
    assert_eq!(
        program
            .request("PUT", "/api/source", &[JSON], body)
            .status(),
        401
    );
    assert!(program.stats().get("listeners").is_none());

    let authorization = bearer(CONTROL);
    let elsewhere = [
        JSON,
        ("host", "radio.example"),
        ("authorization", authorization.as_str()),
    ];
    assert_eq!(
        program
            .request("PUT", "/api/source", &elsewhere, body)
            .status(),
        200
    );
    let stats = json(&mut program.request("GET", "/api/stats", &elsewhere, ""));
    assert_eq!(stats["source"], "tone:880");
    assert_eq!(stats["listeners"], value!([]));
}

#[test]
fn every_channel_has_its_source_and_its_listeners() {
    let program = Program::start(&["main=melody", "talk=tone:440"]);
    assert!(
        program.greeting.contains("main=melody talk=tone:440"),
        "{}",
        program.greeting
    );
    for path in ["/whep", "/whep/talk", "/whep/talk"] {
        assert_eq!(
            program.request("POST", path, &[SDP], OFFER).status(),
            201,
            "{path}"
        );
    }
    let body = r#"{"source":"tone:880"}"#;
    let path = "/api/channels/talk/source";
    assert_eq!(program.request("PUT", path, &[JSON], body).status(), 200);
    let unknown = program.request("PUT", "/api/channels/song/source", &[JSON], body);
    assert_eq!(unknown.status(), 404);
    assert!(detail(unknown).contains("channel"));

    let channels = json(&mut program.get("/api/channels"));
    let expected = value!([
        {"name": "main", "whep": "/whep/main", "source": "melody", "listeners": 1},
        {"name": "talk", "whep": "/whep/talk", "source": "tone:880", "listeners": 2},
    ]);
    assert_eq!(channels, expected);
    assert_eq!(program.stats()["source"], "melody");
}

#[test]
fn several_sources_without_names_are_refused() {
    for (arguments, reason) in [
        (&["melody", "tone:440"][..], "NAME=melody"),
        (&["a=melody", "a=tone:440"], "two channels called a"),
    ] {
        let output = run(&[&["--http", "127.0.0.1:0"], arguments].concat());
        assert_eq!(output.status.code(), Some(1));
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(errors.contains(reason), "{errors}");
    }
}

#[test]
fn environment_goes_before_the_file_and_the_command_line_before_both() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("skywave.toml");
    fs::write(&path, "max-listeners = 1\nptime = 40\nshards = 2\n").unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_skywave"))
        .args(["--print-config", "--ptime", "10"])
        .env("SKYWAVE_CONFIG", &path)
        .env("SKYWAVE_PTIME", "60")
        .env("SKYWAVE_SHARDS", "3")
        .env("SKYWAVE_VIEWER_TOKEN", VIEWER)
        .output()
        .unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    for line in [
        "ptime = 10\n",
        "shards = 3\n",
        "max-listeners = 1\n",
        "viewer-token = \"***\"\n",
    ] {
        assert!(printed.contains(line), "{line} in {printed}");
    }
    assert!(!printed.contains(VIEWER));

    fs::write(&path, "max-listner = 1\n").unwrap();
    let output = run(&["--config", path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.contains("did you mean max-listeners?"), "{errors}");
}

#[test]
fn log_is_json_with_a_span_a_session_and_has_no_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let arguments = [
        "tone:440",
        "--log-format",
        "json",
        "--viewer-token",
        VIEWER,
        "--control-token",
        CONTROL,
        "--ice-server",
        "turn:turn.example.net user turn-0123456789",
    ];
    let program = Program::start_with(&arguments, |command| {
        command
            .env("RUST_LOG", "trace")
            .stderr(File::create(&path).unwrap());
    });
    let authorization = bearer(VIEWER);
    let headers = [SDP, ("authorization", authorization.as_str())];
    let mut response = program.request("POST", "/whep", &headers, OFFER);
    let session = response.headers()["location"].to_str().unwrap().to_owned();
    assert!(
        response.headers()["link"]
            .to_str()
            .unwrap()
            .contains("turn-0123456789")
    );
    let answer = response.body_mut().read_to_string().unwrap();
    program.request("DELETE", &session, &headers, "");
    assert_eq!(program.signal("TERM"), Some(0));

    let log = fs::read_to_string(&path).unwrap();
    let passwords = [&answer, OFFER].map(|sdp| {
        let mut lines = sdp
            .lines()
            .filter_map(|line| line.strip_prefix("a=ice-pwd:"));
        lines.next().unwrap().to_owned()
    });
    let id = session.strip_prefix("/whep/").unwrap();
    for secret in [
        VIEWER,
        CONTROL,
        "turn-0123456789",
        &passwords[0],
        &passwords[1],
        id,
    ] {
        assert!(!log.contains(secret), "{secret}");
    }
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let accepted = lines
        .iter()
        .find(|line| line["message"] == "listener accepted")
        .unwrap();
    assert_eq!(accepted["span"]["id"], id[..8]);
    assert_eq!(accepted["span"]["channel"], "main");
}

#[test]
fn drain_sends_newcomers_away_and_ends_when_all_have_left() {
    let program = Program::start(&["tone:440", "--drain", "600"]);
    for path in ["/healthz", "/readyz"] {
        assert_eq!(program.get(path).status(), 200, "{path}");
    }
    let accepted = program.post_offer(OFFER);
    let session = accepted.headers()["location"].to_str().unwrap().to_owned();
    program.kill("TERM");
    let deadline = Instant::now() + Duration::from_secs(30);
    while program.get("/readyz").status() == 200 {
        assert!(Instant::now() < deadline, "still ready");
        std::thread::yield_now();
    }
    assert_eq!(program.get("/healthz").status(), 200);
    let refused = program.post_offer(OFFER);
    assert_eq!(refused.status(), 503);
    assert_eq!(refused.headers()["retry-after"], "5");
    assert_eq!(program.delete(&session).status(), 200);
    assert_eq!(program.ended(), Some(0));
}

#[test]
fn second_signal_ends_a_drain() {
    let program = Program::start(&["tone:440", "--drain", "600"]);
    assert_eq!(program.post_offer(OFFER).status(), 201);
    program.kill("TERM");
    let deadline = Instant::now() + Duration::from_secs(30);
    while program.get("/readyz").status() == 200 {
        assert!(Instant::now() < deadline, "still ready");
        std::thread::yield_now();
    }
    assert_eq!(program.signal("INT"), Some(0));
}

#[test]
fn doctor_says_what_to_do_and_fails_where_serving_would() {
    let well = run(&["doctor", "--http", "127.0.0.1:0", "--udp", "127.0.0.1:0"]);
    let findings = String::from_utf8(well.stdout).unwrap();
    assert_eq!(well.status.code(), Some(0), "{findings}");
    for text in [
        "channel main: melody can be opened",
        "HTTP 127.0.0.1:0",
        "files may be open",
        "UDP buffers",
        "SCHED_FIFO",
    ] {
        assert!(findings.contains(text), "{text} in {findings}");
    }
    let faulty = run(&[
        "doctor",
        "--tls-cert",
        "/nowhere/cert.pem",
        "--http",
        "127.0.0.1:0",
    ]);
    let findings = String::from_utf8(faulty.stdout).unwrap();
    assert_eq!(faulty.status.code(), Some(1), "{findings}");
    assert!(findings.contains("FAULT   TLS"), "{findings}");
}

/// The exit status of the doctor, and its lines.
fn doctor(options: &[&str]) -> (Option<i32>, Vec<String>) {
    let output = run(&[&["doctor"], options].concat());
    let findings = String::from_utf8(output.stdout).unwrap();
    (
        output.status.code(),
        findings.lines().map(str::to_owned).collect(),
    )
}

fn assert_told(findings: &[String], kind: &str, text: &str) {
    let is_told = |line: &String| line.starts_with(kind) && line.contains(text);
    assert!(
        findings.iter().any(is_told),
        "{kind} {text} in {findings:#?}"
    );
}

#[test]
fn doctor_finds_ports_that_are_taken() {
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    let http = tcp.local_addr().unwrap().to_string();
    let media = udp.local_addr().unwrap().to_string();
    let (status, findings) = doctor(&["--http", &http, "--udp", "127.0.0.1:0"]);
    assert_eq!(status, Some(1));
    assert_told(&findings, "FAULT ", &format!("HTTP {http}"));
    let (status, findings) = doctor(&["--http", "127.0.0.1:0", "--udp", &media]);
    assert_eq!(status, Some(1));
    assert_told(&findings, "FAULT ", "--udp ADDR:PORT");
}

#[test]
fn doctor_advises_where_only_this_computer_gets_in() {
    // Outside of the range that others are given ports from.
    let (status, findings) = doctor(&["--http", "127.0.0.1:0", "--udp", "127.0.0.1:21123"]);
    assert_eq!(status, Some(0), "{findings:#?}");
    assert_told(&findings, "advice", "--http 0.0.0.0:0 is for all");
    assert_told(&findings, "advice", "--public-ip");
    let options = ["--udp", "127.0.0.1:21124", "--public-ip", "203.0.113.7"];
    let (_, findings) = doctor(&[&["--http", "0.0.0.0:0"], &options[..]].concat());
    assert_told(&findings, "ok    ", "forwarded to here");
    assert_told(&findings, "advice", "--viewer-token");
}
