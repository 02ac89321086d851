//! The trait every audio source implements, and the source of silence.

use crate::RetiredSource;

/// Where audio comes from: 48 kHz stereo.
///
/// A sample is a pair, left and right, nominally in -1.0..=1.0. Whatever a source gives is made
/// harmless: what is no number is silence, what is too loud is clipped.
///
/// A generator is a type with one method:
///
/// ```
/// struct Sawtooth(f32);
///
/// impl skywave_audio::AudioSource for Sawtooth {
///     fn read(&mut self, pcm: &mut [[f32; 2]]) -> usize {
///         for sample in pcm.iter_mut() {
///             self.0 = (self.0 + 220.0 / 48_000.0).fract();
///             *sample = [self.0 * 0.2 - 0.1; 2];
///         }
///         pcm.len()
///     }
/// }
/// ```
///
/// **A source must not block**: it is called on a thread with deadlines, which other tracks share.
/// Whatever waits for a disk, a pipe, a network or a long computation is an iterator over chunks,
/// and [`Prefetched`](crate::Prefetched) makes a source of it, with a thread of its own. A channel:
///
/// ```
/// use skywave_audio::Prefetched;
///
/// let (sender, chunks) = std::sync::mpsc::channel();
/// let source = Prefetched::new(chunks.into_iter());
/// // Anywhere else, at any time; when the sender is dropped, the source ends.
/// sender.send(vec![[0.1, -0.1]; 960])?;
/// # drop(source);
/// # Ok::<(), std::sync::mpsc::SendError<Vec<[f32; 2]>>>(())
/// ```
///
/// The chunks of a speech engine, which may fail:
///
/// ```
/// use skywave_audio::Prefetched;
///
/// /// Any engine: it gives 24 kHz mono, sentence by sentence.
/// struct Engine;
/// # struct Chunk(Vec<f32>);
/// # impl Engine {
/// #     fn speak(self, text: &str) -> impl Iterator<Item = Result<Chunk, String>> + use<> {
/// #         let lengths: Vec<usize> = text.split(". ").map(|sentence| 100 * sentence.len()).collect();
/// #         lengths.into_iter().map(|length| Ok(Chunk(vec![0.1; length])))
/// #     }
/// # }
///
/// let chunks = Engine.speak("Good morning. It is eight o'clock.");
/// let source = Prefetched::fallible(chunks.map(|chunk| {
///     let Chunk(samples) = chunk?;
///     // Every sample twice makes 48 kHz of it, and both sides the same makes stereo.
///     Ok::<_, String>(samples.iter().flat_map(|&sample| [[sample; 2]; 2]).collect())
/// }));
/// # drop(source);
/// ```
pub trait AudioSource: Send {
    /// Fills `pcm` from the front and returns how many samples it wrote.
    ///
    /// Fewer than `pcm.len()` means starved or ended; the caller plays silence
    /// for the rest, whatever the source left there.
    fn read(&mut self, pcm: &mut [[f32; 2]]) -> usize;

    /// True once nothing will ever come again. What the read before gave is still played.
    fn ended(&self) -> bool {
        false
    }

    /// True once the source can be played without a gap. As long as it says no, what played before
    /// goes on, up to a limit of the player's. Asked once a frame before the first `read`; must
    /// not wait either.
    fn ready(&mut self) -> bool {
        true
    }

    /// Why the source has ended, if that was not meant to be: asked once, when it has.
    fn error(&mut self) -> Option<String> {
        None
    }

    /// Sources within this one that are done with. Asked after each read; what nobody takes, the
    /// next read drops. One that has none within it, or that does not mind dropping them on the
    /// thread that reads, leaves it as it is.
    fn take_retired(&mut self) -> Vec<RetiredSource> {
        Vec::new()
    }
}

impl AudioSource for Box<dyn AudioSource> {
    fn read(&mut self, pcm: &mut [[f32; 2]]) -> usize {
        (**self).read(pcm)
    }

    fn ended(&self) -> bool {
        (**self).ended()
    }

    fn ready(&mut self) -> bool {
        (**self).ready()
    }

    fn error(&mut self) -> Option<String> {
        (**self).error()
    }

    fn take_retired(&mut self) -> Vec<RetiredSource> {
        (**self).take_retired()
    }
}

/// Digital silence without end.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silence;

impl AudioSource for Silence {
    fn read(&mut self, pcm: &mut [[f32; 2]]) -> usize {
        pcm.fill([0.0; 2]);
        pcm.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_overwrites_what_was_there() {
        let mut pcm = [[0.5, -0.5]; 4];
        let mut source: Box<dyn AudioSource> = Box::new(Silence);
        assert_eq!(AudioSource::read(&mut source, &mut pcm), 4);
        assert_eq!(pcm, [[0.0; 2]; 4]);
        assert!(!AudioSource::ended(&source));
    }
}
