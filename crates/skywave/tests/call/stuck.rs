//! A media thread that does not get on, and what does not wait for it.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::task::{Context, Wake, Waker};

use skywave::{AudioTransmitter, Engine, EngineConfig, Error, TrackConfig, TransmitterState};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::peer::PATIENCE;

/// Wakes nobody, but holds up the thread that wants it to, as an executor with a lock may.
struct Blocking(SyncSender<()>);

impl Wake for Blocking {
    fn wake(self: Arc<Self>) {
        // Says that the thread is here, and stays until the other end is gone.
        while self.0.send(()).is_ok() {}
    }
}

/// Holds up the media thread of a transmitter until what is returned is dropped.
fn hold_up(bait: &AudioTransmitter) -> Receiver<()> {
    let (sender, stuck) = sync_channel(0);
    let waker = Waker::from(Arc::new(Blocking(sender)));
    let mut closed = pin!(bait.closed());
    let waiting = closed.as_mut().poll(&mut Context::from_waker(&waker));
    assert!(waiting.is_pending());
    // The thread tells that it is closed, and does not get beyond that.
    let closing = pin!(bait.close());
    let _ = closing.poll(&mut Context::from_waker(Waker::noop()));
    let here = stuck.recv_timeout(PATIENCE);
    here.expect("the thread comes to the waker");
    stuck
}

// Nothing lets the thread go before all that is waited for has ended.

#[tokio::test(flavor = "multi_thread")]
async fn closing_ends_also_while_the_media_thread_is_stuck() {
    let engine = Engine::bind(EngineConfig::default()).unwrap();
    let track = engine.audio_track(TrackConfig::default());
    let [bait, transmitter] = [(); 2].map(|()| engine.transmitter(&track).unwrap());
    let stuck = hold_up(&bait);
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

#[tokio::test(flavor = "multi_thread")]
async fn closed_engine_leaves_a_stuck_media_thread_behind_and_says_which() {
    let config = EngineConfig {
        shards: 2,
        ..EngineConfig::default()
    };
    let engine = Engine::bind(config).unwrap();
    let track = engine.audio_track(TrackConfig::default());
    let [bait, other] = [(); 2].map(|()| engine.transmitter(&track).unwrap());
    let stuck = hold_up(&bait);
    for _ in 0..2 {
        // The other one may be among them where the machine has no time for it.
        let left = timeout(PATIENCE, engine.close()).await.unwrap();
        assert!(left.iter().any(|name| name == "skywave-media0"), "{left:?}");
        assert!(engine.is_closed());
        assert_eq!(other.state(), TransmitterState::Closed);
        assert!(matches!(engine.transmitter(&track), Err(Error::Closed)));
    }
    drop(stuck);
    let all_end = async { while !engine.close().await.is_empty() {} };
    let ended = timeout(PATIENCE, all_end).await;
    ended.expect("it ends when it is let go");
}

#[tokio::test(flavor = "multi_thread")]
async fn dropped_engine_leaves_a_stuck_media_thread_behind() {
    let engine = Engine::bind(EngineConfig::default()).unwrap();
    let track = engine.audio_track(TrackConfig::default());
    let bait = engine.transmitter(&track).unwrap();
    let stuck = hold_up(&bait);
    let dropped = spawn_blocking(move || drop((engine, track, bait)));
    timeout(PATIENCE, dropped).await.unwrap().unwrap();
    drop(stuck);
}
