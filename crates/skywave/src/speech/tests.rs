//! What a speech queue does, packet by packet, without a clock.

mod interleavings;
mod pushing;
mod sending;
mod threads;

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use skywave_audio::AudioSource;

use super::*;

/// A queue, and everything that was read of it.
struct Stage {
    queue: SpeechQueue,
    source: SpeechSource,
    heard: Vec<f32>,
}

impl Stage {
    fn new() -> Self {
        Self::with(SpeechQueueConfig::default())
    }

    fn with(config: SpeechQueueConfig) -> Self {
        let (queue, source) = SpeechQueue::new(&config);
        Self {
            queue,
            source,
            heard: Vec::new(),
        }
    }

    /// One that holds so much.
    fn holding(max_queued: Duration) -> Self {
        Self::with(SpeechQueueConfig {
            max_queued,
            ..SpeechQueueConfig::default()
        })
    }

    /// Reads packets of 20 ms, and returns their left channel.
    fn read(&mut self, packets: usize) -> &[f32] {
        let begin = self.heard.len();
        for _ in 0..packets {
            self.read_samples(960);
        }
        &self.heard[begin..]
    }

    /// Returns how many the source said it had supplied.
    fn read_samples(&mut self, count: usize) -> usize {
        // A source may leave nothing of what was there.
        let mut pcm = vec![[7.0; 2]; count];
        let supplied = self.source.read(&mut pcm);
        assert!(pcm.iter().all(|[left, right]| left == right));
        self.heard.extend(pcm.iter().map(|sample| sample[0]));
        supplied
    }

    /// Pushes mono at 48 kHz, for which there is room.
    fn push(&self, samples: &[f32]) {
        done(self.queue.push(samples, 48_000, 1)).unwrap();
    }

    fn finish(&self) {
        done(self.queue.finish()).unwrap();
    }

    fn mark(&self, id: u64) {
        done(self.queue.push_mark(id)).unwrap();
    }

    /// Events that wait.
    fn events(&self) -> Vec<SpeechEvent> {
        std::iter::from_fn(|| poll(pin!(self.queue.next_event()))?).collect()
    }

    /// Pushed, sent, discarded.
    fn position(&self) -> (u64, u64, u64) {
        let SpeechPosition {
            pushed,
            sent,
            discarded,
        } = self.queue.position();
        (pushed, sent, discarded)
    }
}

/// What the future gives, if it does not wait for anything. Tasks move between threads, with all
/// that they wait for.
fn done<T>(future: impl Future<Output = T> + Send) -> T {
    let mut future = pin!(future);
    for _ in 0..1_000 {
        if let Some(output) = poll(future.as_mut()) {
            return output;
        }
    }
    panic!("it waits");
}

fn poll<T>(future: Pin<&mut impl Future<Output = T>>) -> Option<T> {
    match future.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

/// A low tone, whose samples differ by 0.0033 at most.
fn hum(samples: usize) -> Vec<f32> {
    let step = std::f64::consts::TAU * 50.0 / 48_000.0;
    (0..samples)
        .map(|n| (0.5 * (step * n as f64).sin()) as f32)
        .collect()
}

/// The largest step between two samples, which would be heard as a click.
fn largest_step(heard: &[f32]) -> f32 {
    let steps = heard.windows(2).map(|pair| (pair[1] - pair[0]).abs());
    steps.fold(0.0, f32::max)
}

/// The tone's own step and that of a fade of 5 ms.
const NO_CLICK: f32 = 0.007;
