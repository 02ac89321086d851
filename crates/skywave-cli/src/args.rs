//! The command line.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU32;

use clap::builder::RangedI64ValueParser;
use clap::{Parser, Subcommand};
use skywave::{EngineConfig, Ptime};

use crate::source::SourceName;

/// Plays live audio to any browser over WebRTC.
///
/// Open the address it prints and press Play. Without arguments it plays a
/// built-in melody to this computer.
#[derive(Debug, Parser)]
#[command(name = "skywave", version, after_help = EXAMPLES, subcommand_precedence_over_arg = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    programme: Programme,
    #[command(flatten)]
    pub(crate) serve: Serve,
}

impl Args {
    /// What to play, whether or not `serve` was written out.
    pub(crate) fn source(&self) -> &SourceName {
        match &self.command {
            Some(Command::Serve(programme)) => &programme.source,
            None => &self.programme.source,
        }
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve a web page and one source to all who press Play (the default)
    #[command(after_help = EXAMPLES)]
    Serve(Programme),
}

#[derive(Debug, clap::Args)]
struct Programme {
    /// What to play: melody, tone:HZ, a file (WAV, AIFF, FLAC, MP3, AAC, MP4, Ogg), a folder
    /// or a list of files (M3U, PLS), the http:// or https:// URL of a radio station, or - for
    /// standard input (raw 16-bit little-endian, 48 kHz, stereo; -:s16le,44100,1 or f32le or
    /// s24le for others)
    #[arg(default_value = "melody", value_name = "SOURCE")]
    source: SourceName,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Serve {
    /// Where the page and the API listen; port 0 takes any free one
    #[arg(
        long,
        global = true,
        value_name = "ADDR:PORT",
        default_value = "127.0.0.1:8080"
    )]
    pub(crate) http: SocketAddr,

    /// HTTP connections at a time; more wait until one of them ends
    #[arg(long, global = true, value_name = "N", default_value_t = 512)]
    pub(crate) http_connections: usize,

    /// Where the audio is sent from; port 0 takes any free one
    #[arg(long, global = true, value_name = "ADDR:PORT", default_value_t = ANY_UDP)]
    pub(crate) udp: SocketAddr,

    /// UDP ports that send, each with a thread of its own, from that of --udp on
    #[arg(long, global = true, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) shards: u16,

    /// Run the threads that send as any other, not before all normal ones where the system lets
    /// them (SCHED_FIFO)
    #[arg(long, global = true)]
    pub(crate) no_realtime: bool,

    /// Listeners at a time; others are told to come back later
    #[arg(long, global = true, value_name = "N", default_value_t = 10_000)]
    pub(crate) max_listeners: usize,

    /// Listeners that may be coming in at a time, connected in some way but not yet hearing
    #[arg(long, global = true, value_name = "N", default_value_t = 5_000)]
    pub(crate) max_handshakes: usize,

    /// Listeners that may come in within a second; any number if not given
    #[arg(long, global = true, value_name = "N")]
    pub(crate) max_joins_per_second: Option<NonZeroU32>,

    /// An address by which listeners reach this computer, if it is behind NAT
    /// (may be repeated; forward the port of --udp to here)
    #[arg(long, global = true, value_name = "IP", value_parser = one_host)]
    pub(crate) public_ip: Vec<IpAddr>,

    /// Milliseconds of audio in a packet: 10, 20, 40 or 60; longer packets mean fewer of
    /// them and more latency. Listeners that take only shorter ones get those
    #[arg(long, global = true, value_name = "MS", default_value = "20", value_parser = ptime)]
    pub(crate) ptime: Ptime,

    /// Earlier packets that every packet repeats, 0 to 2, against packet loss; each costs
    /// the bit rate once more
    #[arg(long, global = true, value_name = "N", default_value_t = 0, value_parser = redundancy())]
    pub(crate) redundancy: u8,
}

impl Serve {
    /// How the audio is sent.
    pub(crate) fn engine_config(&self) -> EngineConfig {
        EngineConfig {
            udp: self.udp,
            shards: self.shards,
            realtime: !self.no_realtime,
            public_ips: self.public_ip.clone(),
            max_listeners: self.max_listeners,
            max_handshakes: self.max_handshakes,
            max_joins_per_second: self.max_joins_per_second,
            ..EngineConfig::default()
        }
    }
}

/// An address that a listener can send to.
fn one_host(text: &str) -> Result<IpAddr, String> {
    let ip: IpAddr = text.parse().map_err(|_| "not an IP address".to_owned())?;
    if ip.is_unspecified() || ip.is_multicast() {
        return Err("not the address of one host".to_owned());
    }
    Ok(ip)
}

/// One of the lengths that a packet can have.
fn ptime(text: &str) -> Result<Ptime, String> {
    let named = |ptime: &Ptime| ptime.milliseconds().to_string() == text;
    let ptime = Ptime::ALL.into_iter().find(named);
    ptime.ok_or_else(|| "must be 10, 20, 40 or 60".to_owned())
}

/// As many frames as a packet can repeat.
fn redundancy() -> RangedI64ValueParser<u8> {
    clap::value_parser!(u8).range(0..=2)
}

/// Every address of this computer, one free port.
const ANY_UDP: SocketAddr = SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), 0);

const EXAMPLES: &str = "\
Examples:
  skywave                              the melody, on http://127.0.0.1:8080/
  skywave tone:440                     a test tone of 440 Hz
  skywave music.flac                   a file, over and over
  skywave ~/Music/album                all files of a folder, without gaps
  skywave https://radio.example/live   a radio station
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
            let args = Args::try_parse_from(line).unwrap();
            assert_eq!(args.source().to_string(), "tone:440");
            assert_eq!(args.serve.http.port(), 8080);
        }
    }

    #[test]
    fn options_stand_before_or_behind_serve() {
        for line in [
            "--http [::1]:9 serve tone:440",
            "serve tone:440 --http [::1]:9",
        ] {
            let words = ["skywave"].into_iter().chain(line.split(' '));
            let args = Args::try_parse_from(words).unwrap();
            assert_eq!(args.source().to_string(), "tone:440", "{line}");
            assert_eq!(args.serve.http.port(), 9, "{line}");
        }
    }

    #[test]
    fn public_ip_is_that_of_one_host() {
        for ip in ["0.0.0.0", "::", "224.0.0.1", "x"] {
            assert!(
                Args::try_parse_from(["skywave", "--public-ip", ip]).is_err(),
                "{ip}"
            );
        }
    }

    #[test]
    fn redundancy_is_two_frames_at_most() {
        let redundancy = |frames| {
            let args = Args::try_parse_from(["skywave", "--redundancy", frames]);
            args.ok().map(|args| args.serve.redundancy)
        };
        assert_eq!(redundancy("2"), Some(2));
        assert_eq!(redundancy("3"), None);
        assert_eq!(redundancy("-1"), None);
    }

    #[test]
    fn ptime_is_one_of_four_and_20_unless_said() {
        let ptime = |words: &[&str]| {
            let args = Args::try_parse_from([&["skywave"], words].concat());
            args.ok().map(|args| args.serve.ptime)
        };
        assert_eq!(ptime(&[]), Some(Ptime::Ms20));
        assert_eq!(ptime(&["--ptime", "60"]), Some(Ptime::Ms60));
        for refused in ["0", "30", "120", "-20", "20ms", ""] {
            assert_eq!(ptime(&["--ptime", refused]), None, "{refused}");
        }
    }

    #[test]
    fn nothing_at_all_plays_the_melody() {
        let args = Args::try_parse_from(["skywave"]).unwrap();
        assert_eq!(*args.source(), SourceName::Melody);
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
        let args = Args::try_parse_from(line).unwrap();
        assert_eq!(args.serve.public_ip.len(), 2);
    }
}
