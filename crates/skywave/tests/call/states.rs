//! The states of a call, as they are told one after another.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::task::{Context, Wake, Waker};

use skywave::{
    AudioTransmitter, CloseReason, Config, Engine, EngineConfig, StateChanges, StateReason,
    TrackConfig, TransmitterState,
};

use tokio::time::timeout;

use crate::peer::PATIENCE;
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

/// Wakes nobody, but holds up the thread that wants it to, as an executor with a lock may.
struct Blocking(SyncSender<()>);

impl Wake for Blocking {
    fn wake(self: Arc<Self>) {
        // Says that the thread is here, and stays until the other end is gone.
        while self.0.send(()).is_ok() {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_ends_also_while_the_media_thread_is_stuck() {
    let engine = Engine::bind(EngineConfig::default()).unwrap();
    let track = engine.audio_track(TrackConfig::default());
    let [bait, transmitter] = [(); 2].map(|()| engine.transmitter(&track).unwrap());
    let (sender, stuck) = sync_channel(0);
    let waker = Waker::from(Arc::new(Blocking(sender)));
    let mut closed = pin!(bait.closed());
    let waiting = closed.as_mut().poll(&mut Context::from_waker(&waker));
    assert!(waiting.is_pending());
    // The media thread tells the first that it is closed, and does not get beyond that.
    let mut closing = Box::pin(bait.close());
    let _ = closing
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()));
    stuck.recv().unwrap();

    // Nothing releases it before all of these have ended.
    let both = async { tokio::join!(transmitter.close(), transmitter.close()) };
    let both = timeout(PATIENCE, both).await;
    both.expect("the thread is not waited for");
    assert_eq!(transmitter.state(), TransmitterState::Closed);
    transmitter.close().await;
    assert_eq!(transmitter.state(), TransmitterState::Closed);
    drop(stuck);
    let told = timeout(PATIENCE, transmitter.closed()).await;
    told.expect("it is told in the end");
}
