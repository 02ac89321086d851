//! The trait every audio source implements, and the source of silence.

/// Where audio comes from: 48 kHz stereo.
///
/// A source must not block: it is called on a thread with deadlines. Whatever
/// waits for a disk, a pipe or a network belongs on a thread of its own, as in
/// [`FileSource`](crate::FileSource) and [`PcmReader`](crate::PcmReader).
///
/// A sample is a pair, left and right, nominally in -1.0..=1.0.
pub trait AudioSource: Send {
    /// Fills `pcm` from the front and returns how many samples it wrote.
    ///
    /// Fewer than `pcm.len()` means starved or ended; the caller plays silence
    /// for the rest, whatever the source left there.
    fn read(&mut self, pcm: &mut [[f32; 2]]) -> usize;

    /// True once nothing will ever come again.
    fn ended(&self) -> bool {
        false
    }
}

impl AudioSource for Box<dyn AudioSource> {
    fn read(&mut self, pcm: &mut [[f32; 2]]) -> usize {
        (**self).read(pcm)
    }

    fn ended(&self) -> bool {
        (**self).ended()
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
