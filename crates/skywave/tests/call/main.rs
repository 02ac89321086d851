//! Whole calls between an `AudioTransmitter` and a real peer on this machine.
#![allow(clippy::unwrap_used, missing_docs)]

mod audience;
mod beside_audio;
mod encodings;
mod nat;
mod on_the_way;
mod packet_length;
mod peer;
mod shards;
mod sound;
mod speech;
mod states;
mod stuck;
mod w3c_stats;

use std::time::Duration;

use skywave::{
    AudioCodec, AudioSource, AudioTrack, AudioTransmitter, Config, Engine, EngineConfig, Error,
    Tone, TrackConfig, TrackStats, TransmitterState,
};
use tokio::time::timeout;
use webrtc::rtp::packet::Packet;

use peer::{Listener, PATIENCE};

fn tone(frequency: f64) -> Tone {
    Tone::new(frequency).unwrap()
}

async fn connect(transmitter: &mut AudioTransmitter) -> Listener {
    let listener = Listener::new().await;
    call(transmitter, &listener).await;
    listener
}

async fn call(transmitter: &mut AudioTransmitter, listener: &Listener) {
    let answer = listener.answer(transmitter.create_offer().unwrap()).await;
    transmitter.accept_answer(&answer).unwrap();
    connected(transmitter).await;
}

async fn connected(transmitter: &AudioTransmitter) {
    let connected = timeout(PATIENCE, transmitter.connected()).await;
    connected.expect("the call stands in time").unwrap();
}

fn assert_tone(heard: f64, expected: f64) {
    assert!(
        (heard / expected - 1.0).abs() < 0.02,
        "heard {heard} Hz, not {expected} Hz"
    );
}

/// One SSRC, every sequence number, and timestamps that step by exactly one frame, but for those
/// that this machine was too busy to make, which the track counts.
fn assert_unbroken(packets: &[Packet], step: u32, track: &AudioTrack) {
    let mut left_out = 0;
    for pair in packets.windows(2) {
        let [before, after] = [&pair[0].header, &pair[1].header];
        assert_eq!(after.ssrc, before.ssrc);
        assert_eq!(
            after.sequence_number,
            before.sequence_number.wrapping_add(1)
        );
        let ticks = after.timestamp.wrapping_sub(before.timestamp);
        assert!(ticks != 0 && ticks.is_multiple_of(step), "{ticks} ticks");
        left_out += u64::from(ticks / step - 1);
        assert!(!after.marker, "a marker without a silence before");
    }
    let TrackStats {
        frames_skipped,
        frames_dropped,
        ..
    } = track.stats();
    assert!(left_out <= frames_skipped + frames_dropped, "{left_out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn connected_sender_transmits() {
    let mut transmitter = AudioTransmitter::new(Config::default()).unwrap();
    assert_eq!(transmitter.state(), TransmitterState::New);
    transmitter.start_transmission(tone(440.0));
    let mut listener = connect(&mut transmitter).await;
    assert_eq!(transmitter.state(), TransmitterState::Connected);
    let packets = listener.packets(50).await;
    assert_unbroken(&packets, 960, transmitter.track());
    assert_tone(sound::opus_tone(&packets), 440.0);
    transmitter.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn replacing_the_track_switches_what_is_heard() {
    let mut transmitter = AudioTransmitter::new(Config::default()).unwrap();
    transmitter.start_transmission(tone(440.0));
    let mut listener = connect(&mut transmitter).await;
    let before = listener.packets(40).await;
    transmitter.replace_audio_source(tone(1000.0));
    let after = listener.packets(60).await;
    assert_tone(sound::opus_tone(&before), 440.0);
    assert_tone(sound::opus_tone(&after[10..]), 1000.0);
    assert_unbroken(&[before, after].concat(), 960, transmitter.track());
    transmitter.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn statistics_match_what_the_peer_received() {
    let mut transmitter = AudioTransmitter::new(Config::default()).unwrap();
    transmitter.start_transmission(tone(440.0));
    let mut listener = connect(&mut transmitter).await;
    let mut received = listener.packets(100).await;
    transmitter.close().await;
    let stats = transmitter.transmission_stats();
    let missing = usize::try_from(stats.packets_sent).unwrap() - received.len();
    if missing > 0 {
        received.extend(listener.packets(missing).await);
    }
    let payload: usize = received.iter().map(|packet| packet.payload.len()).sum();
    assert_eq!(stats.packets_sent, received.len() as u64);
    assert_eq!(stats.bytes_sent, payload as u64);
    assert_eq!(stats.ssrc, received[0].header.ssrc);
    assert_eq!(stats.payload_type, Some(received[0].header.payload_type));
    assert_eq!(stats.mime_type, Some("audio/opus"));
    assert!(stats.rtcp_packets_sent >= 1, "a BYE at the end at least");
    assert!(stats.srtp_cipher.is_some() && stats.tls_version == Some("FEFD"));
    assert_eq!(stats.state, TransmitterState::Closed);
}

#[test]
fn capabilities_list_the_codecs() {
    let codecs = AudioTransmitter::supported_audio_codecs();
    let listed: Vec<_> = codecs
        .iter()
        .map(|codec| (codec.mime_type, codec.clock_rate, codec.channels))
        .collect();
    assert_eq!(
        listed,
        [
            ("audio/opus", 48_000, 2),
            ("audio/PCMU", 8000, 1),
            ("audio/PCMA", 8000, 1),
            ("audio/G722", 8000, 1),
            ("audio/L16", 48000, 1),
            ("audio/L16", 16000, 1)
        ]
    );
    assert_eq!(codecs[0].sdp_fmtp_line, Some("minptime=10;useinbandfec=1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn offer_of_the_peer_is_answered() {
    let mut transmitter = AudioTransmitter::new(Config::default()).unwrap();
    transmitter.start_transmission(tone(440.0));
    let mut listener = Listener::new().await;
    let answer = transmitter.accept_offer(&listener.offer().await).unwrap();
    listener.accept_answer(answer).await;
    connected(&transmitter).await;
    assert_tone(sound::opus_tone(&listener.packets(50).await), 440.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn pcmu_is_sent_when_the_track_allows_nothing_else() {
    let mut config = Config::default();
    config.track.codecs = vec![AudioCodec::Pcmu];
    let mut transmitter = AudioTransmitter::new(config).unwrap();
    transmitter.start_transmission(tone(440.0));
    let mut listener = connect(&mut transmitter).await;
    let packets = listener.packets(50).await;
    assert!(
        packets
            .iter()
            .all(|p| p.header.payload_type == 0 && p.payload.len() == 160)
    );
    assert_unbroken(&packets, 160, transmitter.track());
    assert_tone(sound::pcmu_tone(&packets), 440.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_fingerprint_fails_and_no_packet_leaves() {
    let mut transmitter = AudioTransmitter::new(Config::default()).unwrap();
    transmitter.start_transmission(tone(440.0));
    let mut listener = Listener::new().await;
    let answer = listener.answer(transmitter.create_offer().unwrap()).await;
    let digits = "sha-256 ";
    let at = answer.find(digits).unwrap() + digits.len();
    let forged = if answer[at..].starts_with("00") {
        "FF"
    } else {
        "00"
    };
    let answer = [&answer[..at], forged, &answer[at + 2..]].concat();
    transmitter.accept_answer(&answer).unwrap();
    let outcome = timeout(PATIENCE, transmitter.connected()).await.unwrap();
    assert!(matches!(outcome, Err(Error::Failed(_))), "{outcome:?}");
    assert_eq!(transmitter.state(), TransmitterState::Failed);
    let stats = transmitter.transmission_stats();
    assert!(stats.reason.unwrap().contains("fingerprint"));
    assert_eq!(stats.packets_sent, 0);
    assert!(listener.waiting_packets().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_may_be_repeated_and_stops_the_packets() {
    let mut transmitter = AudioTransmitter::new(Config::default()).unwrap();
    transmitter.start_transmission(tone(440.0));
    let mut listener = connect(&mut transmitter).await;
    listener.packets(5).await;
    transmitter.close().await;
    transmitter.close().await;
    assert_eq!(transmitter.state(), TransmitterState::Closed);
    assert!(matches!(transmitter.connected().await, Err(Error::Closed)));
    assert!(matches!(transmitter.create_offer(), Err(Error::Closed)));
    let sent = transmitter.transmission_stats().packets_sent as usize;
    listener.packets(sent - 5).await;
    assert!(listener.waiting_packets().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn peer_that_hangs_up_closes_the_transmitter() {
    let mut transmitter = AudioTransmitter::new(Config::default()).unwrap();
    transmitter.start_transmission(tone(440.0));
    let mut listener = connect(&mut transmitter).await;
    listener.packets(5).await;
    listener.close().await;
    timeout(PATIENCE, transmitter.closed())
        .await
        .expect("the farewell is heard");
    assert_eq!(transmitter.state(), TransmitterState::Closed);
}

#[tokio::test(flavor = "multi_thread")]
async fn listeners_share_a_track_and_do_not_notice_each_other_leave() {
    let engine = Engine::bind(EngineConfig::default()).unwrap();
    let track = engine.audio_track(TrackConfig::default());
    track.replace_audio_source(tone(440.0));
    let mut calls = Vec::new();
    for _ in 0..3 {
        let mut transmitter = engine.transmitter(&track).unwrap();
        let listener = connect(&mut transmitter).await;
        calls.push((transmitter, listener));
    }
    let (leaver, mut last) = calls.pop().unwrap();
    last.packets(5).await;
    drop(leaver);
    for (transmitter, listener) in &mut calls {
        let packets = listener.packets(50).await;
        assert_unbroken(&packets, 960, transmitter.track());
        assert_tone(sound::opus_tone(&packets), 440.0);
        assert_eq!(transmitter.state(), TransmitterState::Connected);
    }
    assert_eq!(engine.stats().transmitters, 2);
    engine.close().await;
    assert!(
        calls
            .iter()
            .all(|(t, _)| t.state() == TransmitterState::Closed)
    );
}

#[tokio::test]
async fn wrong_calls_are_refused_and_leave_the_transmitter_usable() {
    let mut transmitter = AudioTransmitter::new(Config::default()).unwrap();
    let early = transmitter.accept_answer("v=0");
    assert!(
        matches!(early, Err(Error::InvalidState { .. })),
        "{early:?}"
    );
    let garbage = transmitter.accept_offer("not sdp");
    assert!(
        matches!(garbage, Err(Error::InvalidDescription(_))),
        "{garbage:?}"
    );
    transmitter.create_offer().unwrap();
    let second = transmitter.create_offer();
    assert!(
        matches!(second, Err(Error::InvalidState { .. })),
        "{second:?}"
    );
    assert!(transmitter.accept_answer("").is_err());
    transmitter.close().await;
}

#[tokio::test]
async fn digits_that_nobody_could_hear_yet_are_refused() {
    let mut transmitter = AudioTransmitter::new(Config::default()).unwrap();
    let offer = Listener::new().await.offer().await;
    let offer = offer.replace("SAVPF ", "SAVPF 126 ") + "a=rtpmap:126 telephone-event/48000\r\n";
    transmitter.accept_offer(&offer).unwrap();
    let (duration, gap) = (Duration::from_millis(100), Duration::from_millis(70));
    let early = transmitter.insert_dtmf("1", duration, gap);
    assert!(
        matches!(early, Err(Error::InvalidState { .. })),
        "{early:?}"
    );
}

#[test]
fn places_are_limited_and_given_back() {
    let config = EngineConfig {
        max_listeners: 1,
        ..EngineConfig::default()
    };
    let engine = Engine::bind(config).unwrap();
    let track = engine.audio_track(TrackConfig::default());
    let first = engine.transmitter(&track).unwrap();
    assert!(matches!(
        engine.transmitter(&track),
        Err(Error::Full { limit: 1 })
    ));
    drop(first);
    engine.transmitter(&track).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn call_stands_over_ipv6() {
    let mut config = Config::default();
    config.engine.udp = "[::1]:0".parse().unwrap();
    let mut transmitter = AudioTransmitter::new(config).unwrap();
    transmitter.start_transmission(tone(440.0));
    let mut listener = connect(&mut transmitter).await;
    assert_tone(sound::opus_tone(&listener.packets(50).await), 440.0);
    let remote = transmitter.transmission_stats().remote_address.unwrap();
    assert!(remote.is_ipv6(), "{remote}");
}

#[test]
fn track_of_another_engine_is_refused() {
    let [here, elsewhere] = [(); 2].map(|()| Engine::bind(EngineConfig::default()).unwrap());
    let track = elsewhere.audio_track(TrackConfig::default());
    assert!(matches!(here.transmitter(&track), Err(Error::ForeignTrack)));
}

#[test]
fn track_without_a_codec_is_refused() {
    let mut config = Config::default();
    config.track.codecs.clear();
    assert!(matches!(AudioTransmitter::new(config), Err(Error::NoCodec)));
}

#[tokio::test]
async fn closed_engine_closes_everything_on_it() {
    let engine = Engine::bind(EngineConfig::default()).unwrap();
    let track = engine.audio_track(TrackConfig::default());
    let untouched = engine.transmitter(&track).unwrap();
    let mut offering = engine.transmitter(&track).unwrap();
    offering.create_offer().unwrap();
    engine.close().await;
    engine.close().await;
    for transmitter in [&untouched, &offering] {
        let waited = timeout(PATIENCE, transmitter.connected()).await.unwrap();
        assert!(matches!(waited, Err(Error::Closed)), "{waited:?}");
        timeout(PATIENCE, transmitter.closed()).await.unwrap();
        assert_eq!(transmitter.state(), TransmitterState::Closed);
    }
    assert!(matches!(offering.accept_answer("v=0"), Err(Error::Closed)));
    assert!(matches!(engine.transmitter(&track), Err(Error::Closed)));
}

#[tokio::test]
async fn transmitter_closed_before_any_description_is_closed() {
    let transmitter = AudioTransmitter::new(Config::default()).unwrap();
    timeout(PATIENCE, transmitter.close()).await.unwrap();
    assert_eq!(transmitter.state(), TransmitterState::Closed);
}

/// A source that misbehaves in one way.
enum Misbehaving {
    PanicsInRead,
    PanicsInDrop,
    Blocks(std::sync::mpsc::Receiver<()>),
}

impl AudioSource for Misbehaving {
    fn read(&mut self, _: &mut [[f32; 2]]) -> usize {
        match self {
            Self::PanicsInRead => panic!("on purpose"),
            Self::PanicsInDrop => 0,
            Self::Blocks(gate) => gate.recv().map_or(0, |()| 0),
        }
    }
}

impl Drop for Misbehaving {
    fn drop(&mut self) {
        if matches!(self, Self::PanicsInDrop) {
            panic!("on purpose");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sources_that_panic_harm_no_other_track() {
    let config = EngineConfig {
        encoder_threads: 1,
        ..EngineConfig::default()
    };
    let engine = Engine::bind(config).unwrap();
    let good = engine.audio_track(TrackConfig::default());
    good.replace_audio_source(tone(440.0));
    let mut transmitter = engine.transmitter(&good).unwrap();
    let mut listener = connect(&mut transmitter).await;
    for misbehaving in [Misbehaving::PanicsInRead, Misbehaving::PanicsInDrop] {
        let bad = engine.audio_track(TrackConfig::default());
        bad.replace_audio_source(misbehaving);
        listener.packets(10).await;
        drop(bad);
        listener.packets(10).await;
        // One that is replaced before it was ever played.
        let bad = engine.audio_track(TrackConfig::default());
        bad.replace_audio_source(Misbehaving::PanicsInDrop);
        bad.replace_audio_source(tone(100.0));
    }
    listener.waiting_packets();
    assert_tone(sound::opus_tone(&listener.packets(50).await), 440.0);
}

#[test]
fn dropping_does_not_wait_for_a_source_that_blocks() {
    let (gate, blocked) = std::sync::mpsc::channel();
    let mut config = Config::default();
    config.track.wait_for_listener = false;
    let transmitter = AudioTransmitter::new(config).unwrap();
    transmitter.start_transmission(Misbehaving::Blocks(blocked));
    while transmitter.track().stats().frames == 0 && gate.send(()).is_ok() {
        std::thread::yield_now();
    }
    drop(transmitter);
    drop(gate);
}

#[tokio::test(flavor = "multi_thread")]
async fn source_at_its_end_leaves_silence_and_is_told() {
    struct Nothing;
    impl AudioSource for Nothing {
        fn read(&mut self, _: &mut [[f32; 2]]) -> usize {
            0
        }
        fn ended(&self) -> bool {
            true
        }
    }
    let mut transmitter = AudioTransmitter::new(Config::default()).unwrap();
    transmitter.start_transmission(Nothing);
    let mut listener = connect(&mut transmitter).await;
    assert_unbroken(&listener.packets(20).await, 960, transmitter.track());
    assert!(transmitter.track().stats().ended);
    transmitter.replace_audio_source(tone(440.0));
    let packets = listener.packets(70).await;
    assert_tone(sound::opus_tone(&packets[20..]), 440.0);
    assert!(!transmitter.track().stats().ended);
}
