//! Several media ports with one track.

use skywave::{Engine, EngineConfig, TrackConfig};

use crate::peer::Listener;
use crate::{assert_tone, assert_unbroken, call, sound, tone};

#[tokio::test(flavor = "multi_thread")]
async fn listeners_are_spread_over_the_ports_and_share_what_is_encoded() {
    let engine = Engine::bind(EngineConfig {
        udp: "127.0.0.1:0".parse().unwrap(),
        shards: 3,
        ..EngineConfig::default()
    })
    .unwrap();
    let track = engine.audio_track(TrackConfig::default());
    track.replace_audio_source(tone(440.0));
    let mut calls = Vec::new();
    for _ in 0..4 {
        let mut transmitter = engine.transmitter(&track).unwrap();
        let listener = Listener::new().await;
        call(&mut transmitter, &listener).await;
        calls.push((transmitter, listener));
    }
    for (_, listener) in &mut calls {
        let packets = listener.packets(40).await;
        assert_unbroken(&packets, 960, &track);
        assert_tone(sound::opus_tone(&packets), 440.0);
    }
    let stats = engine.stats();
    let transmitters = stats.shards.iter().map(|shard| shard.transmitters);
    assert_eq!(transmitters.collect::<Vec<_>>(), [2, 1, 1]);
    assert!(stats.shards.iter().all(|shard| shard.lateness.count() > 0));
    assert_eq!((stats.transmitters, stats.handshakes), (4, 0));
    assert_eq!(track.stats().encodings, 1);

    // Each by its own farewell, and the place is free again.
    calls.remove(0);
    assert_eq!(engine.stats().shards[0].transmitters, 1);
    engine.close().await;
}

#[test]
fn ports_of_shards_follow_one_another() {
    let bind = |port| {
        Engine::bind(EngineConfig {
            udp: std::net::SocketAddr::from(([127, 0, 0, 1], port)),
            shards: 2,
            ..EngineConfig::default()
        })
    };
    // Two ports in a row that nobody has, found by trying.
    let engine = (20_000..60_000)
        .step_by(7)
        .find_map(|port| bind(port).ok())
        .unwrap();
    let [first, second] = engine.candidates()[..] else {
        panic!("{:?}", engine.candidates());
    };
    assert_eq!(second.port(), first.port() + 1);
    assert!(matches!(
        bind(65_535),
        Err(skywave::Error::PortRange { first: 65_535 })
    ));
}
