//! The audio level of a frame and the voice bit (RFC 6464).

use crate::SAMPLE_RATE;

/// The level of exactly these samples in -dBov (RFC 6464 §3).
///
/// It is the RMS over all of them, of one channel or of several interleaved,
/// without smoothing: 0 is a full-scale
/// square wave, 3 a full-scale sine, 127 digital silence or anything quieter
/// than -127 dBov. Samples that are no numbers count as silence.
#[must_use]
pub fn audio_level(samples: &[f32]) -> u8 {
    level_of(samples.iter().copied())
}

/// The [`audio_level`] of samples that do not lie in a row.
pub(crate) fn level_of(samples: impl ExactSizeIterator<Item = f32>) -> u8 {
    let count = samples.len().max(1) as f64;
    let energy: f64 = samples
        .filter(|sample| sample.is_finite())
        .map(|sample| f64::from(sample) * f64::from(sample))
        .sum();
    // The cast saturates: silence is an infinite number of -dB.
    let level = (-10.0 * (energy / count).log10()).round();
    level.min(DIGITAL_SILENCE.into()) as u8
}

/// The level of zeros, in -dBov.
pub(crate) const DIGITAL_SILENCE: u8 = 127;

/// Decides the V bit of RFC 6464 §3 from the levels of successive frames.
///
/// An honest energy gate and no more: a frame of -45 dBov or louder opens it; it
/// closes after 200 ms of frames quieter than -55 dBov, however long each is, so
/// that the pauses between words do not flicker. Music opens it as speech does.
#[derive(Clone, Debug, Default)]
pub struct VoiceActivity {
    active: bool,
    quiet_samples: usize,
}

impl VoiceActivity {
    /// Takes the [`audio_level`] of the next frame and its length in samples of 48 kHz, and tells
    /// whether it counts as voice.
    pub fn update(&mut self, level: u8, samples: usize) -> bool {
        if level <= OPENING_LEVEL {
            self.active = true;
        }
        if level <= CLOSING_LEVEL {
            self.quiet_samples = 0;
        } else {
            self.quiet_samples = self.quiet_samples.saturating_add(samples);
        }
        if self.quiet_samples >= HANGOVER_SAMPLES {
            self.active = false;
        }
        self.active
    }
}

const OPENING_LEVEL: u8 = 45;
const CLOSING_LEVEL: u8 = 55;
/// 200 ms.
const HANGOVER_SAMPLES: usize = SAMPLE_RATE as usize / 5;

#[cfg(test)]
mod tests {
    use std::f32::consts::TAU;

    use super::*;
    use crate::Ptime;

    #[test]
    fn full_scale_square_is_0_and_sine_is_3() {
        let square: Vec<_> = (0..960)
            .map(|n| if n % 96 < 48 { 1.0 } else { -1.0 })
            .collect();
        assert_eq!(audio_level(&square), 0);
        let sine: Vec<_> = (0..960).map(|n| (TAU * n as f32 / 96.0).sin()).collect();
        assert_eq!(audio_level(&sine), 3);
        let quiet: Vec<_> = sine.iter().map(|s| s / 1_000.0).collect();
        assert_eq!(audio_level(&quiet), 63);
    }

    #[test]
    fn silence_is_127_however_it_comes() {
        assert_eq!(audio_level(&[0.0; 960]), 127);
        assert_eq!(audio_level(&[1e-12; 960]), 127);
        assert_eq!(audio_level(&[]), 127);
        assert_eq!(audio_level(&[f32::NAN; 960]), 127);
    }

    #[test]
    fn beyond_full_scale_stays_0() {
        assert_eq!(audio_level(&[4.0; 960]), 0);
        assert_eq!(audio_level(&[f32::MAX; 960]), 0);
    }

    #[test]
    fn one_channel_alone_is_3_db_lower() {
        assert_eq!(audio_level([[1.0, 0.0]; 960].as_flattened()), 3);
    }

    #[test]
    fn voice_opens_at_once_and_closes_after_the_hangover() {
        let mut voice = VoiceActivity::default();
        let mut update = |level| voice.update(level, 960);
        assert!(!update(50), "between the thresholds nothing opens");
        assert!(update(45));
        assert!(update(55), "between the thresholds nothing closes");
        for _ in 0..9 {
            assert!(update(127));
        }
        assert!(update(50), "a word after a pause keeps it open");
        for _ in 0..9 {
            assert!(update(127));
        }
        assert!(!update(127));
        assert!(!update(50));
    }

    #[test]
    fn hangover_lasts_200_ms_whatever_the_length_of_a_frame() {
        for (ptime, quiet_frames) in Ptime::ALL.into_iter().zip([80, 40, 20, 10, 5, 4, 3, 2, 2]) {
            let mut voice = VoiceActivity::default();
            assert!(voice.update(30, ptime.samples()));
            let quiet = (0..).take_while(|_| voice.update(127, ptime.samples()));
            assert_eq!(quiet.count() + 1, quiet_frames, "{ptime:?}");
        }
    }
}
