//! The state of a transmitter, as its thread tells it to its handles.

use std::fmt;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use skywave_peer::{CloseReason, Connection, FailureReason, PeerEvent};

use crate::state_change::{StateChange, StateLog, StateReason};

/// The state of a transmitter, in the words of the W3C's `RTCPeerConnectionState`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TransmitterState {
    /// Nothing negotiated, or an offer without its answer.
    #[default]
    New,
    /// Both descriptions are known; connectivity checks and the handshake go on.
    Connecting,
    /// Media flows.
    Connected,
    /// Media flows, but the peer has given no sign of life for a while.
    Disconnected,
    /// The connection broke or never came about. Final.
    Failed,
    /// Hung up by either end. Final.
    Closed,
}

impl TransmitterState {
    /// True for the states that are never left.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Failed | Self::Closed)
    }
}

impl fmt::Display for TransmitterState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::New => "new",
            Self::Connecting => "connecting",
            Self::Connected => "connected",
            Self::Disconnected => "disconnected",
            Self::Failed => "failed",
            Self::Closed => "closed",
        })
    }
}

/// The user name fragments of an ICE restart.
#[derive(Clone, Debug)]
pub(crate) struct Restarted {
    pub(crate) local_ufrag: Box<str>,
    pub(crate) remote_ufrag: Box<str>,
}

/// State and what explains it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Status {
    pub(crate) state: TransmitterState,
    /// Once connected.
    pub(crate) connection: Option<Connection>,
    /// How often the peer chose a path.
    pub(crate) path_changes: u32,
    /// Of the last ICE restart that came to a nomination.
    pub(crate) restarted: Option<Restarted>,
    /// If it is another than at first.
    pub(crate) ssrc: Option<u32>,
    /// The limit that the peer asked for, in bit/s.
    pub(crate) max_bitrate: Option<u64>,
    /// If failed.
    pub(crate) failure: Option<FailureReason>,
    /// If closed.
    pub(crate) closed_by: Option<CloseReason>,
    /// How it came to this state.
    pub(crate) changes: StateLog,
}

impl Status {
    /// Goes over to a state.
    pub(crate) fn enter(&mut self, state: TransmitterState, reason: Option<StateReason>) {
        self.state = state;
        self.changes.push(StateChange {
            state,
            reason,
            at: SystemTime::now(),
        });
    }

    pub(crate) fn apply(&mut self, event: PeerEvent) {
        match event {
            PeerEvent::Connected(connection) => {
                self.enter(TransmitterState::Connected, None);
                self.connection = Some(connection);
                self.path_changes += 1;
            }
            PeerEvent::Moved(path) => {
                if let Some(connection) = &mut self.connection {
                    connection.path = path;
                    self.path_changes += 1;
                }
            }
            PeerEvent::IceRestarted {
                local_ufrag,
                remote_ufrag,
            } => {
                self.restarted = Some(Restarted {
                    local_ufrag,
                    remote_ufrag,
                });
            }
            PeerEvent::SsrcChanged(ssrc) => self.ssrc = Some(ssrc),
            PeerEvent::BitrateLimited(bits) => self.max_bitrate = Some(bits),
            PeerEvent::Disconnected => {
                self.enter(TransmitterState::Disconnected, Some(StateReason::Silent));
            }
            PeerEvent::Reconnected => {
                self.enter(TransmitterState::Connected, Some(StateReason::Returned));
            }
            PeerEvent::Failed(reason) => {
                let why = StateReason::Failed(reason.clone());
                self.enter(TransmitterState::Failed, Some(why));
                self.failure = Some(reason);
            }
            PeerEvent::Closed(reason) => {
                self.enter(TransmitterState::Closed, Some(StateReason::HungUp(reason)));
                self.closed_by = Some(reason);
            }
            // Events that later versions of the hub may add change no state.
            _ => {}
        }
    }
}
