//! `/metrics`: the figures of the whole program for Prometheus.
//!
//! There is no label a listener: as many lines are written for one as for ten thousand. There is
//! one a channel: those are as many as the operator named.

mod totals;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use skywave::{EngineStats, Lateness, TrackStats, TransmitterState};
use skywave_whip::ListenerStats;

use crate::api::Station;
use crate::exposition::Exposition;
#[cfg(unix)]
use crate::process_figures;

pub(crate) fn router() -> Router<Arc<Station>> {
    Router::new().route("/metrics", get(metrics))
}

/// Everything there is to tell at one moment.
#[derive(Default)]
pub(crate) struct Figures {
    pub(crate) engine: EngineStats,
    /// By the names of their channels.
    pub(crate) tracks: Vec<(String, TrackStats)>,
    pub(crate) listeners: Vec<ListenerStats>,
}

/// `GET /metrics`, for who may control.
async fn metrics(
    State(station): State<Arc<Station>>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
) -> Response {
    if let Err(refused) = station.control.check(client, &headers) {
        return refused.into_response();
    }
    let mut metrics = Exposition::default();
    station.figures().await.expose(&mut metrics);
    #[cfg(unix)]
    process_figures::expose(&mut metrics);
    let content_type = [(header::CONTENT_TYPE, Exposition::CONTENT_TYPE)];
    (content_type, metrics.into_text()).into_response()
}

impl Figures {
    fn expose(&self, metrics: &mut Exposition) {
        metrics.gauges(
            ("skywave_build_info", "version"),
            "1, of the version that runs.",
            [(env!("CARGO_PKG_VERSION"), 1)],
        );
        self.expose_listeners(metrics);
        totals::expose(metrics, &self.engine.totals);
        self.expose_engine(metrics);
        self.expose_tracks(metrics);
    }

    fn expose_listeners(&self, metrics: &mut Exposition) {
        let engine = &self.engine;
        let in_state = |state| {
            let all = self.listeners.iter();
            all.filter(|listener| listener.transmission.state == state)
                .count()
        };
        metrics.gauges(
            ("skywave_listeners", "state"),
            "Listeners that came by WHEP, by the state of their connection.",
            STATES.map(|(name, state)| (name, in_state(state))),
        );
        let of_channel = |name: &str| {
            let all = self.listeners.iter();
            all.filter(|listener| listener.channel == name).count()
        };
        let names = self.tracks.iter().map(|(name, _)| name.as_str());
        metrics.gauges(
            ("skywave_channel_listeners", "channel"),
            "Listeners that came by WHEP, connected or not.",
            names.map(|name| (name, of_channel(name))),
        );
        metrics.gauge(
            "skywave_transmitters",
            "Transmitters of the engine, connected or not.",
            engine.transmitters,
        );
        metrics.gauge(
            "skywave_handshakes",
            "Transmitters that negotiate or shake hands.",
            engine.handshakes,
        );
        metrics.counter(
            "skywave_sessions_connected_total",
            "Sessions in which media began to flow.",
            engine.connected,
        );
        metrics.counters(
            ("skywave_sessions_ended_total", "reason"),
            "Sessions that ended: who hung up, or what failed.",
            engine.ended.iter().map(|(&reason, &count)| (reason, count)),
        );
    }

    fn expose_engine(&self, metrics: &mut Exposition) {
        let engine = &self.engine;
        metrics.counters(
            ("skywave_datagrams_dropped_total", "reason"),
            "Datagrams received and not used.",
            engine
                .dropped
                .iter()
                .map(|(&reason, &count)| (reason, count)),
        );
        metrics.counter(
            "skywave_sends_refused_total",
            "Datagrams that the system did not take.",
            engine.sends_refused,
        );
        metrics.counter(
            "skywave_engine_frames_dropped_total",
            "Frames left out for all listeners as the one before was far behind.",
            engine.frames_dropped,
        );
        metrics.counter(
            "skywave_slots_late_total",
            "Times that packets left a millisecond or more after they were due.",
            engine.slots_late,
        );
        lateness(
            metrics,
            "skywave_send_lateness_seconds",
            "How long after they were due packets were handed to the system.",
            &engine.lateness,
        );
    }

    fn expose_tracks(&self, metrics: &mut Exposition) {
        metrics.gauge("skywave_tracks", "Tracks.", self.tracks.len());
        for (name, help, of) in TRACK_GAUGES {
            metrics.gauges((name, "channel"), help, self.of_tracks(of));
        }
        for (name, help, of) in TRACK_COUNTERS {
            metrics.counters((name, "channel"), help, self.of_tracks(of));
        }
        metrics.counters(
            ("skywave_underrun_seconds_total", "channel"),
            "Silence played as a living source had nothing ready.",
            self.of_tracks(|track| track.underrun_samples as f64 / 48_000.0),
        );
        let mut late = Lateness::default();
        for (_, track) in &self.tracks {
            late.merge(&track.lateness);
        }
        lateness(
            metrics,
            "skywave_encode_lateness_seconds",
            "How long after they were due frames had been encoded.",
            &late,
        );
    }

    fn of_tracks<V>(&self, of: fn(&TrackStats) -> V) -> impl Iterator<Item = (&str, V)> {
        let tracks = self.tracks.iter();
        tracks.map(move |(name, track)| (name.as_str(), of(track)))
    }
}

/// Name, explanation, and what is told of each track.
type OfTrack = (&'static str, &'static str, fn(&TrackStats) -> u64);

const TRACK_GAUGES: [OfTrack; 2] = [
    (
        "skywave_track_ended",
        "1 if the source has come to its end.",
        |track| track.ended.into(),
    ),
    ("skywave_encodings", "Encoders that run.", |track| {
        track.encodings
    }),
];

const TRACK_COUNTERS: [OfTrack; 5] = [
    (
        "skywave_track_frames_total",
        "Frames read from the source.",
        |track| track.frames,
    ),
    (
        "skywave_track_frames_skipped_total",
        "Frames left out as an encoder thread came a whole frame too late.",
        |track| track.frames_skipped,
    ),
    (
        "skywave_track_frames_dropped_total",
        "Encoded frames that a media thread was too busy to take.",
        |track| track.frames_dropped,
    ),
    (
        "skywave_source_panics_total",
        "Sources that panicked.",
        |track| track.source_panics,
    ),
    (
        "skywave_encoder_errors_total",
        "Frames that an encoder refused.",
        |track| track.encoder_errors,
    ),
];

fn lateness(metrics: &mut Exposition, name: &str, help: &str, late: &Lateness) {
    let buckets = late.cumulative();
    let buckets = buckets.map(|(bound, below)| (bound.as_secs_f64(), below));
    metrics.histogram(
        name,
        help,
        buckets,
        (late.sum().as_secs_f64(), late.count()),
    );
}

/// Those in which a listener is still there.
const STATES: [(&str, TransmitterState); 4] = [
    ("new", TransmitterState::New),
    ("connecting", TransmitterState::Connecting),
    ("connected", TransmitterState::Connected),
    ("disconnected", TransmitterState::Disconnected),
];

#[cfg(test)]
mod tests {
    use skywave::{Engine, EngineConfig, TrackConfig};

    use super::*;

    fn text(figures: &Figures) -> String {
        let mut metrics = Exposition::default();
        figures.expose(&mut metrics);
        metrics.into_text()
    }

    #[test]
    fn figures_are_told_by_their_names_and_units() {
        let mut engine = EngineStats {
            transmitters: 3,
            connected: 12,
            ..EngineStats::default()
        };
        engine.ended.insert("bye", 9);
        engine.totals.packets_sent = 5_000;
        let text = text(&Figures {
            engine,
            ..Figures::default()
        });
        for line in [
            "skywave_transmitters 3",
            "skywave_listeners{state=\"disconnected\"} 0",
            "skywave_sessions_connected_total 12",
            "skywave_sessions_ended_total{reason=\"bye\"} 9",
            "skywave_rtp_packets_sent_total 5000",
            "skywave_send_lateness_seconds_bucket{le=\"0.000032\"} 0",
            "skywave_send_lateness_seconds_bucket{le=\"1.048576\"} 0",
            "skywave_send_lateness_seconds_count 0",
            "# TYPE skywave_round_trip_time_seconds histogram",
        ] {
            assert!(
                text.lines().any(|written| written == line),
                "{line}\n{text}"
            );
        }
    }

    #[test]
    fn each_channel_has_its_own_figures() {
        let engine = Engine::bind(EngineConfig::default()).unwrap();
        let silent = engine.audio_track(TrackConfig::default()).stats();
        let busy = TrackStats {
            frames: 50,
            underrun_samples: 24_000,
            ended: true,
            ..silent
        };
        let tracks = [("main", silent), ("talk", busy)];
        let text = text(&Figures {
            tracks: tracks.map(|(name, track)| (name.to_owned(), track)).into(),
            ..Figures::default()
        });
        for line in [
            "skywave_tracks 2",
            "skywave_channel_listeners{channel=\"talk\"} 0",
            "skywave_track_frames_total{channel=\"main\"} 0",
            "skywave_track_frames_total{channel=\"talk\"} 50",
            "skywave_underrun_seconds_total{channel=\"talk\"} 0.5",
            "skywave_track_ended{channel=\"main\"} 0",
            "skywave_track_ended{channel=\"talk\"} 1",
        ] {
            let is_written = text.lines().any(|written| written == line);
            assert!(is_written, "{line}\n{text}");
        }
    }
}
