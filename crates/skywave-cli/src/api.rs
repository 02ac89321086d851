//! `/api`: what plays, who listens, what can be sent.
//!
//! Swapping the source opens files of this computer, and the figures of a
//! listener tell its address and the id by which it can be hung up. Both are for
//! who has the control token, or without one for requests from this computer
//! only; no page of another origin may read or write here (there is no CORS).

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{ConnectInfo, State};
use axum::http::HeaderMap;
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use serde_json::{Value, json};
use skywave::{AudioTransmitter, Engine, TransmissionStats};
use skywave_whip::Listeners;

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
        let listeners = self.listeners.stats().await.into_iter();
        Figures {
            engine: self.engine.stats(),
            tracks: self
                .channels
                .iter()
                .map(|channel| channel.track.stats())
                .collect(),
            listeners: listeners.map(|(_, transmission)| transmission).collect(),
        }
    }
}

pub(crate) fn router() -> Router<Arc<Station>> {
    Router::new()
        .route("/api/stats", get(stats))
        .route("/api/capabilities", get(capabilities))
        .merge(channels::router())
}

/// One listener's figures, with the id of its WHEP session.
#[derive(Serialize)]
struct ListenerStats {
    id: String,
    #[serde(flatten)]
    transmission: TransmissionStats,
}

/// `GET /api/stats`: what plays and since when; for who may control it also who listens.
async fn stats(
    State(station): State<Arc<Station>>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
) -> Json<Value> {
    let trusted = station.control.allows(client, &headers);
    let main = station.channels.main();
    let source = main.source().await;
    let mut stats = json!({
        "source": if trusted { &source } else { file_name(&source) },
        "uptime": station.started.elapsed().as_secs_f64(),
        "control": station.control.standing(client, &headers),
    });
    if trusted {
        let listeners: Vec<_> = (station.listeners.stats().await.into_iter())
            .map(|(id, transmission)| ListenerStats { id, transmission })
            .collect();
        stats["listeners"] = json!(listeners);
        stats["track"] = json!(main.track.stats());
        stats["engine"] = json!(station.engine.stats());
    }
    Json(stats)
}

/// `GET /api/capabilities`: the codecs, by the names of the W3C's RTCRtpCodec.
async fn capabilities() -> Json<Value> {
    Json(json!({ "codecs": AudioTransmitter::supported_audio_codecs() }))
}
