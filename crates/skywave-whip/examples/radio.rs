//! A radio station: plays files, a folder, a list or another station to any browser.
//!
//! ```sh
//! cargo run --example radio -p skywave-whip -- ~/Music/album     # or one.mp3 two.flac, list.m3u
//! cargo run --example radio -p skywave-whip -- https://radio.example/live.mp3
//! curl -X POST http://127.0.0.1:8080/skip                         # the next file
//! ```
//!
//! It listens at 127.0.0.1:8080, or where `LISTEN` says: `LISTEN=0.0.0.0:8080` lets others in.

use std::error::Error;
use std::path::PathBuf;
use std::thread;

use axum::Router;
use axum::response::Html;
use axum::routing::{get, post};
use skywave::{
    AudioTrack, Engine, EngineConfig, Playlist, PlaylistEvent, Repeat, TrackConfig, playlist_files,
};
use skywave_url::{UrlConfig, UrlSource};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let names: Vec<String> = std::env::args().skip(1).collect();
    let engine = Engine::bind(EngineConfig::default())?;
    let track = engine.audio_track(TrackConfig::default());
    let page = include_str!("page.html");
    let mut router = Router::new().route("/", get(Html(page)));
    match names.first() {
        Some(url) if url.starts_with("http") => play_url(&track, url)?,
        Some(_) => router = router.merge(play_files(&track, &names)?),
        None => return Err("name files, a folder, a list or a URL to play".into()),
    }

    // Everything is encoded once; every browser that comes gets the same packets.
    let (whep, _listeners) = skywave_whip::whep_router(engine, track);
    let address = std::env::var("LISTEN").unwrap_or("127.0.0.1:8080".to_owned());
    let listener = TcpListener::bind(address).await?;
    println!("open http://{}/", listener.local_addr()?);
    axum::serve(listener, router.merge(whep)).await?;
    Ok(())
}

/// Connects, and connects again whenever the stream breaks off; silence until then.
fn play_url(track: &AudioTrack, url: &str) -> Result<(), Box<dyn Error>> {
    let mut source = UrlSource::start(url, UrlConfig::default())?;
    let events = source.events();
    thread::spawn(move || events.into_iter().for_each(|event| println!("{event:?}")));
    track.replace_audio_source(source);
    Ok(())
}

/// Plays all files round and round, and answers `POST /skip`.
fn play_files(track: &AudioTrack, names: &[String]) -> Result<Router, Box<dyn Error>> {
    let mut files: Vec<PathBuf> = Vec::new();
    for name in names {
        files.extend(playlist_files(name)?);
    }
    let mut playlist = Playlist::open(&files, Repeat::Forever)?;
    let control = playlist.control();
    let events = playlist.events();
    // The events end with the playlist, and this thread with them.
    thread::spawn(move || {
        for event in events {
            match event {
                PlaylistEvent::Playing { index } => println!("playing {}", files[index].display()),
                PlaylistEvent::Skipped { reason, .. } => println!("skipped {reason}"),
                event => println!("{event:?}"),
            }
        }
    });
    track.replace_audio_source(playlist);
    Ok(Router::new().route("/skip", post(async move || control.skip())))
}
