//! What a packet costs in user space, in all and by stage: a hub with thousands of connected
//! peers, whose datagrams are thrown away.
//!
//! The stages are differences: packetizers alone, packetizers and SRTP, and the whole hub, each
//! with as many states laid out alike. Each is measured twice: as it runs by itself, and with the
//! nearer caches emptied before every batch, as the kernel does when it sends one.

use std::time::Duration;

use skywave_srtp::Profile;

use crate::args::Args;
use crate::caches::Caches;
use crate::media_loop::MediaLoop;
use crate::offer::{FRAME, PROFILE};
use crate::slab::{Slab, Stage};
use crate::stopwatch::Stopwatch;
use crate::table::{Bar, Table, median_and_least};
use crate::{core, machine};

/// Measures and prints.
pub(crate) fn measure(args: &Args) {
    core::keep_to(args.core);
    let listeners = args.listeners(10_000);
    println!("\nconnecting {listeners} peers in memory ...");
    let mut states = States::new(listeners);
    for evict in [false, true] {
        let caches = if evict {
            "emptied before each batch"
        } else {
            "left alone"
        };
        let load = machine::load();
        let table = Table::new(format!(
            "stages: {listeners} listeners, no kernel, caches {caches}; {load}"
        ));
        let mut run = Run {
            rounds: args.frames().div_ceil(ROUND),
            listeners,
            caches: evict.then(Caches::new),
        };
        states.measure(&table, &mut run);
    }
}

/// The same listeners as the hub has them, and stage by stage.
struct States {
    media_loop: MediaLoop,
    slab: Slab,
    slab_128: Slab,
}

impl States {
    fn new(listeners: usize) -> States {
        let media_loop = MediaLoop::connect(listeners);
        States {
            slab: Slab::new(media_loop.counters(), PROFILE),
            slab_128: Slab::new(media_loop.counters(), Profile::AeadAes128Gcm),
            media_loop,
        }
    }

    fn measure(&mut self, table: &Table, run: &mut Run) {
        let mut sweeping = Stopwatch::new();
        let mut times: [Vec<f64>; 4] = Default::default();
        let [all, packetize, protect, protect_128] = &mut times;
        // In turns, so that whatever else the machine does happens to all of them.
        for _ in 0..run.rounds {
            run.frames(all, |disturb, sending| {
                self.media_loop.play_frame(disturb, sending, &mut sweeping);
            });
            run.stage(packetize, &mut self.slab, Stage::Packetize);
            run.stage(protect, &mut self.slab, Stage::Protect);
            run.stage(protect_128, &mut self.slab_128, Stage::Protect);
        }
        let seconds = (FRAME * (run.rounds * ROUND) as u32).as_secs_f64();
        let sweeps = nanos(sweeping.take()) / run.listeners as f64 / seconds;
        print(table, times.map(median_and_least), sweeps);
    }
}

fn print(table: &Table, times: [(f64, f64); 4], sweeps: f64) {
    let least = times[0].1;
    let [all, packetize, protect, protect_128] = times.map(|times| times.0);
    let row = |what: &str, nanos, bar| table.row(what, nanos, "ns/packet", bar);
    row("header, copy, count", packetize, Bar::None);
    row("protect, AES-256-GCM", protect - packetize, Bar::None);
    row("walk and rest", all - protect, Bar::None);
    row("all", all, Bar::AtMost(200.0));
    row("all, least of all frames", least, Bar::None);
    row(
        "all, were it AES-128-GCM",
        all - protect + protect_128,
        Bar::None,
    );
    table.row("sweeps and reports", sweeps, "ns/listener/s", Bar::None);
}

/// How figures are taken.
struct Run {
    rounds: usize,
    listeners: usize,
    /// To be emptied before each batch.
    caches: Option<Caches>,
}

impl Run {
    fn stage(&mut self, times: &mut Vec<f64>, slab: &mut Slab, stage: Stage) {
        self.frames(times, |disturb, stopwatch| {
            slab.play_frame(stage, disturb, stopwatch);
        });
    }

    /// Plays a round of frames and notes each one's time, in nanoseconds a packet.
    fn frames(
        &mut self,
        times: &mut Vec<f64>,
        mut play: impl FnMut(&mut dyn FnMut(), &mut Stopwatch),
    ) {
        let mut stopwatch = Stopwatch::new();
        let mut disturb = || self.caches.iter_mut().for_each(Caches::evict);
        for _ in 0..ROUND {
            play(&mut disturb, &mut stopwatch);
            times.push(nanos(stopwatch.take()) / self.listeners as f64);
        }
    }
}

fn nanos(time: Duration) -> f64 {
    time.as_nanos() as f64
}

/// Frames in a row of one kind.
const ROUND: usize = 10;
