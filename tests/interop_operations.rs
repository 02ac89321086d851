//! The server among the programs that others run it with: nginx, Prometheus.

use std::collections::HashSet;

use serde_json::Value;
use skywave_tests::{Nginx, Server, read_metrics};

const OFFER: &str = include_str!("../crates/skywave-sdp/testdata/chromium.sdp");

#[test]
fn nginx_as_in_the_example_passes_pages_and_sessions_and_no_rights() {
    let server = Server::start_with("tone:440", &["--allow-origin", "*"]);
    let signed = rcgen::generate_simple_self_signed(["radio.example".to_owned()]);
    let signed = signed.expect("a certificate can be made");
    let nginx = Nginx::start(
        &server,
        &signed.cert.pem(),
        &signed.signing_key.serialize_pem(),
    );
    let page = nginx.curl("/", &[]);
    assert_eq!(status(&page), 200, "{page}");
    assert!(page.contains("<title>") && page.contains("content-security-policy"));

    let sdp = [
        "-H",
        "content-type: application/sdp",
        "--data-binary",
        OFFER,
    ];
    let answer = nginx.curl("/whep", &sdp);
    assert_eq!(status(&answer), 201, "{answer}");
    assert!(answer.contains("a=sendonly"), "{answer}");
    let mut fields = answer.lines().filter_map(|line| line.split_once(": "));
    let location = fields.find(|(name, _)| name.eq_ignore_ascii_case("location"));
    let (_, session) = location.expect("a session has an address");
    assert!(session.starts_with("/whep/"), "{session}");
    assert_eq!(server.stats()["listeners"][0]["state"], "connecting");
    assert_eq!(status(&nginx.curl(session, &[])), 204);

    // Visitors do not look like this computer, which may control.
    let stats = nginx.curl("/api/stats", &[]);
    assert!(stats.contains("\"control\":\"local\""), "{stats}");
    assert_eq!(server.stats()["control"], "allowed");
    let source = ["-X", "PUT", "--json", "{\"source\":\"melody\"}"];
    assert_eq!(status(&nginx.curl("/api/source", &source)), 403);
    assert_eq!(status(&nginx.curl("/readyz", &[])), 404);

    // The example's limit, and the one behind it.
    let long = "a".repeat(100_000);
    let sdp = [
        "-H",
        "content-type: application/sdp",
        "--data-binary",
        &long,
    ];
    assert_eq!(status(&nginx.curl("/whep", &sdp)), 413);

    assert_eq!(status(&nginx.curl(session, &["-X", "DELETE"])), 200);
    assert_eq!(server.stats()["listeners"], Value::Array(Vec::new()));
}

#[test]
fn prometheus_client_of_python_reads_every_line_of_the_metrics() {
    let server = Server::start_with("main=tone:440", &["talk=tone:880"]);
    let text = server.metrics();
    let families = read_metrics(&text);
    let described = text.lines().filter(|line| line.starts_with("# TYPE "));
    assert_eq!(families.len(), described.count(), "{text}");
    let samples: usize = families
        .iter()
        .map(|family| family["samples"].as_array().map_or(0, Vec::len))
        .sum();
    let written = text.lines().filter(|line| !line.starts_with('#')).count();
    assert_eq!(samples, written);

    for family in &families {
        assert_ne!(family["help"], "", "{family}");
        assert_ne!(family["type"], "unknown", "{family}");
        if family["type"] == "histogram" {
            assert_cumulative(family);
        }
    }
    let frames = families
        .iter()
        .find(|family| family["name"] == "skywave_track_frames")
        .expect("the client has no _total in names");
    assert_eq!(frames["type"], "counter");
    let channels = frames["samples"].as_array().into_iter().flatten();
    let channels: HashSet<_> = channels
        .filter_map(|sample| sample[1]["channel"].as_str())
        .collect();
    assert_eq!(channels, HashSet::from(["main", "talk"]));
}

/// Buckets that never fall, of which the last has all.
fn assert_cumulative(family: &Value) {
    let samples = family["samples"].as_array().expect("samples");
    let of = |end: &str| -> Vec<f64> {
        let samples = samples.iter();
        let named = samples.filter(|sample| {
            let name = sample[0].as_str();
            name.is_some_and(|name| name.ends_with(end))
        });
        named.filter_map(|sample| sample[2].as_f64()).collect()
    };
    let buckets = of("_bucket");
    assert!(buckets.len() > 2 && buckets.is_sorted(), "{family}");
    assert_eq!(buckets.last(), of("_count").first(), "{family}");
}

/// Of an answer that begins with its head.
fn status(answer: &str) -> u16 {
    let status = answer.split(' ').nth(1).and_then(|word| word.parse().ok());
    status.unwrap_or_else(|| panic!("no status in {answer}"))
}
