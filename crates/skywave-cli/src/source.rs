//! Sources by name: `melody`, `tone:HZ`, `-` for standard input, or a file.

use std::convert::Infallible;
use std::fmt;
use std::io::{IsTerminal, stdin};
use std::path::PathBuf;
use std::str::FromStr;

use skywave::{AudioError, AudioSource, FileSource, Melody, PcmReader, Tone};

/// What a person calls a source. Any text is a name; whether it can be opened
/// shows in [`open`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SourceName {
    Melody,
    /// What follows `tone:`; a frequency in Hz if all is well.
    Tone(String),
    StandardInput,
    File(PathBuf),
}

impl FromStr for SourceName {
    type Err = Infallible;

    fn from_str(name: &str) -> Result<Self, Infallible> {
        Ok(match name {
            "melody" => Self::Melody,
            "-" => Self::StandardInput,
            _ => match name.strip_prefix("tone:") {
                Some(frequency) => Self::Tone(frequency.to_owned()),
                None => Self::File(name.into()),
            },
        })
    }
}

impl fmt::Display for SourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Melody => f.write_str("melody"),
            Self::Tone(frequency) => write!(f, "tone:{frequency}"),
            Self::StandardInput => f.write_str("-"),
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
    match name {
        SourceName::Melody => Ok(Box::new(Melody::new())),
        SourceName::Tone(frequency) => match frequency.parse().map(Tone::new) {
            Ok(Ok(tone)) => Ok(Box::new(tone)),
            _ => Err(Error::Tone(frequency)),
        },
        SourceName::StandardInput if stdin().is_terminal() => Err(Error::Terminal),
        SourceName::StandardInput => Ok(Box::new(PcmReader::new(stdin()))),
        SourceName::File(path) if path.as_os_str().is_empty() => Err(Error::Nameless),
        SourceName::File(path) => Ok(Box::new(FileSource::open(path)?)),
    }
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
    #[error("a source has a name: melody, tone:HZ or a file")]
    Nameless,
    #[error(transparent)]
    File(#[from] AudioError),
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
        for name in ["melody", "tone:440", "tone:x", "-", "a b.wav", "./melody"] {
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
    fn missing_file_is_named_with_the_reason() {
        let sentence = refusal("/nowhere/tune.flac");
        assert!(sentence.starts_with("/nowhere/tune.flac"), "{sentence}");
        assert!(sentence.contains("No such file"), "{sentence}");
    }

    #[test]
    fn empty_name_is_refused() {
        assert_eq!(refusal(""), Error::Nameless.to_string());
    }
}
