//! Decoding of a file to stereo at its own rate: WAV, AIFF, FLAC, MP3 and Ogg
//! with Vorbis, FLAC or Opus.

use std::fs::File;
use std::io::{ErrorKind, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use symphonia::core::codecs::CodecParameters;
use symphonia::core::codecs::audio::well_known::CODEC_ID_OPUS;
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error as MediaError;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatReader, TrackType};
use symphonia::core::io::MediaSourceStream;
use symphonia::core::packet::Packet;

use crate::Error;
use crate::downmix::Downmix;
use crate::opus_decoder::OpusDecoder;

/// One pass after the other through an audio file.
pub(crate) struct FileDecoder {
    path: PathBuf,
    file: File,
    format: Box<dyn FormatReader>,
    track: u32,
    codec: Codec,
    interleaved: Vec<f32>,
    /// Why the last packet of this pass was lost, if one was.
    fault: Option<String>,
}

impl FileDecoder {
    /// Opens the file and finds its first audio track.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let read_error = |cause| Error::Read {
            path: path.into(),
            cause,
        };
        // A pipe would block for ever in open.
        let metadata = path.metadata().map_err(read_error)?;
        if !metadata.is_file() {
            let cause = std::io::Error::new(ErrorKind::InvalidInput, "not a regular file");
            return Err(read_error(cause));
        }
        if metadata.len() == 0 {
            return Err(Error::Empty { path: path.into() });
        }
        let file = File::open(path).map_err(read_error)?;
        let format = probe(path, &file)?;
        let (track, codec) = open_track(path, format.as_ref())?;
        Ok(Self {
            path: path.into(),
            file,
            format,
            track,
            codec,
            interleaved: Vec::new(),
            fault: None,
        })
    }

    /// Goes back to the start. The whole file is opened anew, which loops every
    /// format exactly, where seeking would not.
    pub(crate) fn rewind(&mut self) -> Result<(), Error> {
        self.format = probe(&self.path, &self.file)?;
        (self.track, self.codec) = open_track(&self.path, self.format.as_ref())?;
        self.fault = None;
        Ok(())
    }

    /// Appends the samples of the next packet and returns their rate in Hz;
    /// None at the end of the pass. Broken packets are left out.
    pub(crate) fn decode_next(&mut self, pcm: &mut Vec<[f32; 2]>) -> Result<Option<u32>, Error> {
        loop {
            match self.format.next_packet() {
                Ok(Some(packet)) if packet.track_id == self.track => {
                    let Some(rate) = self.decode(&packet, pcm) else {
                        continue;
                    };
                    if RATES.contains(&rate) {
                        return Ok(Some(rate));
                    }
                    return Err(Error::Unsupported {
                        path: self.path.clone(),
                        what: format!("a sample rate of {rate} Hz"),
                    });
                }
                Ok(Some(_)) => {}
                Ok(None) => return Ok(None),
                // The next link of a chained Ogg file (RFC 3533 §4).
                Err(MediaError::ResetRequired) => {
                    (self.track, self.codec) = open_track(&self.path, self.format.as_ref())?;
                }
                // A file cut short is played as far as it goes.
                Err(error) => {
                    self.fault = Some(error.to_string());
                    return Ok(None);
                }
            }
        }
    }

    /// Why there is nothing to hear in this file.
    pub(crate) fn no_samples(&self) -> Error {
        let path = self.path.clone();
        match self.fault.clone() {
            Some(reason) => Error::Damaged { path, reason },
            None => Error::Empty { path },
        }
    }

    fn decode(&mut self, packet: &Packet, pcm: &mut Vec<[f32; 2]>) -> Option<u32> {
        match &mut self.codec {
            Codec::Opus(decoder) => {
                decoder.decode(&packet.data, packet.trim_end.get() as usize, pcm);
                Some(crate::SAMPLE_RATE)
            }
            Codec::Other(decoder) => match decoder.decode(packet) {
                Ok(audio) => {
                    audio.copy_to_vec_interleaved(&mut self.interleaved);
                    // Floating-point files may hold anything.
                    for sample in &mut self.interleaved {
                        *sample = if sample.is_finite() { *sample } else { 0.0 };
                    }
                    Downmix::new(audio.spec().channels()).mix(&self.interleaved, pcm);
                    Some(audio.spec().rate())
                }
                Err(error) => {
                    self.fault = Some(error.to_string());
                    None
                }
            },
        }
    }
}

enum Codec {
    Opus(Box<OpusDecoder>),
    Other(Box<dyn AudioDecoder>),
}

pub(crate) fn probe(path: &Path, file: &File) -> Result<Box<dyn FormatReader>, Error> {
    let read_error = |cause| Error::Read {
        path: path.into(),
        cause,
    };
    let mut file = file.try_clone().map_err(read_error)?;
    file.seek(SeekFrom::Start(0)).map_err(read_error)?;
    let stream = MediaSourceStream::new(Box::new(file), Default::default());
    let mut hint = Hint::new();
    if let Some(extension) = path.extension().and_then(|extension| extension.to_str()) {
        hint.with_extension(extension);
    }
    symphonia::default::get_probe()
        .probe(&hint, stream, Default::default(), Default::default())
        .map_err(|error| match error {
            MediaError::IoError(cause) if cause.kind() != ErrorKind::UnexpectedEof => {
                read_error(cause)
            }
            MediaError::DecodeError(reason) => Error::Damaged {
                path: path.into(),
                reason: reason.into(),
            },
            _ => Error::NotAudio { path: path.into() },
        })
}

/// The first audio track and a decoder for it.
fn open_track(path: &Path, format: &dyn FormatReader) -> Result<(u32, Codec), Error> {
    let Some(track) = format.default_track(TrackType::Audio) else {
        return Err(Error::NotAudio { path: path.into() });
    };
    let unsupported = |what: String| Error::Unsupported {
        path: path.into(),
        what,
    };
    let Some(CodecParameters::Audio(parameters)) = &track.codec_params else {
        return Err(unsupported("its codec".into()));
    };
    let codec = make_decoder(parameters).map_err(unsupported)?;
    Ok((track.id, codec))
}

fn make_decoder(parameters: &AudioCodecParameters) -> Result<Codec, String> {
    if parameters.codec == CODEC_ID_OPUS {
        let head = parameters.extra_data.as_deref().unwrap_or_default();
        return Ok(Codec::Opus(Box::new(OpusDecoder::new(head)?)));
    }
    symphonia::default::get_codecs()
        .make_audio_decoder(parameters, &AudioDecoderOptions::default())
        .map(Codec::Other)
        .map_err(|error| format!("its codec ({error})"))
}

/// Sample rates in Hz that are resampled.
const RATES: std::ops::RangeInclusive<u32> = 1_000..=768_000;
