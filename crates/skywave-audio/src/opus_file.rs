//! Opus out of a file, packet by packet, without decoding it (RFC 7845 for Ogg).

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread;

use symphonia::core::codecs::CodecParameters;
use symphonia::core::codecs::audio::well_known::CODEC_ID_OPUS;
use symphonia::core::errors::Error as MediaError;
use symphonia::core::formats::{FormatReader, TrackType};

use crate::decoder::probe;
use crate::file_decoder::open_file;
use crate::{AudioCodec, EncodedPacket, EncodedSource, EncodedSupply, Error};

/// The packets of an Ogg Opus file, mono or stereo.
///
/// A thread of its own reads ahead; dropping the source ends it. What a player of the file would
/// trim is sent all the same, as packets are not taken apart: the pre-skip at the beginning
/// (RFC 7845 §4.2; mostly 6.5 ms, in which the decoder settles) and the rest of the last packet.
/// So a file that is repeated has a gap of some milliseconds. A file cut short is played as far as
/// it goes.
pub struct OpusFile {
    packets: Receiver<EncodedSupply>,
    /// What is answered from now on.
    end: Option<EncodedSupply>,
}

impl OpusFile {
    /// Opens `path`, to be played once.
    ///
    /// # Errors
    /// [`Error::Read`], [`Error::NotAudio`], [`Error::Damaged`], [`Error::Empty`];
    /// [`Error::Unsupported`] if it holds something else than Opus in mono or stereo;
    /// [`Error::Thread`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::start(path.as_ref(), false)
    }

    /// Opens `path`, to be played over and over.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_repeating(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::start(path.as_ref(), true)
    }

    fn start(path: &Path, repeating: bool) -> Result<Self, Error> {
        let reader = Reader::open(path)?;
        let (sender, packets) = sync_channel(PACKETS_AHEAD);
        thread::Builder::new()
            .name("opus-file".into())
            .spawn(move || read_ahead(reader, repeating, &sender))
            .map_err(Error::Thread)?;
        Ok(Self { packets, end: None })
    }
}

impl EncodedSource for OpusFile {
    fn next(&mut self) -> EncodedSupply {
        if let Some(end) = &self.end {
            return end.clone();
        }
        let supply = match self.packets.try_recv() {
            Ok(supply) => supply,
            Err(TryRecvError::Empty) => EncodedSupply::Starved,
            // The thread panicked on what it read.
            Err(TryRecvError::Disconnected) => ended("the reader failed"),
        };
        if matches!(supply, EncodedSupply::Ended { .. }) {
            self.end = Some(supply.clone());
        }
        supply
    }
}

impl std::fmt::Debug for OpusFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpusFile").finish_non_exhaustive()
    }
}

/// One pass through a file.
struct Reader {
    path: PathBuf,
    format: Box<dyn FormatReader>,
    track: u32,
}

impl Reader {
    fn open(path: &Path) -> Result<Self, Error> {
        let file = open_file(path)?;
        let extension = path.extension().and_then(|extension| extension.to_str());
        let format = probe(path, extension, Box::new(file))?;
        let track = opus_track(format.as_ref()).map_err(|what| Error::Unsupported {
            path: path.into(),
            what,
        })?;
        Ok(Self {
            path: path.into(),
            format,
            track,
        })
    }

    /// The next packet, or the end of the pass.
    fn next(&mut self) -> EncodedSupply {
        loop {
            match self.format.next_packet() {
                Ok(Some(packet)) if packet.track_id == self.track => {
                    return match EncodedPacket::new(AudioCodec::Opus, &packet.data[..]) {
                        Ok(packet) => EncodedSupply::Packet(packet),
                        Err(error) => ended(error),
                    };
                }
                Ok(Some(_)) => {}
                Ok(None) => return EncodedSupply::Ended { fault: None },
                // The next link of a chained Ogg file (RFC 3533 §4).
                Err(MediaError::ResetRequired) => match opus_track(self.format.as_ref()) {
                    Ok(track) => self.track = track,
                    Err(what) => return ended(what),
                },
                Err(error) => return ended(error),
            }
        }
    }
}

impl Reader {
    /// Whether an Ogg file lacks its last page (RFC 3533 §6: the end of a logical stream is marked).
    fn is_cut(&self) -> bool {
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

/// Whether these octets are exactly one page, and that the last of its stream.
fn is_last_page(octets: &[u8]) -> bool {
    let Some((header, rest)) = octets.split_first_chunk::<27>() else {
        return false;
    };
    let table = rest.get(..header[26].into()).unwrap_or_default();
    let body: usize = table.iter().copied().map(usize::from).sum();
    header.starts_with(b"OggS") && header[5] & 4 != 0 && rest.len() == table.len() + body
}

/// Sends packets until the source is dropped, and why there are no more.
fn read_ahead(mut reader: Reader, repeating: bool, packets: &SyncSender<EncodedSupply>) {
    let mut sent = 0_u64;
    loop {
        let supply = match reader.next() {
            EncodedSupply::Ended { fault: None } if sent == 0 => ended("it holds no packets"),
            EncodedSupply::Ended { fault: None } if !repeating && reader.is_cut() => {
                ended("the file breaks off")
            }
            EncodedSupply::Ended { fault: None } if repeating => {
                match Reader::open(&reader.path) {
                    Ok(again) => (reader, sent) = (again, 0),
                    Err(error) => {
                        let _ = packets.send(ended(error));
                        return;
                    }
                }
                continue;
            }
            supply => supply,
        };
        sent += 1;
        let is_end = !matches!(supply, EncodedSupply::Packet(_));
        if packets.send(supply).is_err() || is_end {
            return;
        }
    }
}

/// The first audio track, or what it is instead of Opus in mono or stereo.
fn opus_track(format: &dyn FormatReader) -> Result<u32, String> {
    let track = format.default_track(TrackType::Audio).ok_or("no audio")?;
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

fn ended(fault: impl ToString) -> EncodedSupply {
    EncodedSupply::Ended {
        fault: Some(fault.to_string()),
    }
}

/// One second of 20 ms.
const PACKETS_AHEAD: usize = 50;

/// The longest page (RFC 3533 §6).
const MAX_OGG_PAGE: u64 = 65_307;

#[cfg(test)]
mod tests {
    use super::*;

    const STEREO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/stereo.opus");

    /// Waits for what the thread sends.
    fn wait(source: &mut OpusFile) -> EncodedSupply {
        loop {
            match source.next() {
                EncodedSupply::Starved => thread::yield_now(),
                supply => return supply,
            }
        }
    }

    /// All packets, and the fault at the end.
    fn read(path: impl AsRef<Path>) -> (Vec<EncodedPacket>, Option<String>) {
        let mut source = OpusFile::open(path).unwrap();
        let mut packets = Vec::new();
        loop {
            match wait(&mut source) {
                EncodedSupply::Packet(packet) => packets.push(packet),
                EncodedSupply::Ended { fault } => return (packets, fault),
                EncodedSupply::Starved => unreachable!(),
            }
        }
    }

    #[test]
    fn rfc7845_packets_of_a_file_come_whole_and_in_order_and_then_the_end() {
        let (packets, fault) = read(STEREO);
        assert_eq!(fault, None);
        let samples: u32 = packets.iter().map(EncodedPacket::samples).sum();
        assert!(samples >= 48_000 / 2, "{samples}");
        let mut decoder = ropus::Decoder::new(48_000, ropus::Channels::Stereo).unwrap();
        let mut pcm = [0.0; 2 * 5_760];
        for packet in &packets {
            let decoded =
                decoder.decode_float(packet.payload(), &mut pcm, ropus::DecodeMode::Normal);
            assert_eq!(decoded.unwrap(), packet.samples() as usize);
        }
    }

    #[test]
    fn repeated_file_begins_again_with_its_first_packet() {
        let (packets, _) = read(STEREO);
        let mut source = OpusFile::open_repeating(STEREO).unwrap();
        for packet in packets.iter().chain(&packets) {
            assert_eq!(wait(&mut source), EncodedSupply::Packet(packet.clone()));
        }
    }

    #[test]
    fn damaged_file_is_played_as_far_as_it_goes() {
        let whole = std::fs::read(STEREO).unwrap();
        let (packets, _) = read(STEREO);
        // A chain of two, the second of which is cut.
        let mut chain = whole.clone();
        chain.extend(&whole[..whole.len() - 100]);
        let name = format!("skywave-{}-cut-packets.opus", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, &chain).unwrap();
        let (cut, fault) = read(&path);
        std::fs::remove_file(&path).unwrap();
        assert!(cut.starts_with(&packets), "{}", cut.len());
        assert!(cut.len() < 2 * packets.len());
        assert_eq!(fault.as_deref(), Some("the file breaks off"));
    }

    #[test]
    fn files_of_something_else_are_refused() {
        let open = |name| OpusFile::open(format!("{}/testdata/{name}", env!("CARGO_MANIFEST_DIR")));
        for name in ["mono_8k.wav", "stereo_44k1.ogg", "surround.opus"] {
            assert!(
                matches!(open(name), Err(Error::Unsupported { .. })),
                "{name}"
            );
        }
        assert!(matches!(open("mu_law.runs"), Err(Error::NotAudio { .. })));
        assert!(matches!(open("absent.opus"), Err(Error::Read { .. })));
    }
}
