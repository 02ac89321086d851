//! WHEP inside an application of your own: two channels beside its own pages, for its members.
//!
//! `cargo run -p skywave-whip --example embedded`, then in another terminal
//! `curl -i -X OPTIONS http://127.0.0.1:8080/radio/whep/news`. A player posts its offer to
//! `http://127.0.0.1:8080/radio/whep/news` with `Authorization: Bearer secret-of-a-member`.

use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::{Method, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use skywave::{Engine, EngineConfig, Melody, Tone, TrackConfig};
use skywave_whip::{Origins, Problem, Whep, WhepConfig};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let engine = Engine::bind(EngineConfig::default())?;
    let music = engine.audio_track(TrackConfig::default());
    music.replace_audio_source(Melody::new());
    let news = engine.audio_track(TrackConfig::default());
    news.replace_audio_source(Tone::new(440.0)?);

    let (whep, listeners) = Whep::new(engine.clone(), WhepConfig::default())
        .channel("music", music)?
        .channel("news", news)?
        .into_router();
    let whep = whep
        .layer(from_fn(members_only))
        // Around what refuses: pages of other origins must be able to read the refusal.
        .layer(from_fn_with_state(Origins::Any, Origins::share));

    tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_secs(10)).await;
            println!("listeners: {:?}", listeners.by_channel().await);
        }
    });
    let app = Router::new()
        .route("/", get(async || "The application's own page."))
        .nest("/radio", whep);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
    println!("http://{}/radio/whep/music", listener.local_addr()?);
    axum::serve(listener, app).await?;
    engine.close().await;
    Ok(())
}

/// Lets members in. An application asks its sessions or its database here, and compares secrets in
/// constant time.
async fn members_only(request: Request, next: Next) -> Response {
    let token = request.headers().get(header::AUTHORIZATION);
    let is_member = token.is_some_and(|token| token == "Bearer secret-of-a-member");
    if is_member || *request.method() == Method::OPTIONS {
        return next.run(request).await;
    }
    let problem = Problem::new(StatusCode::UNAUTHORIZED, "Members only.");
    let problem = problem.with_header(header::WWW_AUTHENTICATE, "Bearer");
    problem.into_response()
}
