//! The container that a stream is in, whichever it is, and the packets in it.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use symphonia::core::errors::Error as MediaError;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::well_known::FORMAT_ID_MKV;
use symphonia::core::formats::{FormatReader, SeekMode, SeekTo, Track, TrackType};
use symphonia::core::io::{MediaSource, MediaSourceStream};
use symphonia::core::meta::RawValue;
use symphonia::core::packet::Packet;
use symphonia::core::units::TimeBase;

use crate::Error;

/// An open container.
pub(crate) struct Container {
    format: Box<dyn FormatReader>,
    /// Where the packets end that were given, in nanoseconds.
    reached: i128,
    is_cut: bool,
    /// What is read from it, where that is counted.
    extent: Arc<Extent>,
}

impl Container {
    /// Finds out what `media` holds. Errors call it `name`; `extension`, as in file names, is a
    /// hint.
    pub(crate) fn probe(
        name: &Path,
        extension: Option<&str>,
        mut media: Box<dyn MediaSource>,
    ) -> Result<Self, Error> {
        let read_error = |cause| Error::Read {
            path: name.into(),
            cause,
        };
        let extent = Arc::default();
        if !media.is_seekable() || begins_with_ebml(media.as_mut()).map_err(read_error)? {
            media = Box::new(Forward {
                media,
                head: Vec::with_capacity(MAX_HEAD),
                extent: Arc::clone(&extent),
            });
        }
        let stream = MediaSourceStream::new(media, Default::default());
        let mut hint = Hint::new();
        if let Some(extension) = extension {
            hint.with_extension(extension);
        }
        let format = symphonia::default::get_probe()
            .probe(&hint, stream, Default::default(), Default::default())
            .map_err(|error| match error {
                MediaError::IoError(cause) if cause.kind() != ErrorKind::UnexpectedEof => {
                    read_error(cause)
                }
                MediaError::DecodeError(reason) => Error::Damaged {
                    path: name.into(),
                    reason: reason.into(),
                },
                _ => Error::NotAudio { path: name.into() },
            })?;
        Ok(Self {
            format,
            reached: 0,
            is_cut: false,
            extent,
        })
    }

    /// [`probe`](Self::probe) of a file.
    pub(crate) fn of_file(path: &Path, file: File) -> Result<Self, Error> {
        let extension = path.extension().and_then(|extension| extension.to_str());
        Self::probe(path, extension, Box::new(file))
    }

    /// The first audio track.
    pub(crate) fn audio_track(&self) -> Option<&Track> {
        self.format.default_track(TrackType::Audio)
    }

    /// The next packet of `track`; None at the end.
    ///
    /// [`MediaError::ResetRequired`] where another stream begins, with other tracks.
    pub(crate) fn next_packet(&mut self, track: u32) -> Result<Option<Packet>, MediaError> {
        loop {
            match self.format.next_packet() {
                Ok(Some(packet)) => {
                    self.extent.unpacked.store(0, Relaxed);
                    if packet.track_id == track {
                        self.note_time(&packet);
                        return Ok(Some(packet));
                    }
                }
                Ok(None) => return Ok(None),
                Err(MediaError::IoError(error))
                    if error.kind() == ErrorKind::UnexpectedEof && self.is_matroska() =>
                {
                    self.is_cut = !self.extent.is_whole() && self.lacks_its_end();
                    return Ok(None);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// False where the format cannot, or finds that beyond its end. Matroska cannot, as its times
    /// of whole milliseconds are not exact to the sample.
    pub(crate) fn seek(&mut self, to: SeekTo) -> bool {
        !self.is_matroska() && self.format.seek(SeekMode::Accurate, to).is_ok()
    }

    /// Whether Matroska ended before its end. Other formats do not tell.
    pub(crate) fn is_cut(&self) -> bool {
        self.is_cut
    }

    pub(crate) fn is_matroska(&self) -> bool {
        self.format.format_info().format == FORMAT_ID_MKV
    }

    fn note_time(&mut self, packet: &Packet) {
        let track = self
            .format
            .tracks()
            .iter()
            .find(|t| t.id == packet.track_id);
        if let Some(base) = track.and_then(|track| track.time_base) {
            let end = i128::from(packet.pts.get()) + i128::from(packet.dur.get());
            self.reached = self.reached.max(nanoseconds(end, base));
        }
    }

    /// Whether so much is missing of what was given that one hears it. Other tracks may go on for
    /// longer, or hold a picture until the end. Where no track is said to end here, this one is
    /// taken to be as long as the file; a cut where another track ends goes unnoticed. What is
    /// recorded live does not know how long it will become, and ends wherever it ends (RFC 9559,
    /// "Livestreaming").
    fn lacks_its_end(&mut self) -> bool {
        let info = self.format.media_info();
        let (Some(base), Some(duration)) = (info.time_base, info.duration) else {
            return false;
        };
        let reached = self.reached;
        let is_near = |end: i128| (end - reached).abs() <= LONGEST_PACKET;
        nanoseconds(duration.get().into(), base) - reached > LONGEST_PACKET
            && !self.ends_of_tracks().into_iter().any(is_near)
    }

    /// Where tracks end, in nanoseconds, by the statistics that FFmpeg has among the tags before the
    /// first packet. They name tracks by UIDs, which symphonia keeps to itself.
    fn ends_of_tracks(&mut self) -> Vec<i128> {
        let metadata = self.format.metadata();
        let tracks = metadata.current().map(|revision| &revision.per_track);
        let tags = tracks.into_iter().flatten().flat_map(|t| &t.metadata.tags);
        tags.filter_map(|tag| match &tag.raw.value {
            RawValue::String(time) if tag.raw.key.ends_with("DURATION") => time_of_day(time),
            _ => None,
        })
        .collect()
    }
}

/// `00:00:01.008000000` in nanoseconds.
fn time_of_day(text: &str) -> Option<i128> {
    let (hours, rest) = text.split_once(':')?;
    let (minutes, seconds) = rest.split_once(':')?;
    let (hours, minutes): (u32, u32) = (hours.parse().ok()?, minutes.parse().ok()?);
    let seconds = Duration::try_from_secs_f64(seconds.parse().ok()?).ok()?;
    let whole = (i128::from(hours) * 60 + i128::from(minutes)) * 60;
    Some(whole * 1_000_000_000 + i128::try_from(seconds.as_nanos()).ok()?)
}

/// Ticks of a time base in nanoseconds.
pub(crate) fn nanoseconds(ticks: i128, base: TimeBase) -> i128 {
    ticks * i128::from(base.numer.get()) * 1_000_000_000 / i128::from(base.denom.get())
}

/// Whether it is Matroska or WebM, perhaps.
fn begins_with_ebml(media: &mut dyn MediaSource) -> io::Result<bool> {
    let mut octets = [0; 4];
    let mut filled = 0;
    while filled < octets.len() {
        match media.read(&mut octets[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    media.seek(SeekFrom::Start(0))?;
    Ok(octets == EBML)
}

/// Read from its beginning to its end only, and no more than [`MAX_UNPACKED`] without a packet.
///
/// symphonia's reader of Matroska otherwise looks at once for what lies at the end, and gives up
/// where a file was cut. And it takes an element into memory whole, however long a server says
/// that it is.
struct Forward {
    media: Box<dyn MediaSource>,
    /// The first octets.
    head: Vec<u8>,
    extent: Arc<Extent>,
}

/// How far a stream was read, and how far it should go. In octets.
#[derive(Default)]
struct Extent {
    /// Since the last packet.
    unpacked: AtomicU64,
    read: AtomicU64,
    /// Where the Segment ends; 0 where it does not say so.
    segment_end: AtomicU64,
}

impl Extent {
    /// Whether all is there that the Segment says it has. One that was written to a pipe does not
    /// say.
    fn is_whole(&self) -> bool {
        let end = self.segment_end.load(Relaxed);
        end > 0 && self.read.load(Relaxed) >= end
    }
}

impl Read for Forward {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.extent.unpacked.load(Relaxed) >= MAX_UNPACKED {
            return Err(io::Error::other("64 MiB without a packet"));
        }
        let count = self.media.read(buffer)?;
        let missing = MAX_HEAD - self.head.len();
        if missing > 0 {
            self.head.extend(&buffer[..count.min(missing)]);
            let end = segment_end(&self.head).unwrap_or(0);
            self.extent.segment_end.store(end, Relaxed);
        }
        self.extent.unpacked.fetch_add(count as u64, Relaxed);
        self.extent.read.fetch_add(count as u64, Relaxed);
        Ok(count)
    }
}

impl Seek for Forward {
    fn seek(&mut self, _: SeekFrom) -> io::Result<u64> {
        Err(ErrorKind::NotSeekable.into())
    }
}

impl MediaSource for Forward {
    fn is_seekable(&self) -> bool {
        false
    }

    fn byte_len(&self) -> Option<u64> {
        None
    }
}

/// Where the Segment behind the EBML header ends; None where it does not say so (RFC 8794 §6.2).
fn segment_end(head: &[u8]) -> Option<u64> {
    let (len, rest) = data_size(head.strip_prefix(&EBML)?)?;
    let rest = rest.get(usize::try_from(len).ok()?..)?;
    let (len, rest) = data_size(rest.strip_prefix(&SEGMENT)?)?;
    len.checked_add((head.len() - rest.len()) as u64)
}

/// An Element Data Size (RFC 8794 §6), and what follows; None where it is unknown.
fn data_size(octets: &[u8]) -> Option<(u64, &[u8])> {
    let len = octets.first()?.leading_zeros() as usize + 1;
    if len > 8 {
        return None;
    }
    let (size, rest) = octets.split_at_checked(len)?;
    let bits = 7 * size.len();
    let value = (size.iter()).fold(0, |value, &octet| value << 8 | u64::from(octet));
    let value = value & ((1 << bits) - 1);
    (value != (1 << bits) - 1).then_some((value, rest))
}

/// RFC 8794 §11.2.1.
const EBML: [u8; 4] = [0x1a, 0x45, 0xdf, 0xa3];
/// RFC 9559 §5.1.
const SEGMENT: [u8; 4] = [0x18, 0x53, 0x80, 0x67];
/// Octets: what writers put before the first element of the Segment has room.
const MAX_HEAD: usize = 128;
/// 120 ms of Opus (RFC 6716 §3.2.5), and what the time stamps are off.
const LONGEST_PACKET: i128 = 200_000_000;
/// Octets: pictures and what else comes before or between packets have room.
const MAX_UNPACKED: u64 = 64 << 20;

#[cfg(test)]
mod tests;
