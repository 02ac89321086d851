//! One Opus encoder in front of two implementations: `ropus` by default, the
//! system's libopus with the feature `audiopus`. Both run at 48 kHz.

#[cfg(feature = "audiopus")]
use audiopus::coder::Encoder as Inner;
#[cfg(not(feature = "audiopus"))]
use ropus::Encoder as Inner;

use crate::{Error, OpusBitrate, OpusOptions, OpusRateControl};

/// An Opus encoder.
pub(crate) struct OpusEncoder {
    stereo: bool,
    options: OpusOptions,
    inner: Inner,
}

impl OpusEncoder {
    pub(crate) fn new(stereo: bool, options: OpusOptions) -> Result<Self, Error> {
        Ok(Self {
            stereo,
            options,
            inner: open(stereo, &options).map_err(refused)?,
        })
    }

    /// Goes on with other options, from the next packet on. Another application is only possible
    /// with fresh state (libopus refuses it once it has encoded something).
    pub(crate) fn set_options(&mut self, options: OpusOptions) -> Result<(), Error> {
        if self.options.application == options.application {
            set(&mut self.inner, &options).map_err(refused)?;
        } else {
            self.inner = open(self.stereo, &options).map_err(refused)?;
        }
        self.options = options;
        Ok(())
    }

    /// Encodes interleaved samples into `packet`, returns the packet's length.
    pub(crate) fn encode(&mut self, pcm: &[f32], packet: &mut [u8]) -> Result<usize, Error> {
        let length = self.inner.encode_float(pcm, packet);
        length.map_err(|error| Error::Opus(error.to_string()))
    }
}

fn refused(error: impl ToString) -> Error {
    Error::Opus(error.to_string())
}

fn bits(options: &OpusOptions) -> u32 {
    options.bitrate.unwrap_or(OpusBitrate::MAX).bits()
}

#[cfg(not(feature = "audiopus"))]
fn open(stereo: bool, options: &OpusOptions) -> Result<Inner, String> {
    use crate::OpusApplication;
    use ropus::{Application, Channels};

    let channels = if stereo {
        Channels::Stereo
    } else {
        Channels::Mono
    };
    let application = match options.application {
        OpusApplication::Voip => Application::Voip,
        OpusApplication::Audio => Application::Audio,
        OpusApplication::LowDelay => Application::RestrictedLowDelay,
    };
    let mut inner = Inner::builder(crate::SAMPLE_RATE, channels, application)
        .build()
        .map_err(|error| error.to_string())?;
    set(&mut inner, options).map_err(|error| error.to_string())?;
    Ok(inner)
}

#[cfg(not(feature = "audiopus"))]
fn set(inner: &mut Inner, options: &OpusOptions) -> Result<(), ropus::EncodeError> {
    use crate::{OpusBandwidth, OpusSignal};
    use ropus::{Bandwidth, Bitrate, InbandFec, Signal};

    inner.set_bitrate(Bitrate::Bits(bits(options)))?;
    inner.set_vbr(options.rate_control != OpusRateControl::Cbr)?;
    inner.set_vbr_constraint(options.rate_control == OpusRateControl::ConstrainedVbr)?;
    inner.set_complexity(options.complexity.value())?;
    inner.set_signal(match options.signal {
        OpusSignal::Auto => Signal::Auto,
        OpusSignal::Voice => Signal::Voice,
        OpusSignal::Music => Signal::Music,
    })?;
    inner.set_max_bandwidth(match options.max_bandwidth {
        OpusBandwidth::Narrowband => Bandwidth::Narrowband,
        OpusBandwidth::Mediumband => Bandwidth::Mediumband,
        OpusBandwidth::Wideband => Bandwidth::Wideband,
        OpusBandwidth::Superwideband => Bandwidth::Superwideband,
        OpusBandwidth::Fullband => Bandwidth::Fullband,
    })?;
    inner.set_inband_fec(if options.in_band_fec {
        InbandFec::Enabled
    } else {
        InbandFec::Disabled
    })?;
    inner.set_packet_loss_perc(options.expected_loss.percent())?;
    inner.set_dtx(options.dtx)
}

#[cfg(feature = "audiopus")]
fn open(stereo: bool, options: &OpusOptions) -> Result<Inner, audiopus::Error> {
    use crate::OpusApplication;
    use audiopus::{Application, Channels, SampleRate};

    let channels = if stereo {
        Channels::Stereo
    } else {
        Channels::Mono
    };
    let application = match options.application {
        OpusApplication::Voip => Application::Voip,
        OpusApplication::Audio => Application::Audio,
        OpusApplication::LowDelay => Application::LowDelay,
    };
    let mut inner = Inner::new(SampleRate::Hz48000, channels, application)?;
    set(&mut inner, options)?;
    Ok(inner)
}

#[cfg(feature = "audiopus")]
fn set(inner: &mut Inner, options: &OpusOptions) -> Result<(), audiopus::Error> {
    use crate::{OpusBandwidth, OpusSignal};
    use audiopus::{Bandwidth, Bitrate, Signal};

    inner.set_bitrate(Bitrate::BitsPerSecond(bits(options) as i32))?;
    inner.set_vbr(options.rate_control != OpusRateControl::Cbr)?;
    inner.set_vbr_constraint(options.rate_control == OpusRateControl::ConstrainedVbr)?;
    inner.set_complexity(options.complexity.value())?;
    inner.set_signal(match options.signal {
        OpusSignal::Auto => Signal::Auto,
        OpusSignal::Voice => Signal::Voice,
        OpusSignal::Music => Signal::Music,
    })?;
    inner.set_max_bandwidth(match options.max_bandwidth {
        OpusBandwidth::Narrowband => Bandwidth::Narrowband,
        OpusBandwidth::Mediumband => Bandwidth::Mediumband,
        OpusBandwidth::Wideband => Bandwidth::Wideband,
        OpusBandwidth::Superwideband => Bandwidth::Superwideband,
        OpusBandwidth::Fullband => Bandwidth::Fullband,
    })?;
    inner.set_inband_fec(options.in_band_fec)?;
    inner.set_packet_loss_perc(options.expected_loss.percent())?;
    inner.set_encoder_ctl_request(OPUS_SET_DTX_REQUEST, i32::from(options.dtx))
}

/// Of `opus_defines.h`; audiopus has no method for it.
#[cfg(feature = "audiopus")]
const OPUS_SET_DTX_REQUEST: i32 = 4016;
