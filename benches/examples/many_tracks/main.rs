//! How many tracks one host can encode.
//!
//! Every track has a source of its own, fed with something like speech by another thread, and one
//! connected listener on this machine. It prints what the threads took of the processor, how late
//! frames were encoded, and with how many tracks the encoder threads would be busy for 70 % of the
//! time.
//!
//! ```sh
//! cargo run --release -p skywave-benches --example many_tracks -- --tracks 300 --seconds 20
//! ```
//!
//! `--ptime 10|20|40|60`, `--complexity 0..10`, `--threads N` (encoder threads), `--pin` (each of
//! them keeps to a core) and `--stereo` change what is encoded and by whom;
//! `--features skywave/audiopus` before `--example` changes the encoder.

mod arguments;
mod listener;
mod thread_times;
mod voice;

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use skywave::{
    AudioTrack, AudioTransmitter, Engine, EngineConfig, Lateness, Limits, OpusOptions, TrackConfig,
};
use skywave_dtls::Identity;

use arguments::Arguments;
use listener::Listener;
use thread_times::{ThreadTimes, thread_times};
use voice::{Fed, Feed, speech};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse(std::env::args().skip(1))?;
    let stage = Stage::set(&arguments)?;
    stage.start_feeding();
    // Encoders are made, and the first peaks of their filters are over.
    stage.listen(WARM_UP);
    let before = stage.moment()?;
    stage.listen(arguments.duration);
    let after = stage.moment()?;
    stage.report(&arguments, &before, &after);
    Ok(())
}

/// What was done up to a moment.
struct Moment {
    time: Instant,
    threads: ThreadTimes,
    frames: u64,
    /// Of these, late by more than [`LATE`].
    late: u64,
}

/// Tracks with a listener each.
struct Stage {
    engine: Engine,
    calls: Vec<(AudioTrack, AudioTransmitter, Listener)>,
}

impl Stage {
    fn set(arguments: &Arguments) -> Result<Self, Box<dyn Error>> {
        let engine = Engine::bind(EngineConfig {
            udp: SocketAddr::from(([127, 0, 0, 1], 0)),
            encoder_threads: arguments.threads,
            pin_encoder_threads: arguments.pin,
            // These listeners send no reports.
            limits: Limits {
                circuit_breaker: false,
                ..Limits::default()
            },
            ..EngineConfig::default()
        })?;
        let identity = Identity::generate(SystemTime::now())?;
        let mut calls = Vec::new();
        for _ in 0..arguments.tracks {
            let track = engine.audio_track(TrackConfig {
                ptime: arguments.ptime,
                opus: OpusOptions {
                    complexity: arguments.complexity,
                    ..OpusOptions::default()
                },
                ..TrackConfig::default()
            });
            let mut transmitter = engine.transmitter(&track)?;
            let address = engine.candidates()[0];
            let terms = arguments.terms();
            let listener = Listener::connect(&mut transmitter, address, &identity, terms)?;
            calls.push((track, transmitter, listener));
        }
        Ok(Self { engine, calls })
    }

    /// Puts the sources in and starts the threads that feed them, until the sources are gone.
    fn start_feeding(&self) {
        let speech: Arc<[[f32; 2]]> = speech().into();
        let mut feeds: Vec<Feed> = Vec::new();
        for (number, (track, ..)) in self.calls.iter().enumerate() {
            let (source, sender) = Fed::new();
            let mut feed = Feed::new(sender, number);
            feed.fill(&speech);
            feeds.push(feed);
            track.replace_audio_source(source);
        }
        while !feeds.is_empty() {
            let mut feeds = feeds.split_off(feeds.len().saturating_sub(FEEDS_A_THREAD));
            let speech = Arc::clone(&speech);
            let feed = move || {
                while feeds.iter_mut().all(|feed| feed.fill(&speech)) {
                    thread::sleep(FEEDING_INTERVAL);
                }
            };
            thread::Builder::new()
                .name("feeder".to_owned())
                .spawn(feed)
                .expect("a host for hundreds of tracks has room for a thread");
        }
    }

    /// Lets time pass, and the listeners stay.
    fn listen(&self, duration: Duration) {
        let end = Instant::now() + duration;
        let mut next_sign = Instant::now();
        while Instant::now() < end {
            if Instant::now() >= next_sign {
                self.calls.iter().for_each(|(.., listener)| listener.stay());
                next_sign += SIGN_OF_LIFE;
            }
            let wait = next_sign.min(end).saturating_duration_since(Instant::now());
            thread::sleep(wait);
        }
    }

    fn moment(&self) -> Result<Moment, Box<dyn Error>> {
        Ok(Moment {
            time: Instant::now(),
            threads: thread_times()?,
            frames: self
                .calls
                .iter()
                .map(|(track, ..)| track.stats().frames)
                .sum(),
            late: self.lateness().count_above(LATE),
        })
    }

    fn lateness(&self) -> Lateness {
        let mut lateness = Lateness::default();
        for (track, ..) in &self.calls {
            lateness.merge(&track.stats().lateness);
        }
        lateness
    }

    fn report(&self, arguments: &Arguments, before: &Moment, after: &Moment) {
        let elapsed = after.time - before.time;
        println!(
            "{} tracks, a listener each, ptime {} ms, complexity {}, {}, {:.1} s",
            self.calls.len(),
            arguments.ptime,
            arguments.complexity.value(),
            if arguments.stereo { "stereo" } else { "mono" },
            elapsed.as_secs_f64()
        );
        let mut encoding = Duration::ZERO;
        println!("{:16} {:>7} {:>7}", "thread", "threads", "cores");
        for (name, &(threads, time)) in &after.threads {
            let earlier = before.threads.get(name);
            let time = time.saturating_sub(earlier.map_or(Duration::ZERO, |&(_, time)| time));
            println!(
                "{name:16} {threads:>7} {:>7.3}",
                time.div_duration_f64(elapsed)
            );
            if name == ENCODER_THREAD {
                encoding = time;
            }
        }
        let threads: usize = after.threads.values().map(|(threads, _)| threads).sum();
        println!("{:16} {threads:>7}", "all");
        report_load(arguments, encoding, after.frames - before.frames, elapsed);
        println!(
            "frames late by more than 10 ms in this time {} of {}",
            after.late - before.late,
            after.frames - before.frames
        );
        self.report_lateness();
    }

    fn report_lateness(&self) {
        let lateness = self.lateness();
        let (mut frames, mut skipped, mut dropped, mut starved, mut packets) = (0, 0, 0, 0, 0);
        for (track, transmitter, _) in &self.calls {
            let stats = track.stats();
            frames += stats.frames;
            skipped += stats.frames_skipped;
            dropped += stats.frames_dropped;
            starved += stats.underrun_samples;
            packets += transmitter.transmission_stats().packets_sent;
        }
        println!("since the sources began:");
        println!("  frames {frames}, skipped {skipped}, dropped {dropped}, packets {packets}");
        println!("  samples of silence for want of input {starved}");
        println!(
            "  frames late by more than 10 ms {}",
            lateness.count_above(LATE)
        );
        for (name, q) in [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999)] {
            println!("  lateness {name:6} {:>12.3?}", lateness.quantile(q));
        }
        println!("  lateness {:6} {:>12.3?}", "max", lateness.max());
        println!(
            "  refused by the kernel {}",
            self.engine.stats().sends_refused
        );
    }
}

/// By what a frame takes, as frames that were skipped took nothing.
fn report_load(arguments: &Arguments, encoding: Duration, frames: u64, elapsed: Duration) {
    let share = encoding.div_duration_f64(elapsed) / arguments.threads as f64;
    println!("encoder threads busy {:.1} %", 100.0 * share);
    let frame = encoding.as_secs_f64() / frames as f64;
    println!("a frame takes {:.0} us", 1e6 * frame);
    let track = frame / arguments.ptime.duration().as_secs_f64();
    let tracks = 0.7 * arguments.threads as f64 / track;
    println!(
        "{} threads are 70 % busy with {tracks:.0} tracks",
        arguments.threads
    );
}

/// As the engine calls it.
const ENCODER_THREAD: &str = "skywave-encoder";
const WARM_UP: Duration = Duration::from_secs(2);
/// A listener may be silent for longer.
const SIGN_OF_LIFE: Duration = Duration::from_secs(4);
const FEEDS_A_THREAD: usize = 150;
/// A source has room for 160 ms.
const FEEDING_INTERVAL: Duration = Duration::from_millis(20);
const LATE: Duration = Duration::from_millis(10);
