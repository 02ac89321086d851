//! The encodings of a track that somebody listens to: each step goes into all of them.

use std::sync::atomic::Ordering::Relaxed;

use skywave_audio::{
    EncodedFrame, EncoderSettings, Error, FrameClock, OpusOptions, PacketEncoder, Packetization,
};

use crate::audio_track::TrackShared;
use crate::counter::add;
use crate::delivery::Delivery;
use crate::encoding_table::StreamPlace;
use crate::fec_response::FecResponse;
use crate::track_worker::FrameOutput;

/// The encoders of a track: one for all streams that need the same settings.
#[derive(Default)]
pub(crate) struct TrackEncodings {
    encoders: Vec<Running>,
    options: OpusOptions,
    fec: FecResponse,
}

/// An encoder that runs.
struct Running {
    encoder: PacketEncoder,
    /// One of the streams it encodes for, which it follows when options change.
    leader: Packetization,
    wanted: bool,
}

/// The step that is due by a clock, and its samples.
type Step<'a> = (&'a FrameClock, &'a [[f32; 2]]);

impl TrackEncodings {
    /// Forgets the state of all encoders: the next step begins anew.
    pub(crate) fn clear(&mut self) {
        self.encoders.clear();
    }

    /// Encodes a step for all who listen, and hands out the packets that are full with it.
    pub(crate) fn encode_all(
        &mut self,
        shared: &TrackShared,
        step: Step<'_>,
        outputs: &[FrameOutput],
    ) {
        shared.follow_losses(&mut self.fec, step.0.position());
        let options = shared.encoding_options();
        let mut result = Ok(());
        if options != self.options {
            self.options = options;
            result = self.follow();
        }
        result = result.and(self.prepare(shared));
        let mut errors = u64::from(result.is_err());
        for running in &mut self.encoders {
            match running.encoder.push(step.0.position(), step.1) {
                Ok(Some(frame)) => {
                    let settings = running.encoder.settings();
                    for place in shared.encodings.heard() {
                        if place.packetization.settings(options) == settings {
                            let delivery = delivery(place, frame.clone(), step.0);
                            deliver(shared, place, &delivery, outputs);
                        }
                    }
                }
                // The packet goes on, or is not worth sending.
                Ok(None) => {}
                Err(_) => errors += 1,
            }
        }
        let counters = &shared.counters;
        add(&counters.encoder_errors, errors);
        counters
            .encodings
            .store(self.encoders.len() as u64, Relaxed);
    }

    /// Lets encoders go on with the options that have changed. One that comes to be like another
    /// ends: its listeners join those of the other.
    fn follow(&mut self) -> Result<(), Error> {
        let options = self.options;
        let mut result = Ok(());
        let mut kept: Vec<EncoderSettings> = Vec::new();
        self.encoders.retain_mut(|running| {
            let settings = running.leader.settings(options);
            if kept.contains(&settings) {
                return false;
            }
            kept.push(settings);
            // One that refuses is made anew.
            let refused = running.encoder.set(settings);
            let goes_on = refused.is_ok();
            result = std::mem::replace(&mut result, Ok(())).and(refused);
            goes_on
        });
        result
    }

    /// Makes the encoders that are missing, and ends those that nobody listens to.
    fn prepare(&mut self, shared: &TrackShared) -> Result<(), Error> {
        for running in &mut self.encoders {
            running.wanted = false;
        }
        let mut result = Ok(());
        for place in shared.encodings.heard() {
            let settings = place.packetization.settings(self.options);
            let mut encoders = self.encoders.iter_mut();
            if let Some(running) = encoders.find(|own| own.encoder.settings() == settings) {
                if !running.wanted {
                    running.leader = place.packetization;
                    running.wanted = true;
                }
                continue;
            }
            match self.start(settings) {
                Ok(mut encoder) => {
                    encoder.set_silence(shared.config.silence, shared.config.silence_hangover);
                    self.encoders.push(Running {
                        encoder,
                        leader: place.packetization,
                        wanted: true,
                    });
                }
                Err(error) => result = Err(error),
            }
        }
        self.encoders.retain(|running| running.wanted);
        result
    }

    /// A new encoder. If others are in the middle of such a packet, so is it: streams that have
    /// shared an encoder until now miss no packet.
    fn start(&self, settings: EncoderSettings) -> Result<PacketEncoder, Error> {
        let mut encoder = PacketEncoder::new(settings)?;
        let is_alike = |other: &&Running| other.encoder.settings().ptime() == settings.ptime();
        if let Some(other) = self.encoders.iter().find(is_alike) {
            encoder.collect_like(&other.encoder);
        }
        Ok(encoder)
    }
}

/// Hands a frame to all shards where somebody listens.
pub(crate) fn deliver(
    shared: &TrackShared,
    place: StreamPlace,
    delivery: &Delivery,
    outputs: &[FrameOutput],
) {
    for (shard, output) in outputs.iter().enumerate() {
        if !shared.encodings.is_heard_on(shard, place) {
            continue;
        }
        match output.frames.try_send(delivery.clone()) {
            Ok(()) => output.waker.wake(),
            Err(_) => add(&shared.counters.frames_dropped, 1),
        }
    }
}

fn delivery(place: StreamPlace, frame: EncodedFrame, clock: &FrameClock) -> Delivery {
    let Packetization {
        encoding, ptime, ..
    } = place.packetization;
    Delivery {
        stream: place.stream,
        captured: clock.instant(frame.begin),
        due: clock.deadline(),
        interval: ptime.duration(),
        clock_rate: encoding.codec().clock_rate(),
        frame,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Instant;

    use skywave_audio::{
        AudioSource, Encoding, ExpectedLoss, Melody, OpusApplication, OpusBitrate, OpusRateControl,
        OpusReceiver, PacketGrid, Ptime,
    };
    use tokio::sync::mpsc;

    use super::*;
    use crate::audio_track::TrackId;
    use crate::config::TrackConfig;
    use crate::waker::waker;

    struct Stage {
        shared: TrackShared,
        encodings: TrackEncodings,
        clock: FrameClock,
        source: Melody,
        output: FrameOutput,
        frames: mpsc::Receiver<Delivery>,
    }

    impl Stage {
        fn new() -> Self {
            let id = TrackId {
                engine: 0,
                number: 0,
            };
            let (frames, receiver) = mpsc::channel(1_000);
            let grid = PacketGrid::new([], Ptime::Ms20);
            Self {
                shared: TrackShared::new(id, TrackConfig::default(), 1),
                encodings: TrackEncodings::default(),
                clock: FrameClock::new(Instant::now(), grid),
                source: Melody::new(),
                output: FrameOutput {
                    frames,
                    waker: Arc::new(waker().unwrap().0),
                },
                frames: receiver,
            }
        }

        /// Plays one step of 20 ms; the length of the packet of each stream that has one.
        fn play(&mut self) -> Vec<usize> {
            let mut pcm = [[0.0; 2]; 960];
            self.source.read(&mut pcm);
            let outputs = std::slice::from_ref(&self.output);
            self.encodings
                .encode_all(&self.shared, (&self.clock, &pcm), outputs);
            let now = self.clock.deadline();
            self.clock.advance(PacketGrid::new([], Ptime::Ms20), now);
            let sent = std::iter::from_fn(|| self.frames.try_recv().ok());
            sent.map(|delivery| delivery.frame.payload.len()).collect()
        }

        fn running(&self) -> u64 {
            self.shared.counters.encodings.load(Relaxed)
        }

        fn errors(&self) -> u64 {
            self.shared.counters.encoder_errors.load(Relaxed)
        }

        fn settings(&self) -> Vec<EncoderSettings> {
            let encoders = self.encodings.encoders.iter();
            encoders.map(|own| own.encoder.settings()).collect()
        }

        fn set(&self, bits: u32) {
            let options = OpusOptions {
                bitrate: OpusBitrate::new(bits).ok(),
                rate_control: OpusRateControl::Cbr,
                ..OpusOptions::default()
            };
            self.shared.set_opus_options(options);
        }
    }

    fn limited(bits: u32) -> Packetization {
        let receiver = OpusReceiver {
            max_bitrate: OpusBitrate::step_at_most(bits),
            ..OpusReceiver::MONO
        };
        Packetization::new(Encoding::Opus(receiver), Ptime::Ms20)
    }

    #[test]
    fn streams_share_an_encoder_as_long_as_their_limits_do_not_bind() {
        let mut stage = Stage::new();
        stage.set(24_000);
        for bits in [510_000, 64_000, 32_000] {
            stage.shared.join(0, limited(bits));
        }
        assert_eq!(stage.play(), [60, 60, 60]);
        assert_eq!(stage.running(), 1);
        stage.set(128_000);
        let mut apart = stage.play();
        apart.sort_unstable();
        assert_eq!(apart, [80, 160, 320]);
        assert_eq!(stage.running(), 3);
        stage.set(16_000);
        assert_eq!(stage.play(), [40, 40, 40]);
        assert_eq!((stage.running(), stage.errors()), (1, 0));
    }

    #[test]
    fn options_that_change_within_a_packet_cost_no_stream_one() {
        let mut stage = Stage::new();
        stage.set(24_000);
        for bits in [64_000, 32_000] {
            stage.shared.join(
                0,
                Packetization {
                    ptime: Ptime::Ms60,
                    ..limited(bits)
                },
            );
        }
        let mut sent = Vec::new();
        for step in 0..9 {
            // In the second packet, and in the third.
            match step {
                4 => stage.set(128_000),
                7 => stage.set(16_000),
                _ => {}
            }
            sent.push(stage.play());
        }
        let counts: Vec<_> = sent.iter().map(Vec::len).collect();
        assert_eq!(counts, [0, 0, 2, 0, 0, 2, 0, 0, 2]);
        assert_eq!(sent[2], [180, 180]);
        assert_eq!(sent[5].iter().sum::<usize>(), 480 + 240);
        assert_eq!(sent[8], [120, 120]);
    }

    #[test]
    fn only_who_uses_error_correction_gets_it_and_only_while_the_worst_tenth_loses() {
        let mut stage = Stage::new();
        let receiver = OpusReceiver {
            fec: true,
            ..OpusReceiver::MONO
        };
        let correcting = Packetization::new(Encoding::Opus(receiver), Ptime::Ms20);
        let plain = Packetization {
            encoding: Encoding::OPUS_MONO,
            ..correcting
        };
        for packetization in [correcting, plain] {
            stage.shared.join(0, packetization);
        }
        let speech = OpusOptions {
            application: OpusApplication::Voip,
            ..OpusOptions::default()
        };
        stage.shared.set_opus_options(speech);
        let calm = plain.settings(speech);
        assert_eq!(stage.play().len(), 2);
        assert_eq!(stage.settings(), [calm]);

        let class = stage.shared.losses.report(None, 13);
        assert_eq!(stage.play().len(), 2);
        let lossy = correcting.settings(OpusOptions {
            in_band_fec: true,
            expected_loss: ExpectedLoss::new(5).unwrap(),
            ..speech
        });
        let settings = stage.settings();
        assert_eq!(settings.len(), 2);
        assert!(settings.contains(&lossy) && settings.contains(&calm));

        stage.shared.losses.report(Some(class), 0);
        // Calm is believed after 10 s.
        for _ in 0..501 {
            assert_eq!(stage.play().len(), 2);
        }
        assert_eq!((stage.settings(), stage.errors()), (vec![calm], 0));
    }

    #[test]
    fn encoder_outlives_the_listener_it_was_made_for() {
        let mut stage = Stage::new();
        stage.set(24_000);
        stage.shared.join(0, limited(64_000));
        stage.play();
        stage.shared.join(0, limited(32_000));
        stage.play();
        stage.shared.leave(0, limited(64_000));
        assert_eq!(stage.play(), [60]);
        stage.set(48_000);
        assert_eq!(stage.play(), [80], "within the limit of who is left");
        assert_eq!(stage.running(), 1);
        stage.shared.leave(0, limited(32_000));
        assert!(stage.play().is_empty());
        assert_eq!(stage.running(), 0);
    }
}
