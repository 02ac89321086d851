//! The examples as they stand, each run as a program of its own that a real peer listens to.
//!
//! `cargo test -p skywave-whip` builds them first; where only one test is named, it does not.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "../../../skywave/tests/call/peer.rs"]
#[allow(dead_code)]
mod peer;
mod program;
#[path = "../../../skywave/tests/call/sound.rs"]
#[allow(dead_code)]
mod sound;
mod station;

use std::f32::consts::TAU;
use std::fs;

use peer::Listener;
use program::Program;
use sound::{frequency, opus_samples};
use station::Station;

#[tokio::test(flavor = "multi_thread")]
async fn radio_plays_its_list_and_skips() {
    let folder = tempfile::tempdir().unwrap();
    for (name, tone) in [("a.wav", 440.0), ("b.wav", 1_000.0)] {
        fs::write(folder.path().join(name), wav(tone)).unwrap();
    }
    let radio = Program::start("radio", &[folder.path().to_str().unwrap()], None);
    let mut listener = radio.listen().await;
    until_heard(&mut listener, 440.0).await;
    radio.post("/skip", "");
    radio.find("b.wav");
    until_heard(&mut listener, 1_000.0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn radio_plays_a_station_whose_certificate_the_system_trusts() {
    let station = Station::start(wav(700.0));
    let radio = Program::start("radio", &[&station.url], Some(&station.certificate));
    let mut listener = radio.listen().await;
    until_heard(&mut listener, 700.0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn radio_plays_no_station_whose_certificate_is_another() {
    let (station, other) = (Station::start(wav(700.0)), Station::start(Vec::new()));
    let radio = Program::start("radio", &[&station.url], Some(&other.certificate));
    let told = radio.find("Disconnected");
    assert!(told.contains(&station.url), "{told}");
    assert!(told.contains("invalid peer certificate"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn intercom_lets_standard_input_be_heard_unless_it_is_mute() {
    let mut intercom = Program::start("intercom", &["8000", "1"], None);
    intercom.feed(wav(600.0).split_off(WAV_HEADER));
    let mut listener = intercom.listen().await;
    until_heard(&mut listener, 600.0).await;
    intercom.post("/mute", "");
    until(&mut listener, |samples| peak(samples) < 0.001).await;
    intercom.post("/unmute", "");
    until_heard(&mut listener, 600.0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn voice_agent_speaks_from_its_first_word_on_and_can_be_interrupted() {
    let agent = Program::start("voice_agent", &[], None);
    let mut listener = agent.listen().await;
    let heard = opus_samples(&listener.packets(60).await);
    let onset = heard.iter().position(|sample| sample.abs() > 0.05).unwrap();
    // The word is "good", 79 ms a letter: the first "o".
    let vowel = &heard[onset + 48 * 95..onset + 48 * 145];
    let pitch = frequency(vowel, 48_000.0);
    assert!((pitch - 170.0).abs() < 3.0, "{pitch}");
    agent.find("word 0 was sent");
    agent.post("/barge-in", "");
    agent.find("INTERRUPTED at sample ");
    // It goes on with something else.
    agent.find("> so you have just interrupted me");
    agent.find("word 0 was sent");
    until(&mut listener, |samples| peak(samples) > 0.05).await;
}

/// Waits for a tone of so many Hz.
async fn until_heard(listener: &mut Listener, tone: f64) {
    until(listener, |samples| {
        peak(samples) > 0.05 && (frequency(samples, 48_000.0) - tone).abs() < 2.0
    })
    .await;
}

/// Waits until 50 packets are as wanted.
async fn until(listener: &mut Listener, wanted: impl Fn(&[f32]) -> bool) {
    for _ in 0..20 {
        let samples = opus_samples(&listener.packets(50).await);
        // A decoder that begins anew takes its time.
        if wanted(&samples[5 * 960..]) {
            return;
        }
    }
    panic!("not heard");
}

fn peak(samples: &[f32]) -> f32 {
    samples
        .iter()
        .fold(0.0, |peak, sample| peak.max(sample.abs()))
}

/// A minute of a tone, a WAV file of 8 kHz mono.
fn wav(frequency: f32) -> Vec<u8> {
    let samples = 60 * 8_000_u32;
    let mut wav = b"RIFF".to_vec();
    wav.extend((36 + 2 * samples).to_le_bytes());
    wav.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    wav.extend(8_000_u32.to_le_bytes());
    wav.extend(16_000_u32.to_le_bytes());
    wav.extend(b"\x02\0\x10\0data");
    wav.extend((2 * samples).to_le_bytes());
    assert_eq!(wav.len(), WAV_HEADER);
    wav.extend((0..samples).flat_map(|n| {
        let phase = (n as f32 * frequency / 8_000.0).fract() * TAU;
        ((phase.sin() * 10_000.0) as i16).to_le_bytes()
    }));
    wav
}

const WAV_HEADER: usize = 44;
