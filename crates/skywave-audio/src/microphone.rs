//! The microphone of this computer, by cpal: ALSA on Linux (which PipeWire and
//! PulseAudio take in), CoreAudio on macOS, WASAPI on Windows.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use cpal::{Device, FromSample, SampleFormat, SizedSample, Stream, StreamConfig};

use crate::{AudioSource, Error, PcmFormat, PcmReader, PcmSample};

/// What the default input device of this computer hears. Cargo feature
/// `microphone`; on Linux it needs libasound (`libasound2-dev` to build).
///
/// A thread of its own resamples. What nobody reads is dropped when a second
/// waits. The source ends when the device is lost.
pub struct Microphone {
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
        let config = supported.config();
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
    sender: SyncSender<Option<Vec<u8>>>,
) -> Result<Stream, Error>
where
    f32: FromSample<T>,
{
    let lost = sender.clone();
    let on_samples = move |samples: &[T], _: &cpal::InputCallbackInfo| {
        let octets = samples
            .iter()
            .flat_map(|&sample| f32::from_sample_(sample).to_le_bytes());
        // Full: nobody reads, and old sound is of no use.
        let _ = sender.try_send(Some(octets.collect()));
    };
    let on_error = move |error: cpal::Error| {
        if matches!(
            error.kind(),
            cpal::ErrorKind::DeviceNotAvailable | cpal::ErrorKind::StreamInvalidated
        ) {
            // Full: then the next error says it again.
            let _ = lost.try_send(None);
        }
    };
    device
        .build_input_stream(config, on_samples, on_error, None)
        .map_err(error)
}

/// What the device recorded; the end when it was lost.
struct Captured {
    octets: Receiver<Option<Vec<u8>>>,
    rest: Vec<u8>,
}

impl Read for Captured {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.rest.is_empty() {
            match self.octets.recv() {
                Ok(Some(octets)) => self.rest = octets,
                Ok(None) | Err(_) => return Ok(0),
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

/// About a second where the device gives 10 ms at a time.
const MAX_WAITING: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_recorded_is_read_in_order_until_the_device_is_lost() {
        let (sender, octets) = sync_channel(4);
        let rest = Vec::new();
        for part in [Some(vec![1, 2, 3]), Some(Vec::new()), Some(vec![4]), None] {
            sender.send(part).unwrap();
        }
        let mut read = Vec::new();
        Captured { octets, rest }.read_to_end(&mut read).unwrap();
        assert_eq!(read, [1, 2, 3, 4]);
    }

    #[test]
    fn microphone_that_is_missing_is_an_error_and_one_that_is_there_gives_no_nonsense() {
        match Microphone::open() {
            Ok(mut microphone) => {
                let mut pcm = [[0.0; 2]; 960];
                let count = microphone.read(&mut pcm);
                assert!(
                    pcm[..count]
                        .as_flattened()
                        .iter()
                        .all(|sample| sample.abs() <= 1.0)
                );
            }
            Err(error) => assert!(error.to_string().starts_with("microphone: "), "{error}"),
        }
    }
}
