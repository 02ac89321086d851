//! The command line.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use clap::{Parser, Subcommand};

use crate::source::SourceName;

/// Plays live audio to any browser over WebRTC.
///
/// Open the address it prints and press Play. Without arguments it plays a
/// built-in melody to this computer.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: Serve,
}

impl Args {
    /// What to serve, whether or not `serve` was written out.
    pub(crate) fn serve(self) -> Serve {
        match self.command {
            Some(Command::Serve(serve)) => serve,
            None => self.serve,
        }
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve a web page and one source to all who press Play (the default)
    #[command(after_help = EXAMPLES)]
    Serve(Serve),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Serve {
    /// What to play: melody, tone:HZ, a file (WAV, FLAC, MP3, Ogg), or - for
    /// standard input (raw 16-bit little-endian, 48 kHz, stereo)
    #[arg(default_value = "melody", value_name = "SOURCE")]
    pub(crate) source: SourceName,

    /// Where the page and the API listen; port 0 takes any free one
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8080")]
    pub(crate) http: SocketAddr,

    /// Where the audio is sent from; port 0 takes any free one
    #[arg(long, value_name = "ADDR:PORT", default_value_t = ANY_UDP)]
    pub(crate) udp: SocketAddr,

    /// An address by which listeners reach this computer, if it is behind NAT
    /// (may be repeated; forward the port of --udp to here)
    #[arg(long, value_name = "IP")]
    pub(crate) public_ip: Vec<IpAddr>,
}

/// Every address of this computer, one free port.
const ANY_UDP: SocketAddr = SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), 0);

const EXAMPLES: &str = "\
Examples:
  skywave                              the melody, on http://127.0.0.1:8080/
  skywave tone:440                     a test tone of 440 Hz
  skywave music.flac                   a file, over and over
  skywave --http 0.0.0.0:8080          for everybody in the network
  skywave --http 0.0.0.0:80 --udp 0.0.0.0:5000 --public-ip 203.0.113.7
                                       behind NAT, UDP port 5000 forwarded
  ffmpeg -re -i radio.m3u8 -f s16le -ar 48000 -ac 2 - | skywave -
                                       whatever ffmpeg can read

A file named like a source is written with its folder: ./melody.
While it runs, the page swaps the source, and so does
  curl -X PUT -H 'content-type: application/json' \\
       -d '{\"source\":\"tone:880\"}' http://127.0.0.1:8080/api/source
RUST_LOG (for example skywave=debug) says how much is logged on standard error.";

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn serve_may_be_left_out() {
        for line in [
            &["skywave", "tone:440"][..],
            &["skywave", "serve", "tone:440"],
        ] {
            let serve = Args::try_parse_from(line).unwrap().serve();
            assert_eq!(serve.source.to_string(), "tone:440");
            assert_eq!(serve.http.port(), 8080);
        }
    }

    #[test]
    fn nothing_at_all_plays_the_melody() {
        let serve = Args::try_parse_from(["skywave"]).unwrap().serve();
        assert_eq!(serve.source, SourceName::Melody);
    }

    #[test]
    fn public_ip_may_be_repeated() {
        let line = [
            "skywave",
            "--public-ip",
            "203.0.113.7",
            "--public-ip",
            "2001:db8::7",
        ];
        let serve = Args::try_parse_from(line).unwrap().serve();
        assert_eq!(serve.public_ip.len(), 2);
    }
}
