//! `/api`: what plays, who listens, what can be sent.
//!
//! Swapping the source opens files of this computer, and the figures of a
//! listener tell its address and the id by which it can be hung up. Both are for
//! who has the control token, or without one for requests from this computer
//! only; no page of another origin may read or write here (there is no CORS).

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::rejection::PathRejection;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use serde_json::{Value, json};
use skywave::{AudioTransmitter, Engine, StatsReport, TrackStats};
use skywave_whip::{Listeners, Problem};

use crate::access::Control;
use crate::channels::{self, Channels, file_name};
use crate::metrics::Figures;

/// All that is on the air.
pub(crate) struct Station {
    pub(crate) engine: Engine,
    pub(crate) channels: Channels,
    pub(crate) listeners: Listeners,
    pub(crate) control: Control,
    started: Instant,
}

impl Station {
    pub(crate) fn new(
        engine: Engine,
        channels: Channels,
        listeners: Listeners,
        control: Control,
    ) -> Self {
        Self {
            engine,
            channels,
            listeners,
            control,
            started: Instant::now(),
        }
    }

    /// All figures of this moment.
    pub(crate) async fn figures(&self) -> Figures {
        let channels = self.channels.iter();
        Figures {
            engine: self.engine.stats(),
            tracks: channels
                .map(|channel| (channel.name.clone(), channel.track.stats()))
                .collect(),
            listeners: self.listeners.stats().await,
        }
    }
}

pub(crate) fn router() -> Router<Arc<Station>> {
    Router::new()
        .route("/api/stats", get(stats))
        .route("/api/listeners/{id}/stats", get(report))
        .route("/api/capabilities", get(capabilities))
        .merge(channels::router())
}

/// One channel's figures.
#[derive(Serialize)]
struct ChannelStats {
    name: String,
    source: String,
    track: TrackStats,
}

/// `GET /api/stats`: what plays and since when; for who may control it also who listens.
async fn stats(
    State(station): State<Arc<Station>>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
) -> Json<Value> {
    let trusted = station.control.allows(client, &headers);
    let source = station.channels.main().source().await;
    let mut stats = json!({
        "source": if trusted { &source } else { file_name(&source) },
        "uptime": station.started.elapsed().as_secs_f64(),
        "control": station.control.standing(client, &headers),
    });
    if trusted {
        let mut channels = Vec::new();
        for channel in station.channels.iter() {
            channels.push(ChannelStats {
                name: channel.name.clone(),
                source: channel.source().await,
                track: channel.track.stats(),
            });
        }
        stats["channels"] = json!(channels);
        stats["listeners"] = json!(station.listeners.stats().await);
        stats["engine"] = json!(station.engine.stats());
    }
    Json(stats)
}

/// `GET /api/listeners/{id}/stats`: all that is known of one listener, by ids as the W3C has it.
async fn report(
    State(station): State<Arc<Station>>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Json<StatsReport>, Problem> {
    station.control.check(client, &headers)?;
    // An id that is not UTF-8 is as unknown as any other.
    let id = id.map(|Path(id)| id).unwrap_or_default();
    let report = station.listeners.stats_report(&id).await;
    let unknown = || Problem::new(StatusCode::NOT_FOUND, "There is no such listener.");
    report.map(Json).ok_or_else(unknown)
}

/// `GET /api/capabilities`: the codecs, by the names of the W3C's RTCRtpCodec.
async fn capabilities() -> Json<Value> {
    Json(json!({ "codecs": AudioTransmitter::supported_audio_codecs() }))
}
