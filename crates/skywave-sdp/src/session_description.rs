//! A session description (RFC 8866): lines to values. Lines may end in CRLF or LF and in blanks;
//! lines of unknown types and unknown attributes are skipped.

use crate::{Error, MediaSection};

/// A session description as read.
///
/// What a section may inherit from the session level (ICE credentials and options, fingerprints,
/// setup, direction, header extensions, bandwidth) has been written into each section that does not
/// say it itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionDescription {
    /// Session identifier of `o=`; 0 if there is no such line.
    pub session_id: u64,
    /// Session version of `o=`; 0 if there is no such line.
    pub session_version: u64,
    /// The mids of the first BUNDLE group; the first of them is the tagged section (RFC 9143 §7).
    pub bundle: Vec<String>,
    /// The peer answers connectivity checks but sends none.
    pub ice_lite: bool,
    /// `a=extmap-allow-mixed` at session level (RFC 8285 §6).
    pub extmap_allow_mixed: bool,
    /// The media sections in their order.
    pub media: Vec<MediaSection>,
}

impl SessionDescription {
    /// Reads a description.
    ///
    /// # Errors
    /// [`Error::TooLarge`], or the first thing that is not SDP, in one of [`Error::Malformed`],
    /// [`Error::InvalidFingerprint`] and [`Error::InvalidSetup`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        if text.len() > MAX_SDP_BYTES {
            return Err(Error::TooLarge { bytes: text.len() });
        }
        let mut description = Self::default();
        let mut session_level = MediaSection::default();
        let mut first = true;
        for (index, line) in text.lines().enumerate() {
            let line = line.trim_end();
            if line.is_empty() {
                continue;
            }
            let number = index + 1;
            let (kind, value) = split_line(number, line)?;
            if first && (kind, value) != ('v', "0") {
                return Err(malformed(number, "the first line must be v=0"));
            }
            first = false;
            description.read_line(number, kind, value, &mut session_level)?;
        }
        if first {
            return Err(malformed(1, "the text is empty"));
        }
        for section in &mut description.media {
            section.inherit_lists(&session_level);
        }
        description.extmap_allow_mixed = session_level.extmap_allow_mixed;
        Ok(description)
    }

    fn read_line(
        &mut self,
        number: usize,
        kind: char,
        value: &str,
        session_level: &mut MediaSection,
    ) -> Result<(), Error> {
        if kind == 'm' {
            if self.media.len() == MAX_MEDIA_SECTIONS {
                return Err(malformed(number, "there are too many media sections"));
            }
            let section = MediaSection::from_media_line(value, session_level).ok_or_else(|| {
                malformed(number, "m= needs a kind, a port, a protocol and a format")
            })?;
            self.media.push(section);
            return Ok(());
        }
        let (name, argument) = value.split_once(':').unwrap_or((value, ""));
        match (kind, name) {
            ('o', _) => self.read_origin(number, value)?,
            ('a', "group") => self.read_group(argument),
            ('a', "ice-lite") => self.ice_lite = true,
            ('a', _) => {
                let section = self.media.last_mut().unwrap_or(session_level);
                section.read_attribute(number, name, argument.trim_start())?;
            }
            ('b', _) => {
                let section = self.media.last_mut().unwrap_or(session_level);
                section.read_bandwidth(value);
            }
            _ => {}
        }
        Ok(())
    }

    fn read_origin(&mut self, number: usize, value: &str) -> Result<(), Error> {
        let mut words = value.split_ascii_whitespace().skip(1);
        let mut numeric = || {
            let word = words.next().and_then(|word| word.parse().ok());
            word.ok_or_else(|| malformed(number, "o= needs a numeric session id and version"))
        };
        self.session_id = numeric()?;
        self.session_version = numeric()?;
        Ok(())
    }

    fn read_group(&mut self, value: &str) {
        let mut words = value.split_ascii_whitespace();
        if words.next() == Some("BUNDLE") && self.bundle.is_empty() {
            self.bundle = words.take(MAX_MEDIA_SECTIONS).map(str::to_owned).collect();
        }
    }
}

/// A type, an equals sign, a value. Control characters would travel into what is written back.
pub(crate) fn split_line(number: usize, line: &str) -> Result<(char, &str), Error> {
    let mut chars = line.chars();
    let (Some(kind), Some('=')) = (chars.next(), chars.next()) else {
        return Err(malformed(number, "a line is a letter, '=' and a value"));
    };
    let value = chars.as_str();
    if value.chars().any(|c| c.is_control() && c != '\t') {
        return Err(malformed(number, "it contains a control character"));
    }
    Ok((kind, value))
}

pub(crate) fn malformed(line: usize, what: &'static str) -> Error {
    Error::Malformed { line, what }
}

/// The longest text that is read.
pub const MAX_SDP_BYTES: usize = 64 * 1024;
/// The greatest number of `m=` lines that are read.
pub const MAX_MEDIA_SECTIONS: usize = 64;
