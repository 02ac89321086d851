//! The packets of a file of Opus in Ogg (RFC 7845), WebM or Matroska, undecoded.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use symphonia::core::codecs::CodecParameters;
use symphonia::core::codecs::audio::well_known::CODEC_ID_OPUS;
use symphonia::core::errors::Error as MediaError;

use crate::container::Container;
use crate::file_decoder::open_file;
use crate::{AudioCodec, EncodedPacket, EncodedSupply, Error};

/// One pass through a file.
pub(crate) struct OpusReader {
    path: PathBuf,
    container: Container,
    track: u32,
}

impl OpusReader {
    /// Finds the first audio track, which has to be Opus in mono or stereo.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let container = Container::of_file(path, open_file(path)?)?;
        let track = opus_track(&container).map_err(|what| Error::Unsupported {
            path: path.into(),
            what,
        })?;
        Ok(Self {
            path: path.into(),
            container,
            track,
        })
    }

    /// The same file, from its beginning.
    pub(crate) fn reopen(&self) -> Result<Self, Error> {
        Self::open(&self.path)
    }

    /// The next packet, or the end of the pass.
    pub(crate) fn next(&mut self) -> EncodedSupply {
        loop {
            match self.container.next_packet(self.track) {
                Ok(Some(packet)) => {
                    return match EncodedPacket::new(AudioCodec::Opus, &packet.data[..]) {
                        Ok(packet) => EncodedSupply::Packet(packet),
                        Err(error) => ended(error),
                    };
                }
                Ok(None) => return EncodedSupply::Ended { fault: None },
                // The next link of a chained Ogg file (RFC 3533 §4).
                Err(MediaError::ResetRequired) => match opus_track(&self.container) {
                    Ok(track) => self.track = track,
                    Err(what) => return ended(what),
                },
                Err(error) => return ended(error),
            }
        }
    }

    /// Whether the pass ended before the end of the file. An Ogg file that was cut lacks its last
    /// page (RFC 3533 §6: the end of a logical stream is marked).
    pub(crate) fn is_cut(&self) -> bool {
        if self.container.is_matroska() {
            return self.container.is_cut();
        }
        let mut tail = Vec::new();
        let read = File::open(&self.path).and_then(|mut file| {
            let len = file.metadata()?.len();
            file.seek(SeekFrom::Start(len.saturating_sub(MAX_OGG_PAGE)))?;
            file.take(MAX_OGG_PAGE).read_to_end(&mut tail)
        });
        // What cannot be read is told elsewhere.
        read.is_ok() && !(0..tail.len()).any(|start| is_last_page(&tail[start..]))
    }
}

/// An end that is none of the file's own.
pub(crate) fn ended(fault: impl ToString) -> EncodedSupply {
    EncodedSupply::Ended {
        fault: Some(fault.to_string()),
    }
}

/// The first audio track, or what it is instead of Opus in mono or stereo.
fn opus_track(container: &Container) -> Result<u32, String> {
    let track = container.audio_track().ok_or("no audio")?;
    let Some(CodecParameters::Audio(parameters)) = &track.codec_params else {
        return Err("its codec".into());
    };
    if parameters.codec != CODEC_ID_OPUS {
        return Err("another codec than Opus".into());
    }
    // RFC 7845 §5.1: the number of channels and the mapping family. RTP has family 0 only
    // (RFC 7587 §4).
    let head = parameters.extra_data.as_deref().unwrap_or_default();
    match (head.get(9), head.get(18)) {
        (Some(1 | 2), Some(0)) => Ok(track.id),
        _ => Err("Opus of more than two channels".into()),
    }
}

/// Whether these octets are exactly one page, and that the last of its stream.
fn is_last_page(octets: &[u8]) -> bool {
    let Some((header, rest)) = octets.split_first_chunk::<27>() else {
        return false;
    };
    let table = rest.get(..header[26].into()).unwrap_or_default();
    let body: usize = table.iter().copied().map(usize::from).sum();
    header.starts_with(b"OggS") && header[5] & 4 != 0 && rest.len() == table.len() + body
}

/// The longest page (RFC 3533 §6).
const MAX_OGG_PAGE: u64 = 65_307;
