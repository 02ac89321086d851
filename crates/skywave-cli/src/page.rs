//! The web pages: files inside the program, served with a strict policy.

use axum::Router;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;

/// `GET /`, `GET /operator` and what these pages load.
pub(crate) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    FILES
        .iter()
        .fold(Router::new(), |router, &(path, content_type, content)| {
            router.route(path, get(async move || file(content_type, content)))
        })
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

const FILES: [(&str, &str, &str); 11] = [
    ("/", HTML, include_str!("../web/index.html")),
    ("/operator", HTML, include_str!("../web/operator.html")),
    (
        "/style.css",
        "text/css; charset=utf-8",
        include_str!("../web/style.css"),
    ),
    ("/page.js", JS, include_str!("../web/page.js")),
    ("/operator.js", JS, include_str!("../web/operator.js")),
    ("/call.js", JS, include_str!("../web/call.js")),
    ("/meter.js", JS, include_str!("../web/meter.js")),
    ("/plot.js", JS, include_str!("../web/plot.js")),
    ("/server.js", JS, include_str!("../web/server.js")),
    ("/token.js", JS, include_str!("../web/token.js")),
    (
        "/icon.svg",
        "image/svg+xml",
        include_str!("../web/icon.svg"),
    ),
];

const HTML: &str = "text/html; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";
