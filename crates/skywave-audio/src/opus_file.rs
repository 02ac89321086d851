//! Opus out of a file, packet by packet, without decoding it.

use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread;

use crate::opus_reader::{OpusReader, ended};
use crate::{EncodedSource, EncodedSupply, Error};

/// The packets of a file of Opus, mono or stereo: Ogg (RFC 7845), WebM or Matroska, told by what
/// is in it, whatever its name. Of several audio tracks the first is taken, and pictures are left
/// out.
///
/// A thread of its own reads ahead; dropping the source ends it. What a player of the file would
/// trim is sent all the same, as packets are not taken apart: the pre-skip at the beginning
/// (RFC 7845 §4.2; mostly 6.5 ms, in which the decoder settles) and the rest of the last packet.
/// So a file that is repeated has a gap of some milliseconds. A file cut short is played as far as
/// it goes; a WebM file recorded live does not say how long it is, so that nobody can see whether
/// it was cut.
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
        let reader = OpusReader::open(path)?;
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

/// Sends packets until the source is dropped, and why there are no more.
fn read_ahead(mut reader: OpusReader, repeating: bool, packets: &SyncSender<EncodedSupply>) {
    let mut sent = 0_u64;
    loop {
        let supply = match reader.next() {
            EncodedSupply::Ended { fault: None } if sent == 0 => ended("it holds no packets"),
            EncodedSupply::Ended { fault: None } if repeating => {
                match reader.reopen() {
                    Ok(again) => (reader, sent) = (again, 0),
                    Err(error) => {
                        let _ = packets.send(ended(error));
                        return;
                    }
                }
                continue;
            }
            EncodedSupply::Ended { fault: None } if reader.is_cut() => ended("the file breaks off"),
            supply => supply,
        };
        sent += 1;
        let is_end = !matches!(supply, EncodedSupply::Packet(_));
        if packets.send(supply).is_err() || is_end {
            return;
        }
    }
}

/// One second of 20 ms.
const PACKETS_AHEAD: usize = 50;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::EncodedPacket;

    const STEREO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/stereo.opus");
    const WEBM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/stereo_60ms.webm");
    const LIVE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/live.webm");

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

    /// [`read`] of a file with this content.
    fn read_content(content: &[u8], name: &str) -> (Vec<EncodedPacket>, Option<String>) {
        let path = std::env::temp_dir().join(format!("skywave-{}-{name}", std::process::id()));
        std::fs::write(&path, content).unwrap();
        let read = read(&path);
        std::fs::remove_file(&path).unwrap();
        read
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
        let (cut, fault) = read_content(&chain, "cut-packets.opus");
        assert!(cut.starts_with(&packets), "{}", cut.len());
        assert!(cut.len() < 2 * packets.len());
        assert_eq!(fault.as_deref(), Some("the file breaks off"));
    }

    #[test]
    fn webm_goes_out_in_its_own_packets_whatever_its_name() {
        for (file, count, samples, first_octets) in [
            // As ffprobe tells them.
            (WEBM, 17, 2_880, [219, 199, 213, 150]),
            (LIVE, 26, 960, [89, 62, 62, 64]),
        ] {
            let (packets, fault) = read_content(&std::fs::read(file).unwrap(), "webm.opus");
            assert_eq!(fault, None, "{file}");
            assert_eq!(packets.len(), count);
            assert!(packets.iter().all(|packet| packet.samples() == samples));
            let octets = packets.iter().map(|packet| packet.payload().len());
            assert!(octets.take(4).eq(first_octets), "{file}");
            let mut again = OpusFile::open_repeating(file).unwrap();
            for packet in packets.iter().chain(&packets[..1]) {
                assert_eq!(wait(&mut again), EncodedSupply::Packet(packet.clone()));
            }
        }
    }

    #[test]
    fn webm_cut_anywhere_is_refused_or_played_as_far_as_it_goes() {
        let whole = std::fs::read(WEBM).unwrap();
        let (packets, _) = read(WEBM);
        let path = std::env::temp_dir().join(format!("skywave-{}-cut.webm", std::process::id()));
        let mut played = 0;
        for len in (1..whole.len()).step_by(13) {
            std::fs::write(&path, &whole[..len]).unwrap();
            if OpusFile::open(&path).is_err() {
                continue;
            }
            let (cut, fault) = read(&path);
            assert!(packets.starts_with(&cut), "{len}");
            // 200 ms and less are not missed.
            assert!(fault.is_some() || cut.len() + 4 > packets.len(), "{len}");
            played += 1;
        }
        std::fs::remove_file(&path).unwrap();
        assert!(played > 250, "{played}");
        let (_, fault) = read_content(&whole[..whole.len() / 2], "half.webm");
        assert!(fault.unwrap().contains("the file breaks off"));
    }

    #[test]
    fn file_that_was_cut_is_repeated_as_far_as_it_goes() {
        let (ogg, webm) = (std::fs::read(STEREO).unwrap(), std::fs::read(WEBM).unwrap());
        let second_cut = [&ogg[..], &ogg[..ogg.len() - 100]].concat();
        for content in [&second_cut, &webm[..webm.len() / 2]] {
            let path = std::env::temp_dir().join(format!("skywave-{}-again", std::process::id()));
            std::fs::write(&path, content).unwrap();
            let (packets, fault) = read(&path);
            assert_eq!(fault.as_deref(), Some("the file breaks off"));
            let mut source = OpusFile::open_repeating(&path).unwrap();
            for packet in packets.iter().chain(&packets).chain(&packets) {
                assert_eq!(wait(&mut source), EncodedSupply::Packet(packet.clone()));
            }
            drop(source);
            std::fs::remove_file(&path).unwrap();
        }
    }

    #[test]
    fn files_of_something_else_are_refused() {
        let open = |name| OpusFile::open(format!("{}/testdata/{name}", env!("CARGO_MANIFEST_DIR")));
        for name in [
            "mono_8k.wav",
            "stereo_44k1.ogg",
            "stereo_44k1.mkv",
            "surround.opus",
        ] {
            assert!(
                matches!(open(name), Err(Error::Unsupported { .. })),
                "{name}"
            );
        }
        assert!(matches!(open("mu_law.runs"), Err(Error::NotAudio { .. })));
        assert!(matches!(open("absent.opus"), Err(Error::Read { .. })));
    }
}
