//! The encodings of a track that somebody listens to: each step goes into all of them.

use std::sync::atomic::Ordering::Relaxed;

use skywave_audio::{EncodedFrame, FrameClock, PacketEncoder, Packetization};

use crate::audio_track::TrackShared;
use crate::counter::add;
use crate::delivery::Delivery;
use crate::track_worker::FrameOutput;

/// The encoders of a track.
#[derive(Default)]
pub(crate) struct TrackEncodings {
    /// By [`Packetization::index`]; absent while nobody listens.
    encoders: [Option<PacketEncoder>; Packetization::COUNT],
}

/// The step that is due by a clock, and its samples.
type Step<'a> = (&'a FrameClock, &'a [[f32; 2]]);

impl TrackEncodings {
    /// Forgets the state of all encoders: the next step begins anew.
    pub(crate) fn clear(&mut self) {
        self.encoders = Default::default();
    }

    /// Encodes a step for all who listen, and hands out the packets that are full with it.
    pub(crate) fn encode_all(
        &mut self,
        shared: &TrackShared,
        step: Step<'_>,
        outputs: &[FrameOutput],
    ) {
        let mut encodings = 0;
        for packetization in Packetization::all() {
            if !shared.is_heard(packetization) {
                self.encoders[packetization.index()] = None;
                continue;
            }
            encodings += 1;
            match self.encode(shared, packetization, step) {
                Ok(Some(frame)) => {
                    let delivery = delivery(shared, packetization, frame, step.0);
                    deliver(shared, packetization, &delivery, outputs);
                }
                // The packet goes on.
                Ok(None) => {}
                Err(_) => add(&shared.counters.encoder_errors, 1),
            }
        }
        shared.counters.encodings.store(encodings, Relaxed);
    }

    /// Encodes the step; gives a frame if a packet is full with it.
    fn encode(
        &mut self,
        shared: &TrackShared,
        packetization: Packetization,
        (clock, pcm): Step<'_>,
    ) -> Result<Option<EncodedFrame>, skywave_audio::Error> {
        let slot = &mut self.encoders[packetization.index()];
        let encoder = match slot {
            Some(encoder) => encoder,
            None => {
                let config = &shared.config;
                let mut encoder = PacketEncoder::new(packetization, config.opus_complexity)?;
                encoder.set_silence(config.silence, config.silence_hangover)?;
                slot.insert(encoder)
            }
        };
        encoder.push(clock.position(), pcm)
    }
}

/// Hands a frame to all shards where somebody listens.
fn deliver(
    shared: &TrackShared,
    packetization: Packetization,
    delivery: &Delivery,
    outputs: &[FrameOutput],
) {
    for (shard, output) in outputs.iter().enumerate() {
        if !shared.is_heard_on(shard, packetization) {
            continue;
        }
        match output.frames.try_send(delivery.clone()) {
            Ok(()) => output.waker.wake(),
            Err(_) => add(&shared.counters.frames_dropped, 1),
        }
    }
}

fn delivery(
    shared: &TrackShared,
    packetization: Packetization,
    frame: EncodedFrame,
    clock: &FrameClock,
) -> Delivery {
    Delivery {
        stream: shared.stream(packetization),
        captured: clock.instant(frame.begin),
        due: clock.deadline(),
        interval: packetization.ptime.duration(),
        clock_rate: packetization.encoding.codec().clock_rate(),
        frame,
    }
}
