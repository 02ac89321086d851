//! The microphone of this computer, by cpal: ALSA on Linux (which PipeWire and
//! PulseAudio take in), CoreAudio on macOS, WASAPI on Windows.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use cpal::{
    BufferSize, Device, FromSample, SampleFormat, SizedSample, Stream, StreamConfig,
    SupportedBufferSize, SupportedStreamConfig,
};

use crate::{AudioSource, Error, PcmFormat, PcmReader, PcmSample};

/// What the default input device of this computer hears. Cargo feature
/// `microphone`; on Linux it needs libasound (`libasound2-dev` to build).
///
/// A thread of its own resamples. What nobody reads is dropped when a second
/// waits. The source ends when the device is lost, and its
/// [`error`](AudioSource::error) says why.
pub struct Microphone {
    /// Dropped first, so that nothing waits for room when the stream is.
    pcm: PcmReader,
    /// Records until it is dropped.
    _stream: Stream,
}

impl Microphone {
    /// Starts to record.
    ///
    /// # Errors
    /// [`Error::Microphone`] without a device, without leave to use it, or with
    /// one of an unusual sample format.
    pub fn open() -> Result<Self, Error> {
        let no_device = || Error::Microphone("there is none".into());
        let device = cpal::default_host()
            .default_input_device()
            .ok_or_else(no_device)?;
        let supported = device.default_input_config().map_err(error)?;
        let mut config = supported.config();
        config.buffer_size = buffer_size(&supported);
        let format = PcmFormat {
            sample: PcmSample::F32le,
            rate: config.sample_rate,
            channels: config.channels,
        };
        let (sender, octets) = sync_channel(MAX_WAITING);
        let stream = match supported.sample_format() {
            SampleFormat::F32 => record::<f32>(&device, config, sender)?,
            SampleFormat::I16 => record::<i16>(&device, config, sender)?,
            SampleFormat::I32 => record::<i32>(&device, config, sender)?,
            format => return Err(Error::Microphone(format!("samples of {format}"))),
        };
        let captured = Captured {
            octets,
            rest: Vec::new(),
        };
        let pcm = PcmReader::with_format(captured, format)?;
        stream.play().map_err(error)?;
        Ok(Self {
            pcm,
            _stream: stream,
        })
    }
}

impl AudioSource for Microphone {
    fn read(&mut self, pcm: &mut [[f32; 2]]) -> usize {
        self.pcm.read(pcm)
    }

    fn ended(&self) -> bool {
        self.pcm.ended()
    }

    fn ready(&mut self) -> bool {
        self.pcm.ready()
    }

    fn error(&mut self) -> Option<String> {
        self.pcm.error()
    }
}

impl std::fmt::Debug for Microphone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Microphone").finish_non_exhaustive()
    }
}

/// Sends what is recorded, as the octets of floating-point samples.
fn record<T: SizedSample>(
    device: &Device,
    config: StreamConfig,
    sender: SyncSender<Result<Vec<u8>, cpal::Error>>,
) -> Result<Stream, Error>
where
    f32: FromSample<T>,
{
    let build = |config| build(device, config, sender.clone());
    with_any_buffer(config, build).map_err(error)
}

/// What a device can may depend on its rate, which it is not asked with: one that refuses the
/// buffer gets its own.
fn with_any_buffer<S>(
    config: StreamConfig,
    build: impl Fn(StreamConfig) -> Result<S, cpal::Error>,
) -> Result<S, cpal::Error> {
    match build(config) {
        Err(error) if error.kind() == cpal::ErrorKind::UnsupportedConfig => build(StreamConfig {
            buffer_size: BufferSize::Default,
            ..config
        }),
        built => built,
    }
}

fn build<T: SizedSample>(
    device: &Device,
    config: StreamConfig,
    sender: SyncSender<Result<Vec<u8>, cpal::Error>>,
) -> Result<Stream, cpal::Error>
where
    f32: FromSample<T>,
{
    let lost = sender.clone();
    let on_samples = move |samples: &[T], _: &cpal::InputCallbackInfo| {
        let octets = samples
            .iter()
            .flat_map(|&sample| f32::from_sample_(sample).to_le_bytes());
        // Full: nobody reads, and old sound is of no use.
        let _ = sender.try_send(Ok(octets.collect()));
    };
    let on_error = move |error: cpal::Error| {
        if matches!(
            error.kind(),
            cpal::ErrorKind::DeviceNotAvailable | cpal::ErrorKind::StreamInvalidated
        ) {
            // Nothing else comes from this device: it may wait for room. Nobody
            // there: then nobody wants to know.
            let _ = lost.send(Err(error));
        }
    };
    device.build_input_stream(config, on_samples, on_error, None)
}

/// 20 ms, or as near to it as the device comes. Left alone, some have buffers of a single sample.
fn buffer_size(supported: &SupportedStreamConfig) -> BufferSize {
    match *supported.buffer_size() {
        SupportedBufferSize::Range { min, max } if min <= max => {
            BufferSize::Fixed((supported.sample_rate() / 50).clamp(min, max))
        }
        _ => BufferSize::Default,
    }
}

/// What the device recorded; an error when it was lost.
struct Captured {
    octets: Receiver<Result<Vec<u8>, cpal::Error>>,
    rest: Vec<u8>,
}

impl Read for Captured {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.rest.is_empty() {
            match self.octets.recv() {
                Ok(Ok(octets)) => self.rest = octets,
                Ok(Err(error)) => return Err(io::Error::other(error)),
                Err(_) => return Ok(0),
            }
        }
        let count = self.rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&self.rest[..count]);
        self.rest.drain(..count);
        Ok(count)
    }
}

fn error(cause: cpal::Error) -> Error {
    Error::Microphone(cause.to_string())
}

/// Buffers: a second where they have 20 ms each.
const MAX_WAITING: usize = 50;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_recorded_is_read_in_order_until_the_device_is_lost() {
        let (sender, octets) = sync_channel(4);
        let rest = Vec::new();
        let lost = cpal::Error::with_message(cpal::ErrorKind::DeviceNotAvailable, "unplugged");
        for part in [Ok(vec![1, 2, 3]), Ok(Vec::new()), Ok(vec![4]), Err(lost)] {
            sender.send(part).unwrap();
        }
        let mut read = Vec::new();
        let error = Captured { octets, rest }
            .read_to_end(&mut read)
            .unwrap_err();
        assert_eq!(read, [1, 2, 3, 4]);
        assert!(error.to_string().contains("unplugged"), "{error}");
    }

    /// The buffer that is asked for at first, and that of the stream, of a device that says it has
    /// these and has those up to `largest` at its rate.
    fn buffers(said: SupportedBufferSize, largest: u32) -> (BufferSize, BufferSize) {
        let supported = SupportedStreamConfig::new(1, 48_000, said, SampleFormat::F32);
        let mut config = supported.config();
        config.buffer_size = buffer_size(&supported);
        let has = |config: StreamConfig| match config.buffer_size {
            BufferSize::Fixed(size) if size > largest => {
                Err(cpal::Error::new(cpal::ErrorKind::UnsupportedConfig))
            }
            size => Ok(size),
        };
        (config.buffer_size, with_any_buffer(config, has).unwrap())
    }

    #[test]
    fn buffer_is_as_near_to_20_ms_as_the_device_comes() {
        let range = |min, max| SupportedBufferSize::Range { min, max };
        for (said, asked) in [
            (range(1, 48_000), BufferSize::Fixed(960)),
            (range(1, 512), BufferSize::Fixed(512)),
            (range(1_024, 4_096), BufferSize::Fixed(1_024)),
            (range(0, u32::MAX), BufferSize::Fixed(960)),
            (range(2, 1), BufferSize::Default),
            (SupportedBufferSize::Unknown, BufferSize::Default),
        ] {
            assert_eq!(buffers(said, u32::MAX), (asked, asked), "{said:?}");
        }
    }

    #[test]
    fn device_that_refuses_the_buffer_gets_its_own() {
        let said = SupportedBufferSize::Range {
            min: 16,
            max: 65_536,
        };
        let (asked, got) = buffers(said, 480);
        assert_eq!(asked, BufferSize::Fixed(960));
        assert_eq!(got, BufferSize::Default);
    }

    #[test]
    fn device_that_fails_otherwise_is_not_asked_again() {
        let asked = std::cell::Cell::new(0);
        let lost = |_| {
            asked.set(asked.get() + 1);
            Err::<(), _>(cpal::Error::new(cpal::ErrorKind::DeviceNotAvailable))
        };
        let config = StreamConfig {
            channels: 1,
            sample_rate: 48_000,
            buffer_size: BufferSize::Fixed(960),
        };
        let error = with_any_buffer(config, lost).unwrap_err();
        assert_eq!(error.kind(), cpal::ErrorKind::DeviceNotAvailable);
        assert_eq!(asked.get(), 1);
    }
}
