//! One audio file.

use std::path::Path;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use crate::playback::{Playback, PlaybackControl, Programme, Repeat};
use crate::{AudioSource, Error};

/// An audio file, played over and over without a gap unless told otherwise.
///
/// WAV, AIFF, FLAC, MP3, AAC (ADTS, MP4), ALAC (MP4), Ogg, WebM and Matroska
/// (Vorbis, Opus, FLAC) of any rate and number of channels, resampled to 48 kHz
/// and mixed to stereo. A thread of its own decodes up to a second ahead; dropping the source
/// ends it.
///
/// A damaged packet is left out and counted, and a file cut short is played as
/// far as it goes. The source ends when the file can no longer be read;
/// [`PlaybackControl::failure`] says why. MP4 files repeat with the silence that
/// their encoder put around the audio, some 20 to 50 ms, WebM files with that in
/// their last packet.
pub struct FileSource {
    playback: Playback,
}

impl FileSource {
    /// Opens `path` to be played over and over, and waits until the first 200 ms
    /// are decoded.
    ///
    /// # Errors
    /// [`Error::Read`], [`Error::NotAudio`], [`Error::Unsupported`],
    /// [`Error::Damaged`] or [`Error::Empty`] with the path, when nothing can be
    /// played; [`Error::Thread`] without a thread.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::open_at(path, Duration::ZERO, Repeat::Forever)
    }

    /// As [`open`](Self::open), from `start` on the first time, and played as
    /// often as `repeat` says.
    ///
    /// # Errors
    /// As of [`open`](Self::open); [`Error::Empty`] also when the file ends before
    /// `start`.
    pub fn open_at(path: impl AsRef<Path>, start: Duration, repeat: Repeat) -> Result<Self, Error> {
        let programme = Programme {
            paths: vec![path.as_ref().into()],
            start,
            repeat,
        };
        // Nobody receives the events: there is one file, and the handle tells the rest.
        let (events, _) = sync_channel(0);
        let playback = Playback::start(programme, events)?;
        Ok(Self { playback })
    }

    /// A handle that seeks and tells what is playing and what went wrong.
    pub fn control(&self) -> PlaybackControl {
        self.playback.control()
    }
}

impl AudioSource for FileSource {
    fn read(&mut self, pcm: &mut [[f32; 2]]) -> usize {
        self.playback.read(pcm)
    }

    fn ended(&self) -> bool {
        self.playback.ended()
    }

    fn error(&mut self) -> Option<String> {
        self.playback.failure()
    }
}

impl std::fmt::Debug for FileSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FileSource")
            .field("control", &self.control())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
