//! The thread that connects, decodes, and connects again.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError};
use std::time::Duration;

use skywave_audio::{SAMPLE_RATE, StreamDecoder, contain};
use ureq::Agent;

use crate::backoff::Backoff;
use crate::connection::{self, Connection};
use crate::jitter_buffer::Writer;
use crate::redacted::redacted;
use crate::url_source::{Opened, Shared};
use crate::{Error, UrlConfig, UrlEvent};

pub(crate) struct UrlThread {
    pub(crate) url: String,
    pub(crate) config: UrlConfig,
    pub(crate) writer: Writer,
    /// Who waits for the first samples; None once that is over.
    pub(crate) opened: Option<Opened>,
    /// Hangs up when the source is dropped.
    pub(crate) gone: Receiver<()>,
    pub(crate) events: SyncSender<UrlEvent>,
    pub(crate) shared: Arc<Shared>,
    /// Decoded, and less than a block.
    pub(crate) pcm: Vec<[f32; 2]>,
}

impl UrlThread {
    /// Returns when there is nothing more to do.
    pub(crate) fn run(mut self) {
        let agent = connection::agent(&self.config);
        let mut backoff = Backoff::new();
        loop {
            let (samples, outcome) = self.attempt_guarded(&agent);
            if samples >= SUCCESS_SAMPLES {
                backoff.succeeded();
            }
            let error = match outcome {
                Ok(End::Gone) => return,
                Ok(End::File) if samples == 0 => self.broke_off("it holds no audio"),
                Ok(End::File) if self.config.repeat => {
                    let is_short = samples < SHORT_SAMPLES;
                    if is_short && self.gone.recv_timeout(PAUSE) != Err(RecvTimeoutError::Timeout) {
                        return;
                    }
                    continue;
                }
                Ok(End::File) => return self.tell(UrlEvent::Ended { reason: None }),
                Err(error) => error,
            };
            if let Some(opened) = self.opened.take() {
                // It waits for this, with room for it.
                let _ = opened.try_send(Err(error));
                return;
            }
            let random = RandomState::new().hash_one(0);
            let Some(delay) = backoff.next(&self.config, random) else {
                return self.give_up(error);
            };
            tracing::warn!(%error, ?delay, "stream broke off");
            self.tell(UrlEvent::Disconnected {
                reason: error.to_string(),
                retry_in: delay,
            });
            if self.gone.recv_timeout(delay) != Err(RecvTimeoutError::Timeout) {
                return;
            }
            self.shared.reconnections.fetch_add(1, Relaxed);
        }
    }

    /// One connection from its beginning to its end, and the samples it gave.
    fn attempt_guarded(&mut self, agent: &Agent) -> (usize, Result<End, Error>) {
        let mut samples = 0;
        let outcome = contain(|| self.attempt(agent, &mut samples));
        let outcome = outcome.unwrap_or_else(|_| Err(self.broke_off("the decoder failed")));
        (samples, outcome)
    }

    fn attempt(&mut self, agent: &Agent, samples: &mut usize) -> Result<End, Error> {
        let connection = Connection::open(agent, &self.url, &self.config)?;
        let extension = connection.extension.as_deref();
        let mut decoder = StreamDecoder::new(redacted(&self.url), extension, connection.body)?;
        let mut damaged = 0;
        loop {
            let before = self.pcm.len();
            let more = decoder.decode(&mut self.pcm)?;
            let decoded = self.pcm.len() - before;
            if *samples == 0 && decoded > 0 {
                self.connected();
            }
            *samples += decoded;
            let total = decoder.damaged_packets();
            self.shared.damaged.fetch_add(total - damaged, Relaxed);
            damaged = total;
            // A stream of broken packets gives nothing to send.
            let is_dropped = self.gone.try_recv() == Err(TryRecvError::Disconnected);
            if is_dropped || !self.writer.send(&mut self.pcm) {
                return Ok(End::Gone);
            }
            if !more {
                break;
            }
        }
        match decoder.fault() {
            Some(fault) => Err(self.broke_off(fault)),
            None if connection.is_file => Ok(End::File),
            None => Err(self.broke_off("the server ended the stream")),
        }
    }

    fn connected(&mut self) {
        tracing::info!(url = redacted(&self.url), "stream connected");
        if let Some(opened) = self.opened.take() {
            // It waits for this, with room for it.
            let _ = opened.try_send(Ok(()));
        }
        self.tell(UrlEvent::Connected);
    }

    fn give_up(&self, error: Error) {
        tracing::error!(%error, "stream given up");
        let reason = Some(error.to_string());
        // Only here, once.
        let _ = self.shared.failure.set(error);
        self.tell(UrlEvent::Ended { reason });
    }

    fn broke_off(&self, reason: &str) -> Error {
        Error::BrokeOff {
            url: redacted(&self.url),
            reason: reason.into(),
        }
    }

    fn tell(&self, event: UrlEvent) {
        // Full or unread: then nobody wants to know.
        let _ = self.events.try_send(event);
    }
}

/// How a connection ended that did not break off.
enum End {
    /// The source was dropped.
    Gone,
    /// All of a file is decoded.
    File,
}

/// A file shorter than half a second is not fetched again at once: a server shall not be asked a
/// hundred times a second because it has a hundredth of a second to give.
const SHORT_SAMPLES: usize = SAMPLE_RATE as usize / 2;
const PAUSE: Duration = Duration::from_millis(250);

/// A connection that gave 10 s was a success.
const SUCCESS_SAMPLES: usize = 10 * SAMPLE_RATE as usize;
