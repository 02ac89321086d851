//! The bare loop and the engine, one right after the other, and what several turns come to.

use std::time::Duration;

use skywave::Lateness;

use crate::audience::Window;
use crate::bare_send::Sent;
use crate::offer::FRAME;
use crate::table::{Bar, Table, median_and_least};

/// What the bare loop did, and the engine after it.
pub(crate) struct Turn {
    pub(crate) bare: Sent,
    pub(crate) listeners: usize,
    pub(crate) engine: Window,
}

impl Turn {
    /// Whether everybody was served well enough.
    fn holds(&self) -> bool {
        self.engine.lateness.quantile(0.99) <= LATE && self.engine.frames_dropped == 0
    }

    /// Writes a line. The engine had `part` of the listeners that the bare loop could just serve.
    pub(crate) fn tell(&self, part: f64) {
        let (bare, engine) = (&self.bare, &self.engine);
        println!(
            "bare loop {:.0} ns a packet, p99 {:.2} ms; {:.1} % of that, {} listeners: {:.1} % of the core, p99 {:.2} ms, {} frames dropped, {} skipped by the encoder: {}",
            bare.cpu_per_packet,
            milliseconds(bare.lateness.quantile(0.99)),
            part * 100.0,
            self.listeners,
            engine.cpu_share * 100.0,
            milliseconds(engine.lateness.quantile(0.99)),
            engine.frames_dropped,
            engine.frames_skipped,
            if self.holds() { "held" } else { "not held" },
        );
    }
}

/// Whether the engine served everybody in most turns: a stall of the machine is not its own.
pub(crate) fn most_hold(turns: &[Turn]) -> bool {
    turns.iter().filter(|turn| turn.holds()).count() * 2 > turns.len()
}

/// The figure of the turn in the middle.
pub(crate) fn median(turns: &[Turn], figure: impl Fn(&Turn) -> f64) -> f64 {
    median_and_least(turns.iter().map(figure).collect()).0
}

/// Writes what the turns come to, the engine's lateness held to `p99` milliseconds.
pub(crate) fn print(table: &Table, turns: &[Turn], p99: f64) {
    print_medians(table, turns, p99);
    print_all(table, turns);
    let count = |what: &str, figure: fn(&Window) -> u64| {
        let sum: u64 = turns.iter().map(|turn| figure(&turn.engine)).sum();
        table.row(what, sum as f64, "", Bar::None);
    };
    count("slots late", |engine| engine.slots_late);
    count("frames dropped", |engine| engine.frames_dropped);
    count("frames skipped by the encoder", |engine| {
        engine.frames_skipped
    });
    count("sends refused", |engine| engine.sends_refused);
}

fn print_medians(table: &Table, turns: &[Turn], p99: f64) {
    for (q, bar) in [(50, Bar::AtMost(0.7)), (99, Bar::AtMost(p99))] {
        let quantile = |lateness: &Lateness| milliseconds(lateness.quantile(f64::from(q) / 100.0));
        let engine = median(turns, |turn| quantile(&turn.engine.lateness));
        let bare = median(turns, |turn| quantile(&turn.bare.lateness));
        table.row(format!("lateness, p{q}, median"), engine, "ms", bar);
        table.row(format!("bare loop, p{q}, median"), bare, "ms", Bar::None);
    }
    let share = median(turns, |turn| turn.engine.cpu_share * 100.0);
    let what = "media thread's part of its core, median";
    table.row(what, share, "%", Bar::None);
}

fn print_all(table: &Table, turns: &[Turn]) {
    let (mut engine, mut bare, mut encoder) = Default::default();
    for turn in turns {
        Lateness::merge(&mut engine, &turn.engine.lateness);
        Lateness::merge(&mut bare, &turn.bare.lateness);
        Lateness::merge(&mut encoder, &turn.engine.encoder_lateness);
    }
    for (whose, lateness) in [
        ("lateness", engine),
        ("bare loop", bare),
        ("encoder's thread, a part of the engine's", encoder),
    ] {
        for (name, q) in [("p99", 0.99), ("p99.9", 0.999), ("greatest", 1.0)] {
            let what = format!("{whose}, {name}");
            table.row(what, milliseconds(lateness.quantile(q)), "ms", Bar::None);
        }
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// What lateness is too much: a listener's packets are no more than two frames apart below it.
const LATE: Duration = FRAME;
