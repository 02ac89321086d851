//! A track's signal path: the source that plays, the one that shall follow it, those that fade
//! out, and the one kept in reserve.

use std::time::Duration;

use crate::contained_source::ContainedSource;
use crate::voice::Voice;
use crate::{AudioSource, RetiredSource, SAMPLE_RATE, TrackEvent};

/// Plays one source after the other into whole frames.
///
/// Replacing fades with equal power from what was playing, which is read on until it cannot be
/// heard any more. What is played is always finite and within -1.0..=1.0, and a frame is always
/// whole: silence stands in for a source that is starved, ended or absent.
///
/// Sources that are no longer played are not dropped as long as the next [`read`](Self::read) has
/// not begun: see [`take_retired`](Self::take_retired).
pub struct SourcePlayer {
    playing: Option<Voice>,
    /// Fading out.
    outgoing: Vec<Voice>,
    /// What shall play as soon as it is ready: a source, or nothing.
    next: Option<Option<ContainedSource>>,
    /// Samples for which something has been waiting there.
    waited: usize,
    reserve: Option<ContainedSource>,
    /// Samples of a crossfade, and those that a source may take to become ready.
    crossfade: usize,
    patience: usize,
    /// The last source that was put in has ended.
    ended: bool,
    /// Samples missing since a living source had nothing ready.
    underrun: Option<u64>,
    underrun_samples: u64,
    panics: u64,
    swaps: u64,
    scratch: Vec<[f32; 2]>,
    events: Vec<TrackEvent>,
    retired: Vec<ContainedSource>,
}

impl SourcePlayer {
    /// The crossfade unless [`set_crossfade`](Self::set_crossfade) says otherwise.
    pub const DEFAULT_CROSSFADE: Duration = Duration::from_millis(5);
    /// The longest crossfade.
    pub const MAX_CROSSFADE: Duration = Duration::from_secs(10);
    /// How long a source may take to become ready unless
    /// [`set_max_swap_delay`](Self::set_max_swap_delay) says otherwise.
    pub const DEFAULT_MAX_SWAP_DELAY: Duration = Duration::from_secs(1);

    /// A player without a source: silent.
    #[must_use]
    pub fn new() -> Self {
        Self {
            playing: None,
            outgoing: Vec::new(),
            next: None,
            waited: 0,
            reserve: None,
            crossfade: samples(Self::DEFAULT_CROSSFADE),
            patience: samples(Self::DEFAULT_MAX_SWAP_DELAY),
            ended: false,
            underrun: None,
            underrun_samples: 0,
            panics: 0,
            swaps: 0,
            scratch: Vec::new(),
            events: Vec::new(),
            retired: Vec::new(),
        }
    }

    /// How long sources that come and go are heard together; zero cuts. No more than
    /// [`MAX_CROSSFADE`](Self::MAX_CROSSFADE). Fades that have begun keep their length.
    pub fn set_crossfade(&mut self, crossfade: Duration) {
        self.crossfade = samples(crossfade.min(Self::MAX_CROSSFADE));
    }

    /// How long what plays goes on for the sake of a source that is not
    /// [`ready`](AudioSource::ready) yet.
    pub fn set_max_swap_delay(&mut self, delay: Duration) {
        self.patience = samples(delay);
    }

    /// Plays `source` from the next read on, or silence for `None`. While it is not
    /// [`ready`](AudioSource::ready), what plays goes on. One that waits already gives way.
    pub fn replace(&mut self, source: Option<Box<dyn AudioSource>>) {
        let superseded = self.next.replace(source.map(ContainedSource::new));
        self.retired.extend(superseded.flatten());
    }

    /// Keeps `source` in reserve: it is played whenever the source has ended or panicked, until
    /// the next one is put in; then it goes back into reserve, unless it has ended itself. It takes
    /// the place of the one before, also if that plays now.
    pub fn set_fallback(&mut self, source: Option<Box<dyn AudioSource>>) {
        if let Some(mut voice) = self.playing.take_if(|voice| voice.is_fallback) {
            voice.is_fallback = false;
            self.fade_out(voice);
        }
        for voice in &mut self.outgoing {
            voice.is_fallback = false;
        }
        self.retired.extend(self.reserve.take());
        self.reserve = source.map(ContainedSource::new);
    }

    /// Fills the whole of `pcm`. A source that panics is not played any more.
    pub fn read(&mut self, pcm: &mut [[f32; 2]]) -> Supply {
        self.events.clear();
        self.retired.clear();
        self.swap_if_ready(pcm.len());
        let mut supplied = self.read_playing(pcm);
        if supplied < pcm.len() && self.start_fallback() {
            supplied += self.read_playing(&mut pcm[supplied..]);
        }
        pcm[supplied..].fill([0.0; 2]);
        self.mix_outgoing(pcm);
        self.note_underrun(pcm.len() - supplied);
        Supply {
            samples_supplied: supplied,
            ended: self.ended,
        }
    }

    /// What happened in the last read.
    pub fn take_events(&mut self) -> impl Iterator<Item = TrackEvent> {
        self.events.drain(..)
    }

    /// Sources that are no longer played. Dropping them runs code of the user's, which may take
    /// its time; the next read does it otherwise.
    pub fn take_retired(&mut self) -> Vec<ContainedSource> {
        std::mem::take(&mut self.retired)
    }

    /// Whether a source is played now, or the fallback.
    #[must_use]
    pub fn is_playing(&self) -> bool {
        self.playing.is_some()
    }

    /// Samples of silence played because a living source had nothing ready.
    #[must_use]
    pub fn underrun_samples(&self) -> u64 {
        self.underrun_samples
    }

    /// Sources that panicked when they were read.
    #[must_use]
    pub fn panics(&self) -> u64 {
        self.panics
    }

    /// How often a source was put in or taken out, those not counted that gave way to another
    /// before they were heard.
    #[must_use]
    pub fn swaps(&self) -> u64 {
        self.swaps
    }

    /// Lets what waits play, unless it asks for patience. That counts from the first that waited:
    /// a stream of sources that are never ready could keep the old one for good otherwise.
    fn swap_if_ready(&mut self, step: usize) {
        let Some(next) = &mut self.next else {
            return;
        };
        let ready = next.as_mut().is_none_or(ContainedSource::ready);
        if !ready && self.waited < self.patience {
            self.waited += step;
            return;
        }
        if !ready {
            self.events.push(TrackEvent::SourceNotReady);
        }
        if let Some(voice) = self.playing.take() {
            self.fade_out(voice);
        }
        let source = self.next.take().flatten();
        self.events.push(match source {
            Some(_) => TrackEvent::SourceStarted,
            None => TrackEvent::SourceRemoved,
        });
        self.playing = source.map(|source| Voice::new(source, false, self.crossfade));
        self.waited = 0;
        self.ended = false;
        self.swaps += 1;
    }

    /// Reads what plays into the front of `pcm`.
    fn read_playing(&mut self, pcm: &mut [[f32; 2]]) -> usize {
        let Some(voice) = &mut self.playing else {
            return 0;
        };
        let reading = voice.read(pcm).map(|reading| {
            note_retired(reading.retired, &mut self.events, &mut self.retired);
            (reading.samples, reading.ended)
        });
        if let Ok((samples, false)) = reading {
            return samples;
        }
        let Some(mut voice) = self.playing.take() else {
            return 0;
        };
        self.ended = true;
        let samples = match reading {
            Ok((samples, _)) => {
                let reason = voice.source.error();
                self.events.push(match voice.is_fallback {
                    true => TrackEvent::FallbackEnded { reason },
                    false => TrackEvent::SourceEnded { reason },
                });
                samples
            }
            Err(message) => {
                self.note_panic(message);
                0
            }
        };
        self.retired.push(voice.source);
        samples
    }

    /// Lets the source in reserve play, if there is one and it is its turn.
    fn start_fallback(&mut self) -> bool {
        if !self.ended || self.playing.is_some() {
            return false;
        }
        let Some(source) = self.reserve.take() else {
            return false;
        };
        self.events.push(TrackEvent::FallbackStarted);
        self.playing = Some(Voice::new(source, true, self.crossfade));
        true
    }

    fn fade_out(&mut self, mut voice: Voice) {
        voice.fall(self.crossfade);
        if voice.left() == 0 {
            return self.retire(voice);
        }
        self.outgoing.push(voice);
        if self.outgoing.len() > MAX_OUTGOING {
            let loudness = |voice: &Voice| voice.loudness();
            let faintest = (0..self.outgoing.len())
                .min_by(|&a, &b| {
                    loudness(&self.outgoing[a]).total_cmp(&loudness(&self.outgoing[b]))
                })
                .unwrap_or(0);
            let voice = self.outgoing.remove(faintest);
            self.retire(voice);
        }
    }

    /// Mixes in what is left of those that fade out.
    fn mix_outgoing(&mut self, pcm: &mut [[f32; 2]]) {
        for mut voice in std::mem::take(&mut self.outgoing) {
            let count = voice.left().min(pcm.len());
            self.scratch.resize(count, [0.0; 2]);
            match voice.read(&mut self.scratch) {
                Ok(reading) => {
                    let pairs = pcm.iter_mut().zip(&self.scratch[..reading.samples]);
                    for (sample, old) in pairs {
                        *sample = [sample[0] + old[0], sample[1] + old[1]];
                        *sample = sample.map(|channel| channel.clamp(-1.0, 1.0));
                    }
                    note_retired(reading.retired, &mut self.events, &mut self.retired);
                    match reading.ended {
                        true => self.retired.push(voice.source),
                        false if voice.left() == 0 => self.retire(voice),
                        false => self.outgoing.push(voice),
                    }
                }
                Err(message) => {
                    self.note_panic(message);
                    self.retired.push(voice.source);
                }
            }
        }
    }

    /// A living source that is not heard any more: back into reserve if it came from there.
    fn retire(&mut self, voice: Voice) {
        if voice.is_fallback && self.reserve.is_none() {
            self.reserve = Some(voice.source);
        } else {
            self.retired.push(voice.source);
        }
    }

    fn note_panic(&mut self, message: String) {
        self.panics += 1;
        self.events.push(TrackEvent::SourcePanicked { message });
    }

    fn note_underrun(&mut self, missing: usize) {
        let missing = missing as u64;
        if missing > 0 && self.playing.is_some() {
            self.underrun_samples += missing;
            if self.underrun.is_none() {
                self.events.push(TrackEvent::UnderrunStarted);
            }
            *self.underrun.get_or_insert(0) += missing;
        } else if let Some(samples) = self.underrun.take() {
            self.events.push(TrackEvent::UnderrunEnded { samples });
        }
    }
}

impl Default for SourcePlayer {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for SourcePlayer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SourcePlayer")
            .field("has_source", &self.playing.is_some())
            .field("ended", &self.ended)
            .field("swaps", &self.swaps)
            .field("underrun_samples", &self.underrun_samples)
            .field("panics", &self.panics)
            .finish_non_exhaustive()
    }
}

/// What a frame was made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Supply {
    /// Samples that came from a source; the rest of the frame is silence, but for what fades out.
    pub samples_supplied: usize,
    /// True once the source that was put in last has come to its end, or panicked, whether a
    /// fallback stands in or not.
    pub ended: bool,
}

/// Tells what went wrong with sources within others, and has them dropped elsewhere.
fn note_retired(
    sources: Vec<RetiredSource>,
    events: &mut Vec<TrackEvent>,
    retired: &mut Vec<ContainedSource>,
) {
    for RetiredSource { source, failure } in sources {
        events.extend(failure.map(|reason| TrackEvent::InputFailed { reason }));
        retired.push(source);
    }
}

/// In samples; longer than any stream for what is longer than that.
fn samples(duration: Duration) -> usize {
    (duration.as_secs_f64() * f64::from(SAMPLE_RATE)).round() as usize
}

/// Sources that fade out at a time. When one more comes within a crossfade, the faintest is cut:
/// it has hardly been heard.
const MAX_OUTGOING: usize = 4;

#[cfg(test)]
mod tests;
