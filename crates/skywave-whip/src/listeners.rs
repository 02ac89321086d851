//! The listeners that came in over HTTP, by session id.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use skywave::{AudioTransmitter, TransmissionStats};
use tokio::sync::Mutex;
use tokio::task::AbortHandle;

/// Everybody who listens now, by session id. A cheap handle to one table.
///
/// A session leaves the table when its listener hangs up, falls silent or fails;
/// all are hung up when the last handle is gone, the router's included.
#[derive(Clone, Default)]
pub struct Listeners {
    sessions: Arc<Mutex<HashMap<String, Session>>>,
}

impl Listeners {
    /// The ids and the figures of all listeners, in no particular order.
    pub async fn stats(&self) -> Vec<(String, TransmissionStats)> {
        // The figures are gathered after the lock is given back.
        let transmitters: Vec<_> = self
            .sessions
            .lock()
            .await
            .iter()
            .map(|(id, session)| (id.clone(), Arc::clone(&session.transmitter)))
            .collect();
        transmitters
            .into_iter()
            .map(|(id, transmitter)| (id, transmitter.transmission_stats()))
            .collect()
    }

    /// Keeps a transmitter until it has ended and returns its session id: 128
    /// random bits in base 16, as whoever knows the id may hang up.
    pub(crate) async fn add(&self, transmitter: AudioTransmitter) -> String {
        let id = format!("{:032x}", rand::random::<u128>());
        let transmitter = Arc::new(transmitter);
        // Locked until the session is in, so that one which ends at once is
        // removed after it was added.
        let mut sessions = self.sessions.lock().await;
        let farewell = tokio::spawn(remove_when_closed(
            Arc::downgrade(&self.sessions),
            id.clone(),
            Arc::clone(&transmitter),
        ));
        let session = Session {
            transmitter,
            farewell: farewell.abort_handle(),
        };
        sessions.insert(id.clone(), session);
        id
    }

    /// Takes a listener out and hangs it up. False when there is no such session.
    pub(crate) async fn hang_up(&self, id: &str) -> bool {
        let session = self.sessions.lock().await.remove(id);
        match session {
            Some(session) => {
                session.farewell.abort();
                session.transmitter.close().await;
                tracing::info!(%id, "listener hung up");
                true
            }
            None => false,
        }
    }
}

/// One listener. Dropping it hangs up.
struct Session {
    transmitter: Arc<AudioTransmitter>,
    /// The task that waits for the end and owns the transmitter as well.
    farewell: AbortHandle,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.farewell.abort();
    }
}

/// Waits until the listener is gone and forgets it. Holds the table weakly: the
/// waiting must not keep the sessions alive.
async fn remove_when_closed(
    sessions: Weak<Mutex<HashMap<String, Session>>>,
    id: String,
    transmitter: Arc<AudioTransmitter>,
) {
    transmitter.closed().await;
    let stats = transmitter.transmission_stats();
    let reason = stats.reason.as_deref().unwrap_or_default();
    tracing::info!(%id, state = %stats.state, reason, "listener gone");
    if let Some(sessions) = sessions.upgrade() {
        sessions.lock().await.remove(&id);
    }
}
