//! One request, up to the body of the answer.

use std::io::{self, ErrorKind, Read};
use std::path::Path;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs::default_provider;
use skywave_audio::playlist_entries;
use ureq::http::{HeaderMap, Uri, header};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, BodyReader};

use crate::icy::IcyReader;
use crate::redacted::redacted;
use crate::{Error, UrlConfig};

/// The body of an answer, which is audio as far as one can tell.
pub(crate) struct Connection {
    pub(crate) body: Box<dyn Read + Send + Sync>,
    /// A hint at its format, as in file names.
    pub(crate) extension: Option<String>,
    /// True for a file, which has an end.
    pub(crate) is_file: bool,
}

impl Connection {
    /// Asks for `url`; a list is followed to what stands in it first.
    pub(crate) fn open(agent: &Agent, url: &str, config: &UrlConfig) -> Result<Self, Error> {
        let mut url = url.to_owned();
        for _ in 0..=config.max_redirects {
            let (headers, body) = ask(agent, &url)?;
            if !is_list(&url, &headers) {
                return Ok(Self::new(&url, &headers, body));
            }
            url = first_entry(&url, body)?;
        }
        let reason = "too many lists that lead to lists";
        Err(Error::List {
            url: redacted(&url),
            reason,
        })
    }

    fn new(url: &str, headers: &HeaderMap, body: BodyReader<'static>) -> Self {
        let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse().ok();
        let named = extension(url).map(str::to_owned);
        let extension = type_extension(content_type(headers)).map(str::to_owned);
        let body = WholeBody(body);
        Self {
            body: match number("icy-metaint") {
                Some(interval) if interval > 0 => Box::new(IcyReader::new(body, interval)),
                _ => Box::new(body),
            },
            extension: extension.or(named),
            is_file: headers.contains_key(header::CONTENT_LENGTH),
        }
    }
}

/// Tells a body that is shorter than the server said (RFC 9112 §8) as a broken connection. ureq
/// calls it an unexpected end, which demuxers take for the end of the stream.
struct WholeBody(BodyReader<'static>);

impl Read for WholeBody {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => io::Error::new(ErrorKind::ConnectionAborted, error),
            _ => error,
        })
    }
}

/// What makes the requests.
pub(crate) fn agent(config: &UrlConfig) -> Agent {
    let tls = TlsConfig::builder()
        .root_certs(RootCerts::PlatformVerifier)
        .unversioned_rustls_crypto_provider(Arc::new(default_provider()))
        .build();
    Agent::config_builder()
        .tls_config(tls)
        .max_redirects(config.max_redirects.into())
        // A stream is asked for rarely, and servers that redirect may close a connection kept for
        // the next request just as that is sent (RFC 9112 section 9.3.1).
        .max_idle_connections(0)
        .timeout_resolve(Some(config.connect_timeout))
        .timeout_connect(Some(config.connect_timeout))
        .timeout_recv_response(Some(config.connect_timeout))
        .timeout_per_read(Some(config.stall_timeout))
        .user_agent(concat!("skywave/", env!("CARGO_PKG_VERSION")))
        .build()
        .new_agent()
}

/// True for the URL of something that can be asked for.
pub(crate) fn is_http(url: &str) -> bool {
    let uri: Result<Uri, _> = url.parse();
    uri.is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.host().is_some_and(|h| !h.is_empty())
    })
}

fn ask(agent: &Agent, url: &str) -> Result<(HeaderMap, BodyReader<'static>), Error> {
    if !is_http(url) {
        return Err(Error::Url(redacted(url)));
    }
    match agent.get(url).call() {
        Ok(response) => {
            let (parts, body) = response.into_parts();
            Ok((parts.headers, body.into_reader()))
        }
        Err(ureq::Error::StatusCode(status)) => Err(Error::Status {
            url: redacted(url),
            status,
        }),
        Err(error) => Err(Error::Connect {
            url: redacted(url),
            reason: error.to_string(),
        }),
    }
}

/// Told by the type, and by the name where the type says nothing of use.
fn is_list(url: &str, headers: &HeaderMap) -> bool {
    let content_type = content_type(headers);
    let type_says = content_type.contains("mpegurl") || content_type.contains("scpls");
    let is_audio = content_type.starts_with("audio/");
    let named = extension(url).is_some_and(|name| matches!(name, "m3u" | "m3u8" | "pls"));
    type_says || named && !is_audio
}

fn first_entry(url: &str, body: BodyReader<'static>) -> Result<String, Error> {
    let error = |reason| Error::List {
        url: redacted(url),
        reason,
    };
    let mut octets = Vec::new();
    (body.take(MAX_LIST_OCTETS).read_to_end(&mut octets))
        .map_err(|_| error("the list broke off"))?;
    let text = String::from_utf8_lossy(&octets);
    if text.contains("#EXT-X-") {
        return Err(error(
            "HLS cannot be played; let ffmpeg read it, and play what it writes",
        ));
    }
    let entries = playlist_entries(&text);
    let entry = entries.into_iter().find(|entry| is_http(entry));
    entry.ok_or_else(|| error("the list has no http:// or https:// URL"))
}

/// Without its parameters, in small letters.
fn content_type(headers: &HeaderMap) -> String {
    let value = headers.get(header::CONTENT_TYPE);
    let text = value
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let essence = text.split(';').next().unwrap_or_default();
    essence.trim().to_ascii_lowercase()
}

fn type_extension(content_type: String) -> Option<&'static str> {
    Some(match content_type.as_str() {
        "audio/mpeg" | "audio/mp3" => "mp3",
        "audio/aac" | "audio/aacp" | "audio/x-aac" => "aac",
        "audio/ogg" | "application/ogg" | "audio/opus" => "ogg",
        "audio/flac" | "audio/x-flac" => "flac",
        "audio/wav" | "audio/x-wav" | "audio/vnd.wave" => "wav",
        "audio/mp4" | "audio/x-m4a" => "m4a",
        "audio/webm" | "video/webm" => "webm",
        "audio/matroska" | "audio/x-matroska" => "mka",
        _ => return None,
    })
}

/// That of the URL's path.
fn extension(url: &str) -> Option<&str> {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    Path::new(path).extension()?.to_str()
}

/// A list is some lines long.
const MAX_LIST_OCTETS: u64 = 64 * 1_024;
