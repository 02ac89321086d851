//! The command line.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand};
use skywave::EngineConfig;
use skywave_whip::{IceServer, Origins, WhepConfig};

use crate::access::Token;
use crate::channels::ChannelArg;
use crate::http::{HttpLimits, seconds};
use crate::secret::secret;
use crate::sound::Sound;

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
    pub(crate) fn sources(&self) -> &[ChannelArg] {
        match &self.command {
            Some(Command::Serve(programme) | Command::Doctor(programme)) => &programme.sources,
            None => &self.programme.sources,
        }
    }

    /// Whether to look at the system in place of serving.
    pub(crate) fn is_doctor(&self) -> bool {
        matches!(self.command, Some(Command::Doctor(_)))
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve a web page and the sources to all who press Play (the default)
    #[command(after_help = EXAMPLES)]
    Serve(Programme),
    /// Look whether this computer is ready to serve with these options, and say what to do if not
    Doctor(Programme),
}

#[derive(Debug, clap::Args)]
struct Programme {
    /// What to play: melody, tone:HZ, a file (WAV, AIFF, FLAC, MP3, AAC, MP4, Ogg, WebM), a
    /// folder or a list of files (M3U, PLS), the http:// or https:// URL of a radio station, or -
    /// for standard input (raw 16-bit little-endian, 48 kHz, stereo; -:s16le,44100,1 or f32le or
    /// s24le for others). Several are channels with a name each: main=melody talk=-
    #[arg(default_value = "melody", value_name = "[NAME=]SOURCE")]
    sources: Vec<ChannelArg>,
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

    #[command(flatten)]
    pub(crate) http_limits: HttpLimits,

    /// The server's certificate and those that lead to its root (PEM): the page and the API are
    /// then HTTPS. Read anew when it changes
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) tls_cert: Option<PathBuf>,

    /// The private key of --tls-cert (PEM)
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) tls_key: Option<PathBuf>,

    /// A secret that listeners have to show (Authorization: Bearer TOKEN); anybody may listen if
    /// not given. Others on this computer see the command line: better in a file or the environment
    #[arg(long, global = true, value_name = "TOKEN", value_parser = secret::<Token>())]
    pub(crate) viewer_token: Option<Token>,

    /// A secret that who swaps sources and reads statistics has to show; only this computer may
    /// if not given
    #[arg(long, global = true, value_name = "TOKEN", value_parser = secret::<Token>())]
    pub(crate) control_token: Option<Token>,

    /// Other web pages whose visitors may listen there: * or origins, separated by blanks. If not
    /// given: all, or none where --http is a loopback address and there is no --viewer-token
    #[arg(long, global = true, value_name = "ORIGINS")]
    pub(crate) allow_origin: Option<Origins>,

    /// A STUN or TURN server that listeners are told: stun:HOST or "turn:HOST USER PASSWORD"
    /// (may be repeated)
    #[arg(long, global = true, value_name = "SERVER", value_parser = secret::<IceServer>())]
    pub(crate) ice_server: Vec<IceServer>,

    /// Tell listeners to come back while a source is at its end, in place of sending them silence
    #[arg(long, global = true)]
    pub(crate) only_live: bool,

    /// Seconds after SIGTERM in which listeners stay while new ones are sent away
    #[arg(long, global = true, value_name = "SECONDS", default_value = "0", value_parser = drain)]
    pub(crate) drain: Duration,

    /// Where options stand that are not given otherwise: a TOML file with their names as keys
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// Print all options as they are in the end, as such a file, and do nothing else
    #[arg(long, global = true)]
    pub(crate) print_config: bool,

    /// How the log looks on standard error
    #[arg(long, global = true, value_name = "FORMAT", default_value = "text")]
    pub(crate) log_format: LogFormat,

    /// Where the audio is sent from; port 0 takes any free one
    #[arg(long, global = true, value_name = "ADDR:PORT", default_value_t = ANY_UDP)]
    pub(crate) udp: SocketAddr,

    /// UDP ports that send, each with a thread of its own, from that of --udp on
    #[arg(long, global = true, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) shards: u16,

    /// Differentiated services code point of what is sent: 46 asks networks that agree to it to let
    /// audio go first
    #[arg(long, global = true, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=63))]
    pub(crate) dscp: u8,

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

    #[command(flatten)]
    pub(crate) sound: Sound,
}

impl Serve {
    /// How the audio is sent.
    pub(crate) fn engine_config(&self) -> EngineConfig {
        EngineConfig {
            udp: self.udp,
            shards: self.shards,
            realtime: !self.no_realtime,
            dscp: self.dscp,
            public_ips: self.public_ip.clone(),
            max_listeners: self.max_listeners,
            max_handshakes: self.max_handshakes,
            max_joins_per_second: self.max_joins_per_second,
            ..EngineConfig::default()
        }
    }

    /// How listeners come in.
    pub(crate) fn whep_config(&self) -> WhepConfig {
        WhepConfig {
            ice_servers: self.ice_server.clone(),
            origins: self.origins(),
            only_live: self.only_live,
            max_body: self.http_limits.body_bytes,
            body_timeout: self.http_limits.request_timeout,
            handshakes_per_address: self.http_limits.handshakes_per_address,
        }
    }

    /// The pages that may listen. Where only this computer gets in, pages elsewhere must not hear
    /// what plays on it through a browser that runs here.
    pub(crate) fn origins(&self) -> Origins {
        let private = self.http.ip().is_loopback() && self.viewer_token.is_none();
        let default = if private {
            Origins::Only(Vec::new())
        } else {
            Origins::Any
        };
        self.allow_origin.clone().unwrap_or(default)
    }
}

/// How the log looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub(crate) enum LogFormat {
    /// Lines for people
    Text,
    /// One JSON object a line
    Json,
}

/// A time, in seconds; none is one too.
fn drain(text: &str) -> Result<Duration, String> {
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    seconds(text)
}

/// An address that a listener can send to.
fn one_host(text: &str) -> Result<IpAddr, String> {
    let ip: IpAddr = text.parse().map_err(|_| "not an IP address".to_owned())?;
    if ip.is_unspecified() || ip.is_multicast() {
        return Err("not the address of one host".to_owned());
    }
    Ok(ip)
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
  skywave main=melody talk=tone:440    two channels, /whep/main and /whep/talk
  skywave --config skywave.toml        options from a file; --print-config shows one
  skywave doctor --http 0.0.0.0:80     is this computer ready?
  ffmpeg -re -i radio.m3u8 -f s16le -ar 48000 -ac 2 - | skywave -
                                       whatever ffmpeg can read

A file named like a source is written with its folder: ./melody.
While it runs, the page swaps the source, and so does
  curl -X PUT -H 'content-type: application/json' \\
       -d '{\"source\":\"tone:880\"}' http://127.0.0.1:8080/api/source
Every option can be given in the environment too: --max-listeners is
SKYWAVE_MAX_LISTENERS. The command line goes before it, and it before --config.
RUST_LOG (for example skywave=debug) says how much is logged on standard error.";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceName;
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
            assert_eq!(args.sources()[0].source.to_string(), "tone:440");
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
            assert_eq!(args.sources()[0].source.to_string(), "tone:440", "{line}");
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
    fn nothing_at_all_plays_the_melody() {
        let args = Args::try_parse_from(["skywave"]).unwrap();
        assert_eq!(args.sources()[0].source, SourceName::Melody);
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

    #[test]
    fn pages_elsewhere_do_not_hear_what_is_for_this_computer_only() {
        let origins = |words: &[&str]| {
            let args = Args::try_parse_from([&["skywave"], words].concat());
            args.unwrap().serve.origins()
        };
        let token = ["--viewer-token", "0123456789abcdef"];
        assert_eq!(origins(&[]), Origins::Only(Vec::new()));
        assert_eq!(origins(&["--http", "0.0.0.0:80"]), Origins::Any);
        assert_eq!(origins(&token), Origins::Any);
        assert_eq!(origins(&["--allow-origin", "*"]), Origins::Any);
    }
}
