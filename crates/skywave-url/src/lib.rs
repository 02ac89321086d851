//! Internet radio and other audio at an HTTP or HTTPS URL, as a source.
//!
//! A [`UrlSource`] plays what an Icecast or Shoutcast server or any web server
//! sends: MP3, AAC (ADTS), Ogg and WebM (Vorbis, Opus, FLAC), FLAC, WAV. A
//! thread of its own connects, decodes a few seconds ahead, and connects again when the stream
//! breaks off. HTTPS trusts the certificates that the system trusts.
//!
//! What it does not do: HLS and DASH, servers that answer `ICY 200 OK` in place of
//! HTTP (Shoutcast 1), HE-AAC beyond its AAC-LC core.
//!
//! ```no_run
//! use skywave_audio::AudioSource;
//! use skywave_url::{UrlConfig, UrlSource};
//!
//! let radio = UrlSource::open("https://radio.example/live.mp3", UrlConfig::default())?;
//! let control = radio.control();
//! // track.replace_audio_source(radio);
//! println!("{} reconnections", control.reconnections());
//! # drop(radio);
//! # Ok::<(), skywave_url::Error>(())
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod backoff;
mod config;
mod connection;
mod error;
mod icy;
mod jitter_buffer;
mod redacted;
mod url_source;
mod url_thread;

pub use config::UrlConfig;
pub use error::Error;
pub use redacted::redacted;
pub use url_source::{UrlControl, UrlEvent, UrlSource};

// Sources move to the thread that plays them.
const _: () = {
    const fn assert_send<T: Send>() {}
    assert_send::<UrlSource>();
    assert_send::<UrlControl>();
};
