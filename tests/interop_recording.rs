//! Calls from GStreamer and Pion over WHEP: that they decode what is played.

use skywave_tests::{Recording, Server};

#[test]
fn gstreamer_with_its_rsa_certificate_hears_opus() {
    let server = Server::start("tone:440");
    let recording = Recording::of_gstreamer(&server, 2);
    // Else it would be no test of RSA.
    assert_eq!(recording.told["certificate"], "RSA");
    assert_heard(&recording);
    assert_hung_up(&server);
}

#[test]
fn pion_hears_pcmu() {
    let server = Server::start("tone:440");
    let recording = Recording::of_pion(&server, 2);
    assert_eq!(recording.told["payload_type"], 0);
    assert_heard(&recording);
    assert_hung_up(&server);
}

fn assert_heard(recording: &Recording) {
    let [heard, beside] = [440.0, 660.0].map(|frequency| recording.share_at(frequency));
    assert!(heard > 0.95 && beside < 0.01, "{heard} {beside}");
    let peak = recording
        .samples
        .iter()
        .map(|sample| sample.unsigned_abs())
        .max();
    assert!(
        peak.is_some_and(|peak| (2_000..20_000).contains(&peak)),
        "{peak:?}"
    );
}

fn assert_hung_up(server: &Server) {
    assert_eq!(
        server.stats()["listeners"].as_array().map(Vec::len),
        Some(0)
    );
}
