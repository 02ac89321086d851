//! The WHEP endpoint and its sessions (draft-ietf-wish-whep, after RFC 9725).
//!
//! Refuses (as [`Problem`]) what is not an offer, what cannot be served, unknown
//! sessions and other methods.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{OriginalUri, Path, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use skywave::{AudioTrack, Engine, IceCredentials};

use crate::body::{self, BODY_TIMEOUT, MAX_BODY};
use crate::joining::Joining;
use crate::listeners::unknown;
use crate::origins::{ACCEPT_POST, SDP};
use crate::{Error, IceServer, Listeners, Origins, Problem};

/// A router with `/whep` and `/whep/{id}` for listeners of `track`, and the table
/// of those listeners. [`Whep`] has more channels and can be configured.
///
/// Merge or nest it wherever it shall be. Offers are worked on where the router is polled,
/// never on the engine's threads.
pub fn whep_router(engine: Engine, track: AudioTrack) -> (Router, Listeners) {
    let channel = ("main".into(), track);
    Whep {
        engine,
        channels: vec![channel],
        config: WhepConfig::default(),
    }
    .into_router()
}

/// A WHEP endpoint in the making: channels of one engine under one roof.
///
/// The first channel is at `/whep`, and each at `/whep/{name}`.
pub struct Whep {
    engine: Engine,
    channels: Vec<(Arc<str>, AudioTrack)>,
    config: WhepConfig,
}

/// How a WHEP endpoint behaves.
#[derive(Clone, Debug)]
pub struct WhepConfig {
    /// STUN and TURN servers that clients are told. Default: none, as a client needs none to
    /// reach an address that is reachable.
    pub ice_servers: Vec<IceServer>,
    /// The pages that may listen. Default: all.
    pub origins: Origins,
    /// Whether listeners are told to come back (409) while the source is at its end, in place of
    /// being sent silence. Default: false.
    pub only_live: bool,
    /// The largest body that is read, in bytes. Default: 64 KiB.
    pub max_body: usize,
    /// How long a body may take. Default: 10 s.
    pub body_timeout: Duration,
    /// How many listeners from one address (see [`counted_address`](crate::counted_address)) may
    /// have their answer and not be connected yet; more are told to come back (429). Addresses
    /// are known where the router is served with
    /// [`ConnectInfo`](axum::extract::ConnectInfo)`<SocketAddr>`. Default: 100.
    pub handshakes_per_address: usize,
}

impl Default for WhepConfig {
    fn default() -> Self {
        Self {
            ice_servers: Vec::new(),
            origins: Origins::default(),
            only_live: false,
            max_body: MAX_BODY,
            body_timeout: BODY_TIMEOUT,
            handshakes_per_address: HANDSHAKES_PER_ADDRESS,
        }
    }
}

impl Whep {
    /// An endpoint without channels, at which there is nothing.
    pub fn new(engine: Engine, config: WhepConfig) -> Self {
        Self {
            engine,
            channels: Vec::new(),
            config,
        }
    }

    /// Adds a channel at `/whep/{name}`; the first is at `/whep` too.
    ///
    /// # Errors
    /// [`Error::ChannelName`], [`Error::ChannelTwice`].
    pub fn channel(mut self, name: &str, track: AudioTrack) -> Result<Self, Error> {
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if !(1..=64).contains(&name.len()) || !name.bytes().all(is_word) {
            return Err(Error::ChannelName(name.to_owned()));
        }
        if self.channels.iter().any(|(other, _)| **other == *name) {
            return Err(Error::ChannelTwice(name.to_owned()));
        }
        self.channels.push((name.into(), track));
        Ok(self)
    }

    /// The router, and the table of the listeners that come in by it.
    pub fn into_router(self) -> (Router, Listeners) {
        let listeners = Listeners::default();
        let origins = self.config.origins.clone();
        let endpoint = Endpoint {
            engine: self.engine,
            channels: self.channels.into(),
            joining: Arc::new(Joining::new(self.config.handshakes_per_address)),
            config: Arc::new(self.config),
            listeners: listeners.clone(),
        };
        let router = Router::new()
            .route("/whep", any(at_endpoint))
            .route("/whep/{name}", any(at_channel_or_session))
            .layer(from_fn_with_state(origins, Origins::share))
            .with_state(endpoint);
        (router, listeners)
    }
}

#[derive(Clone)]
struct Endpoint {
    engine: Engine,
    channels: Arc<[(Arc<str>, AudioTrack)]>,
    config: Arc<WhepConfig>,
    joining: Arc<Joining>,
    listeners: Listeners,
}

/// `/whep`: the first channel.
async fn at_endpoint(
    State(endpoint): State<Endpoint>,
    OriginalUri(uri): OriginalUri,
    request: Request,
) -> Result<Response, Problem> {
    let channel = endpoint.channels.first().ok_or_else(no_channel)?;
    endpoint.at_channel(channel, uri.path(), request).await
}

/// `/whep/{name}`: a channel or a session.
async fn at_channel_or_session(
    State(endpoint): State<Endpoint>,
    OriginalUri(uri): OriginalUri,
    // A name that is not UTF-8 is as unknown as any other.
    name: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response, Problem> {
    let Ok(Path(name)) = name else {
        return Err(unknown());
    };
    match endpoint.channels.iter().find(|(other, _)| **other == *name) {
        Some(channel) => {
            let parent = uri.path().rsplit_once('/').map_or("", |(parent, _)| parent);
            endpoint.at_channel(channel, parent, request).await
        }
        None => endpoint.at_session(&name, request).await,
    }
}

impl Endpoint {
    /// A request for a channel; its sessions lie under `base`.
    async fn at_channel(
        &self,
        channel: &(Arc<str>, AudioTrack),
        base: &str,
        request: Request,
    ) -> Result<Response, Problem> {
        match *request.method() {
            Method::POST => self.listen(channel, base, request).await,
            Method::OPTIONS => Ok(options(ENDPOINT_METHODS)),
            // Says that this is a WHEP endpoint, and has no content (draft §4.1, §4.2).
            Method::GET | Method::HEAD => Ok(([(header::CONTENT_TYPE, SDP)], ()).into_response()),
            _ => Err(not_allowed("An offer is sent by POST.", ENDPOINT_METHODS)),
        }
    }

    async fn at_session(&self, id: &str, request: Request) -> Result<Response, Problem> {
        match *request.method() {
            Method::DELETE if self.listeners.hang_up(id).await => {
                Ok(StatusCode::OK.into_response())
            }
            Method::DELETE => Err(unknown()),
            // Of any session: pages must be able to ask before they may learn that it is gone.
            Method::OPTIONS => Ok(options(SESSION_METHODS)),
            _ if !self.listeners.contains(id).await => Err(unknown()),
            Method::PATCH => self.patch(id, request).await,
            Method::GET | Method::HEAD => Ok(StatusCode::NO_CONTENT.into_response()),
            _ => Err(not_allowed(
                "A session is changed by PATCH and ended by DELETE.",
                SESSION_METHODS,
            )),
        }
    }

    /// An offer in, an answer and a session out.
    async fn listen(
        &self,
        (name, track): &(Arc<str>, AudioTrack),
        base: &str,
        request: Request,
    ) -> Result<Response, Problem> {
        let client = request.extensions().clone();
        let offer = body::read(request, "application/sdp", &self.config).await?;
        if self.listeners.is_draining() {
            return Err(Problem::going_down());
        }
        let stats = track.stats();
        if self.config.only_live && stats.ended && !stats.playing {
            let detail = "Nothing is on the air here at the moment.";
            return Err(Problem::new(StatusCode::CONFLICT, detail).with_retry_after(OFF_AIR));
        }
        let place = self.joining.place(&client).await?;
        // Dropped on the way out of a refusal, and nothing is left of it.
        let mut transmitter = self.engine.transmitter(track)?;
        let answer = transmitter.accept_offer(&offer)?;
        let ticket = self
            .listeners
            .add(transmitter, Arc::clone(name), place)
            .await;
        let headers = [
            (header::CONTENT_TYPE, "application/sdp".to_owned()),
            (header::LOCATION, format!("{base}/{}", ticket.id)),
            (header::ETAG, ticket.etag),
        ];
        let mut response = (StatusCode::CREATED, headers, answer).into_response();
        for link in self.config.ice_servers.iter().filter_map(IceServer::link) {
            response.headers_mut().append(header::LINK, link);
        }
        Ok(response)
    }

    /// A fragment in: trickled candidates, or an ICE restart, which gets one back.
    async fn patch(&self, id: &str, request: Request) -> Result<Response, Problem> {
        let headers = request.headers().clone();
        let fragment = body::read(request, FRAGMENT, &self.config)
            .await
            .map_err(|problem| problem.with_header(ACCEPT_PATCH, FRAGMENT))?;
        let remote = IceCredentials::from_fragment(&fragment).map_err(skywave::Error::from)?;
        let Some(restarted) = self.listeners.patch(id, &headers, &remote).await? else {
            return Ok(StatusCode::NO_CONTENT.into_response());
        };
        let headers = [
            (header::CONTENT_TYPE, FRAGMENT.to_owned()),
            (header::ETAG, restarted.etag),
        ];
        Ok((headers, restarted.fragment).into_response())
    }
}

/// What can be done here (RFC 9725 §4.2, RFC 5789 §3.1).
fn options(methods: &'static str) -> Response {
    let headers = [
        (header::ALLOW, HeaderValue::from_static(methods)),
        (ACCEPT_POST, SDP),
        (ACCEPT_PATCH, HeaderValue::from_static(FRAGMENT)),
    ];
    (StatusCode::OK, headers).into_response()
}

fn not_allowed(detail: &'static str, methods: &'static str) -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail).with_header(header::ALLOW, methods)
}

fn no_channel() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "There is no channel here.")
}

const ENDPOINT_METHODS: &str = "GET, HEAD, POST, OPTIONS";
const SESSION_METHODS: &str = "GET, HEAD, PATCH, DELETE, OPTIONS";

/// RFC 8840 §9.
const FRAGMENT: &str = "application/trickle-ice-sdpfrag";

/// RFC 5789 §3.1.
const ACCEPT_PATCH: HeaderName = HeaderName::from_static("accept-patch");

/// A school behind one address, whose pupils all start at once.
const HANDSHAKES_PER_ADDRESS: usize = 100;

/// When to ask again for a channel without a source.
const OFF_AIR: Duration = Duration::from_secs(5);
