//! One Opus encoder in front of two implementations: `ropus` by default, the
//! system's libopus with the feature `audiopus`.
//!
//! Settings: 48 kHz, application "audio", constrained VBR, no in-band FEC, DTX where asked for;
//! 96 kb/s in stereo, 48 kb/s in mono.

use crate::codec::{MONO_BIT_RATE, STEREO_BIT_RATE};
use crate::{Error, OpusComplexity};

/// An Opus encoder for packets of 10, 20, 40 or 60 ms.
pub(crate) struct OpusEncoder {
    #[cfg(not(feature = "audiopus"))]
    inner: ropus::Encoder,
    #[cfg(feature = "audiopus")]
    inner: audiopus::coder::Encoder,
}

#[cfg(not(feature = "audiopus"))]
impl OpusEncoder {
    pub(crate) fn new(stereo: bool, complexity: OpusComplexity) -> Result<Self, Error> {
        use ropus::{Application, Bitrate, Channels, Encoder};

        let (channels, bit_rate) = if stereo {
            (Channels::Stereo, STEREO_BIT_RATE)
        } else {
            (Channels::Mono, MONO_BIT_RATE)
        };
        let inner = Encoder::builder(crate::SAMPLE_RATE, channels, Application::Audio)
            .bitrate(Bitrate::Bits(bit_rate))
            .vbr(true)
            .vbr_constraint(true)
            .complexity(complexity.value())
            .build()
            .map_err(|error| Error::Opus(error.to_string()))?;
        Ok(Self { inner })
    }

    pub(crate) fn set_dtx(&mut self, on: bool) -> Result<(), Error> {
        self.inner
            .set_dtx(on)
            .map_err(|error| Error::Opus(error.to_string()))
    }

    /// Encodes interleaved samples into `packet`, returns the packet's length.
    pub(crate) fn encode(&mut self, pcm: &[f32], packet: &mut [u8]) -> Result<usize, Error> {
        self.inner
            .encode_float(pcm, packet)
            .map_err(|error| Error::Opus(error.to_string()))
    }
}

#[cfg(feature = "audiopus")]
impl OpusEncoder {
    pub(crate) fn new(stereo: bool, complexity: OpusComplexity) -> Result<Self, Error> {
        use audiopus::{Application, Bitrate, Channels, SampleRate, coder::Encoder};

        let (channels, bit_rate) = if stereo {
            (Channels::Stereo, STEREO_BIT_RATE)
        } else {
            (Channels::Mono, MONO_BIT_RATE)
        };
        let open = || {
            let mut inner = Encoder::new(SampleRate::Hz48000, channels, Application::Audio)?;
            inner.set_bitrate(Bitrate::BitsPerSecond(bit_rate as i32))?;
            inner.set_vbr(true)?;
            inner.set_vbr_constraint(true)?;
            inner.set_complexity(complexity.value())?;
            Ok(Self { inner })
        };
        open().map_err(|error: audiopus::Error| Error::Opus(error.to_string()))
    }

    pub(crate) fn set_dtx(&mut self, on: bool) -> Result<(), Error> {
        self.inner
            .set_encoder_ctl_request(audiopus::ffi::OPUS_SET_DTX_REQUEST, i32::from(on))
            .map_err(|error| Error::Opus(error.to_string()))
    }

    /// Encodes interleaved samples into `packet`, returns the packet's length.
    pub(crate) fn encode(&mut self, pcm: &[f32], packet: &mut [u8]) -> Result<usize, Error> {
        self.inner
            .encode_float(pcm, packet)
            .map_err(|error| Error::Opus(error.to_string()))
    }
}
