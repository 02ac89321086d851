//! How much audio a packet carries: what the track says, or less for those who ask for it.

use std::time::Duration;

use skywave::{AudioTrack, AudioTransmitter, Engine, EngineConfig, Error, Ptime, TrackConfig};
use tokio::time::{sleep, timeout};
use webrtc::rtp::packet::Packet;

use crate::peer::{Listener, PATIENCE};
use crate::{assert_tone, connected, sound, tone};

fn track(engine: &Engine, ptime: Ptime) -> AudioTrack {
    let track = engine.audio_track(TrackConfig {
        ptime,
        ..TrackConfig::default()
    });
    track.replace_audio_source(tone(440.0));
    track
}

/// A listener whose offer has one more line.
async fn join(engine: &Engine, track: &AudioTrack, line: &str) -> (AudioTransmitter, Listener) {
    let mut transmitter = engine.transmitter(track).unwrap();
    let listener = Listener::new().await;
    let offer = listener.offer().await + line;
    listener
        .accept_answer(transmitter.accept_offer(&offer).unwrap())
        .await;
    connected(&transmitter).await;
    (transmitter, listener)
}

/// Every packet has so many ticks, but for a few that this machine may have been too busy to make.
fn assert_packet_length(packets: &[Packet], expected: u32) {
    let timestamps = packets.iter().map(|packet| packet.header.timestamp);
    let steps: Vec<u32> = timestamps
        .clone()
        .zip(timestamps.skip(1))
        .map(|(before, after)| after.wrapping_sub(before))
        .collect();
    assert!(steps.iter().all(|step| step.is_multiple_of(expected)));
    let exact = steps.iter().filter(|&&step| step == expected).count();
    assert!(exact * 10 >= steps.len() * 9, "{steps:?}");
}

async fn assert_encodings(track: &AudioTrack, expected: u64) {
    let settled = async {
        while track.stats().encodings != expected {
            sleep(Duration::from_millis(5)).await;
        }
    };
    let settled = timeout(PATIENCE, settled).await;
    assert!(settled.is_ok(), "{} encodings", track.stats().encodings);
}

#[tokio::test(flavor = "multi_thread")]
async fn rfc8866_6_5_maxptime_is_honoured_and_the_others_get_what_the_track_says() {
    let engine = Engine::bind(EngineConfig::default()).unwrap();
    let track = track(&engine, Ptime::Ms60);
    let mut short = join(&engine, &track, "a=maxptime:20\r\n").await;
    let mut long = join(&engine, &track, "").await;
    let (short_packets, long_packets) = tokio::join!(short.1.packets(90), long.1.packets(30));
    assert_packet_length(&short_packets, 960);
    assert_packet_length(&long_packets, 2_880);
    assert_tone(sound::opus_tone(&short_packets), 440.0);
    assert_tone(sound::opus_tone(&long_packets), 440.0);
    assert_encodings(&track, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn listeners_of_the_same_need_share_one_encoding() {
    let engine = Engine::bind(EngineConfig::default()).unwrap();
    let track = track(&engine, Ptime::Ms40);
    let lines = ["a=maxptime:20\r\n", "a=maxptime:39\r\n", "a=ptime:20\r\n"];
    let mut calls = Vec::new();
    for line in lines {
        calls.push(join(&engine, &track, line).await);
    }
    for (_, listener) in &mut calls {
        assert_packet_length(&listener.packets(20).await, 960);
    }
    assert_encodings(&track, 1).await;
    calls.push(join(&engine, &track, "a=ptime:60\r\n").await);
    assert_packet_length(&calls[3].1.packets(10).await, 1_920);
    assert_encodings(&track, 2).await;
    drop(calls);
    assert_encodings(&track, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rfc7587_4_2_packets_of_120_ms_are_heard() {
    let engine = Engine::bind(EngineConfig::default()).unwrap();
    let track = track(&engine, Ptime::Ms120);
    let mut call = join(&engine, &track, "a=maxptime:120\r\n").await;
    let packets = call.1.packets(12).await;
    assert_packet_length(&packets, 5_760);
    assert_tone(sound::opus_tone(&packets), 440.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn shortest_packets_are_heard_and_shorter_ones_refused() {
    let engine = Engine::bind(EngineConfig::default()).unwrap();
    let track = engine.audio_track(TrackConfig {
        // So short packets are soon skipped where others keep the machine busy.
        max_catch_up: Duration::from_secs(1),
        ..TrackConfig::default()
    });
    track.replace_audio_source(tone(440.0));
    let mut transmitter = engine.transmitter(&track).unwrap();
    let mut listener = Listener::new().await;
    let offer = listener.offer().await;
    let refused = transmitter.accept_offer(&format!("{offer}a=maxptime:2\r\n"));
    let Err(error @ Error::NotAcceptable(_)) = refused else {
        panic!("{refused:?}");
    };
    assert!(error.to_string().contains("a=maxptime:2 "), "{error}");
    // Another offer may be tried.
    let answer = transmitter.accept_offer(&format!("{offer}a=maxptime:3\r\n"));
    listener.accept_answer(answer.unwrap()).await;
    connected(&transmitter).await;
    // RFC 7587 §6.1: 2.5 ms are written as 3.
    let packets = listener.packets(240).await;
    assert_packet_length(&packets, 120);
    assert_tone(sound::opus_tone(&packets), 440.0);
}
