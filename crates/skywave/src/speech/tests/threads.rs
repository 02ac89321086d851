//! Pushes, clears and reads on threads of their own.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;

use super::*;
use crate::Error;

/// Every utterance has a value of its own, greater than that of the one before.
fn value(utterance: usize) -> f32 {
    0.1 + utterance as f32 / 10_000.0
}

/// Says that it is over when it is dropped.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, SeqCst);
    }
}

#[test]
fn nothing_of_an_utterance_is_heard_after_one_pushed_behind_a_clear() {
    const UTTERANCES: usize = 300;
    let Stage {
        queue, mut source, ..
    } = Stage::holding(Duration::from_millis(200));
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let (mut utterance, mut sent) = (0, 0);
            while utterance < UTTERANCES && !over.load(SeqCst) {
                match queue.try_push(&[value(utterance); 700], 48_000, 1) {
                    Err(Error::QueueFull { .. }) => thread::yield_now(),
                    Err(Error::Interrupted { .. }) => {}
                    outcome => outcome.unwrap(),
                }
                if queue.position().sent > sent + 2_000 {
                    queue.clear();
                    utterance += 1;
                    sent = queue.position().sent;
                }
            }
            over.store(true, SeqCst);
        });
        // Whoever else clears only takes away more.
        scope.spawn(|| {
            while !over.load(SeqCst) {
                queue.clear();
                for _ in 0..500 {
                    thread::yield_now();
                }
            }
        });
        // If what follows fails, the others end too.
        let _end = End(&over);
        let mut newest = 0.0;
        while !over.load(SeqCst) || queue.position().queued() > 0 {
            let mut pcm = [[0.0; 2]; 480];
            source.read(&mut pcm);
            for samples in pcm.windows(3) {
                // What fades has no three equal samples, but two where the fade turns.
                let [[sample, _], ..] = *samples else {
                    continue;
                };
                if samples.iter().all(|other| other[0] == sample) && sample >= 0.1 {
                    assert!(sample >= newest, "{sample} after {newest}");
                    newest = sample;
                }
            }
            let SpeechPosition {
                pushed,
                sent,
                discarded,
            } = queue.position();
            assert!(sent + discarded <= pushed);
            thread::yield_now();
        }
        assert!(newest > value(UTTERANCES / 2), "they were heard");
    });
    assert_eq!(queue.position().queued(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_of_long_pushes_arrives_in_order_while_it_is_read() {
    let Stage {
        queue, mut source, ..
    } = Stage::holding(Duration::from_millis(500));
    let reader = thread::spawn(move || {
        let mut heard = Vec::new();
        let mut pcm = [[0.0; 2]; 480];
        while !source.ended() {
            let supplied = source.read(&mut pcm);
            heard.extend(pcm[..supplied].iter().map(|sample| sample[0]));
            if supplied == 0 {
                thread::yield_now();
            }
        }
        heard
    });
    // 24 bits count exactly.
    let count: Vec<f32> = (1..200_000).map(|n| n as f32 / 16_777_216.0).collect();
    for part in count.chunks(7_777) {
        queue.push(part, 48_000, 1).await.unwrap();
    }
    queue.finish().await.unwrap();
    drop(queue);
    let heard = reader.join().unwrap();
    // Underruns fade in and out, and lose nothing: the last one of all is exact.
    let kept = heard.iter().filter(|&&value| value > 0.0).count();
    assert!(kept >= count.len());
    assert!(heard.contains(&count[count.len() - 1]));
}
