//! All that is known of one transmitter, as the objects of the W3C's `RTCStatsReport`.

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::{
    CandidatePairStats, CertificateStats, CodecStats, IceCandidateStats, MediaSourceStats,
    OutboundRtpStats, PeerConnectionStats, RemoteInboundRtpStats, TransportStats,
};

/// The statistics of one transmitter: objects that name each other by id, as the W3C's
/// `RTCPeerConnection.getStats()` gives them. Made by
/// [`AudioTransmitter::stats_report`](crate::AudioTransmitter::stats_report).
///
/// Serialised it is a map from ids to objects, as `Object.fromEntries(await pc.getStats())`. Ids
/// of what stays the same stay the same. Members that are not known are left out.
#[derive(Clone, PartialEq, Debug)]
pub struct StatsReport(pub(crate) Vec<Stats>);

impl StatsReport {
    /// All objects.
    pub fn iter(&self) -> impl Iterator<Item = &Stats> {
        self.0.iter()
    }

    /// The object of an id.
    pub fn get(&self, id: &str) -> Option<&Stats> {
        self.iter().find(|stats| stats.id() == id)
    }
}

impl Serialize for StatsReport {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for stats in self.iter() {
            map.serialize_entry(stats.id(), stats)?;
        }
        map.end()
    }
}

/// One object of a [`StatsReport`], of the type that the W3C calls so.
#[derive(Clone, PartialEq, Debug, serde::Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Stats {
    /// `codec`
    Codec(CodecStats),
    /// `remote-inbound-rtp`
    RemoteInboundRtp(RemoteInboundRtpStats),
    /// `outbound-rtp`
    OutboundRtp(OutboundRtpStats),
    /// `media-source`
    MediaSource(MediaSourceStats),
    /// `peer-connection`
    PeerConnection(PeerConnectionStats),
    /// `transport`
    Transport(TransportStats),
    /// `candidate-pair`
    CandidatePair(CandidatePairStats),
    /// `local-candidate`
    LocalCandidate(IceCandidateStats),
    /// `remote-candidate`
    RemoteCandidate(IceCandidateStats),
    /// `certificate`
    Certificate(CertificateStats),
}

impl Stats {
    /// What others name it by.
    pub fn id(&self) -> &str {
        match self {
            Self::Codec(stats) => &stats.id,
            Self::RemoteInboundRtp(stats) => &stats.id,
            Self::OutboundRtp(stats) => &stats.id,
            Self::MediaSource(stats) => &stats.id,
            Self::PeerConnection(stats) => &stats.id,
            Self::Transport(stats) => &stats.id,
            Self::CandidatePair(stats) => &stats.id,
            Self::LocalCandidate(stats) | Self::RemoteCandidate(stats) => &stats.id,
            Self::Certificate(stats) => &stats.id,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn report_is_serialised_as_browsers_do() {
        let remote = RemoteInboundRtpStats {
            id: "R".to_owned(),
            timestamp: 1_800_000_000_123.5,
            ssrc: 7,
            kind: "audio",
            transport_id: "T".to_owned(),
            codec_id: None,
            local_id: "O".to_owned(),
            packets_received: Some(100),
            packets_lost: -1,
            jitter: 0.002,
            fraction_lost: 0.25,
            round_trip_time: Some(0.05),
            total_round_trip_time: 0.15,
            round_trip_time_measurements: 3,
        };
        let report = StatsReport(vec![Stats::RemoteInboundRtp(remote)]);
        assert_eq!(
            serde_json::to_value(&report).unwrap(),
            json!({ "R": {
                "type": "remote-inbound-rtp",
                "id": "R",
                "timestamp": 1_800_000_000_123.5,
                "ssrc": 7,
                "kind": "audio",
                "transportId": "T",
                "localId": "O",
                "packetsReceived": 100,
                "packetsLost": -1,
                "jitter": 0.002,
                "fractionLost": 0.25,
                "roundTripTime": 0.05,
                "totalRoundTripTime": 0.15,
                "roundTripTimeMeasurements": 3,
            }})
        );
        assert!(report.get("R").is_some() && report.get("O").is_none());
    }
}
