//! What keeps speech that stops or goes on in the middle of a sound from clicking.

use std::f32::consts::PI;

/// A gain that opens and closes within 5 ms, and what dies away where sound broke off.
///
/// Where there is sound to fade out or in, it is faded. Where there is none any more, the last
/// value dies away on its own.
#[derive(Debug)]
pub(super) struct Fade {
    /// 0 is closed, [`FADE_SAMPLES`] is open.
    opened: usize,
    closing: bool,
    last: [f32; 2],
    /// What dies away, and how many samples of that are left.
    tail: [f32; 2],
    tail_left: usize,
}

impl Fade {
    /// An open one.
    pub(super) fn new() -> Self {
        Self {
            opened: FADE_SAMPLES,
            closing: false,
            last: [0.0; 2],
            tail: [0.0; 2],
            tail_left: 0,
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.opened == 0
    }

    /// How many samples it can shape before it is closed; any number if it is not closing.
    pub(super) fn left(&self) -> usize {
        if self.closing {
            self.opened
        } else {
            usize::MAX
        }
    }

    /// Opens or closes from now on, over the samples to come.
    pub(super) fn set_closing(&mut self, closing: bool) {
        self.closing = closing;
    }

    /// Opens or closes at once, while there is no sound.
    pub(super) fn jump(&mut self, open: bool) {
        self.opened = if open { FADE_SAMPLES } else { 0 };
    }

    /// The sound breaks off here, unless it has faded out.
    pub(super) fn break_off(&mut self) {
        if !self.is_closed() {
            (self.tail, self.tail_left) = (self.last, FADE_SAMPLES);
        }
    }

    /// Shapes sound.
    pub(super) fn shape(&mut self, pcm: &mut [[f32; 2]]) {
        for sample in pcm {
            let gain = gain(self.opened);
            if self.closing {
                self.opened = self.opened.saturating_sub(1);
            } else {
                self.opened = (self.opened + 1).min(FADE_SAMPLES);
            }
            *sample = sample.map(|value| value * gain);
            self.add_tail(sample);
        }
    }

    /// Fills with silence, and returns how much of it something still dies away in.
    pub(super) fn silence(&mut self, pcm: &mut [[f32; 2]]) -> usize {
        let audible = self.tail_left.min(pcm.len());
        pcm.fill([0.0; 2]);
        for sample in &mut pcm[..audible] {
            self.add_tail(sample);
        }
        if audible < pcm.len() {
            self.last = [0.0; 2];
        }
        audible
    }

    /// True if nothing dies away any more.
    pub(super) fn is_silent(&self) -> bool {
        self.tail_left == 0
    }

    fn add_tail(&mut self, sample: &mut [f32; 2]) {
        if self.tail_left > 0 {
            let gain = gain(self.tail_left);
            self.tail_left -= 1;
            for (value, tail) in sample.iter_mut().zip(self.tail) {
                *value = (*value + tail * gain).clamp(-1.0, 1.0);
            }
        }
        self.last = *sample;
    }
}

/// A raised cosine.
fn gain(opened: usize) -> f32 {
    match opened {
        FADE_SAMPLES.. => 1.0,
        _ => 0.5 - 0.5 * (PI * opened as f32 / FADE_SAMPLES as f32).cos(),
    }
}

/// 5 ms.
pub(super) const FADE_SAMPLES: usize = 240;
