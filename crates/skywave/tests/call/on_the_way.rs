//! What a NAT, or somebody else on the way, does to a call.

use skywave::{AudioTransmitter, CloseReason, Engine, EngineConfig, StateReason, TrackConfig};
use tokio::time::timeout;

use crate::nat::Nat;
use crate::peer::{Listener, PATIENCE};
use crate::{connected, tone};

/// webrtc-rs does not notice, and nominates no second time: media follows when its old address has
/// been silent, and not before it has answered us from the new one.
#[tokio::test(flavor = "multi_thread")]
async fn rfc8445_7_3_media_follows_a_peer_behind_a_rebound_nat_once_it_has_answered_there() {
    let (transmitter, mut listener, nat) = call_through_nat().await;
    assert_eq!(
        own_checks(&transmitter),
        (0, 0),
        "the handshake proved the first path"
    );

    let mut heard = listener.packets(1).await;
    nat.rebind();
    heard.extend(listener.packets(100).await);
    let numbers = heard.iter().map(|packet| packet.header.sequence_number);
    let numbers: Vec<u16> = numbers.collect();
    let steps = numbers.windows(2).map(|pair| pair[1].wrapping_sub(pair[0]));
    let lost = steps.max().unwrap() - 1;
    let (asked, answered) = own_checks(&transmitter);
    println!("{lost} packets to the old address; asked {asked} times, {answered} answers");
    assert!(asked >= 1 && answered == 1, "{asked} {answered}");
    assert!(lost > 0, "or nobody moved");
}

/// `requestsSent` and `responsesReceived` of the candidate pair.
fn own_checks(transmitter: &AudioTransmitter) -> (u64, u64) {
    let report = serde_json::to_value(transmitter.stats_report()).unwrap();
    let pair = report.as_object().unwrap().values();
    let mut pair = pair.filter(|stats| stats["type"] == "candidate-pair");
    let pair = pair.next_back().unwrap();
    let number = |name: &str| pair[name].as_u64().unwrap();
    (number("requestsSent"), number("responsesReceived"))
}

/// webrtc-rs answers application data in the clear with a fatal alert, unexpected_message, under
/// the keys of the call.
#[tokio::test(flavor = "multi_thread")]
async fn rfc5246_7_2_2_fatal_alert_under_keys_ends_the_call_at_once() {
    let (transmitter, _listener, nat) = call_through_nat().await;
    nat.inject(&[23, 254, 253, 0, 0, 0, 0, 0, 0, 0, 99, 0, 1, 0]);
    let closed = async {
        let mut changes = transmitter.state_changes();
        while let Some(change) = changes.next().await {
            if change.state.is_final() {
                return change.reason;
            }
        }
        None
    };
    let reason = timeout(PATIENCE, closed).await.expect("it ends");
    assert_eq!(reason, Some(StateReason::HungUp(CloseReason::DtlsClosed)));
}

async fn call_through_nat() -> (AudioTransmitter, Listener, Nat) {
    let engine = Engine::bind(EngineConfig {
        udp: ([127, 0, 0, 1], 0).into(),
        ..EngineConfig::default()
    })
    .unwrap();
    let track = engine.audio_track(TrackConfig::default());
    track.replace_audio_source(tone(440.0));
    let mut transmitter = engine.transmitter(&track).unwrap();
    let mut listener = Listener::new().await;
    let offer = transmitter.create_offer().unwrap();
    let (offer, nat) = Nat::in_between(&offer);
    let answer = listener.answer(offer).await;
    transmitter.accept_answer(&answer).unwrap();
    connected(&transmitter).await;
    listener.packets(20).await;
    (transmitter, listener, nat)
}
