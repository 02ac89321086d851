//! A voice agent that can be interrupted. Its speech is made ten times as fast as it is spoken.
//!
//! ```sh
//! cargo run -p skywave-whip --example voice_agent    # and open http://127.0.0.1:8081/
//! ```
//!
//! The terminal tells which words were heard, and where the agent was interrupted. In place of
//! [`synthesise`] comes your text-to-speech, in place of the button your voice activity detector.

use std::f32::consts::TAU;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::response::Html;
use axum::routing::{get, post};
use skywave::{
    Engine, EngineConfig, Error, SpeechEvent, SpeechPosition, SpeechQueue, SpeechQueueConfig,
    TrackConfig,
};
use tokio::sync::Notify;
use tokio::time::sleep;

const ANSWERS: [&str; 3] = [
    "good morning and welcome to this little demonstration of a queue for spoken words",
    "so you have just interrupted me and I know to the sample how much of it you have heard",
    "ask me anything you like but do not expect that I understand any of it I only hum",
];

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let engine = Engine::bind(EngineConfig::default())?;
    // The first word waits for the first listener.
    let track = engine.audio_track(TrackConfig {
        wait_for_listener: true,
        ..TrackConfig::default()
    });
    let (queue, source) = SpeechQueue::new(&SpeechQueueConfig::default());
    track.replace_audio_source(source);

    let interruption = Arc::new(Notify::new());
    tokio::spawn(report(queue.clone()));
    tokio::spawn(converse(queue.clone(), Arc::clone(&interruption)));

    let (whep, _listeners) = skywave_whip::whep_router(engine, track);
    let barge_in = move || async move {
        queue.clear(); // silent within a packet
        interruption.notify_one();
    };
    let router = Router::new()
        .route("/", get(|| async { Html(PAGE) }))
        .route("/barge-in", post(barge_in))
        .merge(whep);
    let address = std::env::var("LISTEN").unwrap_or("127.0.0.1:8081".to_owned());
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("Open http://{}/", listener.local_addr()?);
    axum::serve(listener, router).await?;
    Ok(())
}

/// Says one thing after the other; the next at once when interrupted, else after a while.
async fn converse(queue: SpeechQueue, interruption: Arc<Notify>) {
    for answer in ANSWERS.iter().cycle() {
        match say(&queue, answer).await {
            Ok(()) => println!("   (silent)"),
            Err(Error::Interrupted { .. }) => println!("   (still speaking when interrupted)"),
            Err(error) => return println!("{error}"),
        }
        tokio::select! {
            () = sleep(Duration::from_secs(4)) => {}
            () = interruption.notified() => sleep(Duration::from_millis(300)).await,
        }
    }
}

/// Returns when everything was heard, or taken back.
async fn say(queue: &SpeechQueue, text: &str) -> Result<(), Error> {
    println!("\n> {text}");
    for (number, word) in text.split(' ').enumerate() {
        let speech = synthesise(word);
        // Ten times as fast as it is spoken: 24 samples are a millisecond.
        sleep(Duration::from_millis(speech.len() as u64 / 24 / 10)).await;
        queue.push(&speech, 24_000, 1).await?;
        queue.push_mark(number as u64).await?;
    }
    queue.finish().await?;
    let ahead = SpeechPosition::duration(queue.position().queued());
    println!("   (all of it is made, {:.1} s ahead)", ahead.as_secs_f64());
    queue.drained().await
}

/// Tells what becomes of the speech.
async fn report(queue: SpeechQueue) {
    let seconds = |samples| SpeechPosition::duration(samples).as_secs_f64();
    while let Some(event) = queue.next_event().await {
        match event {
            SpeechEvent::Mark { id } => println!("   word {id} was sent"),
            SpeechEvent::MarkDiscarded { id } => println!("   word {id} was not"),
            SpeechEvent::Interrupted { sent, discarded } => println!(
                "   INTERRUPTED at sample {sent} ({:.2} s); {:.2} s were never heard",
                seconds(sent),
                seconds(discarded)
            ),
            other => println!("   {other:?}"),
        }
    }
}

/// A pretended voice at 24 kHz: a hiss where a word begins, then a hum for each of its letters.
fn synthesise(word: &str) -> Vec<i16> {
    let mut speech = Vec::new();
    let (mut phase, mut noise) = (0.0_f32, 1_u32);
    for (place, letter) in word.bytes().enumerate() {
        let pitch = 110.0 + f32::from(letter % 32) * 4.0;
        for n in 0..1_900 {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let hiss = (noise >> 16) as i16 as f32 / 32_768.0;
            phase = (phase + pitch / 24_000.0).fract();
            let hum = (1..6).map(|k| (TAU * phase * k as f32).sin() / k as f32);
            let voice = if place == 0 && n < 700 {
                hiss * 0.15
            } else {
                hum.sum::<f32>() * 0.2
            };
            let edge = (n.min(1_900 - n) as f32 / 240.0).min(1.0);
            speech.push((voice * edge * 20_000.0) as i16);
        }
    }
    speech.resize(speech.len() + 1_920, 0); // 80 ms between words
    speech
}

const PAGE: &str = r#"<!doctype html>
<meta charset="utf-8"><title>Voice agent</title>
<h1>Voice agent</h1>
<button id="listen">Listen</button> <button id="barge" disabled>Barge in</button>
<p id="state">Watch the terminal.</p><audio id="audio" autoplay></audio>
<script>
const by = id => document.getElementById(id);
by('listen').onclick = async () => {
  by('listen').disabled = true;
  const peer = new RTCPeerConnection();
  peer.addTransceiver('audio', { direction: 'recvonly' });
  peer.ontrack = event => { by('audio').srcObject = event.streams[0] ?? new MediaStream([event.track]); };
  peer.onconnectionstatechange = () => { by('state').textContent = peer.connectionState; };
  await peer.setLocalDescription(); // the server is ICE-lite and needs no candidates of ours
  const answer = await fetch('/whep', {
    method: 'POST', headers: { 'content-type': 'application/sdp' }, body: peer.localDescription.sdp });
  await peer.setRemoteDescription({ type: 'answer', sdp: await answer.text() });
  by('barge').disabled = false;
};
by('barge').onclick = () => fetch('/barge-in', { method: 'POST' });
</script>"#;
