//! The program from outside: its greeting, page, API and end.

#![allow(clippy::unwrap_used)]

mod support;

use std::collections::BTreeSet;
use std::net::TcpListener;

use serde_json::Value;
use support::{Program, detail, json, run};

const OFFER: &str = include_str!("../../skywave-sdp/testdata/chromium.sdp");
const DASHBOARD: &str = include_str!("../../../docs/grafana-dashboard.json");
const STATISTICS: &str = include_str!("../../../docs/statistics.md");

#[test]
fn greeting_says_what_plays_and_where() {
    let program = Program::start(&["tone:440"]);
    assert!(
        program.greeting.contains("tone:440"),
        "{}",
        program.greeting
    );
    assert!(
        program.greeting.contains("UDP 127.0.0.1:"),
        "{}",
        program.greeting
    );
    assert!(!program.url.ends_with(":0"), "{}", program.url);
}

#[test]
fn serve_and_melody_are_the_defaults() {
    let program = Program::start(&[]);
    assert_eq!(program.stats()["source"], "melody");
}

#[test]
fn page_loads_only_from_its_own_server() {
    let program = Program::start(&[]);
    let mut page = program.get("/");
    assert_eq!(page.headers()["x-content-type-options"], "nosniff");
    let policy = page.headers()["content-security-policy"].to_str().unwrap();
    assert!(
        policy.starts_with("default-src 'none'; script-src 'self';"),
        "{policy}"
    );
    assert!(!policy.contains("unsafe"), "{policy}");

    let html = page.body_mut().read_to_string().unwrap();
    for id in ["play", "state", "source", "swap", "audio"] {
        assert!(html.contains(&format!("id=\"{id}\"")), "{id}");
    }
    assert_loads_from_here(&program, &html);
}

#[test]
fn operator_page_loads_only_from_its_own_server() {
    let program = Program::start(&[]);
    let html = program
        .get("/operator")
        .body_mut()
        .read_to_string()
        .unwrap();
    assert!(html.contains("id=\"rows\""));
    assert_loads_from_here(&program, &html);
}

/// What a page loads, and what its scripts import, is there and on no other server.
fn assert_loads_from_here(program: &Program, html: &str) {
    assert!(!html.contains("http://") && !html.contains("https://"));
    let attributes = html.split('"').filter(|text| is_file(text));
    let mut paths: Vec<String> = attributes.map(str::to_owned).collect();
    assert!(paths.iter().any(|path| path.ends_with(".js")), "{paths:?}");
    assert!(paths.iter().any(|path| path.ends_with(".css")), "{paths:?}");
    while let Some(path) = paths.pop() {
        let mut file = program.get(&path);
        assert_eq!(file.status(), 200, "{path}");
        if path.ends_with(".js") {
            let script = file.body_mut().read_to_string().unwrap();
            let imports = script.split('\'').filter_map(|text| text.strip_prefix('.'));
            paths.extend(imports.filter(|text| is_file(text)).map(str::to_owned));
        }
    }
}

fn is_file(text: &str) -> bool {
    text.starts_with('/')
        && [".js", ".css", ".svg"]
            .iter()
            .any(|end| text.ends_with(end))
}

#[test]
fn capabilities_are_listed_with_their_w3c_names() {
    let program = Program::start(&[]);
    let capabilities = json(&mut program.get("/api/capabilities"));
    let opus = &capabilities["codecs"][0];
    assert_eq!(opus["mimeType"], "audio/opus");
    assert_eq!(opus["clockRate"], 48_000);
    assert_eq!(opus["channels"], 2);
    assert_eq!(opus["sdpFmtpLine"], "minptime=10;useinbandfec=1");
    assert_eq!(capabilities["codecs"][1]["mimeType"], "audio/PCMU");
    assert_eq!(capabilities["codecs"][2]["mimeType"], "audio/PCMA");
    assert!(capabilities["codecs"][2].get("sdpFmtpLine").is_none());
}

#[test]
fn listener_is_in_the_stats_until_it_hangs_up() {
    let program = Program::start(&["tone:440"]);
    let mut response = program.post_offer(OFFER);
    assert_eq!(response.status(), 201);
    let session = response.headers()["location"].to_str().unwrap().to_owned();
    let answer = response.body_mut().read_to_string().unwrap();
    assert!(answer.contains("a=sendonly"), "{answer}");

    let stats = program.stats();
    assert!(stats["uptime"].as_f64().is_some_and(|uptime| uptime >= 0.0));
    assert!(stats["engine"]["dropped"].is_object());
    let [channel] = &stats["channels"].as_array().unwrap()[..] else {
        panic!("{stats}");
    };
    assert_eq!(
        (&channel["name"], &channel["source"]),
        (&"main".into(), &"tone:440".into())
    );
    assert!(channel["track"]["frames"].is_u64());
    let listener = &stats["listeners"][0];
    assert_eq!(
        format!("/whep/{}", listener["id"].as_str().unwrap()),
        session
    );
    assert_eq!(listener["state"], "connecting");
    assert_eq!(listener["packetsSent"], 0);

    assert_eq!(program.delete(&session).status(), 200);
    assert_eq!(program.stats()["listeners"], serde_json::json!([]));
    assert_eq!(program.delete(&session).status(), 404);
}

#[test]
fn client_that_sends_far_too_much_still_reads_why_not() {
    let program = Program::start(&[]);
    let response = program.post_offer(&"a".repeat(10 << 20));
    assert_eq!(response.status(), 413);
    assert!(detail(response).contains("65536 bytes"));
}

#[test]
fn source_is_swapped() {
    let program = Program::start(&["tone:440"]);
    let mut response = program.put_source(r#"{"source":"tone:880"}"#);
    assert_eq!(response.status(), 200);
    assert_eq!(
        json(&mut response),
        serde_json::json!({"source": "tone:880"})
    );
    assert_eq!(program.stats()["source"], "tone:880");
}

#[test]
fn source_that_cannot_be_opened_leaves_the_old_one() {
    let program = Program::start(&["tone:440"]);
    for (source, reason) in [
        ("tone:loud", "20 to 20000"),
        ("/nowhere/tune.flac", "/nowhere/tune.flac"),
        ("-", "Standard input"),
        ("", "name"),
    ] {
        let response = program.put_source(&format!(r#"{{"source":"{source}"}}"#));
        assert_eq!(response.status(), 422, "{source}");
        let detail = detail(response);
        assert!(detail.contains(reason), "{detail}");
        assert_eq!(program.stats()["source"], "tone:440");
    }
}

#[test]
fn request_that_is_no_source_is_refused() {
    let program = Program::start(&["tone:440"]);
    for (body, status) in [("tone:880", 400), (r#"{"source":7}"#, 422), ("{}", 422)] {
        let response = program.put_source(body);
        assert_eq!(response.status(), status, "{body}");
        detail(response);
    }
    assert_eq!(program.stats()["source"], "tone:440");
}

#[test]
fn other_names_of_the_server_may_not_swap() {
    let program = Program::start(&["tone:440"]);
    let response = program.put_source_as("radio.example", r#"{"source":"tone:880"}"#);
    assert_eq!(response.status(), 403);
    detail(response);
    assert_eq!(program.stats()["source"], "tone:440");
}

#[test]
fn unknown_addresses_and_methods_are_problems() {
    let program = Program::start(&[]);
    for path in ["/nothing", "/api", "/whep/", "/../etc/passwd"] {
        let response = program.get(path);
        assert_eq!(response.status(), 404, "{path}");
        detail(response);
    }
    let response = program.delete("/api/source");
    assert_eq!(response.status(), 405);
    assert_eq!(response.headers()["allow"], "PUT");
    detail(response);
    assert_eq!(program.get("/api/channels/main/source").status(), 405);
}

#[test]
fn file_that_is_no_audio_ends_the_program_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.wav");
    std::fs::write(&path, "these are notes, but not those\n".repeat(100)).unwrap();
    let path = path.to_str().unwrap();

    let output = run(&["serve", path]);
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    let errors = String::from_utf8(output.stderr).unwrap();
    let reason = errors
        .strip_prefix(&format!("error: {path}"))
        .unwrap_or_default();
    assert!(reason.trim().len() > 10, "{errors}");
}

#[test]
fn missing_file_ends_the_program_with_the_reason() {
    let output = run(&["/nowhere/tune.flac"]);
    assert_eq!(output.status.code(), Some(1));
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(
        errors.starts_with("error: /nowhere/tune.flac: "),
        "{errors}"
    );
    assert!(errors.contains("No such file"), "{errors}");
}

#[test]
fn taken_port_ends_the_program_with_the_flag_to_use() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = run(&["--http", &address, "--udp", "127.0.0.1:0"]);
    assert_eq!(output.status.code(), Some(1));
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(
        errors.starts_with(&format!("error: {address} is taken")),
        "{errors}"
    );
    assert!(errors.contains("--http ADDR:PORT"), "{errors}");
}

#[test]
fn help_shows_sources_and_a_pipe_from_ffmpeg() {
    for arguments in [&["--help"][..], &["serve", "--help"]] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(0));
        let help = String::from_utf8(output.stdout).unwrap();
        for text in ["melody", "tone:440", "ffmpeg", "| skywave -", "--public-ip"] {
            assert!(help.contains(text), "{text} in {help}");
        }
    }
}

#[test]
fn redundancy_that_no_packet_can_hold_is_refused_with_the_range() {
    let output = run(&["--redundancy", "3"]);
    assert_eq!(output.status.code(), Some(2));
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(
        errors.contains("--redundancy <N>") && errors.contains("0..=2"),
        "{errors}"
    );
}

#[test]
fn clients_that_say_nothing_keep_nobody_out_for_long() {
    let program = Program::start(&["tone:440", "--http-connections", "2"]);
    let silent = [program.half_request(), program.half_request()];
    // Waits until the silent ones have lost the server's patience.
    assert_eq!(program.get("/").status(), 200);
    drop(silent);
}

#[test]
fn noise_on_the_media_port_is_dropped_and_counted() {
    let program = Program::start(&["tone:440"]);
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    for byte in 0..=255 {
        socket.send_to(&[byte; 60], program.media_port()).unwrap();
    }
    let dropped = || {
        let stats = program.stats();
        let reasons = stats["engine"]["dropped"].as_object().unwrap().clone();
        reasons
            .values()
            .map(|count| count.as_u64().unwrap())
            .sum::<u64>()
    };
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while dropped() < 256 {
        assert!(
            std::time::Instant::now() < deadline,
            "{} of 256 counted",
            dropped()
        );
        std::thread::yield_now();
    }
    assert_eq!(dropped(), 256);
    assert_eq!(program.post_offer(OFFER).status(), 201);
}

#[test]
fn standard_input_plays_and_its_end_is_not_the_programs() {
    let mut program = Program::start(&["-"]);
    program.feed(&[0; 48_000]);
    assert_eq!(program.stats()["source"], "-");
    program.end_input();
    assert_eq!(program.post_offer(OFFER).status(), 201);
    assert!(
        program.greeting.contains("standard input"),
        "{}",
        program.greeting
    );
}

#[cfg(unix)]
#[test]
fn interrupt_and_terminate_end_it_with_listeners_and_open_connections() {
    for signal in ["INT", "TERM"] {
        let program = Program::start(&["tone:440"]);
        assert_eq!(program.post_offer(OFFER).status(), 201);
        let half_request = program.half_request();
        assert_eq!(program.signal(signal), Some(0), "{signal}");
        drop(half_request);
    }
}

#[test]
fn report_of_a_listener_is_the_w3cs_and_for_who_may_control() {
    let program = Program::start(&["tone:440"]);
    let response = program.post_offer(OFFER);
    let session = response.headers()["location"].to_str().unwrap().to_owned();
    let id = session.strip_prefix("/whep/").unwrap();
    let path = format!("/api/listeners/{id}/stats");
    let report = json(&mut program.get(&path));
    for (id, object) in report.as_object().unwrap() {
        assert_eq!(object["id"], id.as_str());
    }
    let kinds = [
        "outbound-rtp",
        "codec",
        "media-source",
        "transport",
        "certificate",
    ];
    for kind in kinds {
        let mut objects = report.as_object().unwrap().values();
        assert!(
            objects.any(|object| object["type"] == kind),
            "{kind}: {report:#}"
        );
    }
    assert_eq!(report["transport"]["iceRole"], "controlled");

    assert_eq!(program.get_as("radio.example", &path).status(), 403);
    let refused = program.get("/api/listeners/nobody/stats");
    assert_eq!(refused.status(), 404);
    assert!(detail(refused).contains("no such listener"));
    assert_eq!(program.get("/api/listeners/%FF/stats").status(), 404);
    program.delete(&session);
    assert_eq!(program.get(&path).status(), 404);
}

#[test]
fn number_of_metrics_does_not_depend_on_listeners() {
    let program = Program::start(&["main=tone:440", "talk=tone:880"]);
    let metrics = || program.get("/metrics").body_mut().read_to_string().unwrap();
    let lines = metrics().lines().count();
    for _ in 0..20 {
        assert_eq!(program.post_offer(OFFER).status(), 201);
    }
    let crowded = metrics();
    assert_eq!(crowded.lines().count(), lines);
    for line in [
        "skywave_channel_listeners{channel=\"main\"} 20\n",
        "skywave_channel_listeners{channel=\"talk\"} 0\n",
    ] {
        assert!(crowded.contains(line), "{crowded}");
    }
}

#[test]
fn metrics_are_for_this_computer_and_count_sessions_that_are_over() {
    let program = Program::start(&["tone:440"]);
    let mut answer = program.get("/metrics");
    let content_type = answer.headers()["content-type"].to_str().unwrap();
    assert!(
        content_type.starts_with("text/plain; version=0.0.4"),
        "{content_type}"
    );
    let text = answer.body_mut().read_to_string().unwrap();
    for name in [
        "skywave_build_info{version=",
        "skywave_sessions_ended_total{reason=\"local\"} 0\n",
        "process_resident_memory_bytes ",
    ] {
        assert!(text.contains(name), "{name}\n{text}");
    }
    let response = program.post_offer(OFFER);
    let session = response.headers()["location"].to_str().unwrap().to_owned();
    program.delete(&session);
    let text = program.get("/metrics").body_mut().read_to_string().unwrap();
    assert!(
        text.contains("skywave_sessions_ended_total{reason=\"local\"} 1\n"),
        "{text}"
    );
    assert_eq!(program.get_as("radio.example", "/metrics").status(), 403);
}

/// The names of metrics in a text: those of this program and those of processes.
fn metric_names(text: &str) -> BTreeSet<&str> {
    let is_name = |byte: char| byte.is_ascii_alphanumeric() || byte == '_';
    let words = text.split(|byte| !is_name(byte));
    words
        .filter(|word| {
            let (prefix, name) = word.split_once('_').unwrap_or_default();
            ["skywave", "process"].contains(&prefix) && !name.is_empty()
        })
        .collect()
}

#[test]
fn dashboard_and_documentation_name_the_metrics_that_there_are() {
    let program = Program::start(&["tone:440"]);
    let text = program.get("/metrics").body_mut().read_to_string().unwrap();
    let samples: BTreeSet<&str> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split(['{', ' ']).next())
        .collect();
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels
        .iter()
        .filter_map(|panel| panel["targets"].as_array());
    let queries: Vec<&str> = targets
        .flatten()
        .map(|target| target["expr"].as_str().unwrap())
        .collect();
    assert!(queries.len() > 20, "{queries:?}");
    for query in queries {
        let names = metric_names(query);
        assert!(!names.is_empty(), "{query}");
        for name in names {
            assert!(samples.contains(name), "{name} in {query}");
        }
    }

    let families = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let families: BTreeSet<&str> = families.filter_map(|line| line.split(' ').next()).collect();
    let documented = metric_names(STATISTICS);
    let told = |name: &&&str| name.starts_with("skywave_");
    for name in documented.iter().filter(told) {
        assert!(families.contains(name), "{name} is documented only");
    }
    for name in families.iter().filter(told) {
        assert!(documented.contains(name), "{name} is not documented");
    }
}
