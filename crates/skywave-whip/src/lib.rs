//! WHEP over HTTP: an axum Router that hands listeners to a skywave engine.
