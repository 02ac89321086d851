//! Several sources at a time.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, OnceLock};

use crate::contained_source::ContainedSource;
use crate::gain::Volume;
use crate::ramp::Ramp;
use crate::{AudioSource, Error, RetiredSource, SAMPLE_RATE};

/// Plays any number of sources at a time, which come, go and change their
/// volumes live.
///
/// A new input fades in and a removed one out in 5 ms. It fades in once it is
/// [`ready`](AudioSource::ready), or after a second. An input that ends, fails or
/// panics is taken out and the others play on
/// ([`TrackEvent::InputFailed`](crate::TrackEvent::InputFailed) and
/// [`MixerInput::failure`] say why); one that starves is silent for that long. The
/// mixer itself never ends.
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
    retired: Vec<RetiredSource>,
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
            retired: Vec::new(),
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
        self.retired.clear();
        self.inputs.extend(self.arrivals.try_iter());
        pcm.fill([0.0; 2]);
        self.block.resize(pcm.len(), [0.0; 2]);
        let (block, retired) = (&mut self.block, &mut self.retired);
        let before = self.inputs.len();
        self.inputs
            .retain_mut(|input| input.mix(block, pcm, retired));
        self.count.fetch_sub(before - self.inputs.len(), Relaxed);
        for side in pcm.as_flattened_mut() {
            *side = clip(*side);
        }
        pcm.len()
    }

    fn ready(&mut self) -> bool {
        self.inputs.extend(self.arrivals.try_iter());
        self.inputs.iter_mut().all(Input::ready)
    }

    fn take_retired(&mut self) -> Vec<RetiredSource> {
        std::mem::take(&mut self.retired)
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
            fate: Arc::default(),
        };
        let input = Input {
            source: Some(ContainedSource::new(Box::new(source))),
            handle: handle.clone(),
            ramp: Ramp::new(0.0),
            patience: PATIENCE,
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
    fate: Arc<Fate>,
}

#[derive(Default, Debug)]
struct Fate {
    removed: AtomicBool,
    gone: AtomicBool,
    failure: OnceLock<String>,
}

impl MixerInput {
    /// Its volume.
    #[must_use]
    pub fn volume(&self) -> &Volume {
        &self.volume
    }

    /// Fades it out and takes it out of the mix.
    pub fn remove(&self) {
        self.fate.removed.store(true, Relaxed);
    }

    /// True once it is out of the mix: removed, at its end, or broken.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.fate.gone.load(Relaxed)
    }

    /// Why it is out of the mix, if it was neither removed nor came to its end: what its
    /// [`AudioSource::error`] says, or that it panicked.
    #[must_use]
    pub fn failure(&self) -> Option<&str> {
        self.fate.failure.get().map(String::as_str)
    }
}

struct Input {
    /// None once it is retired.
    source: Option<ContainedSource>,
    handle: MixerInput,
    ramp: Ramp,
    /// Samples for which it may still become ready; none once it plays.
    patience: usize,
}

impl Input {
    /// Adds its samples to `mix`, and what is done with to `retired`; false when it is so itself.
    fn mix(
        &mut self,
        block: &mut [[f32; 2]],
        mix: &mut [[f32; 2]],
        retired: &mut Vec<RetiredSource>,
    ) -> bool {
        let removed = self.handle.fate.removed.load(Relaxed);
        if !removed && !self.ready() {
            self.patience = self.patience.saturating_sub(mix.len());
            return true;
        }
        self.patience = 0;
        let Some(source) = &mut self.source else {
            return false;
        };
        let reading = match source.read(block) {
            Ok(reading) => reading,
            Err(message) => {
                retired.extend(self.retire(Some(format!("panicked: {message}"))));
                return false;
            }
        };
        retired.extend(reading.retired);
        let target = if removed {
            0.0
        } else {
            self.handle.volume.factor()
        };
        let block = &mut block[..reading.samples];
        for side in block.as_flattened_mut() {
            *side = if side.is_finite() { *side } else { 0.0 };
        }
        self.ramp.apply(target, block);
        for (sum, sample) in mix.iter_mut().zip(block) {
            sum[0] += sample[0];
            sum[1] += sample[1];
        }
        // One that starves cannot fade, and has nothing that would click.
        let faded = removed && (self.ramp.is_silent() || reading.samples == 0);
        if reading.ended || faded {
            let failure = if reading.ended { source.error() } else { None };
            retired.extend(self.retire(failure));
        }
        !reading.ended && !faded
    }

    /// Whether it may be heard.
    fn ready(&mut self) -> bool {
        self.patience == 0 || self.source.as_mut().is_none_or(ContainedSource::ready)
    }

    fn retire(&mut self, failure: Option<String>) -> Option<RetiredSource> {
        if let Some(reason) = &failure {
            // Only here, once.
            let _ = self.handle.fate.failure.set(reason.clone());
        }
        let source = self.source.take()?;
        Some(RetiredSource { source, failure })
    }
}

impl Drop for Input {
    fn drop(&mut self) {
        self.handle.fate.gone.store(true, Relaxed);
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
/// In samples, as for a source of a track.
const PATIENCE: usize = SAMPLE_RATE as usize;

#[cfg(test)]
mod tests;
