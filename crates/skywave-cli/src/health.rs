//! `/healthz` and `/readyz`, for what watches over the process.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use skywave::Engine;
use skywave_whip::Problem;

/// Whether new listeners should be sent here.
#[derive(Clone)]
pub(crate) struct Health {
    engine: Engine,
    draining: Arc<AtomicBool>,
}

impl Health {
    pub(crate) fn new(engine: Engine) -> Self {
        let draining = Arc::default();
        Self { engine, draining }
    }

    /// The end is near.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Relaxed);
    }

    pub(crate) fn router(self) -> Router {
        Router::new()
            .route("/healthz", get(alive))
            .route("/readyz", get(ready))
            .with_state(self)
    }
}

/// The process answers. Nothing else is looked at: a restart is no remedy for a full house.
async fn alive() -> &'static str {
    "ok\n"
}

/// Listeners may be sent here.
async fn ready(State(health): State<Health>) -> Result<&'static str, Problem> {
    let unready = |detail| Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail));
    if health.draining.load(Relaxed) {
        return unready("The server is shutting down.");
    }
    if health.engine.is_closed() {
        return unready("A thread that sends audio is gone.");
    }
    Ok("ok\n")
}
