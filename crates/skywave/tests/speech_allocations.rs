//! Playing a speech queue allocates and frees nothing.
#![allow(clippy::unwrap_used)]

use allocation_counter::measure;
use skywave::{AudioSource, SpeechEvent, SpeechQueue, SpeechQueueConfig, SpeechSource};

static SECOND: [i16; 24_000] = [1_000; 24_000];

/// Allocations and frees in so many packets.
fn cost(source: &mut SpeechSource, packets: usize) -> (u64, i64) {
    let mut pcm = [[0.0; 2]; 960];
    let info = measure(|| {
        for _ in 0..packets {
            source.read(&mut pcm);
        }
    });
    (info.count_total, info.count_current)
}

#[tokio::test(flavor = "current_thread")]
async fn reading_allocates_and_frees_nothing() {
    let (queue, mut source) = SpeechQueue::new(&SpeechQueueConfig::default());
    for utterance in 0..20 {
        for word in 0..10 {
            queue.push(&SECOND, 24_000, 1).await.unwrap();
            queue.push_mark(word).await.unwrap();
        }
        queue.finish().await.unwrap();
        assert_eq!(cost(&mut source, 250), (0, 0), "{utterance}");
        queue.pause();
        assert_eq!(cost(&mut source, 10), (0, 0), "{utterance}");
        queue.clear();
        assert_eq!(cost(&mut source, 10), (0, 0), "{utterance}");
        while queue.next_event().await != Some(SpeechEvent::MarkDiscarded { id: 9 }) {}
    }
}
