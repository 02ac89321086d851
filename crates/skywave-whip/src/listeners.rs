//! The listeners that came in over HTTP, by session id.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Weak};

use axum::http::{HeaderMap, StatusCode};
use serde::Serialize;
use skywave::{AudioTransmitter, IceCredentials, StatsReport, TransmissionStats};
use tokio::sync::Mutex;
use tokio::task::AbortHandle;
use tracing::Instrument;

use crate::joining::JoiningPlace;
use crate::{Problem, precondition};

/// Everybody who listens now, by session id. A cheap handle to one table.
///
/// A session leaves the table when its listener hangs up, falls silent or fails;
/// all are hung up when the last handle is gone, the router's included.
#[derive(Clone, Default)]
pub struct Listeners {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    sessions: Mutex<HashMap<String, Session>>,
    draining: AtomicBool,
}

impl Listeners {
    /// The ids, the channels and the figures of all listeners, in no particular order.
    pub async fn stats(&self) -> Vec<ListenerStats> {
        // The figures are gathered after the lock is given back.
        let transmitters: Vec<_> = self
            .shared
            .sessions
            .lock()
            .await
            .iter()
            .map(|(id, session)| {
                let channel = session.channel.to_string();
                (id.clone(), channel, Arc::clone(&session.transmitter))
            })
            .collect();
        transmitters
            .into_iter()
            .map(|(id, channel, transmitter)| ListenerStats {
                id,
                channel,
                transmission: transmitter.transmission_stats(),
            })
            .collect()
    }

    /// All that is known of one listener, as the W3C has it; none of an unknown id.
    pub async fn stats_report(&self, id: &str) -> Option<StatsReport> {
        let sessions = self.shared.sessions.lock().await;
        let transmitter = Arc::clone(&sessions.get(id)?.transmitter);
        drop(sessions);
        Some(transmitter.stats_report())
    }

    /// How many listen to each channel that anybody listens to.
    pub async fn by_channel(&self) -> HashMap<String, usize> {
        let mut counts = HashMap::new();
        for session in self.shared.sessions.lock().await.values() {
            *counts.entry(session.channel.to_string()).or_default() += 1;
        }
        counts
    }

    /// From now on new listeners are told to come back later, perhaps to another server; those
    /// who are there stay.
    pub fn drain(&self) {
        self.shared.draining.store(true, Relaxed);
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.shared.draining.load(Relaxed)
    }

    /// Keeps a transmitter until it has ended.
    pub(crate) async fn add(
        &self,
        transmitter: AudioTransmitter,
        channel: Arc<str>,
        place: JoiningPlace,
    ) -> Ticket {
        let ticket = Ticket {
            id: format!("{:032x}", rand::random::<u128>()),
            etag: new_etag(),
        };
        let id = ticket.id.clone();
        let ice = IceSession {
            etag: ticket.etag.clone(),
            remote_ufrag: transmitter
                .remote_ice_ufrag()
                .unwrap_or_default()
                .to_owned(),
        };
        let transmitter = Arc::new(transmitter);
        let span = tracing::info_span!("session", id = short(&id), %channel);
        span.in_scope(|| tracing::info!("listener accepted"));
        // Locked until the session is in, so that one which ends at once is
        // removed after it was added.
        let mut sessions = self.shared.sessions.lock().await;
        let farewell = remove_when_closed(
            Arc::downgrade(&self.shared),
            id.clone(),
            Arc::clone(&transmitter),
            place,
        );
        let session = Session {
            transmitter,
            channel,
            ice,
            farewell: tokio::spawn(farewell.instrument(span.clone())).abort_handle(),
            span,
        };
        sessions.insert(id, session);
        ticket
    }

    /// Whether there is such a session.
    pub(crate) async fn contains(&self, id: &str) -> bool {
        self.shared.sessions.lock().await.contains_key(id)
    }

    /// Takes a fragment of a listener's description with these credentials: if they are new, ICE
    /// is restarted and the fragment to answer with comes back (RFC 9725 §4.3.3). If not, the
    /// fragment had candidates only, and we need none.
    pub(crate) async fn patch(
        &self,
        id: &str,
        headers: &HeaderMap,
        remote: &IceCredentials,
    ) -> Result<Option<Restarted>, Problem> {
        // Locked to the end: of two requests at a time, one is later.
        let mut sessions = self.shared.sessions.lock().await;
        let session = sessions.get_mut(id).ok_or_else(unknown)?;
        precondition::check(headers, &session.ice.etag)?;
        if remote.ufrag == session.ice.remote_ufrag {
            return Ok(None);
        }
        let fragment = match session.transmitter.restart_ice(remote) {
            // It has just ended.
            Err(skywave::Error::Closed) => return Err(unknown()),
            restarted => restarted?,
        };
        session.ice = IceSession {
            etag: new_etag(),
            remote_ufrag: remote.ufrag.clone(),
        };
        session.span.in_scope(|| tracing::info!("ICE restarted"));
        Ok(Some(Restarted {
            fragment,
            etag: session.ice.etag.clone(),
        }))
    }

    /// Takes a listener out and hangs it up. False when there is no such session.
    pub(crate) async fn hang_up(&self, id: &str) -> bool {
        let session = self.shared.sessions.lock().await.remove(id);
        match session {
            Some(session) => {
                session.farewell.abort();
                session.transmitter.close().await;
                (session.span).in_scope(|| tracing::info!("listener hung up"));
                true
            }
            None => false,
        }
    }
}

/// One listener.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[non_exhaustive]
pub struct ListenerStats {
    /// Of its WHEP session. Who knows it may hang up.
    pub id: String,
    /// The channel that it listens to.
    pub channel: String,
    /// What it was sent, and how that arrived.
    #[serde(flatten)]
    pub transmission: TransmissionStats,
}

/// What a new listener is given.
pub(crate) struct Ticket {
    /// Of the session: 128 random bits in base 16, as whoever knows it may hang up.
    pub(crate) id: String,
    /// Of its first ICE session.
    pub(crate) etag: String,
}

/// What an ICE restart is answered with.
pub(crate) struct Restarted {
    pub(crate) fragment: String,
    pub(crate) etag: String,
}

/// Nobody of this id listens.
pub(crate) fn unknown() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "There is no such session, or it has ended.",
    )
}

/// One listener. Dropping it hangs up.
struct Session {
    transmitter: Arc<AudioTransmitter>,
    channel: Arc<str>,
    ice: IceSession,
    /// The task that waits for the end and owns the transmitter as well.
    farewell: AbortHandle,
    span: tracing::Span,
}

/// From one ICE restart to the next.
struct IceSession {
    /// Strong (RFC 9725 §4.3.1).
    etag: String,
    remote_ufrag: String,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.farewell.abort();
    }
}

/// An entity-tag that no other ICE session has.
fn new_etag() -> String {
    format!("\"{:016x}\"", rand::random::<u64>())
}

/// Enough of a session id to tell it from others in the log, and too little to hang it up.
fn short(id: &str) -> &str {
    id.get(..8).unwrap_or_default()
}

/// Apart from the waiting, so that each listener's task has no room for the figures.
fn tell_farewell(transmitter: &AudioTransmitter) {
    let stats = transmitter.transmission_stats();
    let reason = stats.reason.as_deref().unwrap_or_default();
    tracing::info!(state = %stats.state, reason, "listener gone");
}

/// Waits until the listener is in, then until it is gone, and forgets it. Holds the table weakly:
/// the waiting must not keep the sessions alive.
async fn remove_when_closed(
    shared: Weak<Shared>,
    id: String,
    transmitter: Arc<AudioTransmitter>,
    place: JoiningPlace,
) {
    // Whether it came in or not, it is no longer on its way.
    let _ = transmitter.connected().await;
    drop(place);
    transmitter.closed().await;
    tell_farewell(&transmitter);
    if let Some(shared) = shared.upgrade() {
        shared.sessions.lock().await.remove(&id);
    }
}
