//! What the engine costs a packet, and how punctual it is: on the fan-out path from one frame to
//! thousands of listeners, beside what the kernel's send alone costs on the same machine in the
//! same run.
//!
//! ```text
//! cargo run --release -p skywave-benches --example fan_out -- [stages] [kernel] [lateness] [null-device]
//! ```
//!
//! - `stages`: user space alone, with a hub of 10,000 peers.
//! - `kernel`: a real engine with 5,000 listeners on loopback, and the ratio of what its media
//!   thread costs a packet to what a bare loop around the kernel's send does.
//! - `lateness`: how late packets are at 80 % of the listeners that the bare loop could serve, and
//!   how many are held until packets are late or left out.
//! - `null-device`: the last two with a device that drops all it is given, so that the kernel's way
//!   in is not part of it.
//!
//! Nothing is asserted: machines and their loads differ. Figures of one run may be compared.

mod args;
mod audience;
mod bare_send;
mod caches;
mod core;
mod gate;
mod joining;
mod kernel;
mod lateness;
mod machine;
mod media_loop;
mod network;
mod null_device;
mod offer;
mod slab;
mod stages;
mod stopwatch;
mod table;
mod turn;

use crate::args::{Args, What};
use crate::network::Network;

fn main() {
    let args = Args::read();
    println!("{}; {}", machine::describe(), machine::load());
    for what in &args.what {
        match what {
            What::Stages => stages::measure(&args),
            What::Kernel => kernel::measure(&args, Network::Loopback),
            What::Lateness => lateness::measure(&args, Network::Loopback),
            What::NullDevice => null_device::measure_inside(&args),
            What::InsideNamespace => match null_device::set_up() {
                Ok(()) => {
                    kernel::measure(&args, Network::NullDevice);
                    lateness::measure(&args, Network::NullDevice);
                }
                Err(error) => println!("\nnull-device: not measured: {error}"),
            },
        }
    }
}
