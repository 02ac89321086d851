//! The program `skywave`: plays one audio source to every browser that asks.
//!
//! Answers HTTP on one address (a page, WHEP, a small API) and sends the audio
//! over WebRTC from one UDP port. Everything about media is the library's; here
//! are arguments, sources by name, the API, the page and the end of the process.
//! HTTPS and accounts are not: put a reverse proxy in front, one that passes `Host` on.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod api;
mod args;
mod exposition;
mod http;
mod metrics;
mod page;
mod process_figures;
mod serve;
mod shutdown;
mod source;
mod system_limits;

use std::io::{IsTerminal, stderr};
use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::EnvFilter;

use crate::args::Args;

fn main() -> ExitCode {
    let args = Args::parse();
    log_to_stderr();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error),
    };
    let served = runtime.block_on(serve::serve(args.source().clone(), &args.serve));
    // Not dropped: that would wait for a file which is just being opened.
    runtime.shutdown_background();
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

fn fail(error: &dyn std::error::Error) -> ExitCode {
    eprintln!("error: {error}");
    ExitCode::FAILURE
}

fn log_to_stderr() {
    let filter =
        EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn,skywave=info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(stderr)
        .with_ansi(stderr().is_terminal())
        .init();
}
