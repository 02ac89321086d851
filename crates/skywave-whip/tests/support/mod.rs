//! A WHEP server with a real engine.
#![allow(dead_code, clippy::unwrap_used)]

use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::{Method, Request, Response, StatusCode, header};
use serde_json::Value;
use skywave::{Engine, EngineConfig, TrackConfig};
use skywave_whip::{Listeners, Whep, WhepConfig};
use tower::ServiceExt;

/// RFC 8840 §9.
pub(crate) const FRAGMENT: &str = "application/trickle-ice-sdpfrag";

pub(crate) const OFFER: &str = include_str!("../../../skywave-sdp/testdata/chromium.sdp");

pub(crate) struct Server {
    pub(crate) engine: Engine,
    pub(crate) router: Router,
    pub(crate) listeners: Listeners,
}

impl Server {
    pub(crate) fn start(max_listeners: usize) -> Self {
        Self::with(EngineConfig {
            max_listeners,
            ..EngineConfig::default()
        })
    }

    pub(crate) fn with(config: EngineConfig) -> Self {
        Self::configured(config, WhepConfig::default())
    }

    /// Two channels: `first`, which is at `/whep` too, and `second`.
    pub(crate) fn configured(config: EngineConfig, whep: WhepConfig) -> Self {
        let engine = Engine::bind(EngineConfig {
            udp: "127.0.0.1:0".parse().unwrap(),
            ..config
        })
        .unwrap();
        let track = || engine.audio_track(TrackConfig::default());
        let (router, listeners) = Whep::new(engine.clone(), whep)
            .channel("first", track())
            .and_then(|whep| whep.channel("second", track()))
            .unwrap()
            .into_router();
        Self {
            engine,
            router,
            listeners,
        }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Response<Body> {
        self.router.clone().oneshot(request).await.unwrap()
    }

    pub(crate) async fn post(
        &self,
        content_type: Option<&str>,
        body: impl Into<Body>,
    ) -> Response<Body> {
        let mut request = Request::post("/whep");
        if let Some(content_type) = content_type {
            request = request.header(header::CONTENT_TYPE, content_type);
        }
        self.send(request.body(body.into()).unwrap()).await
    }

    pub(crate) async fn offer(&self, sdp: &str) -> Response<Body> {
        self.post(Some("application/sdp"), sdp.to_owned()).await
    }

    pub(crate) async fn delete(&self, session: &str) -> Response<Body> {
        self.send(Request::delete(session).body(Body::empty()).unwrap())
            .await
    }

    /// A request without a body.
    pub(crate) async fn ask(&self, method: Method, path: &str) -> Response<Body> {
        let request = Request::builder().method(method).uri(path);
        self.send(request.body(Body::empty()).unwrap()).await
    }

    /// A PATCH with a fragment of these credentials.
    pub(crate) async fn patch(
        &self,
        session: &str,
        if_match: Option<&str>,
        fragment: &str,
    ) -> Response<Body> {
        let mut request = Request::patch(session).header(header::CONTENT_TYPE, FRAGMENT);
        if let Some(tag) = if_match {
            request = request.header(header::IF_MATCH, tag);
        }
        self.send(request.body(fragment.to_owned().into()).unwrap())
            .await
    }

    /// Waits until neither the table nor the engine knows a listener.
    pub(crate) async fn empty(&self) {
        eventually(async || {
            self.listeners.stats().await.is_empty() && self.engine.stats().transmitters == 0
        })
        .await;
    }
}

pub(crate) async fn eventually(condition: impl AsyncFn() -> bool) {
    tokio::time::timeout(Duration::from_secs(20), async {
        while !condition().await {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
}

pub(crate) fn location(response: &Response<Body>) -> String {
    let location = response.headers()[header::LOCATION].to_str().unwrap();
    location.to_owned()
}

pub(crate) async fn body(response: Response<Body>) -> Bytes {
    to_bytes(response.into_body(), usize::MAX).await.unwrap()
}

/// Checks that a refusal is a problem document of this status; returns its sentence.
pub(crate) async fn problem(response: Response<Body>, status: StatusCode) -> String {
    assert_eq!(response.status(), status);
    assert_eq!(
        response.headers()[header::CONTENT_TYPE],
        "application/problem+json"
    );
    let problem: Value = serde_json::from_slice(&body(response).await).unwrap();
    assert_eq!(problem["status"], status.as_u16());
    assert_eq!(problem["title"], status.canonical_reason().unwrap());
    assert_eq!(problem["type"], "about:blank");
    problem["detail"].as_str().unwrap().to_owned()
}
