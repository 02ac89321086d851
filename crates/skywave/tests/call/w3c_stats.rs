//! The statistics of a call, as a W3C `RTCStatsReport`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use serde_json::Value;
use skywave::{AudioTransmitter, Config, Stats, TransmitterState};
use tokio::time::{sleep, timeout};

use crate::peer::{Listener, PATIENCE};
use crate::{call, tone};

/// The members of each type, as the W3C's Editor's Draft of September 2025 names them: those that
/// are known here, by the first report.
const MEMBERS: [(&str, &str); 10] = [
    (
        "candidate-pair",
        "bytesReceived bytesSent consentRequestsSent lastPacketReceivedTimestamp \
         localCandidateId nominated packetsReceived packetsSent remoteCandidateId \
         requestsReceived requestsSent responsesReceived responsesSent state transportId",
    ),
    (
        "certificate",
        "base64Certificate fingerprint fingerprintAlgorithm",
    ),
    (
        "codec",
        "channels clockRate mimeType payloadType sdpFmtpLine transportId",
    ),
    (
        "local-candidate",
        "address candidateType foundation port priority protocol transportId usernameFragment",
    ),
    (
        "media-source",
        "audioLevel kind totalAudioEnergy totalSamplesDuration trackIdentifier",
    ),
    (
        "outbound-rtp",
        "active bytesSent codecId headerBytesSent kind mediaSourceId mid nackCount packetsSent \
         remoteId retransmittedBytesSent retransmittedPacketsSent ssrc targetBitrate transportId",
    ),
    ("peer-connection", "dataChannelsClosed dataChannelsOpened"),
    (
        "remote-candidate",
        "address candidateType port protocol transportId usernameFragment",
    ),
    (
        "remote-inbound-rtp",
        "codecId fractionLost jitter kind localId packetsLost packetsReceived \
         roundTripTimeMeasurements ssrc totalRoundTripTime transportId",
    ),
    (
        "transport",
        "bytesReceived bytesSent dtlsCipher dtlsRole dtlsState iceLocalUsernameFragment \
         iceRole iceState localCertificateId packetsReceived packetsSent remoteCertificateId \
         selectedCandidatePairChanges selectedCandidatePairId srtpCipher tlsVersion",
    ),
];

/// A call of which the peer has reported, though not what measures the round trip: that takes
/// some seconds.
async fn reported() -> (AudioTransmitter, Listener) {
    let mut transmitter = AudioTransmitter::new(Config::default()).unwrap();
    transmitter.start_transmission(tone(440.0));
    let mut listener = Listener::new().await;
    call(&mut transmitter, &listener).await;
    listener.packets(10).await;
    let reported = async {
        while transmitter.transmission_stats().reports_received == 0 {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, reported).await.expect("a report in time");
    (transmitter, listener)
}

#[tokio::test(flavor = "multi_thread")]
async fn report_has_the_members_of_the_w3c_and_every_id_leads_somewhere() {
    let (transmitter, _listener) = reported().await;
    let report = serde_json::to_value(transmitter.stats_report()).unwrap();
    let objects = report.as_object().unwrap();
    let mut members: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (id, object) in objects {
        assert_eq!(object["id"], Value::from(id.clone()));
        let names = object.as_object().unwrap().keys().map(String::as_str);
        let own = names.filter(|name| !["id", "type", "timestamp"].contains(name));
        let of_type = members.entry(object["type"].as_str().unwrap()).or_default();
        of_type.extend(own);
        for (name, value) in object.as_object().unwrap() {
            if name.ends_with("Id") {
                assert!(objects.contains_key(value.as_str().unwrap()), "{name}");
            }
        }
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis() as f64;
        let age = now - object["timestamp"].as_f64().unwrap();
        assert!((-1.0..60_000.0).contains(&age), "{id} is {age} ms old");
    }
    let expected = MEMBERS.map(|(of_type, names)| (of_type, names.split_whitespace().collect()));
    assert_eq!(members, BTreeMap::from(expected));
}

#[tokio::test(flavor = "multi_thread")]
async fn report_tells_what_the_flat_statistics_tell() {
    let (transmitter, listener) = reported().await;
    let ids = |transmitter: &AudioTransmitter| {
        let report = transmitter.stats_report();
        report
            .iter()
            .map(|stats| stats.id().to_owned())
            .collect::<Vec<_>>()
    };
    let before = ids(&transmitter);
    transmitter.replace_audio_source(tone(880.0));
    assert_eq!(ids(&transmitter), before, "ids stay");
    transmitter.close().await;

    let flat = transmitter.transmission_stats();
    let report = transmitter.stats_report();
    for stats in report.iter() {
        match stats {
            Stats::OutboundRtp(stats) => {
                assert_eq!(stats.packets_sent, flat.packets_sent);
                assert_eq!(stats.bytes_sent, flat.bytes_sent);
                assert_eq!(stats.header_bytes_sent, flat.header_bytes_sent);
                assert_eq!((stats.ssrc, stats.active), (flat.ssrc, false));
            }
            Stats::RemoteInboundRtp(stats) => {
                assert_eq!(stats.round_trip_time, flat.round_trip_time);
                assert_eq!(
                    (stats.packets_lost, stats.jitter),
                    (flat.packets_lost, flat.jitter)
                );
                let received = stats.packets_received.unwrap();
                assert!((1..=flat.packets_sent).contains(&received), "{received}");
            }
            Stats::Transport(stats) => {
                assert_eq!(stats.srtp_cipher, flat.srtp_cipher);
                assert_eq!(stats.selected_candidate_pair_changes, 1);
                let rtp = flat.bytes_sent + flat.header_bytes_sent;
                assert!(stats.bytes_sent > rtp && stats.packets_sent > flat.packets_sent);
                assert!(stats.bytes_received > 0);
            }
            Stats::MediaSource(stats) => {
                // A tone of -9 dBov or so, faded in.
                let level = (stats.total_audio_energy / stats.total_samples_duration).sqrt();
                assert!((0.05..0.8).contains(&level), "{level}");
            }
            _ => {}
        }
    }
    assert_eq!(transmitter.state(), TransmitterState::Closed);
    drop(listener);
}

#[test]
fn report_before_any_negotiation_says_so() {
    let transmitter = AudioTransmitter::new(Config::default()).unwrap();
    let report = serde_json::to_value(transmitter.stats_report()).unwrap();
    let transport = &report["transport"];
    assert_eq!(transport["dtlsState"], "new");
    assert_eq!(transport["iceState"], "new");
    assert_eq!(transport["dtlsRole"], "unknown");
    assert_eq!(transport["iceRole"], "controlled");
    let types: BTreeSet<_> = report
        .as_object()
        .unwrap()
        .values()
        .map(|o| o["type"].as_str())
        .collect();
    let expected = [
        "certificate",
        "media-source",
        "outbound-rtp",
        "peer-connection",
        "transport",
    ];
    assert_eq!(types, expected.map(Some).into());
}
