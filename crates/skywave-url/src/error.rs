//! What can go wrong, with the URL.

use std::io;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No URL of HTTP or HTTPS.
    #[error("{0}: not an http:// or https:// URL")]
    Url(String),
    /// No connection, no TLS, or no answer.
    #[error("{url}: {reason}")]
    Connect {
        /// The URL.
        url: String,
        /// What is wrong.
        reason: String,
    },
    /// An answer that is not the stream.
    #[error("{url}: the server says {status}{}", hint(*status))]
    Status {
        /// The URL.
        url: String,
        /// The status of HTTP.
        status: u16,
    },
    /// Something else than audio that can be played.
    #[error(transparent)]
    Audio(#[from] skywave_audio::Error),
    /// A list that leads nowhere, or to HLS.
    #[error("{url}: {reason}")]
    List {
        /// The URL.
        url: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The stream is over or broke off.
    #[error("{url}: {reason}")]
    BrokeOff {
        /// The URL.
        url: String,
        /// How it ended.
        reason: String,
    },
    /// The thread that reads ahead could not be started.
    #[error("cannot start the reading thread")]
    Thread(#[source] io::Error),
}

fn hint(status: u16) -> &'static str {
    match status {
        401 | 403 => " (it wants to know who asks, or lets nobody in)",
        404 | 410 => " (there is nothing at this address)",
        429 | 503 => " (it is busy)",
        _ => "",
    }
}
