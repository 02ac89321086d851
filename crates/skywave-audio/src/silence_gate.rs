//! Which packets a [`SilencePolicy`] leaves out.

use std::time::Duration;

use crate::audio_level::{DIGITAL_SILENCE, level_of};
use crate::{SAMPLE_RATE, SilencePolicy};

/// Tells which packets of a stream need not be sent.
#[derive(Debug)]
pub(crate) struct SilenceGate {
    policy: SilencePolicy,
    /// Listeners make noise themselves where nothing is sent.
    comfort_noise: bool,
    /// In samples.
    hangover: usize,
    silent: usize,
    /// The packet before this one was not sent, or there was none.
    paused: bool,
    /// What they were told of the noise in this pause.
    told: Option<Told>,
}

impl SilenceGate {
    /// A gate that stops silence when it has lasted longer than `hangover`: digital silence, if
    /// that is the policy, and quiet noise, if it is DTX and listeners make `comfort_noise`.
    pub(crate) fn new(policy: SilencePolicy, hangover: Duration, comfort_noise: bool) -> Self {
        Self {
            policy,
            comfort_noise,
            hangover: (hangover.as_secs_f64() * f64::from(SAMPLE_RATE)) as usize,
            silent: 0,
            paused: policy != SilencePolicy::Continuous,
            told: None,
        }
    }

    /// What becomes of a packet of these samples.
    pub(crate) fn judge(&mut self, samples: &[[f32; 2]]) -> Verdict {
        let Some(level) = self.level_of_silence(samples) else {
            self.silent = 0;
            self.told = None;
            return Verdict::Sound;
        };
        self.silent = self.silent.saturating_add(samples.len());
        if self.silent <= self.hangover {
            return Verdict::Sound;
        }
        self.paused = true;
        let is_news = self.comfort_noise && self.is_news(level, samples.len());
        Verdict::Silence { level, is_news }
    }

    /// The level of the samples, in -dBov, if they count as silence.
    fn level_of_silence(&self, samples: &[[f32; 2]]) -> Option<u8> {
        match self.policy {
            SilencePolicy::Stop => {
                let is_zero = |sample: &[f32; 2]| *sample == [0.0; 2];
                samples.iter().all(is_zero).then_some(DIGITAL_SILENCE)
            }
            SilencePolicy::Dtx if self.comfort_noise => {
                let mono = samples.iter().map(|[left, right]| (left + right) / 2.0);
                Some(level_of(mono)).filter(|&level| level > LOUDEST_NOISE)
            }
            SilencePolicy::Continuous | SilencePolicy::Dtx => None,
        }
    }

    /// Whether listeners have to be told: at the beginning of a pause, when the level has changed,
    /// and once in a while, as packets are lost (RFC 3389 §4 leaves the rate to the sender).
    fn is_news(&mut self, level: u8, samples: usize) -> bool {
        match &mut self.told {
            Some(told)
                if told.age < RENEWAL_SAMPLES && told.level.abs_diff(level) < HEARD_CHANGE =>
            {
                told.age += samples;
                false
            }
            told => {
                *told = Some(Told {
                    level,
                    age: samples,
                });
                true
            }
        }
    }

    /// The marker bit of a packet with a payload of that length, by an encoder that may be set to
    /// `dtx`. None if it is not to be sent.
    pub(crate) fn marker(&mut self, dtx: bool, payload: usize) -> Option<bool> {
        if dtx && payload <= MAX_DTX_PAYLOAD {
            self.paused = true;
            return None;
        }
        Some(std::mem::take(&mut self.paused))
    }
}

/// What becomes of a packet, as far as can be told before it is encoded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verdict {
    Sound,
    /// Not to be encoded.
    Silence {
        /// In -dBov.
        level: u8,
        /// Listeners are to be told of that level.
        is_news: bool,
    },
}

/// A description of the noise that was sent.
#[derive(Clone, Copy, Debug)]
struct Told {
    /// In -dBov.
    level: u8,
    /// How long ago, in samples.
    age: usize,
}

/// An Opus packet without audio has one octet, or two: the decoder conceals the frame, as it does
/// if no packet comes (RFC 6716 §3.2.1, RFC 7587 §3.1.3).
const MAX_DTX_PAYLOAD: usize = 2;

/// In -dBov: louder is no background. Speech that is close to a microphone lies above -45, what a
/// quiet room adds to it below -60.
const LOUDEST_NOISE: u8 = 60;
/// In dB.
const HEARD_CHANGE: u8 = 3;
/// 400 ms, as Opus has it.
const RENEWAL_SAMPLES: usize = SAMPLE_RATE as usize * 2 / 5;

#[cfg(test)]
mod tests;
