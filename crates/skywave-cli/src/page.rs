//! The web page: four files inside the program, served with a strict policy.

use axum::Router;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;

/// `GET /` and what the page loads.
pub(crate) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/", get(async || file("text/html; charset=utf-8", HTML)))
        .route(
            "/style.css",
            get(async || file("text/css; charset=utf-8", CSS)),
        )
        .route(
            "/page.js",
            get(async || file("text/javascript; charset=utf-8", JS)),
        )
        .route("/icon.svg", get(async || file("image/svg+xml", ICON)))
}

fn file(content_type: &'static str, content: &'static str) -> impl IntoResponse {
    let headers = [
        (header::CONTENT_TYPE, content_type),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        // The files have no version in their names: ask again after an update.
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, content)
}

/// Nothing but the page's own files and its own server, in nobody's frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

const HTML: &str = include_str!("../web/index.html");
const CSS: &str = include_str!("../web/style.css");
const JS: &str = include_str!("../web/page.js");
const ICON: &str = include_str!("../web/icon.svg");
