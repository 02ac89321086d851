//! A source that reads ahead from whatever blocks.

use std::convert::Infallible;
use std::fmt::Display;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use crate::AudioSource;
use crate::containment::contain;
use crate::prefetch::{BLOCK_SAMPLES, Prefetch};

/// Audio from anything that has to wait for it: an iterator over chunks of 48 kHz stereo, which a
/// thread of its own runs ahead of time.
///
/// So a decoder, a network stream or a speech synthesizer becomes a source that never blocks. At
/// most about a second is read ahead, or 50 chunks if they are short; then the iterator is left
/// alone until the source is played on. A slow iterator starves the source, its end, an error or a
/// panic ends it. The source is [`ready`](AudioSource::ready) with its first 60 ms.
///
/// Dropping the source ends the thread as soon as the iterator's `next` returns.
///
/// ```
/// use skywave_audio::{AudioSource, Prefetched};
///
/// /// Stands for an engine that takes its time for every sentence.
/// fn synthesize(sentence: &str) -> Vec<[f32; 2]> {
///     vec![[0.1; 2]; 2_400 * sentence.len()]
/// }
///
/// let sentences = ["Good morning.", "It is eight o'clock."].into_iter();
/// let mut speech = Prefetched::new(sentences.map(synthesize));
///
/// // A closure does as well: it gives chunks until `None`.
/// let mut left = 10;
/// let countdown = Prefetched::new(std::iter::from_fn(move || {
///     left -= 1;
///     (left > 0).then(|| vec![[0.1; 2]; 480])
/// }));
/// # let mut pcm = [[0.0; 2]; 960];
/// # while !speech.ready() {
/// #     std::thread::yield_now();
/// # }
/// # assert_eq!(speech.read(&mut pcm), 960);
/// ```
pub struct Prefetched {
    prefetch: Prefetch,
    error: Receiver<String>,
}

impl Prefetched {
    /// Starts to read ahead. Without a thread to be had, the source is ended at once.
    pub fn new(chunks: impl Iterator<Item = Vec<[f32; 2]>> + Send + 'static) -> Self {
        Self::fallible(chunks.map(Ok::<_, Infallible>))
    }

    /// The same, of an iterator that may fail: its first error ends the source, which then tells it
    /// as its [`error`](AudioSource::error).
    pub fn fallible<E: Display>(
        chunks: impl Iterator<Item = Result<Vec<[f32; 2]>, E>> + Send + 'static,
    ) -> Self {
        let (blocks, prefetch) = Prefetch::new();
        let (failed, error) = sync_channel(1);
        let run = move || {
            let outcome = contain(|| read_ahead(chunks, &blocks));
            let panicked = |message| Err(format!("panicked: {message}"));
            // The sender of the blocks is dropped behind this: why it ends is known before it does.
            if let Err(error) = outcome.unwrap_or_else(panicked) {
                // If the source is dropped, nobody wants to know.
                let _ = failed.try_send(error);
            }
        };
        // A thread that cannot be started drops the sender, which ends the source.
        let _ = thread::Builder::new()
            .name("skywave-prefetch".into())
            .spawn(run);
        Self { prefetch, error }
    }
}

impl AudioSource for Prefetched {
    fn read(&mut self, pcm: &mut [[f32; 2]]) -> usize {
        self.prefetch.read(pcm)
    }

    fn ended(&self) -> bool {
        self.prefetch.ended()
    }

    fn ready(&mut self) -> bool {
        self.prefetch.ready()
    }

    fn error(&mut self) -> Option<String> {
        self.error.try_recv().ok()
    }
}

impl std::fmt::Debug for Prefetched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Prefetched").finish_non_exhaustive()
    }
}

/// Passes chunks on, cut where they are long, until the end, an error, or the source is dropped.
fn read_ahead<E: Display>(
    chunks: impl Iterator<Item = Result<Vec<[f32; 2]>, E>>,
    blocks: &SyncSender<Box<[[f32; 2]]>>,
) -> Result<(), String> {
    for chunk in chunks {
        let chunk = chunk.map_err(|error| error.to_string())?;
        for block in chunk.chunks(BLOCK_SAMPLES) {
            if blocks.send(block.into()).is_err() {
                return Ok(());
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Sender, channel};

    use super::*;

    /// Reads until the end has come, waiting for the thread.
    fn collect(source: &mut Prefetched) -> Vec<f32> {
        let mut samples = Vec::new();
        while !source.ended() {
            let mut pcm = [[0.0; 2]; 700];
            let read = source.read(&mut pcm);
            samples.extend(pcm[..read].iter().map(|sample| sample[0]));
            thread::yield_now();
        }
        samples
    }

    fn ramp(samples: std::ops::Range<usize>) -> Vec<[f32; 2]> {
        samples.map(|sample| [sample as f32; 2]).collect()
    }

    #[test]
    fn chunks_of_any_length_are_joined_without_a_gap() {
        let chunks = [0..1, 1..1, 1..10_000, 10_000..10_480, 10_480..200_000];
        let mut source = Prefetched::new(chunks.into_iter().map(ramp));
        let samples = collect(&mut source);
        assert!(
            samples
                .iter()
                .copied()
                .eq((0..200_000).map(|sample| sample as f32))
        );
        assert_eq!(source.error(), None);
    }

    #[test]
    fn iterator_that_blocks_starves_the_source_without_blocking_it() {
        let (sender, chunks) = channel();
        let mut source = Prefetched::new(chunks.into_iter());
        let mut pcm = [[0.0; 2]; 960];
        // Were the source to wait, so would the test for good.
        assert!(!source.ready());
        assert_eq!((source.read(&mut pcm), source.ended()), (0, false));
        sender.send(ramp(0..2_880)).unwrap();
        while !source.ready() {
            thread::yield_now();
        }
        assert_eq!(source.read(&mut pcm), 960);
    }

    #[test]
    fn error_and_panic_end_the_source_with_what_came_before_and_a_reason() {
        let chunks = [Ok(ramp(0..480)), Err("no more bits"), Ok(ramp(0..480))];
        let mut source = Prefetched::fallible(chunks.into_iter());
        assert_eq!(collect(&mut source).len(), 480);
        assert_eq!(source.error().unwrap(), "no more bits");

        let chunks = (0..2).map(|chunk| {
            assert!(chunk == 0, "the fault under test");
            ramp(0..480)
        });
        let mut source = Prefetched::new(chunks);
        assert_eq!(collect(&mut source).len(), 480);
        assert_eq!(source.error().unwrap(), "panicked: the fault under test");
    }

    #[test]
    fn dropping_the_source_ends_the_thread_and_drops_the_iterator() {
        struct Endless(Sender<()>);
        impl Iterator for Endless {
            type Item = Vec<[f32; 2]>;
            fn next(&mut self) -> Option<Self::Item> {
                Some(ramp(0..100))
            }
        }
        impl Drop for Endless {
            fn drop(&mut self) {
                self.0.send(()).unwrap();
            }
        }
        let (dropped, when_dropped) = channel();
        let source = Prefetched::new(Endless(dropped));
        assert!(when_dropped.try_recv().is_err());
        drop(source);
        when_dropped.recv().unwrap();
    }
}
