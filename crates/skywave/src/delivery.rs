//! A frame on its way from the thread that encodes to the thread that sends.

use std::time::{Duration, Instant};

use skywave_audio::EncodedFrame;
use skywave_peer::{StreamFrame, StreamKey};
use skywave_rtp::{NtpTime, OwnedFrame};

/// One frame of one stream of one track.
#[derive(Clone)]
pub(crate) struct Delivery {
    pub(crate) stream: StreamKey,
    pub(crate) frame: EncodedFrame,
    /// When its first sample was taken.
    pub(crate) captured: Instant,
    /// When it was due to be sent: when its last sample was over.
    pub(crate) due: Instant,
    /// Until the next frame of the stream: as long as this one lasts.
    pub(crate) interval: Duration,
    pub(crate) clock_rate: u32,
}

impl Delivery {
    /// The same as the hub takes it; `captured` is the wall clock's time of [`Self::captured`].
    pub(crate) fn into_frame(self, captured: NtpTime) -> StreamFrame {
        let duration = self.ticks();
        StreamFrame {
            stream: self.stream,
            frame: OwnedFrame {
                payload: self.frame.payload,
                comfort_noise: self.frame.comfort_noise,
                timestamp: self.frame.timestamp,
                duration,
                marker: self.frame.marker,
                audio_level: self.frame.audio_level,
                voice: self.frame.voice,
                captured,
            },
            captured: self.captured,
            clock_rate: self.clock_rate,
        }
    }

    /// The interval in ticks of the media time, to the nearest.
    fn ticks(&self) -> u32 {
        let second = Duration::from_secs(1).as_nanos();
        let ticks = self.interval.as_nanos() * u128::from(self.clock_rate) + second / 2;
        u32::try_from(ticks / second).unwrap_or(u32::MAX)
    }
}
