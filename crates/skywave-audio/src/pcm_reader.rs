//! Raw PCM from any blocking reader, such as standard input.

use std::io::{self, ErrorKind, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use symphonia::core::audio::Channels;

use crate::downmix::Downmix;
use crate::prefetch::{BLOCK_SAMPLES, Prefetch};
use crate::{AudioSource, Error, PcmConverter, SAMPLE_RATE};

/// Raw PCM, read ahead by a thread of its own.
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
    /// Starts reading signed 16-bit little-endian PCM at 48 kHz in stereo.
    /// Without a thread to be had, the source is ended at once.
    pub fn new(reader: impl Read + Send + 'static) -> Self {
        Self::start(reader, PcmFormat::default())
    }

    /// Starts reading PCM of any format.
    ///
    /// # Errors
    /// [`Error::PcmFormat`] for a rate outside 1,000 to 768,000 Hz, no channel, or
    /// more than 64.
    pub fn with_format(
        reader: impl Read + Send + 'static,
        format: PcmFormat,
    ) -> Result<Self, Error> {
        let rates = 1_000..=768_000;
        if !rates.contains(&format.rate) || !(1..=MAX_CHANNELS).contains(&format.channels) {
            return Err(Error::PcmFormat(format));
        }
        Ok(Self::start(reader, format))
    }

    fn start(reader: impl Read + Send + 'static, format: PcmFormat) -> Self {
        let (blocks, prefetch) = Prefetch::new();
        let (failed, error) = sync_channel(1);
        let run = move || {
            if let Err(error) = read_ahead(reader, format, &blocks) {
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

/// How raw PCM is written: interleaved samples, without a header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PcmFormat {
    /// How one sample of one channel is written.
    pub sample: PcmSample,
    /// Samples a second of each channel, 1,000 to 768,000.
    pub rate: u32,
    /// Channels, 1 to 64. One is heard on both sides; two are left and right;
    /// more are taken to alternate between the sides.
    pub channels: u16,
}

impl Default for PcmFormat {
    /// Signed 16-bit little-endian PCM at 48 kHz in stereo.
    fn default() -> Self {
        Self {
            sample: PcmSample::S16le,
            rate: SAMPLE_RATE,
            channels: 2,
        }
    }
}

/// How one sample of one channel is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum PcmSample {
    /// Signed, 16 bits, little-endian.
    S16le,
    /// Signed, 24 bits in three octets, little-endian.
    S24le,
    /// Floating point, 32 bits, little-endian, full scale at 1.0.
    F32le,
}

impl PcmSample {
    fn octets(self) -> usize {
        match self {
            Self::S16le => 2,
            Self::S24le => 3,
            Self::F32le => 4,
        }
    }

    /// The value of exactly [`octets`](Self::octets) octets.
    fn decode(self, octets: &[u8]) -> f32 {
        match (self, octets) {
            (Self::S16le, &[a, b]) => f32::from(i16::from_le_bytes([a, b])) / 32_768.0,
            (Self::S24le, &[a, b, c]) => i32::from_le_bytes([0, a, b, c]) as f32 / 2_147_483_648.0,
            (Self::F32le, &[a, b, c, d]) => {
                let value = f32::from_le_bytes([a, b, c, d]);
                if value.is_finite() { value } else { 0.0 }
            }
            _ => 0.0,
        }
    }
}

/// Passes on whatever each `read` gives, so that a live reader is not delayed
/// until a whole block is there.
fn read_ahead(
    mut reader: impl Read,
    format: PcmFormat,
    blocks: &SyncSender<Box<[[f32; 2]]>>,
) -> io::Result<()> {
    let sample_octets = format.sample.octets();
    let frame_octets = sample_octets * usize::from(format.channels);
    let downmix = Downmix::new(&Channels::Discrete(format.channels));
    let mut converter = PcmConverter::new();
    let mut octets = vec![0; BLOCK_SAMPLES * frame_octets];
    let mut filled = 0;
    loop {
        let end = match reader.read(&mut octets[filled..]) {
            Ok(0) => Some(Ok(())),
            Ok(count) => {
                filled += count;
                None
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => Some(Err(error)),
        };
        let whole = filled - filled % frame_octets;
        let values = octets[..whole].chunks_exact(sample_octets);
        let interleaved: Vec<f32> = values.map(|value| format.sample.decode(value)).collect();
        octets.copy_within(whole..filled, 0);
        filled -= whole;
        let (mut stereo, mut pcm) = (Vec::new(), Vec::new());
        downmix.mix(&interleaved, &mut stereo);
        // Neither fails at the rates that are accepted.
        let resampled = match end {
            None => converter.convert_stereo(&stereo, format.rate, &mut pcm),
            Some(_) => converter.flush(&mut pcm),
        };
        if resampled.is_err() || !send(&pcm, blocks) {
            return Ok(());
        }
        if let Some(end) = end {
            return end;
        }
    }
}

/// Sends what is there; false once the source is dropped.
fn send(pcm: &[[f32; 2]], blocks: &SyncSender<Box<[[f32; 2]]>>) -> bool {
    let mut blocks_of_pcm = pcm.chunks(BLOCK_SAMPLES);
    blocks_of_pcm.all(|block| blocks.send(block.into()).is_ok())
}

const MAX_CHANNELS: u16 = 64;

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

    #[test]
    fn every_format_is_converted() {
        let half = |sample| -> &'static [u8] {
            match sample {
                PcmSample::S16le => &[0x00, 0x40],
                PcmSample::S24le => &[0x00, 0x00, 0x40],
                PcmSample::F32le => &[0x00, 0x00, 0x00, 0x3f],
            }
        };
        for sample in [PcmSample::S16le, PcmSample::S24le, PcmSample::F32le] {
            for (rate, channels) in [(48_000, 1), (48_000, 2), (44_100, 1), (16_000, 6)] {
                let octets = half(sample).repeat(usize::from(channels) * rate as usize / 10);
                let format = PcmFormat {
                    sample,
                    rate,
                    channels,
                };
                let reader = std::io::Cursor::new(octets);
                let mut source = PcmReader::with_format(reader, format).unwrap();
                let samples = collect(&mut source, usize::MAX);
                assert_eq!(samples.len(), 4_800, "{format:?}");
                let [left, right] = samples[2_400];
                assert!((left - 0.5).abs() < 1e-3 && left == right, "{format:?}");
            }
        }
    }

    #[test]
    fn format_without_sense_is_refused() {
        for (rate, channels) in [(0, 2), (999, 2), (768_001, 2), (48_000, 0), (48_000, 65)] {
            let format = PcmFormat {
                rate,
                channels,
                ..PcmFormat::default()
            };
            assert!(matches!(
                PcmReader::with_format(std::io::empty(), format),
                Err(Error::PcmFormat(refused)) if refused == format
            ));
        }
    }

    #[test]
    fn floating_point_samples_that_are_no_numbers_are_silence() {
        let format = PcmFormat {
            sample: PcmSample::F32le,
            ..PcmFormat::default()
        };
        let octets = [f32::NAN.to_le_bytes(), f32::INFINITY.to_le_bytes()].concat();
        let mut source = PcmReader::with_format(std::io::Cursor::new(octets), format).unwrap();
        assert_eq!(collect(&mut source, usize::MAX), [[0.0; 2]]);
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
