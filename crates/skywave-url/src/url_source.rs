//! The source, and the handle to it.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use skywave_audio::AudioSource;

use crate::connection::is_http;
use crate::jitter_buffer::{JitterBuffer, Level, jitter_buffer};
use crate::redacted::redacted;
use crate::url_thread::UrlThread;
use crate::{Error, UrlConfig};

/// Audio at an HTTP or HTTPS URL, decoded ahead by a thread of its own.
///
/// A stream that breaks off, stalls or never comes about is connected to again,
/// as often as [`UrlConfig`] says; until then, and whenever it is slower than
/// real time, the source gives nothing, which is silence.
///
/// Dropping the source ends the thread: at once while it waits or the buffer is
/// full, otherwise when the server sends the next octets, or after
/// [`UrlConfig::stall_timeout`].
pub struct UrlSource {
    buffer: JitterBuffer,
    shared: Arc<Shared>,
    events: Option<Receiver<UrlEvent>>,
    /// Dropped with the source, which the thread notices.
    _alive: Sender<()>,
}

impl UrlSource {
    /// Connects, and waits until the first samples are decoded.
    ///
    /// # Errors
    /// [`Error::Url`], and whatever stands in the way of the first attempt.
    pub fn open(url: &str, config: UrlConfig) -> Result<Self, Error> {
        let (opened, outcome) = sync_channel(1);
        let source = Self::spawn(url, config, Some(opened))?;
        match outcome.recv() {
            Ok(Ok(())) => Ok(source),
            Ok(Err(error)) => Err(error),
            // The thread ended: there was nothing to hear.
            Err(_) => Err(Error::BrokeOff {
                url: redacted(url),
                reason: "nothing came".into(),
            }),
        }
    }

    /// Begins to connect and does not wait: a server that is not there yet is
    /// tried again.
    ///
    /// # Errors
    /// [`Error::Url`] and [`Error::Thread`].
    pub fn start(url: &str, config: UrlConfig) -> Result<Self, Error> {
        Self::spawn(url, config, None)
    }

    fn spawn(url: &str, config: UrlConfig, opened: Option<Opened>) -> Result<Self, Error> {
        if !is_http(url) {
            return Err(Error::Url(redacted(url)));
        }
        let (writer, buffer) = jitter_buffer(&config);
        let (sender, events) = sync_channel(MAX_EVENTS);
        let (alive, gone) = channel();
        let shared = Arc::new(Shared {
            reconnections: AtomicU64::new(0),
            damaged: AtomicU64::new(0),
            failure: OnceLock::new(),
            level: buffer.level(),
        });
        let url_thread = UrlThread {
            url: url.into(),
            config,
            writer,
            opened,
            gone,
            events: sender,
            shared: Arc::clone(&shared),
            pcm: Vec::new(),
        };
        thread::Builder::new()
            .name("url-decoder".into())
            .spawn(move || url_thread.run())
            .map_err(Error::Thread)?;
        Ok(Self {
            buffer,
            shared,
            events: Some(events),
            _alive: alive,
        })
    }

    /// A handle that tells how it goes.
    pub fn control(&self) -> UrlControl {
        UrlControl {
            shared: Arc::clone(&self.shared),
        }
    }

    /// What happens, as it happens. The first call gets the receiver, further
    /// ones get one without events. 64 events wait to be received; later ones are
    /// dropped.
    pub fn events(&mut self) -> Receiver<UrlEvent> {
        self.events.take().unwrap_or_else(|| sync_channel(0).1)
    }
}

impl AudioSource for UrlSource {
    fn read(&mut self, pcm: &mut [[f32; 2]]) -> usize {
        self.buffer.read(pcm)
    }

    fn ended(&self) -> bool {
        self.buffer.ended()
    }

    fn ready(&mut self) -> bool {
        self.buffer.ready()
    }

    fn error(&mut self) -> Option<String> {
        self.shared.failure.get().map(ToString::to_string)
    }
}

impl std::fmt::Debug for UrlSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UrlSource")
            .field("control", &self.control())
            .finish_non_exhaustive()
    }
}

/// A handle to a [`UrlSource`], also while a track owns it. Clones are the same;
/// every call returns at once.
#[derive(Clone)]
pub struct UrlControl {
    shared: Arc<Shared>,
}

impl UrlControl {
    /// How often the stream broke off and was connected to again.
    #[must_use]
    pub fn reconnections(&self) -> u64 {
        self.shared.reconnections.load(Relaxed)
    }

    /// Packets of the stream that could not be decoded and were left out.
    #[must_use]
    pub fn damaged_packets(&self) -> u64 {
        self.shared.damaged.load(Relaxed)
    }

    /// How much is decoded and waits to be played.
    #[must_use]
    pub fn buffered(&self) -> Duration {
        self.shared.level.buffered()
    }

    /// Why the source ended, or is about to, if not for the end of a file.
    #[must_use]
    pub fn failure(&self) -> Option<&Error> {
        self.shared.failure.get()
    }
}

impl std::fmt::Debug for UrlControl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UrlControl")
            .field("reconnections", &self.reconnections())
            .field("damaged_packets", &self.damaged_packets())
            .field("buffered", &self.buffered())
            .field("failure", &self.failure())
            .finish()
    }
}

/// What happens to a [`UrlSource`].
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum UrlEvent {
    /// The first samples of a connection are decoded.
    Connected,
    /// There is no connection, or no more.
    Disconnected {
        /// Why, with the URL.
        reason: String,
        /// When the next attempt is made.
        retry_in: Duration,
    },
    /// Everything is decoded, or given up.
    Ended {
        /// Why, if it was given up.
        reason: Option<String>,
    },
}

/// Who waits for the first samples.
pub(crate) type Opened = std::sync::mpsc::SyncSender<Result<(), Error>>;

/// What the thread and the handles share.
pub(crate) struct Shared {
    pub(crate) reconnections: AtomicU64,
    pub(crate) damaged: AtomicU64,
    pub(crate) failure: OnceLock<Error>,
    level: Arc<Level>,
}

const MAX_EVENTS: usize = 64;
