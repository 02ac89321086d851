//! The states of a call, as they are told one after another.

use skywave::{
    AudioTransmitter, CloseReason, Config, Engine, EngineConfig, StateChanges, StateReason,
    TrackConfig, TransmitterState,
};

use crate::{connect, tone};

async fn all(mut changes: StateChanges) -> Vec<(TransmitterState, Option<StateReason>)> {
    let mut told = Vec::new();
    while let Some(change) = changes.next().await {
        told.push((change.state, change.reason));
    }
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_late_is_told_the_whole_life_of_a_call() {
    let mut transmitter = AudioTransmitter::new(Config::default()).unwrap();
    transmitter.start_transmission(tone(440.0));
    let _listener = connect(&mut transmitter).await;
    transmitter.close().await;
    let closed = StateReason::HungUp(CloseReason::Local);
    let life = [
        (TransmitterState::Connecting, None),
        (TransmitterState::Connected, None),
        (TransmitterState::Closed, Some(closed)),
    ];
    assert_eq!(all(transmitter.state_changes()).await, life);

    transmitter.close().await;
    assert_eq!(
        all(transmitter.state_changes()).await,
        life,
        "closed once only"
    );
}

#[tokio::test]
async fn closing_before_anything_was_negotiated_is_the_only_change() {
    let engine = Engine::bind(EngineConfig::default()).unwrap();
    let track = engine.audio_track(TrackConfig::default());
    let transmitter = engine.transmitter(&track).unwrap();
    let other = engine.transmitter(&track).unwrap();
    transmitter.close().await;
    let closed = StateReason::HungUp(CloseReason::Local);
    let life = [(TransmitterState::Closed, Some(closed))];
    assert_eq!(all(transmitter.state_changes()).await, life);

    engine.close().await;
    let life = [(TransmitterState::Closed, Some(StateReason::EngineClosed))];
    assert_eq!(all(other.state_changes()).await, life);
    other.close().await;
}
