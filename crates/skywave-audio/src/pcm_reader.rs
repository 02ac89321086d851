//! Raw PCM from any blocking reader, such as standard input.

use std::io::{self, ErrorKind, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use crate::AudioSource;
use crate::prefetch::{BLOCK_SAMPLES, Prefetch};

/// Raw signed 16-bit little-endian PCM at 48 kHz in stereo, read ahead by a
/// thread of its own.
///
/// At most about a second is read ahead; then the reader is left alone until
/// the source is played on. A slow reader starves the source, the end of the
/// reader or an error ends it. Octets after the last whole sample are dropped.
///
/// Dropping the source ends the thread as soon as the reader's current `read` returns.
pub struct PcmReader {
    prefetch: Prefetch,
    error: Receiver<io::Error>,
}

impl PcmReader {
    /// Starts reading. Without a thread to be had, the source is ended at once.
    pub fn new(reader: impl Read + Send + 'static) -> Self {
        let (blocks, prefetch) = Prefetch::new();
        let (failed, error) = sync_channel(1);
        let run = move || {
            if let Err(error) = read_ahead(reader, &blocks) {
                // If the source is dropped, nobody wants to know.
                let _ = failed.try_send(error);
            }
        };
        // A thread that cannot be started drops the sender, which ends the source.
        let _ = thread::Builder::new().name("pcm-reader".into()).spawn(run);
        Self { prefetch, error }
    }
}

impl AudioSource for PcmReader {
    fn read(&mut self, pcm: &mut [[f32; 2]]) -> usize {
        self.prefetch.read(pcm)
    }

    fn ended(&self) -> bool {
        self.prefetch.ended()
    }

    fn ready(&mut self) -> bool {
        self.prefetch.ready()
    }

    fn error(&mut self) -> Option<String> {
        Some(self.error.try_recv().ok()?.to_string())
    }
}

impl std::fmt::Debug for PcmReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PcmReader").finish_non_exhaustive()
    }
}

/// Passes on whatever each `read` gives, so that a live reader is not delayed
/// until a whole block is there.
fn read_ahead(mut reader: impl Read, blocks: &SyncSender<Box<[[f32; 2]]>>) -> io::Result<()> {
    let mut octets = [0; BLOCK_SAMPLES * SAMPLE_OCTETS];
    let mut filled = 0;
    loop {
        match reader.read(&mut octets[filled..]) {
            Ok(0) => return Ok(()),
            Ok(count) => filled += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        }
        let (samples, rest) = octets[..filled].as_chunks::<SAMPLE_OCTETS>();
        let block: Box<[[f32; 2]]> = samples.iter().map(decode).collect();
        let rest = filled - rest.len()..filled;
        filled = rest.len();
        octets.copy_within(rest, 0);
        if !block.is_empty() && blocks.send(block).is_err() {
            return Ok(());
        }
    }
}

fn decode(octets: &[u8; SAMPLE_OCTETS]) -> [f32; 2] {
    let [a, b, c, d] = *octets;
    [[a, b], [c, d]].map(|channel| f32::from(i16::from_le_bytes(channel)) / 32_768.0)
}

/// Two channels of 16 bits.
const SAMPLE_OCTETS: usize = 4;

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Sender, channel};

    use super::*;

    /// Gives what the test sends it, and blocks until then.
    struct Pipe {
        octets: Receiver<io::Result<Vec<u8>>>,
        rest: Vec<u8>,
    }

    impl Read for Pipe {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.rest.is_empty() {
                match self.octets.recv() {
                    Ok(octets) => self.rest = octets?,
                    Err(_) => return Ok(0),
                }
            }
            let count = self.rest.len().min(buffer.len());
            buffer[..count].copy_from_slice(&self.rest[..count]);
            self.rest.drain(..count);
            Ok(count)
        }
    }

    fn pipe() -> (Sender<io::Result<Vec<u8>>>, PcmReader) {
        let (sender, octets) = channel();
        let rest = Vec::new();
        (sender, PcmReader::new(Pipe { octets, rest }))
    }

    /// Reads until `count` samples or the end have come.
    fn collect(source: &mut PcmReader, count: usize) -> Vec<[f32; 2]> {
        let mut samples = Vec::new();
        while samples.len() < count && !source.ended() {
            let mut pcm = [[0.0; 2]; 7];
            let most = pcm.len().min(count - samples.len());
            let read = source.read(&mut pcm[..most]);
            samples.extend_from_slice(&pcm[..read]);
            thread::yield_now();
        }
        samples
    }

    #[test]
    fn samples_are_signed_little_endian_left_first() {
        let octets: &[u8] = &[0x00, 0x40, 0x00, 0x80, 0xff, 0xff, 0x01, 0x00];
        let mut source = PcmReader::new(octets);
        let samples = collect(&mut source, usize::MAX);
        let unit = 1.0 / 32_768.0;
        assert_eq!(samples, [[0.5, -1.0], [-unit, unit]]);
    }

    #[test]
    fn slow_reader_starves_the_source_without_blocking_it() {
        let (sender, mut source) = pipe();
        let mut pcm = [[0.0; 2]; 960];
        // The reader blocks for good; were the source to wait, so would the test.
        assert_eq!(source.read(&mut pcm), 0);
        assert!(!source.ended());
        sender.send(Ok(vec![0, 0x40, 0, 0x40])).unwrap();
        assert_eq!(collect(&mut source, 1), [[0.5; 2]]);
        assert_eq!(source.read(&mut pcm), 0);
        assert!(!source.ended());
    }

    #[test]
    fn samples_split_over_reads_are_joined_and_odd_octets_at_the_end_dropped() {
        let (sender, mut source) = pipe();
        for octets in [
            &[0x00][..],
            &[0x40, 0x00],
            &[0xc0, 0x00, 0x20, 0x00],
            &[0x20, 1, 2, 3],
        ] {
            sender.send(Ok(octets.to_vec())).unwrap();
        }
        drop(sender);
        let samples = collect(&mut source, usize::MAX);
        assert_eq!(samples, [[0.5, -0.5], [0.25, 0.25]]);
        assert!(source.ended());
    }

    #[test]
    fn interruption_is_retried_and_an_error_ends_the_source() {
        let (sender, mut source) = pipe();
        sender.send(Err(ErrorKind::Interrupted.into())).unwrap();
        sender.send(Ok(vec![0; 8])).unwrap();
        sender.send(Err(ErrorKind::BrokenPipe.into())).unwrap();
        assert_eq!(collect(&mut source, usize::MAX).len(), 2);
        assert!(source.ended());
        assert_eq!(source.error().unwrap(), "broken pipe");
    }

    #[test]
    fn dropping_the_source_ends_the_thread() {
        struct Endless(Sender<()>);
        impl Read for Endless {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                buffer.fill(1);
                Ok(buffer.len())
            }
        }
        impl Drop for Endless {
            fn drop(&mut self) {
                self.0.send(()).unwrap();
            }
        }
        let (dropped, when_dropped) = channel();
        let mut source = PcmReader::new(Endless(dropped));
        assert_eq!(collect(&mut source, 200_000).len(), 200_000);
        assert!(when_dropped.try_recv().is_err());
        drop(source);
        when_dropped.recv().unwrap();
    }
}
