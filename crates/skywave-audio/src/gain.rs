//! A source made louder, softer or mute while it plays.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

use crate::ramp::Ramp;
use crate::{AudioSource, RetiredSource};

/// Any source at another volume, changed live without a click: every change is
/// a ramp of 5 ms.
///
/// ```
/// use skywave_audio::{Gain, Melody};
///
/// let (source, volume) = Gain::new(Melody::new(), -6.0);
/// // track.replace_audio_source(source);
/// volume.set_db(-12.0);
/// volume.set_muted(true);
/// # drop(source);
/// ```
#[derive(Debug)]
pub struct Gain<S> {
    source: S,
    volume: Volume,
    ramp: Ramp,
}

impl<S: AudioSource> Gain<S> {
    /// Plays `source` at `db` decibels relative to what it is, from -100 (silence)
    /// to 20; what lies beyond is taken for the nearest of these, and what is no
    /// number for 0.
    pub fn new(source: S, db: f32) -> (Self, Volume) {
        let volume = Volume::new(db);
        let gain = Self {
            source,
            volume: volume.clone(),
            ramp: Ramp::new(volume.factor()),
        };
        (gain, volume)
    }
}

impl<S: AudioSource> AudioSource for Gain<S> {
    fn read(&mut self, pcm: &mut [[f32; 2]]) -> usize {
        let written = self.source.read(pcm).min(pcm.len());
        self.ramp.apply(self.volume.factor(), &mut pcm[..written]);
        written
    }

    fn ended(&self) -> bool {
        self.source.ended()
    }

    fn ready(&mut self) -> bool {
        self.source.ready()
    }

    fn error(&mut self) -> Option<String> {
        self.source.error()
    }

    fn take_retired(&mut self) -> Vec<RetiredSource> {
        self.source.take_retired()
    }
}

/// A handle to the volume of a [`Gain`] or of an input of a
/// [`Mixer`](crate::Mixer). Clones are the same; every call returns at once.
#[derive(Clone, Debug)]
pub struct Volume {
    shared: Arc<Shared>,
}

impl Volume {
    pub(crate) fn new(db: f32) -> Self {
        let shared = Shared {
            db: AtomicU32::new(within_limits(db).to_bits()),
            muted: AtomicBool::new(false),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Changes the volume to `db` decibels, within the limits of [`Gain::new`].
    pub fn set_db(&self, db: f32) {
        self.shared.db.store(within_limits(db).to_bits(), Relaxed);
    }

    /// The volume in decibels, whether muted or not.
    #[must_use]
    pub fn db(&self) -> f32 {
        f32::from_bits(self.shared.db.load(Relaxed))
    }

    /// Mutes, or plays at the volume as it was.
    pub fn set_muted(&self, muted: bool) {
        self.shared.muted.store(muted, Relaxed);
    }

    /// Whether it is mute.
    #[must_use]
    pub fn is_muted(&self) -> bool {
        self.shared.muted.load(Relaxed)
    }

    /// What samples are multiplied with.
    pub(crate) fn factor(&self) -> f32 {
        let db = self.db();
        if self.is_muted() || db <= MIN_DB {
            0.0
        } else {
            10_f32.powf(db / 20.0)
        }
    }
}

#[derive(Debug)]
struct Shared {
    /// The bits of an `f32`.
    db: AtomicU32,
    muted: AtomicBool,
}

fn within_limits(db: f32) -> f32 {
    if db.is_nan() {
        0.0
    } else {
        db.clamp(MIN_DB, MAX_DB)
    }
}

const MIN_DB: f32 = -100.0;
const MAX_DB: f32 = 20.0;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::level::Level;

    #[test]
    fn volume_is_in_decibels_and_within_limits() {
        for (db, expected) in [
            (0.0, 0.5),
            (-6.0206, 0.25),
            (6.0206, 1.0),
            (-1e9, 0.0),
            (1e9, 5.0),
            (f32::NAN, 0.5),
        ] {
            let (mut gain, _) = Gain::new(Level::endless(0.5), db);
            let mut pcm = [[0.0; 2]; 4];
            assert_eq!(gain.read(&mut pcm), 4);
            assert!((pcm[0][0] - expected).abs() < 1e-5, "{db}: {pcm:?}");
        }
    }

    #[test]
    fn changes_are_ramps_of_5_ms() {
        let (mut gain, volume) = Gain::new(Level::endless(0.5), 0.0);
        let mut pcm = [[0.0; 2]; 960];
        gain.read(&mut pcm);
        volume.set_muted(true);
        gain.read(&mut pcm);
        let step = pcm.windows(2).map(|pair| (pair[1][0] - pair[0][0]).abs());
        assert!(step.fold(0.0, f32::max) < 0.5 / 200.0);
        assert!(pcm[0][0] > 0.49 && pcm[238][0] > 0.0);
        assert_eq!(pcm[240..], [[0.0; 2]; 720]);
        volume.set_muted(false);
        gain.read(&mut pcm);
        assert_eq!(pcm[959], [0.5; 2]);
    }
}
