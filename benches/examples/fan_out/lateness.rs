//! How punctual a real engine is at four fifths of what its core could send at best, and how many
//! listeners it holds.
//!
//! Only an idle machine says much about it: programs that wait for the media thread's core get a
//! twentieth of it from the kernel even before SCHED_FIFO, up to 50 ms in a row, and the encoder's
//! thread is a normal one. Its lateness is shown beside, as it is part of a packet's.

use std::time::Duration;

use skywave::Lateness;

use crate::args::Args;
use crate::audience::{Audience, Window};
use crate::bare_send::BareSend;
use crate::network::Network;
use crate::offer::FRAME;
use crate::table::{Bar, Table, median_and_least};
use crate::{core, machine};

/// Measures and prints: with media threads before all normal ones, if that is allowed, and as
/// normal ones.
pub(crate) fn measure(args: &Args, network: Network) {
    core::keep_off(args.core);
    let mut audience = Audience::open(network, args.core, true);
    let realtime = audience.is_realtime() && !args.normal;
    println!("\nconnecting listeners ...");
    audience.resize(args.listeners(2000));
    let bare = BareSend::to_all(&audience, network, args.core);
    let costs = (0..args.turns.min(5)).map(|_| bare.run(args.turn()).cpu_per_packet);
    let most = could_serve(median_and_least(costs.collect()).0, args);
    drop(audience);
    for realtime in [true, false].into_iter().skip(usize::from(!realtime)) {
        Climb::new(args, network, realtime, most).climb();
    }
}

/// Listeners that the bare loop could just serve at that cost of a packet.
fn could_serve(cost: f64, args: &Args) -> f64 {
    let most = match args.quick {
        true => 100.0,
        false => FRAME.as_nanos() as f64 / cost,
    };
    println!("bare send: {cost:.0} ns a packet, {most:.0} listeners at best");
    most
}

/// An audience that grows.
struct Climb<'a> {
    args: &'a Args,
    network: Network,
    audience: Audience,
    /// Listeners that the bare loop could serve at first, of whom it has a share.
    most: f64,
}

impl<'a> Climb<'a> {
    fn new(args: &'a Args, network: Network, realtime: bool, most: f64) -> Self {
        Climb {
            args,
            network,
            audience: Audience::open(network, args.core, realtime),
            most,
        }
    }

    fn climb(&mut self) {
        let window = self.at(FOUR_FIFTHS, self.args.window());
        let bare = self.bare().run(self.args.window());
        self.print(&window, &bare.lateness);
        let before = could_serve(bare.cpu_per_packet, self.args);
        let mut held = self.holds(FOUR_FIFTHS, &window).then_some(FOUR_FIFTHS);
        let upwards = held.is_some();
        let mut step = FOUR_FIFTHS;
        let mut tries = if self.args.quick { 1 } else { TRIES };
        while tries > 0 {
            tries -= 1;
            step = if upwards { step + 1 } else { step - 2 };
            // A stall of the machine is not the engine's: it may try again.
            let holds = (0..2).any(|_| {
                let window = self.at(step, self.args.window() / 2);
                self.holds(step, &window)
            });
            if holds {
                held = Some(step);
            }
            if holds != upwards {
                break;
            }
        }
        // Machines change their pace meanwhile.
        let bare = self.bare().run(self.args.window());
        let after = could_serve(bare.cpu_per_packet, self.args);
        let table = Table::new(format!(
            "held: {}, {}; {}",
            self.network.name(),
            self.audience.policy(),
            machine::load()
        ));
        let held = held.unwrap_or(0) as f64 / STEPS as f64 * self.most;
        table.row("listeners held", held, "", Bar::None);
        let what = "held / what the bare loop could serve, before and after";
        let could = f64::midpoint(before, after);
        table.row(what, held / could, "", Bar::AtLeast(0.85));
    }

    /// To this audience.
    fn bare(&self) -> BareSend {
        BareSend::to_all(&self.audience, self.network, self.args.core)
    }

    /// For `length`, with so many of [`STEPS`] of the listeners that could be served at best.
    fn at(&mut self, step: usize, length: Duration) -> Window {
        let listeners = self.most * step as f64 / STEPS as f64;
        self.audience.resize(listeners as usize);
        self.audience.measure(length)
    }

    fn holds(&self, step: usize, window: &Window) -> bool {
        let p99 = window.lateness.quantile(0.99);
        let holds = p99 <= LATE && window.frames_dropped == 0;
        println!(
            "{:.1} %: p99 {:.2} ms, {} frames dropped, {} skipped by the encoder, {:.1} % of the core: {}",
            100.0 * step as f64 / STEPS as f64,
            milliseconds(p99),
            window.frames_dropped,
            window.frames_skipped,
            window.cpu_share * 100.0,
            if holds { "held" } else { "not held" }
        );
        holds
    }

    /// Both had the same audience, rhythm and core, one after the other.
    fn print(&self, window: &Window, bare: &Lateness) {
        let realtime = self.audience.is_realtime();
        let listeners = self.most * FOUR_FIFTHS as f64 / STEPS as f64;
        let table = Table::new(format!(
            "lateness: {listeners:.0} listeners, {}, {}; {}",
            self.network.name(),
            self.audience.policy(),
            machine::load()
        ));
        let lateness = &window.lateness;
        let quantile = |q| milliseconds(lateness.quantile(q));
        let p99 = if realtime { 1.5 } else { 5.0 };
        table.row("lateness, p50", quantile(0.5), "ms", Bar::AtMost(0.7));
        table.row("lateness, p99", quantile(0.99), "ms", Bar::AtMost(p99));
        table.row("lateness, p99.9", quantile(0.999), "ms", Bar::None);
        let max = milliseconds(lateness.max());
        table.row("lateness, greatest", max, "ms", Bar::None);
        let encoder = milliseconds(window.encoder_lateness.quantile(0.99));
        table.row(
            "of which the encoder's thread, p99",
            encoder,
            "ms",
            Bar::None,
        );
        for q in [0.5, 0.99, 0.999] {
            let what = format!("lateness of the bare loop, p{}", q * 100.0);
            table.row(what, milliseconds(bare.quantile(q)), "ms", Bar::None);
        }
        table.row("slots late", window.slots_late as f64, "", Bar::None);
        table.row(
            "frames dropped",
            window.frames_dropped as f64,
            "",
            Bar::None,
        );
        table.row(
            "frames skipped by the encoder",
            window.frames_skipped as f64,
            "",
            Bar::None,
        );
        table.row("sends refused", window.sends_refused as f64, "", Bar::None);
        let share = window.cpu_share * 100.0;
        table.row("media thread's part of its core", share, "%", Bar::None);
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// Of what could be served at best.
const STEPS: usize = 40;
const FOUR_FIFTHS: usize = STEPS * 4 / 5;
/// Steps up or down at most.
const TRIES: usize = 12;
/// What lateness is too much: a listener's packets are no more than two frames apart below it.
const LATE: Duration = FRAME;
