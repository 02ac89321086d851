//! Several files, one after another without a gap.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use crate::playback::{Playback, PlaybackControl, Programme, Repeat};
use crate::{AudioSource, Error};

/// Audio files played one after another, without a gap between them.
///
/// One thread decodes all of them, up to a second ahead; it ends when the list
/// is dropped. A file that cannot be opened or decoded is skipped, and an event
/// says so; the source ends when none of them can be.
///
/// ```no_run
/// use skywave_audio::{Playlist, Repeat};
///
/// let mut playlist = Playlist::open(["one.mp3", "two.flac"], Repeat::Forever)?;
/// let control = playlist.control();
/// let events = playlist.events();
/// std::thread::spawn(move || events.into_iter().for_each(|event| println!("{event:?}")));
/// // track.replace_audio_source(playlist);
/// control.skip();
/// # Ok::<(), skywave_audio::Error>(())
/// ```
///
/// [`playlist_files`](crate::playlist_files) reads lists and folders.
pub struct Playlist {
    playback: Playback,
    events: Option<Receiver<PlaylistEvent>>,
}

impl Playlist {
    /// Opens the list and waits until the first 200 ms of the first file that
    /// can be played are decoded.
    ///
    /// # Errors
    /// [`Error::EmptyPlaylist`]; what is wrong with the last file when none can
    /// be played, as of [`FileSource::open`](crate::FileSource::open).
    pub fn open(
        paths: impl IntoIterator<Item = impl Into<PathBuf>>,
        repeat: Repeat,
    ) -> Result<Self, Error> {
        let (sender, events) = sync_channel(MAX_EVENTS);
        let programme = Programme {
            paths: paths.into_iter().map(Into::into).collect(),
            start: Duration::ZERO,
            repeat,
        };
        if programme.paths.is_empty() {
            return Err(Error::EmptyPlaylist);
        }
        Ok(Self {
            playback: Playback::start(programme, sender)?,
            events: Some(events),
        })
    }

    /// A handle that skips, seeks and tells what is playing.
    pub fn control(&self) -> PlaybackControl {
        self.playback.control()
    }

    /// What happens, as it happens. The first call gets the receiver, further
    /// ones get one without events. [`MAX_EVENTS`](Self::MAX_EVENTS) wait to be
    /// received; later ones are dropped.
    pub fn events(&mut self) -> Receiver<PlaylistEvent> {
        self.events.take().unwrap_or_else(|| sync_channel(0).1)
    }

    /// Events that wait at most.
    pub const MAX_EVENTS: usize = MAX_EVENTS;
}

impl AudioSource for Playlist {
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

impl std::fmt::Debug for Playlist {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Playlist")
            .field("control", &self.control())
            .finish_non_exhaustive()
    }
}

/// What happens to a [`Playlist`]. Files are named by their index, from 0.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum PlaylistEvent {
    /// This file is heard from now on.
    Playing {
        /// The file.
        index: usize,
    },
    /// This file could not be opened, or not be decoded any further.
    Skipped {
        /// The file.
        index: usize,
        /// Why, with its path.
        reason: String,
    },
    /// This file was decoded, but not all of it. Told once of each file.
    Damaged {
        /// The file.
        index: usize,
        /// Packets that were left out.
        packets: u64,
        /// What was wrong last.
        reason: String,
    },
    /// The last sample was heard.
    Ended,
}

const MAX_EVENTS: usize = 64;

#[cfg(test)]
mod tests {
    use std::{path::Path, thread};

    use super::*;
    use crate::goertzel::amplitude;

    fn testdata(name: &str) -> PathBuf {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
        folder.join(name)
    }

    /// Reads `count` samples, or what comes until the end.
    fn collect(playlist: &mut Playlist, count: usize) -> Vec<[f32; 2]> {
        let mut pcm = vec![[0.0; 2]; count];
        let mut filled = 0;
        while filled < count && !playlist.ended() {
            filled += playlist.read(&mut pcm[filled..]);
            thread::yield_now();
        }
        pcm.truncate(filled);
        pcm
    }

    #[test]
    fn files_follow_one_another_without_a_gap() {
        // Both last a whole number of periods of 440 Hz.
        let files = ["s24_44k1.wav", "mono_8k.wav"].map(testdata);
        let lengths = files.each_ref().map(|file| {
            let mut alone = Playlist::open([file], Repeat::ONCE).unwrap();
            collect(&mut alone, 1_000_000).len()
        });
        let mut playlist = Playlist::open(files, Repeat::Times(2.try_into().unwrap())).unwrap();
        let events = playlist.events();
        let pcm = collect(&mut playlist, 1_000_000);
        assert_eq!(pcm.len(), 2 * (lengths[0] + lengths[1]));
        let left: Vec<f32> = pcm.iter().map(|sample| sample[0]).collect();
        let seam = lengths[0];
        assert!((amplitude(&left[seam - 2_400..seam + 2_400], 440.0) - 0.125).abs() < 0.005);
        let playing: Vec<PlaylistEvent> = events.try_iter().collect();
        let index = |index| PlaylistEvent::Playing { index };
        let expected = [index(0), index(1), index(0), index(1), PlaylistEvent::Ended];
        assert_eq!(playing, expected);
    }

    #[test]
    fn file_that_cannot_be_played_is_skipped_and_told() {
        let files = [
            "/nowhere/a.mp3".into(),
            testdata("a_law.runs"),
            testdata("float_48k.wav"),
        ];
        let mut playlist = Playlist::open(files, Repeat::ONCE).unwrap();
        let events = playlist.events();
        assert!(collect(&mut playlist, 10_000).len() > 240);
        assert!(playlist.control().failure().is_none());
        let events: Vec<PlaylistEvent> = events.try_iter().collect();
        assert!(matches!(
            &events[0],
            PlaylistEvent::Skipped { index: 0, reason } if reason.starts_with("/nowhere/a.mp3: ")
        ));
        assert!(matches!(
            &events[1],
            PlaylistEvent::Skipped { index: 1, .. }
        ));
        assert_eq!(events[2], PlaylistEvent::Playing { index: 2 });
    }

    #[test]
    fn list_without_a_file_that_can_be_played_is_refused() {
        let none = Playlist::open(Vec::<PathBuf>::new(), Repeat::Forever);
        assert!(matches!(none, Err(Error::EmptyPlaylist)));
        let files = ["/nowhere/a.mp3", "/nowhere/b.mp3"];
        let error = Playlist::open(files, Repeat::Forever).unwrap_err();
        assert!(error.to_string().starts_with("/nowhere/b.mp3: "), "{error}");
    }

    #[test]
    fn skip_and_play_go_to_other_files() {
        let names = ["mono_8k.wav", "surround.flac", "stereo.opus"];
        let mut playlist = Playlist::open(names.map(testdata), Repeat::Forever).unwrap();
        let control = playlist.control();
        let now = |playlist: &mut Playlist| {
            collect(playlist, 480);
            control.now_playing().unwrap().0
        };
        assert_eq!(now(&mut playlist), 0);
        control.skip();
        control.skip();
        assert_eq!(now(&mut playlist), 2);
        control.skip();
        assert_eq!(now(&mut playlist), 0);
        control.play(1);
        assert_eq!(now(&mut playlist), 1);
        control.play(usize::MAX);
        assert_eq!(now(&mut playlist), 0);
    }
}
