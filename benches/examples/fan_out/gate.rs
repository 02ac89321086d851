//! A source that can be stopped, and with it everything behind it: no frame is made meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::sleep;
use std::time::Duration;

use skywave::{AudioSource, Tone};

/// Lets a track play or stop.
#[derive(Default)]
pub(crate) struct Gate {
    open: Arc<AtomicBool>,
}

impl Gate {
    /// A tone that waits while the gate is shut, as a good source never does.
    pub(crate) fn tone(&self) -> impl AudioSource + use<> {
        GatedTone {
            tone: Tone::new(440.0).expect("440 Hz can be heard"),
            open: Arc::clone(&self.open),
        }
    }

    pub(crate) fn set(&self, open: bool) {
        self.open.store(open, Relaxed);
    }
}

/// The thread that waits goes on.
impl Drop for Gate {
    fn drop(&mut self) {
        self.set(true);
    }
}

struct GatedTone {
    tone: Tone,
    open: Arc<AtomicBool>,
}

impl AudioSource for GatedTone {
    fn read(&mut self, pcm: &mut [[f32; 2]]) -> usize {
        while !self.open.load(Relaxed) {
            sleep(Duration::from_millis(1));
        }
        self.tone.read(pcm)
    }
}
