//! `/api`: what plays, who listens, what can be sent.
//!
//! Swapping the source opens files of this computer, and the figures of a
//! listener tell its address and the id by which it can be hung up. Both are for
//! requests from this computer only; no page of another origin may read or write
//! here (there is no CORS).

use std::ffi::OsStr;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::rejection::JsonRejection;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::routing::{get, put};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use skywave::{AudioTrack, AudioTransmitter, Engine, TransmissionStats};
use skywave_whip::{Listeners, Problem};
use tokio::sync::Mutex;

use crate::metrics::Figures;
use crate::source::{self, SourceName};

/// One programme on the air.
pub(crate) struct Station {
    engine: Engine,
    track: AudioTrack,
    listeners: Listeners,
    started: Instant,
    /// The name of what plays; locked while the track gets its new source, so
    /// that name and sound agree.
    source: Mutex<String>,
}

impl Station {
    pub(crate) fn new(
        engine: Engine,
        track: AudioTrack,
        listeners: Listeners,
        source: String,
    ) -> Self {
        Self {
            engine,
            track,
            listeners,
            started: Instant::now(),
            source: Mutex::new(source),
        }
    }

    /// All figures of this moment.
    pub(crate) async fn figures(&self) -> Figures {
        let listeners = self.listeners.stats().await.into_iter();
        Figures {
            engine: self.engine.stats(),
            tracks: vec![self.track.stats()],
            listeners: listeners.map(|(_, transmission)| transmission).collect(),
        }
    }
}

pub(crate) fn router() -> Router<Arc<Station>> {
    Router::new()
        .route("/api/source", put(swap))
        .route("/api/stats", get(stats))
        .route("/api/capabilities", get(capabilities))
}

#[derive(Deserialize, Serialize)]
struct Source {
    source: String,
}

/// `PUT /api/source`: the new source plays for everybody, or the old one goes on.
async fn swap(
    State(station): State<Arc<Station>>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Result<Json<Source>, JsonRejection>,
) -> Result<Json<Source>, Problem> {
    if !is_local(client, &headers) {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "Only the computer that skywave runs on may swap the source.",
        ));
    }
    let Json(wanted) = body.map_err(|error| Problem::new(error.status(), error.body_text()))?;
    let Ok(name) = wanted.source.parse();
    if name == SourceName::StandardInput {
        return Err(unopened(
            "Standard input can only be chosen when skywave starts.",
        ));
    }
    let source = source::open(name).await.map_err(unopened)?;
    let mut playing = station.source.lock().await;
    station.track.replace_audio_source(source);
    playing.clone_from(&wanted.source);
    Ok(Json(wanted))
}

fn unopened(reason: impl ToString) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, reason.to_string())
}

/// One listener's figures, with the id of its WHEP session.
#[derive(Serialize)]
struct ListenerStats {
    id: String,
    #[serde(flatten)]
    transmission: TransmissionStats,
}

/// `GET /api/stats`: what plays and since when; from this computer also who listens.
async fn stats(
    State(station): State<Arc<Station>>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
) -> Json<Value> {
    let local = is_local(client, &headers);
    let source = station.source.lock().await.clone();
    let mut stats = json!({
        "source": if local { &source } else { file_name(&source) },
        "uptime": station.started.elapsed().as_secs_f64(),
    });
    if local {
        let listeners: Vec<_> = (station.listeners.stats().await.into_iter())
            .map(|(id, transmission)| ListenerStats { id, transmission })
            .collect();
        stats["listeners"] = json!(listeners);
        stats["track"] = json!(station.track.stats());
        stats["engine"] = json!(station.engine.stats());
    }
    Json(stats)
}

/// What others are told of a source: not where on this computer it lies.
fn file_name(source: &str) -> &str {
    let path = Path::new(source).file_name();
    path.and_then(OsStr::to_str).unwrap_or(source)
}

/// `GET /api/capabilities`: the codecs, by the names of the W3C's RTCRtpCodec.
async fn capabilities() -> Json<Value> {
    Json(json!({ "codecs": AudioTransmitter::supported_audio_codecs() }))
}

/// True for a client on this computer that also meant this computer.
///
/// The address alone is not enough. A web page whose name was made to point at
/// 127.0.0.1 (DNS rebinding) comes from loopback as well, with its own name in
/// `Host` or `Origin`; so does a reverse proxy, which mostly says that it
/// forwards. One that says nothing and puts a loopback name into `Host` cannot be
/// told from a client here: it must pass `Host` on.
pub(crate) fn is_local(client: SocketAddr, headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let meant = text(header::HOST).is_some_and(is_loopback_host);
    let from_here = match text(header::ORIGIN) {
        Some(origin) => origin
            .split_once("://")
            .is_some_and(|(_, host)| is_loopback_host(host)),
        None => !headers.contains_key(header::ORIGIN),
    };
    let forwarded = FORWARDING.iter().any(|name| headers.contains_key(*name));
    client.ip().to_canonical().is_loopback() && meant && from_here && !forwarded
}

/// Headers by which a reverse proxy says that it is one.
const FORWARDING: [&str; 5] = [
    "forwarded",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-real-ip",
];

fn is_loopback_host(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let address = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost")
        || address.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local(client: &str, host: &'static str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        is_local(SocketAddr::new(client.parse().unwrap(), 50_000), &headers)
    }

    #[test]
    fn this_computer_is_local_by_every_name() {
        for host in [
            "127.0.0.1:8080",
            "localhost:8080",
            "LOCALHOST",
            "[::1]:8080",
            "[::1]",
        ] {
            assert!(local("127.0.0.1", host), "{host}");
        }
        assert!(local("::1", "[::1]:8080"));
        assert!(local("::ffff:127.0.0.1", "127.0.0.1"));
    }

    #[test]
    fn other_computers_are_not_local() {
        assert!(!local("192.0.2.9", "127.0.0.1:8080"));
        assert!(!local("2001:db8::9", "[::1]:8080"));
    }

    #[test]
    fn name_that_points_at_loopback_is_not_local() {
        for host in [
            "radio.example:8080",
            "127.0.0.1.example",
            "localhost.example",
            "192.0.2.2",
            "",
        ] {
            assert!(!local("127.0.0.1", host), "{host}");
        }
        let client = SocketAddr::from(([127, 0, 0, 1], 50_000));
        assert!(!is_local(client, &HeaderMap::new()));
    }

    #[test]
    fn what_is_forwarded_or_of_another_origin_is_not_local() {
        let client = SocketAddr::from(([127, 0, 0, 1], 50_000));
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, "127.0.0.1:8080".parse().unwrap());
        for (name, value, expected) in [
            ("origin", "http://127.0.0.1:8080", true),
            ("origin", "http://localhost", true),
            ("origin", "http://radio.example", false),
            ("origin", "null", false),
            ("x-forwarded-for", "203.0.113.9", false),
            ("forwarded", "for=203.0.113.9", false),
            ("via", "1.1 proxy", false),
        ] {
            let mut headers = headers.clone();
            headers.insert(name, value.parse().unwrap());
            assert_eq!(is_local(client, &headers), expected, "{name}: {value}");
        }
    }
}
