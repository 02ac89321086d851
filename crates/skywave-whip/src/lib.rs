//! WHEP over HTTP: an axum `Router` that hands listeners to a skywave engine.
//!
//! WHEP (draft-ietf-wish-whep) is one round trip: the listener posts an SDP
//! offer, the answer comes back with the URL of a session, and a DELETE of that
//! URL hangs up. This crate does exactly that for one [`AudioTrack`]:
//!
//! | request | answers |
//! |---|---|
//! | `POST /whep`, `application/sdp` | 201 with `Location: /whep/{id}` and the SDP answer |
//! | `DELETE /whep/{id}` | 200 once the listener is hung up, 404 for an unknown session |
//!
//! Every refusal is a [`Problem`]: a JSON document of RFC 9457 with one sentence
//! for a person.
//!
//! What it does not do: TLS, authentication, CORS, trickle ICE and ICE restarts
//! (PATCH). It opens no socket and serves no page; that is the application's.
//!
//! ```no_run
//! use skywave::{Engine, EngineConfig, Melody, TrackConfig};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let engine = Engine::bind(EngineConfig::default())?;
//! let track = engine.audio_track(TrackConfig::default());
//! track.replace_audio_source(Melody::new());
//!
//! let (router, listeners) = skywave_whip::whep_router(engine, track);
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
//! axum::serve(listener, router).await?;
//! # drop(listeners);
//! # Ok(())
//! # }
//! ```
//!
//! [`AudioTrack`]: skywave::AudioTrack

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod listeners;
mod offer;
mod problem;
mod whep;

pub use listeners::Listeners;
pub use problem::Problem;
pub use whep::whep_router;
