//! The program `skywave`: plays one audio source to every browser that asks.
//!
//! Answers HTTP on one address (a page, WHEP, a small API) and sends the audio
//! over WebRTC from one UDP port. Everything about media is the library's; here
//! are options, sources by name, HTTP and HTTPS, the API, the page and the end of the process.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod access;
mod api;
mod args;
mod channels;
mod config;
mod doctor;
mod exposition;
mod health;
mod http;
mod logging;
mod metrics;
mod page;
#[cfg(unix)]
mod process_figures;
mod secret;
mod serve;
mod shutdown;
mod sound;
mod source;
mod system_limits;

use std::io::{Write, stderr};
use std::process::ExitCode;

use crate::config::Config;

fn main() -> ExitCode {
    let config = match Config::read(config::words()) {
        Ok(config) => config,
        Err(config::Error::CommandLine(error)) => error.exit(),
        Err(error) => return fail(&error),
    };
    let args = &config.args;
    if args.serve.print_config {
        print!("{}", config.to_toml());
        return ExitCode::SUCCESS;
    }
    logging::start(args.serve.log_format);
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error),
    };
    if args.is_doctor() {
        return runtime.block_on(doctor::examine(args));
    }
    let served = runtime.block_on(serve::serve(args.sources(), &args.serve));
    // Not dropped: that would wait for a file which is just being opened.
    runtime.shutdown_background();
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

fn fail(error: &dyn std::error::Error) -> ExitCode {
    // Standard error may take nothing (a full disk), which is no reason to panic.
    let _ = writeln!(stderr(), "error: {error}");
    ExitCode::FAILURE
}
