//! Pushed audio of any format, converted to 48 kHz stereo as it comes.

use symphonia::core::audio::Position;

use crate::downmix::Downmix;
use crate::pcm_samples::in_range;
use crate::stream_resampler::StreamResampler;
use crate::{Error, PcmSamples};

/// Converts a stream of PCM, in pieces of any length, to 48 kHz stereo.
///
/// Rates of 8 to 192 kHz and 1 to 8 channels are taken, which are those of WAV in their order:
/// more than two are mixed to stereo (ITU-R BS.775), one is heard on both sides. It makes no
/// difference into which pieces the stream is cut. Of `n` samples, a sample being one moment of
/// all channels, exactly `ceil(n * 48000 / rate)` come out, the first one in being the first one
/// out; the last few ms are held back until [`flush`](Self::flush). The format may change between
/// two pieces: the old stream is flushed then.
///
/// ```
/// use skywave_audio::PcmConverter;
///
/// let mut converter = PcmConverter::new();
/// let mut pcm = Vec::new();
/// converter.convert(&[0_i16; 480], 24_000, 1, &mut pcm)?; // 20 ms of speech
/// converter.flush(&mut pcm)?;
/// assert_eq!(pcm.len(), 960);
/// # Ok::<(), skywave_audio::Error>(())
/// ```
#[derive(Default)]
pub struct PcmConverter {
    stream: Option<Stream>,
}

/// What is needed for one format.
struct Stream {
    rate: u32,
    channels: u16,
    downmix: Downmix,
    resampler: StreamResampler,
    interleaved: Vec<f32>,
    stereo: Vec<[f32; 2]>,
    resampled: Vec<f32>,
}

impl PcmConverter {
    /// A converter that has been given nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Looks whether samples can be converted. Returns how many there are, all channels of one
    /// moment counted as one.
    ///
    /// # Errors
    /// [`Error::SampleRate`], [`Error::Channels`], [`Error::PartialSample`].
    pub fn check(samples: PcmSamples<'_>, rate: u32, channels: u16) -> Result<usize, Error> {
        if !RATES.contains(&rate) {
            return Err(Error::SampleRate(rate));
        }
        if channels == 0 || usize::from(channels) > LAYOUTS.len() {
            return Err(Error::Channels(channels));
        }
        if !samples.len().is_multiple_of(channels.into()) {
            return Err(Error::PartialSample {
                values: samples.len(),
                channels,
            });
        }
        Ok(samples.len() / usize::from(channels))
    }

    /// How many samples of 48 kHz the next `samples` of that format will have added in the end.
    #[must_use]
    pub fn promises(&self, samples: usize, rate: u32, channels: u16) -> u64 {
        let samples = samples as u64;
        match &self.stream {
            Some(stream) if stream.is(rate, channels) => stream.resampler.promises(samples),
            _ => (samples * u64::from(crate::SAMPLE_RATE)).div_ceil(rate.max(1).into()),
        }
    }

    /// Takes the next interleaved samples and appends to `output` what is ready.
    ///
    /// # Errors
    /// Those of [`check`](Self::check), and nothing was taken; [`Error::Resampler`] when the
    /// library fails.
    pub fn convert<'a>(
        &mut self,
        samples: impl Into<PcmSamples<'a>>,
        rate: u32,
        channels: u16,
        output: &mut Vec<[f32; 2]>,
    ) -> Result<(), Error> {
        let samples = samples.into();
        Self::check(samples, rate, channels)?;
        self.stream(rate, channels, output)?.push(samples, output)
    }

    /// As [`convert`](Self::convert), of what is stereo already, at any rate but zero. Without
    /// samples the rate does not count.
    pub(crate) fn convert_stereo(
        &mut self,
        samples: &[[f32; 2]],
        rate: u32,
        output: &mut Vec<[f32; 2]>,
    ) -> Result<(), Error> {
        if samples.is_empty() {
            return Ok(());
        }
        let samples = PcmSamples::from(samples.as_flattened());
        self.stream(rate, 2, output)?.push(samples, output)
    }

    /// Ends the stream: appends the samples that were held back. The next one begins anew.
    ///
    /// # Errors
    /// [`Error::Resampler`] when the library fails.
    pub fn flush(&mut self, output: &mut Vec<[f32; 2]>) -> Result<(), Error> {
        self.stream
            .as_mut()
            .map_or(Ok(()), |stream| stream.flush(output))
    }

    /// Forgets the samples that were held back. The next stream begins anew.
    pub fn reset(&mut self) {
        if let Some(stream) = &mut self.stream {
            stream.resampler.reset();
        }
    }

    /// What converts that format; one of another format ends.
    fn stream(
        &mut self,
        rate: u32,
        channels: u16,
        output: &mut Vec<[f32; 2]>,
    ) -> Result<&mut Stream, Error> {
        if let Some(mut other) = self.stream.take_if(|stream| !stream.is(rate, channels)) {
            other.flush(output)?;
        }
        match &mut self.stream {
            Some(stream) => Ok(stream),
            none => Ok(none.insert(Stream::new(rate, channels)?)),
        }
    }
}

impl std::fmt::Debug for PcmConverter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let format = self
            .stream
            .as_ref()
            .map(|stream| (stream.rate, stream.channels));
        f.debug_struct("PcmConverter")
            .field("format", &format)
            .finish_non_exhaustive()
    }
}

impl Stream {
    fn new(rate: u32, channels: u16) -> Result<Self, Error> {
        Ok(Self {
            rate,
            channels,
            downmix: Downmix::of_positions(LAYOUTS[usize::from(channels) - 1]),
            resampler: StreamResampler::new(rate, channels.min(2).into())?,
            interleaved: Vec::new(),
            stereo: Vec::new(),
            resampled: Vec::new(),
        })
    }

    fn is(&self, rate: u32, channels: u16) -> bool {
        (self.rate, self.channels) == (rate, channels)
    }

    fn push(&mut self, samples: PcmSamples<'_>, output: &mut Vec<[f32; 2]>) -> Result<(), Error> {
        self.interleaved.clear();
        samples.append_to(&mut self.interleaved);
        let mut values = self.interleaved.as_slice();
        if self.channels > 2 {
            self.stereo.clear();
            self.downmix.mix(values, &mut self.stereo);
            values = self.stereo.as_flattened();
        }
        self.resampled.clear();
        self.resampler.push(values, &mut self.resampled)?;
        self.append_resampled(output);
        Ok(())
    }

    fn flush(&mut self, output: &mut Vec<[f32; 2]>) -> Result<(), Error> {
        self.resampled.clear();
        self.resampler.flush(&mut self.resampled)?;
        self.append_resampled(output);
        Ok(())
    }

    /// A filter may overshoot, so what comes out is clipped once more.
    fn append_resampled(&self, output: &mut Vec<[f32; 2]>) {
        if self.channels == 1 {
            output.extend(self.resampled.iter().map(|&value| [in_range(value); 2]));
        } else {
            let (pairs, _) = self.resampled.as_chunks::<2>();
            output.extend(pairs.iter().map(|pair| pair.map(in_range)));
        }
    }
}

/// Of pushed audio, in Hz.
const RATES: std::ops::RangeInclusive<u32> = 8_000..=192_000;

/// The usual speakers of so many channels, in the order of WAV.
const LAYOUTS: [&[Position]; 8] = {
    use Position as P;
    [
        &[P::FRONT_CENTER],
        &[P::FRONT_LEFT, P::FRONT_RIGHT],
        &[P::FRONT_LEFT, P::FRONT_RIGHT, P::FRONT_CENTER],
        &[P::FRONT_LEFT, P::FRONT_RIGHT, P::REAR_LEFT, P::REAR_RIGHT],
        &[
            P::FRONT_LEFT,
            P::FRONT_RIGHT,
            P::FRONT_CENTER,
            P::REAR_LEFT,
            P::REAR_RIGHT,
        ],
        &[
            P::FRONT_LEFT,
            P::FRONT_RIGHT,
            P::FRONT_CENTER,
            P::LFE1,
            P::REAR_LEFT,
            P::REAR_RIGHT,
        ],
        &[
            P::FRONT_LEFT,
            P::FRONT_RIGHT,
            P::FRONT_CENTER,
            P::LFE1,
            P::REAR_CENTER,
            P::SIDE_LEFT,
            P::SIDE_RIGHT,
        ],
        &[
            P::FRONT_LEFT,
            P::FRONT_RIGHT,
            P::FRONT_CENTER,
            P::LFE1,
            P::REAR_LEFT,
            P::REAR_RIGHT,
            P::SIDE_LEFT,
            P::SIDE_RIGHT,
        ],
    ]
};

#[cfg(test)]
mod tests;
