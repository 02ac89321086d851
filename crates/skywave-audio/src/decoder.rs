//! Decoding of one encoded stream to stereo at its own rate: WAV, AIFF, FLAC,
//! MP3, AAC in ADTS or MP4, ALAC in MP4, and Vorbis, FLAC or Opus in Ogg, WebM or Matroska.

use std::path::{Path, PathBuf};
use std::time::Duration;

use symphonia::core::codecs::CodecParameters;
use symphonia::core::codecs::audio::well_known::CODEC_ID_OPUS;
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error as MediaError;
use symphonia::core::formats::{SeekTo, Track};
use symphonia::core::io::MediaSource;
use symphonia::core::packet::Packet;
use symphonia::core::units::{Time, TimeBase, Timestamp};

use crate::container::{Container, nanoseconds};
use crate::downmix::Downmix;
use crate::opus_decoder::OpusDecoder;
use crate::{Error, SAMPLE_RATE};

/// One pass through the first audio track of a stream.
pub(crate) struct Decoder {
    /// What errors call the stream: a path or a URL.
    name: PathBuf,
    container: Container,
    track: u32,
    time_base: Option<TimeBase>,
    /// Where in `time_base` the audio begins: some streams are cut from longer ones.
    origin: i64,
    codec: Codec,
    interleaved: Vec<f32>,
    unheard: Unheard,
    at_end: bool,
    /// Packets left out, and why the last one was.
    damaged: u64,
    damage: Option<String>,
    /// Why the pass ended before its end, if it did.
    fault: Option<String>,
}

impl Decoder {
    /// Finds the first audio track of what `media` holds.
    ///
    /// `extension` is a hint at the format, as in file names.
    pub(crate) fn new(
        name: &Path,
        extension: Option<&str>,
        media: Box<dyn MediaSource>,
    ) -> Result<Self, Error> {
        let container = Container::probe(name, extension, media)?;
        let (track, codec) = open_track(name, &container)?;
        Ok(Self {
            name: name.into(),
            track: track.id,
            time_base: track.time_base,
            origin: track.start_ts.get().max(0),
            codec,
            container,
            interleaved: Vec::new(),
            unheard: Unheard::Nothing,
            at_end: false,
            damaged: 0,
            damage: None,
            fault: None,
        })
    }

    /// Appends the samples of the next packet and returns their rate in Hz;
    /// None at the end of the pass. A broken packet is counted and gives none.
    pub(crate) fn decode_next(&mut self, pcm: &mut Vec<[f32; 2]>) -> Result<Option<u32>, Error> {
        while !self.at_end {
            match self.container.next_packet(self.track) {
                Ok(Some(packet)) => {
                    let start = pcm.len();
                    let rate = self.decode(&packet, pcm);
                    if !RATES.contains(&rate) {
                        return Err(Error::Unsupported {
                            path: self.name.clone(),
                            what: format!("a sample rate of {rate} Hz"),
                        });
                    }
                    self.drop_unheard(&packet, rate, start, pcm);
                    return Ok(Some(rate));
                }
                Ok(None) => {
                    self.fault = (self.container.is_cut()).then(|| "it breaks off".into());
                    self.at_end = true;
                }
                // The next link of a chained Ogg file (RFC 3533 §4).
                Err(MediaError::ResetRequired) => self.restart_codec()?,
                // A stream cut short is played as far as it goes.
                Err(error) => {
                    self.fault = Some(error.to_string());
                    self.at_end = true;
                }
            }
        }
        Ok(None)
    }

    /// Goes to `position` from the beginning, exact to the sample. False where
    /// the format cannot, or finds that beyond its end; then only a new decoder
    /// helps.
    pub(crate) fn seek(&mut self, position: Duration) -> Result<bool, Error> {
        // Codecs need what lies before to be exact: 80 ms in Opus (RFC 7845 §4.6).
        let from = position.saturating_sub(CODEC_PRE_ROLL);
        // symphonia 0.6 takes blocks for samples there.
        if self.codec.is_adpcm() {
            return Ok(false);
        }
        let time = Time::try_from_nanos_u128(from.as_nanos());
        let steps = time
            .zip(self.time_base)
            .and_then(|(time, base)| base.calc_timestamp(time));
        let Some(steps) = steps else {
            return Ok(false);
        };
        let to = SeekTo::Timestamp {
            ts: Timestamp::new(steps.get().saturating_add(self.origin)),
            track_id: self.track,
        };
        if !self.container.seek(to) {
            return Ok(false);
        }
        self.restart_codec()?;
        (self.at_end, self.damaged) = (false, 0);
        (self.damage, self.fault) = (None, None);
        self.unheard = Unheard::Before(position);
        if let Codec::Opus(decoder) = &mut self.codec {
            decoder.forget_pre_skip();
        }
        Ok(true)
    }

    /// Leaves out of what is decoded, which is the stream from its beginning, as much as `length`.
    pub(crate) fn leave_out(&mut self, length: Duration) {
        self.unheard = Unheard::First { length, passed: 0 };
    }

    /// Packets of this pass that could not be decoded and were left out.
    pub(crate) fn damaged(&self) -> u64 {
        self.damaged
    }

    /// Why the last of them was left out.
    pub(crate) fn damage(&self) -> Option<&str> {
        self.damage.as_deref()
    }

    /// What ended the pass before the end of the stream, if anything did.
    pub(crate) fn fault(&self) -> Option<&str> {
        self.fault.as_deref()
    }

    /// Why there is nothing to hear in this stream.
    pub(crate) fn no_samples(&self) -> Error {
        let path = self.name.clone();
        match self.fault.clone().or(self.damage.clone()) {
            Some(reason) => Error::Damaged { path, reason },
            None => Error::Empty { path },
        }
    }

    fn restart_codec(&mut self) -> Result<(), Error> {
        let (track, codec) = open_track(&self.name, &self.container)?;
        (self.track, self.time_base) = (track.id, track.time_base);
        self.origin = track.start_ts.get().max(0);
        self.codec = codec;
        Ok(())
    }

    /// The rate is any when there are no samples.
    fn decode(&mut self, packet: &Packet, pcm: &mut Vec<[f32; 2]>) -> u32 {
        match &mut self.codec {
            Codec::Opus(decoder) => {
                let trim_end = packet.trim_end.get() as usize;
                if !decoder.decode(&packet.data, trim_end, pcm) {
                    self.damaged += 1;
                    self.damage = Some("a broken packet of Opus".into());
                }
                SAMPLE_RATE
            }
            Codec::Other(decoder) => match decoder.decode(packet) {
                Ok(audio) => {
                    audio.copy_to_vec_interleaved(&mut self.interleaved);
                    // Floating-point files may hold anything.
                    for sample in &mut self.interleaved {
                        *sample = if sample.is_finite() { *sample } else { 0.0 };
                    }
                    Downmix::new(audio.spec().channels()).mix(&self.interleaved, pcm);
                    audio.spec().rate()
                }
                Err(error) => {
                    self.damaged += 1;
                    self.damage = Some(error.to_string());
                    SAMPLE_RATE
                }
            },
        }
    }

    /// Takes out what shall not be heard of the samples behind `start`, which are the packet's.
    fn drop_unheard(&mut self, packet: &Packet, rate: u32, start: usize, pcm: &mut Vec<[f32; 2]>) {
        let decoded = pcm.len() - start;
        let ahead = match &mut self.unheard {
            Unheard::Nothing => return,
            // Without samples the rate is any.
            _ if decoded == 0 => return,
            Unheard::Before(position) => {
                let position = position.as_nanos() as i128;
                position - self.position_of(packet)
            }
            Unheard::First { length, passed } => {
                let before = i128::from(*passed) * 1_000_000_000 / i128::from(rate);
                *passed += decoded as u64;
                length.as_nanos() as i128 - before
            }
        };
        let samples = (ahead * i128::from(rate) + 500_000_000) / 1_000_000_000;
        let unheard = usize::try_from(samples).unwrap_or(0).min(decoded);
        pcm.drain(start..start + unheard);
        if unheard < decoded {
            self.unheard = Unheard::Nothing;
        }
    }

    /// When the first sample decoded of a packet is due, in nanoseconds.
    fn position_of(&self, packet: &Packet) -> i128 {
        let mut first = i128::from(packet.pts.get()) - i128::from(self.origin);
        match &self.codec {
            Codec::Opus(decoder) => first -= i128::from(decoder.pre_skip()),
            Codec::Other(_) => first += i128::from(packet.trim_start.get()),
        }
        self.time_base.map_or(0, |base| nanoseconds(first, base))
    }
}

/// What is decoded in vain.
enum Unheard {
    Nothing,
    /// What lies before that position from the beginning of the stream, by its time stamps: the
    /// format was made to seek there.
    Before(Duration),
    /// So much of the stream, of which that many samples have passed.
    First {
        length: Duration,
        passed: u64,
    },
}

enum Codec {
    Opus(Box<OpusDecoder>),
    Other(Box<dyn AudioDecoder>),
}

impl Codec {
    fn is_adpcm(&self) -> bool {
        match self {
            Self::Opus(_) => false,
            Self::Other(decoder) => decoder.codec_info().short_name.starts_with("adpcm"),
        }
    }
}

/// The first audio track and a decoder for it.
fn open_track<'a>(name: &Path, container: &'a Container) -> Result<(&'a Track, Codec), Error> {
    let Some(track) = container.audio_track() else {
        return Err(Error::NotAudio { path: name.into() });
    };
    let unsupported = |what: String| Error::Unsupported {
        path: name.into(),
        what,
    };
    let Some(CodecParameters::Audio(parameters)) = &track.codec_params else {
        return Err(unsupported("its codec".into()));
    };
    let codec = make_decoder(parameters).map_err(unsupported)?;
    Ok((track, codec))
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
/// What is decoded and thrown away before a position sought.
const CODEC_PRE_ROLL: Duration = Duration::from_millis(100);
