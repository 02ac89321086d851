//! `skywave serve`: one engine, its channels, one HTTP address, until a signal comes.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use skywave::{AudioSource, Engine};
use skywave_whip::{Listeners, Origins, Problem, Whep};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

use crate::access::{Control, require};
use crate::api::{self, Station};
use crate::args::Serve;
use crate::channels::{Channel, ChannelArg, Channels, Unnamed, named};
use crate::health::Health;
use crate::http::{Tls, TlsError};
use crate::shutdown::Signals;
use crate::source::SourceName;
use crate::{http, metrics, page, source, system_limits};
use skywave_url::redacted;

/// Serves until SIGINT or SIGTERM, then hangs up everybody.
pub(crate) async fn serve(channels: &[ChannelArg], args: &Serve) -> Result<(), Error> {
    let sources = open(channels).await?;
    let tls = tls(args)?;
    let listener = listen(args.http).await?;
    let engine = bind(args)?;
    let mut signals = Signals::catch()?;
    let (whep, listeners, channels) = put_on_air(&engine, sources, args)?;
    greet(&greeting(
        &programme(&channels).await,
        scheme(args),
        listener.local_addr()?,
        &engine.candidates(),
    ));

    let control = Control {
        token: args.control_token.clone(),
    };
    let station = Station::new(engine.clone(), channels, listeners.clone(), control);
    let health = Health::new(engine.clone());
    let router = router(guarded(whep, args), Arc::new(station)).merge(health.clone().router());
    let (stop, stopped) = oneshot::channel::<()>();
    let stopped = async { drop(stopped.await) };
    let serving = http::serve(listener, router, args.http_limits.clone(), tls, stopped);
    let serving = tokio::spawn(serving);

    signals.received().await;
    health.drain();
    listeners.drain();
    drain(&listeners, args.drain, &mut signals).await;
    for thread in engine.close().await {
        tracing::error!(thread, "left behind: something holds it up");
    }
    drop(stop);
    // A connection that is kept alive must not hold up the end.
    let _ = timeout(LAST_ANSWERS_TIME, serving).await;
    Ok(())
}

/// A channel's name, what it plays, and what that is called.
type Opened = (String, Box<dyn AudioSource>, SourceName);

async fn open(channels: &[ChannelArg]) -> Result<Vec<Opened>, Error> {
    let mut sources = Vec::new();
    for (name, source) in named(channels)? {
        sources.push((name, source::open(source.clone()).await?, source));
    }
    Ok(sources)
}

async fn listen(address: SocketAddr) -> Result<TcpListener, Error> {
    let listener = TcpListener::bind(address).await;
    listener.map_err(|cause| Error::Http { address, cause })
}

/// The engine, and what the log says of its means.
fn bind(args: &Serve) -> Result<Engine, Error> {
    let descriptors = system_limits::raise_descriptors();
    let config = args.engine_config();
    let engine = Engine::bind(config.clone())?;
    let shards = engine.stats().shards;
    system_limits::report(descriptors, args.http_limits.connections, &config, &shards);
    warn_of_clear_text(args);
    Ok(engine)
}

/// A track for each channel, and the way to them.
fn put_on_air(
    engine: &Engine,
    sources: Vec<Opened>,
    args: &Serve,
) -> Result<(Router, Listeners, Channels), Error> {
    let mut whep = Whep::new(engine.clone(), args.whep_config());
    let mut channels = Vec::new();
    for (name, source, source_name) in sources {
        let track = engine.audio_track(args.sound.track_config());
        track.replace_audio_source(source);
        whep = whep.channel(&name, track.clone())?;
        channels.push(Channel::new(name, track, &source_name));
    }
    let (whep, listeners) = whep.into_router();
    let mut channels = channels.into_iter();
    let main = channels.next().ok_or(Error::NoChannel)?;
    Ok((whep, listeners, Channels::new(main, channels.collect())))
}

/// Waits until all have left, the time is over, or another signal comes.
async fn drain(listeners: &Listeners, time: Duration, signals: &mut Signals) {
    if time.is_zero() {
        return;
    }
    let count = listeners.by_channel().await.values().sum::<usize>();
    tracing::info!(listeners = count, seconds = time.as_secs_f64(), "draining");
    let empty = async {
        while !listeners.by_channel().await.is_empty() {
            sleep(LOOK_INTERVAL).await;
        }
    };
    tokio::select! {
        () = empty => {}
        () = sleep(time) => {}
        () = signals.received() => {}
    }
}

/// The WHEP endpoint, for those who may listen.
fn guarded(whep: Router, args: &Serve) -> Router {
    match &args.viewer_token {
        Some(token) => whep
            .layer(from_fn_with_state(token.clone(), require))
            .layer(from_fn_with_state(args.origins(), Origins::share)),
        None => whep,
    }
}

fn tls(args: &Serve) -> Result<Option<Tls>, Error> {
    match (&args.tls_cert, &args.tls_key) {
        (Some(cert), Some(key)) => Ok(Some(Tls::watch(cert.clone(), key.clone())?)),
        (None, None) => Ok(None),
        (Some(alone), None) => Err(Error::HalfTls(alone.clone(), "--tls-key")),
        (None, Some(alone)) => Err(Error::HalfTls(alone.clone(), "--tls-cert")),
    }
}

fn scheme(args: &Serve) -> &'static str {
    if args.tls_cert.is_some() {
        "https"
    } else {
        "http"
    }
}

fn warn_of_clear_text(args: &Serve) {
    let has_token = args.viewer_token.is_some() || args.control_token.is_some();
    if has_token && args.tls_cert.is_none() && !args.http.ip().is_loopback() {
        tracing::warn!("tokens are sent in clear text: use --tls-cert, or a TLS proxy in front");
    }
}

/// What the greeting says is playing.
async fn programme(channels: &Channels) -> String {
    let mut names = Vec::new();
    for channel in channels.iter() {
        // A URL may hold a password.
        let source = redacted(&channel.source().await);
        let source = if source == "-" {
            "standard input"
        } else {
            &source
        };
        names.push(match channels.iter().count() {
            1 => source.to_owned(),
            _ => format!("{}={source}", channel.name),
        });
    }
    names.join(" ")
}

fn router(whep: Router, station: Arc<Station>) -> Router {
    Router::new()
        .merge(page::router())
        .merge(api::router())
        .merge(metrics::router())
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .with_state(station)
        .merge(whep)
}

async fn not_found() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "There is nothing at this address.")
}

async fn method_not_allowed() -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "This address does not take that method; the Allow header names those it takes.",
    )
}

/// What is printed at the start.
fn greeting(source: &str, scheme: &str, http: SocketAddr, media: &[SocketAddr]) -> String {
    let mut text = format!(
        "skywave {}\n  playing  {source}\n",
        env!("CARGO_PKG_VERSION")
    );
    let mut label = "open";
    for address in page_addresses(http, media) {
        let _ = writeln!(text, "  {label:<7}  {scheme}://{address}/");
        label = "";
    }
    label = "audio";
    for address in media {
        let _ = writeln!(text, "  {label:<7}  UDP {address}");
        label = "";
    }
    if http.ip().is_loopback() {
        let _ = writeln!(
            text,
            "For listeners on other computers: --http {}",
            for_all(http)
        );
    }
    text + "Ctrl-C hangs up.\n"
}

/// The same port of all networks.
pub(crate) fn for_all(http: SocketAddr) -> SocketAddr {
    let ip = match http.ip() {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    SocketAddr::new(ip, http.port())
}

/// The addresses to type into a browser: of a wildcard, this computer's and, for
/// others, those the audio comes from.
fn page_addresses(http: SocketAddr, media: &[SocketAddr]) -> Vec<SocketAddr> {
    if !http.ip().is_unspecified() {
        return vec![http];
    }
    let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let reachable = media
        .iter()
        .map(SocketAddr::ip)
        .filter(|ip| !ip.is_loopback() && (http.is_ipv6() || ip.is_ipv4()));
    let mut ips = vec![loopback];
    for ip in reachable {
        if !ips.contains(&ip) {
            ips.push(ip);
        }
    }
    ips.into_iter()
        .map(|ip| SocketAddr::new(ip, http.port()))
        .collect()
}

/// Prints; a closed standard output is no reason not to play.
fn greet(text: &str) {
    let mut out = io::stdout();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Why serving did not begin.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Source(#[from] source::Error),
    #[error(transparent)]
    Unnamed(#[from] Unnamed),
    #[error(transparent)]
    Channel(#[from] skywave_whip::Error),
    #[error("there is nothing to play")]
    NoChannel,
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error("{} is of no use without {}", .0.display(), .1)]
    HalfTls(PathBuf, &'static str),
    #[error("{}", http_sentence(address, cause))]
    Http {
        address: SocketAddr,
        cause: io::Error,
    },
    #[error("{}", engine_sentence(.0))]
    Engine(#[from] skywave::Error),
    #[error(transparent)]
    System(#[from] io::Error),
}

fn http_sentence(address: &SocketAddr, cause: &io::Error) -> String {
    if cause.kind() == io::ErrorKind::AddrInUse {
        format!(
            "{address} is taken by another program; choose another address with --http ADDR:PORT"
        )
    } else {
        format!(
            "cannot listen on {address} ({cause}); choose another address with --http ADDR:PORT"
        )
    }
}

fn engine_sentence(error: &skywave::Error) -> String {
    match error {
        skywave::Error::Bind { .. } => {
            format!("{error}; choose another address with --udp ADDR:PORT")
        }
        _ => error.to_string(),
    }
}

/// How often is looked whether all have left.
const LOOK_INTERVAL: Duration = Duration::from_millis(200);

/// For HTTP answers under way.
const LAST_ANSWERS_TIME: Duration = Duration::from_millis(300);

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn greeting_names_page_source_and_media() {
        let http = "127.0.0.1:8080".parse().unwrap();
        let text = greeting(
            "melody",
            "http",
            http,
            &addresses(&["192.0.2.2:5000", "[2001:db8::1]:5000"]),
        );
        assert!(text.contains("  playing  melody\n"), "{text}");
        assert!(
            text.contains("  open     http://127.0.0.1:8080/\n"),
            "{text}"
        );
        assert!(text.contains("  audio    UDP 192.0.2.2:5000\n"), "{text}");
        assert!(
            text.contains("           UDP [2001:db8::1]:5000\n"),
            "{text}"
        );
        assert!(text.contains("--http 0.0.0.0:8080"), "{text}");
    }

    #[test]
    fn hint_for_other_computers_keeps_port_and_family() {
        for (http, hint) in [
            ("127.0.0.1:9000", "--http 0.0.0.0:9000\n"),
            ("[::1]:443", "--http [::]:443\n"),
        ] {
            let text = greeting("melody", "http", http.parse().unwrap(), &[]);
            assert!(text.contains(hint), "{text}");
        }
    }

    #[test]
    fn wildcard_is_printed_as_addresses_a_browser_takes() {
        let media = addresses(&["192.0.2.2:5000", "192.0.2.2:5001", "[2001:db8::1]:5000"]);
        let v4 = page_addresses("0.0.0.0:80".parse().unwrap(), &media);
        assert_eq!(v4, addresses(&["127.0.0.1:80", "192.0.2.2:80"]));
        let both = page_addresses("[::]:80".parse().unwrap(), &media);
        assert_eq!(
            both,
            addresses(&["127.0.0.1:80", "192.0.2.2:80", "[2001:db8::1]:80"])
        );
    }

    #[test]
    fn addresses_of_all_networks_need_no_hint() {
        let text = greeting("melody", "https", "192.0.2.2:80".parse().unwrap(), &[]);
        assert!(text.contains("https://192.0.2.2:80/"), "{text}");
        assert!(!text.contains("--http"), "{text}");
    }
}
