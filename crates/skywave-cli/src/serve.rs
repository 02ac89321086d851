//! `skywave serve`: one engine, one track, one HTTP address, until a signal comes.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use skywave::{Engine, RtpConfig, TrackConfig};
use skywave_whip::Problem;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::api::{self, Station};
use crate::args::Serve;
use crate::shutdown::Signals;
use crate::source::SourceName;
use crate::{http, metrics, page, source, system_limits};

/// Serves until SIGINT or SIGTERM, then hangs up everybody.
pub(crate) async fn serve(name: SourceName, args: &Serve) -> Result<(), Error> {
    let source = source::open(name.clone()).await?;
    let listener = TcpListener::bind(args.http)
        .await
        .map_err(|cause| Error::Http {
            address: args.http,
            cause,
        })?;
    let descriptors = system_limits::raise_descriptors();
    let config = args.engine_config();
    let engine = Engine::bind(config.clone())?;
    let shards = engine.stats().shards;
    system_limits::report(descriptors, args.http_connections, &config, &shards);
    let track = engine.audio_track(TrackConfig {
        ptime: args.ptime,
        rtp: RtpConfig {
            redundancy: args.redundancy,
            ..RtpConfig::default()
        },
        ..TrackConfig::default()
    });
    track.replace_audio_source(source);

    let signals = Signals::catch()?;
    let name = name.to_string();
    greet(&greeting(
        &name,
        listener.local_addr()?,
        &engine.candidates(),
    ));
    let (whep, listeners) = skywave_whip::whep_router(engine.clone(), track.clone());
    let station = Station::new(engine.clone(), track, listeners, name);
    let router = router(whep, Arc::new(station));
    let (stop, stopped) = oneshot::channel::<()>();
    let stopped = async { drop(stopped.await) };
    let serving = http::serve(listener, router, args.http_connections, stopped);
    let serving = tokio::spawn(serving);
    signals.received().await;
    drop(stop);
    let _ = timeout(HANG_UP_TIME, engine.close()).await;
    // A connection that is kept alive must not hold up the end.
    let _ = timeout(LAST_ANSWERS_TIME, serving).await;
    Ok(())
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
fn greeting(source: &str, http: SocketAddr, media: &[SocketAddr]) -> String {
    let source = if source == "-" {
        "standard input"
    } else {
        source
    };
    let mut text = format!(
        "skywave {}\n  playing  {source}\n",
        env!("CARGO_PKG_VERSION")
    );
    let mut label = "open";
    for address in page_addresses(http, media) {
        let _ = writeln!(text, "  {label:<7}  http://{address}/");
        label = "";
    }
    label = "audio";
    for address in media {
        let _ = writeln!(text, "  {label:<7}  UDP {address}");
        label = "";
    }
    if http.ip().is_loopback() {
        text += "For listeners on other computers: --http 0.0.0.0:8080\n";
    }
    text + "Ctrl-C hangs up.\n"
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

/// For the farewells to all listeners.
const HANG_UP_TIME: Duration = Duration::from_millis(1200);

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
    fn standard_input_is_called_by_its_name() {
        let text = greeting("-", "192.0.2.2:80".parse().unwrap(), &[]);
        assert!(text.contains("playing  standard input"), "{text}");
        assert!(!text.contains("--http"), "{text}");
    }
}
