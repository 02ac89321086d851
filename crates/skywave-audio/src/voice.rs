//! A source while it is heard, with how loud it is: fading in, in full, or fading out.

use std::f32::consts::FRAC_PI_2;

use crate::contained_source::{ContainedSource, Reading};

/// A source with its fades, of equal power: the gains of the one that comes and the one that goes
/// are sine and cosine.
pub(crate) struct Voice {
    pub(crate) source: ContainedSource,
    /// It goes back into reserve when another takes its place.
    pub(crate) is_fallback: bool,
    /// Samples of a fade.
    fade: usize,
    /// Those that are over, of the fade in or of the fade out.
    faded: usize,
    /// The gain from which it fades out, if it does.
    falls_from: Option<f32>,
}

impl Voice {
    /// A voice that fades in over so many samples.
    pub(crate) fn new(source: ContainedSource, is_fallback: bool, fade: usize) -> Self {
        Self {
            source,
            is_fallback,
            fade,
            faded: 0,
            falls_from: None,
        }
    }

    /// Fades out from now on, over so many samples.
    pub(crate) fn fall(&mut self, fade: usize) {
        self.falls_from = Some(self.gain(0));
        self.fade = fade;
        self.faded = 0;
    }

    /// Samples until it cannot be heard any more, once it fades out.
    pub(crate) fn left(&self) -> usize {
        self.fade - self.faded
    }

    /// How loud it is, 0 to 1.
    pub(crate) fn loudness(&self) -> f32 {
        self.gain(0)
    }

    /// Reads into `pcm`, at the loudness of the moment. What is read is finite and lies within
    /// -1.0..=1.0. While it fades out, time passes whether the source has anything or not.
    pub(crate) fn read(&mut self, pcm: &mut [[f32; 2]]) -> Result<Reading, String> {
        let reading = self.source.read(pcm)?;
        for (sample, place) in pcm[..reading.samples].iter_mut().zip(0..) {
            let gain = self.gain(place);
            *sample = sample.map(|channel| {
                let finite = if channel.is_finite() { channel } else { 0.0 };
                finite.clamp(-1.0, 1.0) * gain
            });
        }
        let passed = match self.falls_from {
            Some(_) => pcm.len(),
            None => reading.samples,
        };
        self.faded = self.fade.min(self.faded + passed);
        Ok(reading)
    }

    /// The gain of the sample that comes after so many others.
    fn gain(&self, place: usize) -> f32 {
        let place = self.faded + place;
        if place >= self.fade {
            return if self.falls_from.is_some() { 0.0 } else { 1.0 };
        }
        let (rising, falling) = ((place as f32 + 0.5) / self.fade as f32 * FRAC_PI_2).sin_cos();
        self.falls_from.map_or(rising, |from| from * falling)
    }
}
