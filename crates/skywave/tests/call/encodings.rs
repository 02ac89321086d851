//! How a track is encoded: as its owner says, within what each listener declares.

use std::collections::BTreeSet;
use std::time::Duration;

use skywave::{
    AudioCodec, AudioTrack, EncodedPacket, EncodedSource, EncodedSupply, EncodedTrackConfig,
    Engine, EngineConfig, Error, OpusBitrate, OpusFile, OpusOptions, OpusRateControl, Silence,
    SilencePolicy, TrackConfig,
};
use tokio::time::timeout;
use webrtc::rtp::packet::Packet;

use crate::peer::{Listener, PATIENCE};
use crate::{connected, tone};

const CHROMIUM: &str = include_str!("../../../skywave-sdp/testdata/chromium.sdp");

/// Chromium's offer with other parameters of Opus.
fn offer(fmtp: &str) -> String {
    let offer = CHROMIUM.replace("minptime=10;useinbandfec=1", fmtp);
    assert!(offer.contains(fmtp));
    offer
}

fn cbr(bits: u32) -> OpusOptions {
    OpusOptions {
        bitrate: Some(OpusBitrate::new(bits).unwrap()),
        rate_control: OpusRateControl::Cbr,
        ..OpusOptions::default()
    }
}

fn track(engine: &Engine, config: TrackConfig) -> AudioTrack {
    let track = engine.audio_track(config);
    track.replace_audio_source(tone(440.0));
    track
}

#[test]
fn hundred_listeners_with_three_different_wishes_share_three_encodings() {
    let engine = Engine::bind(EngineConfig::default()).unwrap();
    let track = track(&engine, TrackConfig::default());
    let wishes = [
        "minptime=10;useinbandfec=1",
        "stereo=1;useinbandfec=1",
        "maxaveragebitrate=25000",
    ];
    let transmitters: Vec<_> = (0..100)
        .map(|listener| {
            let mut transmitter = engine.transmitter(&track).unwrap();
            transmitter
                .accept_offer(&offer(wishes[listener % 3]))
                .unwrap();
            transmitter
        })
        .collect();
    let encodings: BTreeSet<_> = track
        .encodings()
        .into_iter()
        .map(|encoding| (encoding.channels, encoding.bitrate))
        .collect();
    assert_eq!(
        encodings,
        BTreeSet::from([(1, Some(24_000)), (1, Some(48_000)), (2, Some(96_000))])
    );
    assert_eq!(track.encodings().len(), 3);
    drop(transmitters);
}

#[test]
fn listener_that_no_encoding_suits_is_refused_where_no_other_is_allowed() {
    let engine = Engine::bind(EngineConfig::default()).unwrap();
    let config = TrackConfig {
        max_encodings: 1,
        ..TrackConfig::default()
    };
    let track = track(&engine, config);
    let mut first = engine.transmitter(&track).unwrap();
    first
        .accept_offer(&offer("maxaveragebitrate=32000"))
        .unwrap();
    // The stream of the first keeps to the limits of the second, but not of the third.
    let mut second = engine.transmitter(&track).unwrap();
    second
        .accept_offer(&offer("maxaveragebitrate=64000"))
        .unwrap();
    let mut third = engine.transmitter(&track).unwrap();
    let refused = third.accept_offer(&offer("maxaveragebitrate=8000"));
    assert!(matches!(refused, Err(Error::TooManyEncodings { limit: 1 })));
    assert_eq!(track.encodings().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn rfc3551_4_5_2_g722_has_a_clock_of_8_khz() {
    let engine = Engine::bind(EngineConfig::default()).unwrap();
    let config = TrackConfig {
        codecs: vec![AudioCodec::G722],
        ..TrackConfig::default()
    };
    let track = track(&engine, config);
    let mut transmitter = engine.transmitter(&track).unwrap();
    let mut listener = Listener::new().await;
    let offer = listener.offer().await;
    listener
        .accept_answer(transmitter.accept_offer(&offer).unwrap())
        .await;
    connected(&transmitter).await;
    let packets = listener.packets(20).await;
    for packet in &packets {
        assert_eq!((packet.payload.len(), packet.header.payload_type), (160, 9));
    }
    let ticks = |packet: usize| packets[packet].header.timestamp;
    assert!(ticks(1).wrapping_sub(ticks(0)).is_multiple_of(160));
    let stats = transmitter.transmission_stats();
    assert_eq!(stats.mime_type, Some("audio/G722"));
}

/// Receives PCMU until comfort noise has come, and then two packets of sound; gives these three.
async fn pause(track: &AudioTrack, listener: &mut Listener) -> Vec<Packet> {
    listener.packets(5).await;
    track.replace_audio_source(Silence);
    let until_noise = listener.packets_until(|packet| packet.header.payload_type == 13);
    let mut packets = Vec::from_iter(until_noise.await.pop());
    track.replace_audio_source(tone(440.0));
    let until_sound = listener.packets_until(|packet| packet.header.payload_type == 0);
    packets.extend(until_sound.await.pop());
    packets.extend(listener.packets(1).await);
    packets
}

#[tokio::test(flavor = "multi_thread")]
async fn rfc3389_4_pause_is_described_to_who_agreed_to_comfort_noise_and_left_out_for_others() {
    let engine = Engine::bind(EngineConfig::default()).unwrap();
    let config = TrackConfig {
        codecs: vec![AudioCodec::Pcmu],
        silence: SilencePolicy::Stop,
        ..TrackConfig::default()
    };
    let track = track(&engine, config);
    let mut calls = Vec::new();
    for mut listener in [Listener::of_g711().await, Listener::new().await] {
        let mut transmitter = engine.transmitter(&track).unwrap();
        let offer = listener.offer().await;
        let answer = transmitter.accept_offer(&offer).unwrap();
        listener.accept_answer(answer).await;
        connected(&transmitter).await;
        listener.packets(1).await;
        calls.push((transmitter, listener));
    }
    assert_eq!(track.encodings().len(), 2);
    let [(_noise, noisy), (_plain, plain)] = &mut calls[..] else {
        unreachable!("two listeners");
    };
    let packets = pause(&track, noisy).await;
    let [noise, sound, next] = &packets[..] else {
        panic!("{packets:?}");
    };
    assert_eq!(noise.payload[..], [127]);
    let markers = packets.iter().map(|packet| packet.header.marker);
    assert!(markers.eq([false, true, false]));
    let pause = sound.header.timestamp.wrapping_sub(noise.header.timestamp);
    assert!(pause > 0 && pause.is_multiple_of(160), "{pause}");
    let number = |packet: &Packet| packet.header.sequence_number;
    assert_eq!(number(next), number(sound).wrapping_add(1));
    // The same pause: nothing but sound around it.
    let packets = plain.packets_until(|packet| packet.header.marker).await;
    assert!(packets.iter().all(|packet| packet.header.payload_type == 0));
    let [.., before, after] = &packets[..] else {
        panic!("{packets:?}");
    };
    assert!(after.header.timestamp.wrapping_sub(before.header.timestamp) > 160);
    assert_eq!(number(after), number(before).wrapping_add(1));
}

#[test]
fn l16_is_taken_where_the_track_allows_it_in_packets_that_fit_into_datagrams() {
    let engine = Engine::bind(EngineConfig::default()).unwrap();
    let offer = CHROMIUM.replace("opus/48000/2", "L16/48000");
    let default = track(&engine, TrackConfig::default());
    let mut transmitter = engine.transmitter(&default).unwrap();
    transmitter.accept_offer(&offer).unwrap();
    assert_ne!(default.encodings()[0].mime_type, "audio/L16");
    let config = TrackConfig {
        codecs: vec![AudioCodec::L16, AudioCodec::L16Wideband],
        ..TrackConfig::default()
    };
    let allowed = track(&engine, config);
    let mut transmitter = engine.transmitter(&allowed).unwrap();
    transmitter.accept_offer(&offer).unwrap();
    let encodings = allowed.encodings();
    let encoding = &encodings[0];
    assert_eq!((encoding.mime_type, encoding.ptime), ("audio/L16", 10.0));
    let mut offering = engine.transmitter(&allowed).unwrap();
    let offer = offering.create_offer().unwrap();
    for line in ["a=rtpmap:96 L16/48000\r\n", "a=rtpmap:97 L16/16000\r\n"] {
        assert!(offer.contains(line), "{offer}");
    }
}

/// Receives until packets have that many octets of payload.
async fn until_packets_have(listener: &mut Listener, octets: usize) {
    let arrived = async { while listener.packets(1).await[0].payload.len() != octets {} };
    assert!(timeout(PATIENCE, arrived).await.is_ok(), "{octets} octets");
}

#[tokio::test(flavor = "multi_thread")]
async fn options_change_while_it_plays_within_what_the_listener_declared() {
    let engine = Engine::bind(EngineConfig::default()).unwrap();
    let config = TrackConfig {
        opus: cbr(64_000),
        ..TrackConfig::default()
    };
    let track = track(&engine, config);
    let mut transmitter = engine.transmitter(&track).unwrap();
    let mut listener = Listener::new().await;
    let offer = listener.offer().await;
    let limited = offer.replace("useinbandfec=1", "maxaveragebitrate=48000");
    assert_ne!(offer, limited);
    let answer = transmitter.accept_offer(&limited).unwrap();
    listener.accept_answer(answer).await;
    connected(&transmitter).await;
    until_packets_have(&mut listener, 120).await;
    track.set_opus_options(cbr(16_000));
    until_packets_have(&mut listener, 40).await;
    track.set_opus_options(cbr(128_000));
    until_packets_have(&mut listener, 120).await;
    let encodings = track.encodings();
    assert_eq!((encodings.len(), encodings[0].listeners), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn encoded_packets_go_out_as_they_are() {
    for file in [OGG_FILE, WEBM_FILE] {
        check_that_packets_go_out_as_they_are(file).await;
    }
}

async fn check_that_packets_go_out_as_they_are(file: &str) {
    let engine = Engine::bind(EngineConfig::default()).unwrap();
    let track = engine.encoded_track(EncodedTrackConfig {
        wait_for_listener: true,
        ..EncodedTrackConfig::default()
    });
    track.replace_encoded_source(OpusFile::open(file).unwrap());
    let mut transmitter = engine.transmitter(track.track()).unwrap();
    let mut listener = Listener::new().await;
    let offer = listener.offer().await;
    listener
        .accept_answer(transmitter.accept_offer(&offer).unwrap())
        .await;
    connected(&transmitter).await;
    let expected = packets_of(file);
    let received = listener.packets(expected.len()).await;
    let mut timestamp = received[0].header.timestamp;
    for (packet, expected) in received.iter().zip(&expected) {
        assert_eq!(packet.payload[..], expected.payload()[..]);
        assert_eq!(packet.header.timestamp, timestamp);
        timestamp = timestamp.wrapping_add(expected.samples());
    }
    let ended = async {
        while !track.track().stats().ended {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(timeout(PATIENCE, ended).await.is_ok());
    assert_eq!((track.fault(), track.packets_refused()), (None, 0));
    assert_eq!(track.track().encodings()[0].bitrate, None);
}

#[test]
fn listener_without_the_codec_of_an_encoded_track_is_refused() {
    let engine = Engine::bind(EngineConfig::default()).unwrap();
    let track = engine.encoded_track(EncodedTrackConfig::default());
    let mut transmitter = engine.transmitter(track.track()).unwrap();
    let refused = transmitter.accept_offer(&CHROMIUM.replace("opus/48000/2", "speex/16000"));
    let Err(error @ Error::NotAcceptable(_)) = refused else {
        panic!("{refused:?}");
    };
    assert!(error.to_string().contains("speex"), "{error}");
    let short = CHROMIUM.replace("a=rtcp-mux\r\n", "a=rtcp-mux\r\na=maxptime:10\r\n");
    let refused = transmitter.accept_offer(&short);
    assert!(
        matches!(refused, Err(Error::NotAcceptable(_))),
        "{refused:?}"
    );
    transmitter.accept_offer(CHROMIUM).unwrap();
}

const OGG_FILE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../skywave-audio/testdata/stereo.opus"
);
/// In packets of 60 ms.
const WEBM_FILE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../skywave-audio/testdata/stereo_60ms.webm"
);

fn packets_of(path: &str) -> Vec<EncodedPacket> {
    let mut file = OpusFile::open(path).unwrap();
    let mut packets = Vec::new();
    loop {
        match file.next() {
            EncodedSupply::Packet(packet) => packets.push(packet),
            EncodedSupply::Starved => std::thread::yield_now(),
            EncodedSupply::Ended { .. } => return packets,
        }
    }
}
