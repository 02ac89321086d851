//! How punctual a real engine is at four fifths of what its core could send at best, and how many
//! listeners it holds.
//!
//! Only an idle machine says much about it: programs that wait for the media thread's core get a
//! twentieth of it from the kernel even before SCHED_FIFO, up to 50 ms in a row, and the encoder's
//! thread is a normal one. Its lateness is shown beside, as it is part of a packet's. So is that of
//! the bare loop, which takes turns with the engine: a guest whose host is slow at times makes both
//! late.

use crate::args::Args;
use crate::audience::Audience;
use crate::bare_send::BareSend;
use crate::network::Network;
use crate::offer::FRAME;
use crate::table::{Bar, Table};
use crate::turn::{self, Turn, median, most_hold};
use crate::{core, machine};

/// Measures and prints: with media threads before all normal ones, if that is allowed, and as
/// normal ones.
pub(crate) fn measure(args: &Args, network: Network) {
    core::keep_off(args.core);
    for realtime in [true, false].into_iter().skip(usize::from(args.normal)) {
        let audience = Audience::open(network, args.core, realtime);
        if audience.is_realtime() == realtime {
            Rounds::new(args, network, audience).run();
        }
    }
}

/// Turns of the bare loop and the engine, at one share of what the core could send after another.
struct Rounds<'a> {
    args: &'a Args,
    network: Network,
    audience: Audience,
}

impl<'a> Rounds<'a> {
    fn new(args: &'a Args, network: Network, mut audience: Audience) -> Self {
        println!("\nconnecting listeners ...");
        audience.resize(args.listeners(2000));
        Rounds {
            args,
            network,
            audience,
        }
    }

    fn run(&mut self) {
        let turns = self.turns(FOUR_FIFTHS_OF_THE_CORE, self.args.turns);
        self.print("the core", &turns);
        let turns = self.turns(FOUR_FIFTHS, self.args.turns);
        self.print("what the bare loop could serve", &turns);
        let held = self.greatest_held(most_hold(&turns)) as f64 / STEPS as f64;
        let table = Table::new(self.title("held"));
        let what = "listeners held / what the bare loop could serve";
        table.row(what, held, "", Bar::AtLeast(0.85));
    }

    fn print(&self, what: &str, turns: &[Turn]) {
        let listeners = median(turns, |turn| turn.listeners as f64);
        let count = turns.len();
        let table = Table::new(self.title(&format!(
            "lateness at four fifths of {what}, {listeners} listeners, {count} turns"
        )));
        let p99 = if self.audience.is_realtime() {
            1.5
        } else {
            5.0
        };
        turn::print(&table, turns, p99);
    }

    fn title(&self, what: &str) -> String {
        let (network, policy) = (self.network.name(), self.audience.policy());
        format!("{what}: {network}, {policy}; {}", machine::load())
    }

    /// Goes up from [`FOUR_FIFTHS`] if so many were held, or else down. Zero if none are.
    fn greatest_held(&mut self, upwards: bool) -> usize {
        let mut held = if upwards { FOUR_FIFTHS } else { 0 };
        let mut step = FOUR_FIFTHS;
        let steps_away = if self.args.quick { 1 } else { STEPS_AWAY };
        for _ in 0..steps_away {
            step = if upwards { step + 1 } else { step - 2 };
            let turns = self.turns(step, self.args.turns.min(5));
            let holds = most_hold(&turns);
            if holds {
                held = step;
            }
            if holds != upwards {
                break;
            }
        }
        held
    }

    fn turns(&mut self, step: usize, count: usize) -> Vec<Turn> {
        (0..count).map(|_| self.turn(step)).collect()
    }

    /// The bare loop, and then the engine with so many of [`STEPS`] of the listeners that the loop
    /// could just serve. Short, as machines change their pace.
    fn turn(&mut self, step: usize) -> Turn {
        let length = self.args.turn();
        let bare = BareSend::to_all(&self.audience, self.network, self.args.core).run(length);
        let most = if self.args.quick {
            100.0
        } else {
            FRAME.as_nanos() as f64 / bare.cpu_per_packet
        };
        let part = step as f64 / STEPS as f64;
        let listeners = (most * part) as usize;
        self.audience.resize(listeners);
        let engine = self.audience.measure(length);
        let turn = Turn {
            bare,
            listeners,
            engine,
        };
        turn.tell(part);
        turn
    }
}

/// Of what could be served at best.
const STEPS: usize = 40;
const FOUR_FIFTHS: usize = STEPS * 4 / 5;
/// The engine costs some tenth more than the loop.
const FOUR_FIFTHS_OF_THE_CORE: usize = 29;
/// Steps up or down at most.
const STEPS_AWAY: usize = 12;
