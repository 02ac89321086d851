//! The WHEP endpoint and its sessions (draft-ietf-wish-whep-04 §4, after RFC 9725).
//!
//! Refuses (as [`Problem`]) what is not an offer, what cannot be served, unknown
//! sessions and other methods.

use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::{delete, post};
use skywave::{AudioTrack, Engine};

use crate::{Listeners, Problem, offer};

/// A router with `/whep` and `/whep/{id}` for listeners of `track`, and the table
/// of those listeners.
///
/// Merge it at the root of the application: `Location` says `/whep/{id}`. Offers
/// are worked on where the router is polled, never on the engine's threads.
pub fn whep_router(engine: Engine, track: AudioTrack) -> (Router, Listeners) {
    let listeners = Listeners::default();
    let endpoint = Endpoint {
        engine,
        track,
        listeners: listeners.clone(),
    };
    let router = Router::new()
        .route("/whep", post(listen))
        .route("/whep/{id}", delete(hang_up))
        .method_not_allowed_fallback(method_not_allowed)
        .with_state(endpoint);
    (router, listeners)
}

#[derive(Clone)]
struct Endpoint {
    engine: Engine,
    track: AudioTrack,
    listeners: Listeners,
}

/// `POST /whep`: an offer in, an answer and a session out.
async fn listen(
    State(endpoint): State<Endpoint>,
    request: Request,
) -> Result<impl IntoResponse, Problem> {
    let offer = offer::read(request).await?;
    // Dropped on the way out of a refusal, and nothing is left of it.
    let mut transmitter = endpoint.engine.transmitter(&endpoint.track)?;
    let answer = transmitter.accept_offer(&offer)?;
    let id = endpoint.listeners.add(transmitter).await;
    tracing::info!(%id, "listener accepted");
    let headers = [
        (header::CONTENT_TYPE, String::from("application/sdp")),
        (header::LOCATION, format!("/whep/{id}")),
    ];
    Ok((StatusCode::CREATED, headers, answer))
}

/// `DELETE /whep/{id}`: hangs up. Answered once the farewell is sent.
async fn hang_up(
    State(endpoint): State<Endpoint>,
    // An id that is not UTF-8 is as unknown as any other.
    id: Result<Path<String>, PathRejection>,
) -> Result<StatusCode, Problem> {
    let known = match id {
        Ok(Path(id)) => endpoint.listeners.hang_up(&id).await,
        Err(_) => false,
    };
    if known {
        Ok(StatusCode::OK)
    } else {
        Err(Problem::new(
            StatusCode::NOT_FOUND,
            "There is no such session, or it has ended.",
        ))
    }
}

async fn method_not_allowed() -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "WHEP takes POST on /whep and DELETE on a session.",
    )
}
