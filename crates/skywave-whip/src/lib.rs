//! WHEP over HTTP: an axum `Router` that hands listeners to a skywave engine.
//!
//! WHEP (draft-ietf-wish-whep) is one round trip: the listener posts an SDP
//! offer, the answer comes back with the URL of a session, and a DELETE of that
//! URL hangs up. In between, a PATCH restarts ICE for a listener that has moved to another
//! network. [`whep_router`] does that for one [`AudioTrack`], [`Whep`] for several channels:
//!
//! | request | answers |
//! |---|---|
//! | `POST /whep`, `application/sdp` | 201 with `Location: /whep/{id}`, `ETag` and the SDP answer, which has all candidates in it |
//! | `POST /whep/{channel}` | the same for one of several channels |
//! | `PATCH /whep/{id}`, `application/trickle-ice-sdpfrag`, `If-Match` | 204 for candidates, 200 with new credentials and a new `ETag` for an ICE restart |
//! | `DELETE /whep/{id}` | 200 once the listener is hung up, 404 for an unknown session |
//! | `OPTIONS` | 200 with `Accept-Post`, and what CORS needs: see [`Origins`] |
//! | `GET`, `HEAD` | 2xx without content |
//!
//! Every refusal is a [`Problem`]: a JSON document of RFC 9457 with one sentence
//! for a person.
//!
//! What it does not do: TLS, authorisation, counter-offers (WHEP lets a server make them instead
//! of 406). It opens no socket and serves no page; that is the application's. Who may listen is
//! decided by a middleware of the application around the router:
//!
//! ```no_run
//! use axum::extract::Request;
//! use axum::http::{StatusCode, header};
//! use axum::middleware::{Next, from_fn, from_fn_with_state};
//! use axum::response::{IntoResponse, Response};
//! use skywave::{Engine, EngineConfig, Melody, TrackConfig};
//! use skywave_whip::Origins;
//!
//! /// Lets in who has the right cookie, token, address: whatever the application knows.
//! async fn members_only(request: Request, next: Next) -> Response {
//!     match request.headers().get(header::AUTHORIZATION) {
//!         Some(token) if token == "Bearer of the application's own" => next.run(request).await,
//!         _ => StatusCode::UNAUTHORIZED.into_response(),
//!     }
//! }
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let engine = Engine::bind(EngineConfig::default())?;
//! let track = engine.audio_track(TrackConfig::default());
//! track.replace_audio_source(Melody::new());
//!
//! let (router, listeners) = skywave_whip::whep_router(engine, track);
//! let router = router
//!     .layer(from_fn(members_only))
//!     // Pages of other origins: preflight requests have no token, and a refusal can be read.
//!     .layer(from_fn_with_state(Origins::Any, Origins::share));
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
//! axum::serve(listener, router).await?;
//! # drop(listeners);
//! # Ok(())
//! # }
//! ```
//!
//! [`AudioTrack`]: skywave::AudioTrack

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod body;
mod error;
mod ice_server;
mod joining;
mod listeners;
mod origins;
mod precondition;
mod problem;
mod whep;

pub use error::Error;
pub use ice_server::IceServer;
pub use joining::counted_address;
pub use listeners::{ListenerStats, Listeners};
pub use origins::Origins;
pub use problem::Problem;
pub use whep::{Whep, WhepConfig, whep_router};
