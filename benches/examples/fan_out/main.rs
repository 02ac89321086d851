//! What the engine costs a packet, and how punctual it is: on the fan-out path from one frame to
//! thousands of listeners, beside what the kernel's send alone costs on the same machine in the
//! same run.
//!
//! ```text
//! cargo run --release -p skywave-benches --example fan_out -- [stages] [--listeners N]
//! ```
//!
//! - `stages`: user space alone.
//!
//! Nothing is asserted: machines and their loads differ. Figures of one run may be compared.

mod args;
mod caches;
mod machine;
mod media_loop;
mod offer;
mod slab;
mod stages;
mod stopwatch;
mod table;

use crate::args::{Args, What};

fn main() {
    let args = Args::read();
    println!("{}; {}", machine::describe(), machine::load());
    for what in &args.what {
        match what {
            What::Stages => stages::measure(&args),
        }
    }
}
