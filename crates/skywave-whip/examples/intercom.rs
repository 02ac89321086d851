//! An intercom: what comes in on standard input is heard in any browser.
//!
//! ```sh
//! arecord -f S16_LE -r 48000 -c 1 | cargo run --example intercom -p skywave-whip -- 48000 1
//! curl -X POST http://127.0.0.1:8080/mute      # and /unmute
//! ```
//!
//! With `--features microphone` and without arguments it takes the microphone itself.

use std::error::Error;
use std::io::stdin;

use axum::Router;
use axum::response::Html;
use axum::routing::{get, post};
use skywave::{
    AudioSource, Engine, EngineConfig, Gain, PcmFormat, PcmReader, PcmSample, Ptime, TrackConfig,
};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let engine = Engine::bind(EngineConfig::default())?;
    let track = engine.audio_track(TrackConfig {
        // Half the usual length, for half the delay.
        ptime: Ptime::Ms10,
        ..TrackConfig::default()
    });
    let (source, volume) = Gain::new(voice()?, 0.0);
    track.replace_audio_source(source);

    let (mute, unmute) = (volume.clone(), volume);
    let router = Router::new()
        .route("/", get(Html(include_str!("page.html"))))
        .route("/mute", post(async move || mute.set_muted(true)))
        .route("/unmute", post(async move || unmute.set_muted(false)));
    let (whep, _listeners) = skywave_whip::whep_router(engine, track);
    let address = std::env::var("LISTEN").unwrap_or("127.0.0.1:8080".to_owned());
    let listener = TcpListener::bind(address).await?;
    println!("open http://{}/", listener.local_addr()?);
    axum::serve(listener, router.merge(whep)).await?;
    Ok(())
}

/// Raw 16-bit PCM of the rate and channels named, or the microphone.
fn voice() -> Result<Box<dyn AudioSource>, Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let Some(rate) = words.next() else {
        return microphone();
    };
    let format = PcmFormat {
        sample: PcmSample::S16le,
        rate: rate.parse()?,
        channels: words.next().ok_or("how many channels?")?.parse()?,
    };
    Ok(Box::new(PcmReader::with_format(stdin(), format)?))
}

#[cfg(feature = "microphone")]
fn microphone() -> Result<Box<dyn AudioSource>, Box<dyn Error>> {
    Ok(Box::new(skywave::Microphone::open()?))
}

#[cfg(not(feature = "microphone"))]
fn microphone() -> Result<Box<dyn AudioSource>, Box<dyn Error>> {
    Err("name the rate and channels of standard input, or build with --features microphone".into())
}
