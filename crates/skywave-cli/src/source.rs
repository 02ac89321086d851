//! Sources by name: `melody`, `tone:HZ`, `-` for standard input, a file, a list
//! or folder of files, or a URL.

use std::convert::Infallible;
use std::fmt;
use std::io::{IsTerminal, stdin};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::thread;

use skywave::{
    AudioError, AudioSource, FileSource, Melody, PcmFormat, PcmReader, PcmSample, Playlist,
    PlaylistEvent, Repeat, Tone, playlist_files,
};
use skywave_url::{UrlConfig, UrlSource};

/// What a person calls a source. Any text is a name; whether it can be opened
/// shows in [`open`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SourceName {
    Melody,
    /// What follows `tone:`; a frequency in Hz if all is well.
    Tone(String),
    StandardInput,
    /// Where it is built in.
    Microphone,
    /// What follows `-:`; the format of raw PCM if all is well.
    Pcm(String),
    Url(String),
    /// What follows `playlist:`; a list or a folder if all is well.
    Playlist(PathBuf),
    /// A file, or a list or a folder of them.
    File(PathBuf),
}

impl SourceName {
    /// Whether it reads standard input, which there is only once.
    pub(crate) fn is_standard_input(&self) -> bool {
        matches!(self, Self::StandardInput | Self::Pcm(_))
    }
}

impl FromStr for SourceName {
    type Err = Infallible;

    fn from_str(name: &str) -> Result<Self, Infallible> {
        let after = |prefix| name.strip_prefix(prefix).map(str::to_owned);
        Ok(if name == "melody" {
            Self::Melody
        } else if name == "microphone" {
            Self::Microphone
        } else if name == "-" {
            Self::StandardInput
        } else if let Some(format) = after("-:") {
            Self::Pcm(format)
        } else if let Some(frequency) = after("tone:") {
            Self::Tone(frequency)
        } else if let Some(path) = after("playlist:") {
            Self::Playlist(path.into())
        } else if name.starts_with("http://") || name.starts_with("https://") {
            Self::Url(name.to_owned())
        } else {
            Self::File(name.into())
        })
    }
}

impl fmt::Display for SourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Melody => f.write_str("melody"),
            Self::Tone(frequency) => write!(f, "tone:{frequency}"),
            Self::Microphone => f.write_str("microphone"),
            Self::StandardInput => f.write_str("-"),
            Self::Pcm(format) => write!(f, "-:{format}"),
            Self::Url(url) => f.write_str(url),
            Self::Playlist(path) => write!(f, "playlist:{}", path.display()),
            Self::File(path) => write!(f, "{}", path.display()),
        }
    }
}

/// Opens a source on a thread where it may block.
pub(crate) async fn open(name: SourceName) -> Result<Box<dyn AudioSource>, Error> {
    let opening = tokio::task::spawn_blocking(move || open_blocking(name));
    opening.await.unwrap_or(Err(Error::Interrupted))
}

fn open_blocking(name: SourceName) -> Result<Box<dyn AudioSource>, Error> {
    if name.is_standard_input() && stdin().is_terminal() {
        return Err(Error::Terminal);
    }
    match name {
        SourceName::Melody => Ok(Box::new(Melody::new())),
        SourceName::Tone(frequency) => match frequency.parse().map(Tone::new) {
            Ok(Ok(tone)) => Ok(Box::new(tone)),
            _ => Err(Error::Tone(frequency)),
        },
        SourceName::Microphone => microphone(),
        SourceName::StandardInput => Ok(Box::new(PcmReader::new(stdin()))),
        SourceName::Pcm(text) => {
            let format = pcm_format(&text).ok_or(Error::Pcm(text))?;
            Ok(Box::new(PcmReader::with_format(stdin(), format)?))
        }
        SourceName::Url(url) => {
            let config = UrlConfig {
                repeat: true,
                ..UrlConfig::default()
            };
            Ok(Box::new(UrlSource::open(&url, config)?))
        }
        SourceName::Playlist(path) | SourceName::File(path) if path.as_os_str().is_empty() => {
            Err(Error::Nameless)
        }
        SourceName::File(path) if !is_list(&path) => Ok(Box::new(FileSource::open(path)?)),
        SourceName::Playlist(path) | SourceName::File(path) => open_playlist(&path),
    }
}

#[cfg(feature = "microphone")]
fn microphone() -> Result<Box<dyn AudioSource>, Error> {
    Ok(Box::new(skywave::Microphone::open()?))
}

#[cfg(not(feature = "microphone"))]
fn microphone() -> Result<Box<dyn AudioSource>, Error> {
    Err(Error::NoMicrophone)
}

fn is_list(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    let is_named_so = extension.is_some_and(|extension| {
        ["m3u", "m3u8", "pls"]
            .iter()
            .any(|list| list.eq_ignore_ascii_case(extension))
    });
    is_named_so || path.is_dir()
}

fn open_playlist(path: &Path) -> Result<Box<dyn AudioSource>, Error> {
    let files = playlist_files(path).map_err(|error| match error {
        AudioError::EmptyPlaylist => Error::NoFiles(path.into()),
        error => Error::File(error),
    })?;
    let mut playlist = Playlist::open(&files, Repeat::Forever)?;
    let events = playlist.events();
    // Ends with the playlist.
    let log = move || {
        for event in events {
            log_event(&event, &files);
        }
    };
    if let Err(error) = thread::Builder::new()
        .name("playlist-log".into())
        .spawn(log)
    {
        tracing::warn!(%error, "what the playlist plays is not logged");
    }
    Ok(Box::new(playlist))
}

fn log_event(event: &PlaylistEvent, files: &[PathBuf]) {
    match event {
        PlaylistEvent::Playing { index } => {
            tracing::info!(file = %files[*index].display(), "playing");
        }
        PlaylistEvent::Skipped { reason, .. } => tracing::warn!("skipped: {reason}"),
        PlaylistEvent::Damaged { index, reason, .. } => {
            tracing::warn!(file = %files[*index].display(), "damaged: {reason}");
        }
        _ => {}
    }
}

/// Reads `SAMPLE,RATE,CHANNELS`; the rate is 48,000 and the channels are 2 if left out.
fn pcm_format(text: &str) -> Option<PcmFormat> {
    let mut parts = text.split(',');
    let mut format = PcmFormat {
        sample: match parts.next()? {
            "s16le" => PcmSample::S16le,
            "s24le" => PcmSample::S24le,
            "f32le" => PcmSample::F32le,
            _ => return None,
        },
        ..PcmFormat::default()
    };
    if let Some(rate) = parts.next() {
        format.rate = rate.parse().ok()?;
    }
    if let Some(channels) = parts.next() {
        format.channels = channels.parse().ok()?;
    }
    parts.next().is_none().then_some(format)
}

/// Why a source cannot be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("tone:{0}: a tone needs its frequency in Hz, 20 to 20000, as in tone:440")]
    Tone(String),
    #[error(
        "-: standard input is a terminal; pipe audio into it, as in \
         ffmpeg -re -i FILE -f s16le -ar 48000 -ac 2 - | skywave -"
    )]
    Terminal,
    #[error(
        "-:{0}: raw audio is s16le, s24le or f32le, with its rate in Hz and its channels, \
         as in -:s16le,44100,1"
    )]
    Pcm(String),
    #[error(
        "{}: no audio file in it (WAV, AIFF, FLAC, MP3, AAC, MP4, Ogg, WebM); a URL in a list is \
         given to skywave itself", .0.display()
    )]
    NoFiles(PathBuf),
    #[cfg(not(feature = "microphone"))]
    #[error(
        "microphone: this skywave was built without it; build it with --features microphone, or \
         pipe it in, as in arecord -f S16_LE -r 48000 -c 1 | skywave -:s16le,48000,1"
    )]
    NoMicrophone,
    #[error("a source has a name: melody, tone:HZ, a file, a list, a folder or a URL")]
    Nameless,
    #[error(transparent)]
    File(#[from] AudioError),
    #[error(transparent)]
    Url(#[from] skywave_url::Error),
    #[error("the source could not be opened in time")]
    Interrupted,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(name: &str) -> String {
        match open_blocking(name.parse().unwrap()) {
            Ok(_) => panic!("{name} opens"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn names_are_written_as_they_were_read() {
        for name in [
            "melody",
            "tone:440",
            "tone:x",
            "microphone",
            "-",
            "-:s16le,44100,1",
            "-:",
            "a b.wav",
            "./melody",
            "playlist:x.m3u",
            "https://radio.example/live",
        ] {
            let parsed: SourceName = name.parse().unwrap();
            assert_eq!(parsed.to_string(), name);
        }
    }

    #[test]
    fn melody_with_a_folder_is_a_file() {
        assert_eq!("./melody".parse(), Ok(SourceName::File("./melody".into())));
    }

    #[test]
    fn tone_needs_an_audible_frequency() {
        for frequency in ["", "x", "0", "-440", "NaN", "inf", "96000"] {
            let name = format!("tone:{frequency}");
            assert!(refusal(&name).starts_with(&format!("{name}: ")));
        }
        assert!(open_blocking(SourceName::Tone("440.5".into())).is_ok());
    }

    #[test]
    fn raw_formats_are_sample_rate_and_channels() {
        let format = |text| pcm_format(text).map(|f| (f.sample, f.rate, f.channels));
        assert_eq!(format("s16le,44100,1"), Some((PcmSample::S16le, 44_100, 1)));
        assert_eq!(format("s24le,96000"), Some((PcmSample::S24le, 96_000, 2)));
        assert_eq!(format("f32le"), Some((PcmSample::F32le, 48_000, 2)));
        for text in [
            "",
            "s16be",
            "s16le,",
            "s16le,x",
            "s16le,1,2,3",
            "s16le,-1",
            "s16le,8000,-1",
        ] {
            assert_eq!(format(text), None, "{text}");
        }
    }

    #[test]
    fn lists_without_audio_and_urls_without_a_host_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let name = format!("playlist:{}", folder.path().display());
        assert!(refusal(&name).contains("no audio file in it"));
        assert!(refusal(&folder.path().display().to_string()).contains("no audio file in it"));
        assert!(refusal("http://").contains("not an http:// or https:// URL"));
        let list = folder.path().join("list.M3U");
        std::fs::write(&list, "/nowhere/a.mp3\n").unwrap();
        assert!(refusal(list.to_str().unwrap()).starts_with("/nowhere/a.mp3: "));
    }

    #[test]
    fn missing_file_is_named_with_the_reason() {
        let sentence = refusal("/nowhere/tune.flac");
        assert!(sentence.starts_with("/nowhere/tune.flac"), "{sentence}");
        assert!(sentence.contains("No such file"), "{sentence}");
    }

    #[test]
    fn empty_name_is_refused() {
        assert_eq!(refusal(""), Error::Nameless.to_string());
        assert_eq!(refusal("playlist:"), Error::Nameless.to_string());
    }
}
