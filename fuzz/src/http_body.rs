//! An HTTP request of a stranger to the WHEP endpoint (draft-ietf-wish-whep, RFC 9725), answered
//! in process by a whole server: an engine with its threads behind the router.

use std::cell::LazyCell;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, header};
use serde_json::Value;
use skywave::{Engine, EngineConfig, TrackConfig};
use skywave_sdp::SessionDescription;
use skywave_whip::{Listeners, whep_router};
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt;

/// Sends the request in `data`, written as in HTTP/1.1; true if it succeeds. `{id}` in its address
/// stands for a session that is there.
///
/// # Panics
/// If the server does, or fails by a fault of its own; if a refusal is no problem document
/// (RFC 9457); if a listener comes in without an answer that can be read and a session that can be
/// ended, or is still there afterwards.
pub fn http_body(data: &[u8]) -> bool {
    let Some(message) = Message::parse(data) else {
        return false;
    };
    SERVER.with(|server| server.runtime.block_on(server.take(message)))
}

/// What is sent.
struct Message {
    method: Method,
    target: String,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Bytes,
}

impl Message {
    /// Lines that are no header are left out: HTTP's own parser is not what is tried here.
    fn parse(data: &[u8]) -> Option<Self> {
        let end = data.windows(4).position(|bytes| bytes == b"\r\n\r\n")?;
        let mut lines = data[..end].split(|&byte| byte == b'\n');
        let mut words = lines.next()?.split(|&byte| byte == b' ');
        let header = |line: &[u8]| {
            let colon = line.iter().position(|&byte| byte == b':')?;
            let name = HeaderName::from_bytes(&line[..colon]).ok()?;
            let value = HeaderValue::from_bytes(line[colon + 1..].trim_ascii()).ok()?;
            Some((name, value))
        };
        Some(Self {
            method: Method::from_bytes(words.next()?).ok()?,
            target: String::from_utf8(words.next()?.trim_ascii().to_vec()).ok()?,
            headers: lines.filter_map(header).collect(),
            body: Bytes::copy_from_slice(&data[end + 4..]),
        })
    }
}

struct Server {
    runtime: Runtime,
    router: Router,
    listeners: Listeners,
}

thread_local! {
    static SERVER: LazyCell<Server> = const { LazyCell::new(Server::start) };
}

impl Server {
    fn start() -> Self {
        let engine = Engine::bind(EngineConfig {
            udp: ([127, 0, 0, 1], 0).into(),
            realtime: false,
            ..EngineConfig::default()
        });
        let engine = engine.expect("there is a free port");
        let track = engine.audio_track(TrackConfig::default());
        let (router, listeners) = whep_router(engine, track);
        let runtime = Builder::new_current_thread().enable_time().build();
        Self {
            runtime: runtime.expect("there is a runtime"),
            router,
            listeners,
        }
    }

    async fn take(&self, message: Message) -> bool {
        let mut target = message.target;
        let mut other = None;
        if target.contains(PLACEHOLDER) {
            let session = self.join().await;
            target = target.replace(PLACEHOLDER, session.trim_start_matches("/whep/"));
            other = Some(session);
        }
        let Ok(uri) = Uri::try_from(target) else {
            self.leave(other).await;
            return false;
        };
        let mut request = Request::new(Body::from(message.body));
        *request.method_mut() = message.method;
        *request.uri_mut() = uri;
        request.headers_mut().extend(message.headers);
        let response = self.send(request).await;
        let succeeds = response.status().is_success();
        self.check(response).await;
        self.leave(other).await;
        let left = self.listeners.by_channel().await;
        assert!(left.is_empty(), "still there: {left:?}");
        succeeds
    }

    /// Checks the answer, and ends a session that it tells of.
    async fn check(&self, response: Response<Body>) {
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.expect("it is in memory");
        let status = parts.status;
        if status.is_success() {
            if status == StatusCode::CREATED {
                let answer = std::str::from_utf8(&body).expect("an answer is text");
                SessionDescription::parse(answer).expect("an answer can be read");
                assert!(parts.headers.contains_key(header::ETAG));
                let location = parts.headers[header::LOCATION].to_str();
                let location = location.expect("an address is text").to_owned();
                assert_eq!(self.delete(&location).await, StatusCode::OK);
            }
            return;
        }
        assert!(status.is_client_error(), "{status}");
        if body.is_empty() {
            // The router has no such address.
            assert_eq!(status, StatusCode::NOT_FOUND);
            return;
        }
        let problem: Value = serde_json::from_slice(&body).expect("a refusal is JSON");
        assert_eq!(problem["status"], status.as_u16());
        let detail = problem["detail"].as_str();
        assert!(detail.is_some_and(|text| !text.is_empty()), "{problem}");
    }

    /// The address of a session of our own.
    async fn join(&self) -> String {
        let request = Request::post("/whep").header(header::CONTENT_TYPE, "application/sdp");
        let request = request.body(OFFER.into()).expect("a request");
        let response = self.send(request).await;
        assert_eq!(response.status(), StatusCode::CREATED);
        let location = response.headers()[header::LOCATION].to_str();
        location.expect("an address is text").to_owned()
    }

    /// Ends the session of our own, unless the request did.
    async fn leave(&self, session: Option<String>) {
        if let Some(session) = session {
            self.delete(&session).await;
        }
    }

    async fn delete(&self, session: &str) -> StatusCode {
        let request = Request::delete(session).body(Body::empty());
        self.send(request.expect("a request")).await.status()
    }

    async fn send(&self, request: Request<Body>) -> Response<Body> {
        let answered = self.router.clone().oneshot(request).await;
        answered.unwrap_or_else(|never| match never {})
    }
}

const PLACEHOLDER: &str = "{id}";
const OFFER: &str = include_str!("../../crates/skywave-sdp/testdata/chromium.sdp");
