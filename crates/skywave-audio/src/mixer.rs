//! Several sources at a time.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use crate::gain::Volume;
use crate::ramp::Ramp;
use crate::{AudioSource, Error};

/// Plays any number of sources at a time, which come, go and change their
/// volumes live.
///
/// A new input fades in and a removed one out in 5 ms. An input that ends or
/// panics is taken out and the others play on; one that starves is silent for
/// that long. The mixer itself never ends.
///
/// The sum is clipped softly: what lies below 0.75 passes as it is, what lies
/// above is bent so that it never passes 1.0.
///
/// ```
/// use skywave_audio::{Melody, Mixer, Tone};
///
/// let (mixer, inputs) = Mixer::new();
/// // track.replace_audio_source(mixer);
/// let music = inputs.add(Melody::new(), -6.0)?;
/// inputs.add(Tone::new(440.0)?, -20.0)?;
/// music.volume().set_db(-18.0);
/// music.remove();
/// # drop(mixer);
/// # Ok::<(), skywave_audio::Error>(())
/// ```
pub struct Mixer {
    inputs: Vec<Input>,
    arrivals: Receiver<Input>,
    /// Inputs that are there or about to come, those of the handle included.
    count: Arc<AtomicUsize>,
    block: Vec<[f32; 2]>,
}

impl Mixer {
    /// A mixer of up to [`DEFAULT_LIMIT`](Self::DEFAULT_LIMIT) inputs, none yet.
    #[must_use]
    pub fn new() -> (Self, MixerInputs) {
        Self::with_limit(Self::DEFAULT_LIMIT)
    }

    /// A mixer of up to `limit` inputs at a time, none yet.
    #[must_use]
    pub fn with_limit(limit: u16) -> (Self, MixerInputs) {
        let limit = usize::from(limit);
        let (sender, arrivals) = sync_channel(limit);
        let count = Arc::new(AtomicUsize::new(0));
        let mixer = Self {
            inputs: Vec::with_capacity(limit),
            arrivals,
            count: Arc::clone(&count),
            block: Vec::new(),
        };
        let inputs = MixerInputs {
            sender,
            count,
            limit,
        };
        (mixer, inputs)
    }

    /// Inputs at a time, unless said otherwise.
    pub const DEFAULT_LIMIT: u16 = 32;
}

impl AudioSource for Mixer {
    fn read(&mut self, pcm: &mut [[f32; 2]]) -> usize {
        self.inputs.extend(self.arrivals.try_iter());
        pcm.fill([0.0; 2]);
        self.block.resize(pcm.len(), [0.0; 2]);
        let block = &mut self.block;
        let before = self.inputs.len();
        self.inputs.retain_mut(|input| input.mix(block, pcm));
        self.count.fetch_sub(before - self.inputs.len(), Relaxed);
        for side in pcm.as_flattened_mut() {
            *side = clip(*side);
        }
        pcm.len()
    }
}

impl std::fmt::Debug for Mixer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mixer")
            .field("inputs", &self.inputs.len())
            .finish_non_exhaustive()
    }
}

/// A handle that adds inputs to a [`Mixer`]. Clones are the same.
#[derive(Clone, Debug)]
pub struct MixerInputs {
    sender: SyncSender<Input>,
    count: Arc<AtomicUsize>,
    limit: usize,
}

impl MixerInputs {
    /// Adds a source at `db` decibels, within the limits of
    /// [`Gain::new`](crate::Gain::new). It is heard from the mixer's next read on.
    ///
    /// # Errors
    /// [`Error::MixerFull`] when as many inputs as may be are there.
    pub fn add(&self, source: impl AudioSource + 'static, db: f32) -> Result<MixerInput, Error> {
        let handle = MixerInput {
            volume: Volume::new(db),
            removed: Arc::default(),
            gone: Arc::default(),
        };
        let input = Input {
            source: Some(Box::new(source)),
            handle: handle.clone(),
            ramp: Ramp::new(0.0),
        };
        let full = Error::MixerFull { limit: self.limit };
        if self.count.fetch_add(1, Relaxed) >= self.limit || self.sender.try_send(input).is_err() {
            self.count.fetch_sub(1, Relaxed);
            return Err(full);
        }
        Ok(handle)
    }

    /// Inputs that are there.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count.load(Relaxed)
    }
}

/// A handle to one input of a [`Mixer`]. Dropping it leaves the input there.
#[derive(Clone, Debug)]
pub struct MixerInput {
    volume: Volume,
    removed: Arc<AtomicBool>,
    gone: Arc<AtomicBool>,
}

impl MixerInput {
    /// Its volume.
    #[must_use]
    pub fn volume(&self) -> &Volume {
        &self.volume
    }

    /// Fades it out and takes it out of the mix.
    pub fn remove(&self) {
        self.removed.store(true, Relaxed);
    }

    /// True once it is out of the mix: removed, at its end, or broken.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.gone.load(Relaxed)
    }
}

struct Input {
    /// None once it panicked.
    source: Option<Box<dyn AudioSource>>,
    handle: MixerInput,
    ramp: Ramp,
}

impl Input {
    /// Adds its samples to `mix`; false when it is done with.
    fn mix(&mut self, block: &mut [[f32; 2]], mix: &mut [[f32; 2]]) -> bool {
        let Some(source) = &mut self.source else {
            return false;
        };
        let read = catch_unwind(AssertUnwindSafe(|| {
            let written = source.read(block).min(block.len());
            (written, source.ended())
        }));
        let Ok((written, ended)) = read else {
            return false;
        };
        let removed = self.handle.removed.load(Relaxed);
        let target = if removed {
            0.0
        } else {
            self.handle.volume.factor()
        };
        let block = &mut block[..written];
        for side in block.as_flattened_mut() {
            *side = if side.is_finite() { *side } else { 0.0 };
        }
        self.ramp.apply(target, block);
        for (sum, sample) in mix.iter_mut().zip(block) {
            sum[0] += sample[0];
            sum[1] += sample[1];
        }
        // One that starves cannot fade, and has nothing that would click.
        !ended && !(removed && (self.ramp.is_silent() || written == 0))
    }
}

impl Drop for Input {
    fn drop(&mut self) {
        let source = self.source.take();
        // A source that panics while being dropped must not take the others with it.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(source)));
        self.handle.gone.store(true, Relaxed);
    }
}

/// Bends what lies above the knee, with the slope of the line there.
fn clip(sample: f32) -> f32 {
    let over = sample.abs() - KNEE;
    if over <= 0.0 {
        return sample;
    }
    let room = 1.0 - KNEE;
    (KNEE + room * (over / room).tanh()).copysign(sample)
}

const KNEE: f32 = 0.75;

#[cfg(test)]
mod tests {
    use super::*;

    /// A constant for `left` samples.
    struct Level {
        value: f32,
        left: usize,
    }

    impl AudioSource for Level {
        fn read(&mut self, pcm: &mut [[f32; 2]]) -> usize {
            let count = self.left.min(pcm.len());
            self.left -= count;
            pcm.fill([9.0; 2]);
            pcm[..count].fill([self.value; 2]);
            count
        }

        fn ended(&self) -> bool {
            self.left == 0
        }
    }

    fn level(value: f32) -> Level {
        Level {
            value,
            left: usize::MAX,
        }
    }

    fn read(mixer: &mut Mixer) -> [[f32; 2]; 960] {
        let mut pcm = [[7.0; 2]; 960];
        assert_eq!(mixer.read(&mut pcm), 960);
        pcm
    }

    #[test]
    fn inputs_are_added_with_their_volumes_and_fade_in_and_out() {
        let (mut mixer, inputs) = Mixer::new();
        assert_eq!(read(&mut mixer), [[0.0; 2]; 960]);
        let first = inputs.add(level(0.5), 0.0).unwrap();
        let second = inputs.add(level(0.5), -6.0206).unwrap();
        let pcm = read(&mut mixer);
        let step = pcm.windows(2).map(|pair| (pair[1][0] - pair[0][0]).abs());
        assert!(pcm[0][0] < 0.01 && step.fold(0.0, f32::max) < 0.005);
        assert!((pcm[959][0] - 0.75).abs() < 1e-4);
        second.volume().set_muted(true);
        assert!(read(&mut mixer)[959] == [0.5; 2] && !second.is_gone());
        first.remove();
        let pcm = read(&mut mixer);
        assert!(pcm[0][0] > 0.49 && pcm[959] == [0.0; 2]);
        assert!(first.is_gone());
        assert_eq!(inputs.count(), 1);
    }

    #[test]
    fn sum_is_bent_below_full_scale_and_small_sums_pass_as_they_are() {
        let (mut mixer, inputs) = Mixer::new();
        for _ in 0..30 {
            inputs.add(level(-0.9), 0.0).unwrap();
        }
        read(&mut mixer);
        let [loud, _] = read(&mut mixer)[0];
        assert!((-1.0..-0.99).contains(&loud), "{loud}");
        assert_eq!(clip(0.75), 0.75);
        let slope = (clip(0.7501) - clip(0.75)) / 0.0001;
        assert!((slope - 1.0).abs() < 0.01, "{slope}");
    }

    #[test]
    fn input_that_ends_leaves_the_others_playing() {
        let (mut mixer, inputs) = Mixer::new();
        inputs.add(level(0.25), 0.0).unwrap();
        let short = inputs
            .add(
                Level {
                    value: 0.25,
                    left: 1_000,
                },
                0.0,
            )
            .unwrap();
        assert!(!short.is_gone());
        read(&mut mixer);
        let pcm = read(&mut mixer);
        assert_eq!((pcm[39], pcm[40]), ([0.5; 2], [0.25; 2]));
        assert!(short.is_gone());
        assert_eq!(read(&mut mixer), [[0.25; 2]; 960]);
    }

    #[test]
    fn input_that_panics_leaves_the_others_playing() {
        struct Faulty;
        impl AudioSource for Faulty {
            fn read(&mut self, _: &mut [[f32; 2]]) -> usize {
                panic!("the fault under test")
            }
        }
        impl Drop for Faulty {
            fn drop(&mut self) {
                panic!("the other fault under test")
            }
        }
        let (mut mixer, inputs) = Mixer::new();
        let faulty = inputs.add(Faulty, 0.0).unwrap();
        inputs.add(level(0.25), 0.0).unwrap();
        read(&mut mixer);
        assert_eq!(read(&mut mixer), [[0.25; 2]; 960]);
        assert!(faulty.is_gone());
    }

    #[test]
    fn places_are_limited_and_become_free() {
        let (mut mixer, inputs) = Mixer::with_limit(2);
        let first = inputs.add(level(0.1), 0.0).unwrap();
        inputs.add(level(0.1), 0.0).unwrap();
        assert!(matches!(
            inputs.add(level(0.1), 0.0),
            Err(Error::MixerFull { limit: 2 })
        ));
        first.remove();
        read(&mut mixer);
        inputs.add(level(0.1), 0.0).unwrap();
        drop(mixer);
        assert!(inputs.add(level(0.1), 0.0).is_err());
    }

    #[test]
    fn numbers_without_sense_do_not_spread() {
        let (mut mixer, inputs) = Mixer::new();
        inputs.add(level(f32::NAN), 0.0).unwrap();
        inputs.add(level(0.25), 0.0).unwrap();
        read(&mut mixer);
        assert_eq!(read(&mut mixer), [[0.25; 2]; 960]);
    }
}
