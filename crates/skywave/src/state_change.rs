//! Changes of a transmitter's state, told one after another.

use std::collections::VecDeque;
use std::fmt;
use std::time::SystemTime;

use skywave_peer::{CloseReason, FailureReason};
use tokio::sync::watch;

use crate::status::{Status, TransmitterState};

/// One change of a transmitter's state.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StateChange {
    /// The state from then on.
    pub state: TransmitterState,
    /// What led to it, where the state alone does not tell.
    pub reason: Option<StateReason>,
    /// When it was entered.
    pub at: SystemTime,
}

/// What led to a state.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum StateReason {
    /// To [`Disconnected`](TransmitterState::Disconnected): no check and no RTCP for too long.
    Silent,
    /// Back to [`Connected`](TransmitterState::Connected): the listener speaks again.
    Returned,
    /// To [`Failed`](TransmitterState::Failed).
    Failed(FailureReason),
    /// To [`Closed`](TransmitterState::Closed): one of both ends hung up.
    HungUp(CloseReason),
    /// To [`Closed`](TransmitterState::Closed): the engine was closed before anything was
    /// negotiated.
    EngineClosed,
}

impl fmt::Display for StateReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Silent => "no sign of life from the peer",
            Self::Returned => "the peer is back",
            Self::Failed(reason) => return reason.fmt(formatter),
            Self::HungUp(CloseReason::Local) => "hung up here",
            Self::HungUp(CloseReason::DtlsClosed) => "hung up by the peer (DTLS)",
            Self::HungUp(CloseReason::Bye) => "hung up by the peer (RTCP BYE)",
            Self::HungUp(_) => "hung up",
            Self::EngineClosed => "the engine was closed",
        };
        formatter.write_str(text)
    }
}

/// Tells all changes of one transmitter's state in their order, the first one since the
/// transmitter was made. Made by
/// [`AudioTransmitter::state_changes`](crate::AudioTransmitter::state_changes).
///
/// A reader may be as slow as it likes: the last [`KEPT`](Self::KEPT) changes wait for it, and
/// the final one is always among them.
pub struct StateChanges {
    status: watch::Receiver<Status>,
    /// Changes that were told or missed.
    passed: u64,
    missed: u64,
    over: bool,
}

impl StateChanges {
    /// Changes that wait for a reader at most; older ones are left out first.
    pub const KEPT: usize = 32;

    pub(crate) fn new(status: watch::Receiver<Status>) -> Self {
        Self {
            status,
            passed: 0,
            missed: 0,
            over: false,
        }
    }

    /// Waits for the next change; none after a final one. Needs no particular runtime. Nothing is
    /// lost if the waiting is given up.
    pub async fn next(&mut self) -> Option<StateChange> {
        if self.over {
            return None;
        }
        let passed = self.passed;
        let news = self.status.wait_for(|status| status.changes.end() > passed);
        let change = match news.await {
            Ok(status) => {
                let first = status.changes.first.max(passed);
                self.missed += first - passed;
                self.passed = first + 1;
                status.changes.get(first)?
            }
            // The media thread is gone, and had nothing to hang up.
            Err(_) => StateChange {
                state: TransmitterState::Closed,
                reason: Some(StateReason::EngineClosed),
                at: SystemTime::now(),
            },
        };
        self.over = change.state.is_final();
        Some(change)
    }

    /// Changes that were left out so far because the reader was more than
    /// [`KEPT`](Self::KEPT) behind.
    pub fn missed(&self) -> u64 {
        self.missed
    }
}

/// The latest changes, by number.
#[derive(Clone, Debug, Default)]
pub(crate) struct StateLog {
    /// The number of the oldest that is kept.
    first: u64,
    kept: VecDeque<StateChange>,
}

impl StateLog {
    /// The number of the next change.
    fn end(&self) -> u64 {
        self.first + self.kept.len() as u64
    }

    fn get(&self, number: u64) -> Option<StateChange> {
        let place = usize::try_from(number.checked_sub(self.first)?).ok()?;
        self.kept.get(place).cloned()
    }

    pub(crate) fn push(&mut self, change: StateChange) {
        if self.kept.len() == StateChanges::KEPT {
            self.kept.pop_front();
            self.first += 1;
        }
        self.kept.push_back(change);
    }
}

#[cfg(test)]
mod tests {
    use skywave_peer::PeerEvent;

    use super::*;

    fn tell(status: &watch::Sender<Status>, event: PeerEvent) {
        status.send_modify(|status| status.apply(event));
    }

    #[tokio::test]
    async fn slow_reader_misses_no_change_and_hears_the_end_last() {
        let (sender, receiver) = watch::channel(Status::default());
        let mut changes = StateChanges::new(receiver);
        sender.send_modify(|status| status.enter(TransmitterState::Connecting, None));
        tell(&sender, PeerEvent::Disconnected);
        tell(&sender, PeerEvent::Reconnected);
        tell(&sender, PeerEvent::Failed(FailureReason::ConsentExpired));
        drop(sender);
        let mut told = Vec::new();
        while let Some(change) = changes.next().await {
            told.push((change.state, change.reason));
        }
        use TransmitterState::{Connected, Connecting, Disconnected, Failed};
        let failure = StateReason::Failed(FailureReason::ConsentExpired);
        assert_eq!(
            told,
            [
                (Connecting, None),
                (Disconnected, Some(StateReason::Silent)),
                (Connected, Some(StateReason::Returned)),
                (Failed, Some(failure)),
            ]
        );
        assert_eq!(changes.missed(), 0);
    }

    #[tokio::test]
    async fn reader_far_behind_is_told_how_much_it_missed_and_the_end_all_the_same() {
        let (sender, receiver) = watch::channel(Status::default());
        let mut changes = StateChanges::new(receiver);
        for _ in 0..100 {
            tell(&sender, PeerEvent::Disconnected);
            tell(&sender, PeerEvent::Reconnected);
        }
        tell(&sender, PeerEvent::Closed(CloseReason::Bye));
        let (mut told, mut last) = (0, None);
        while let Some(change) = changes.next().await {
            told += 1;
            last = change.reason;
        }
        assert_eq!(told, StateChanges::KEPT);
        assert_eq!(changes.missed(), 201 - told as u64);
        assert_eq!(last, Some(StateReason::HungUp(CloseReason::Bye)));
    }

    #[tokio::test]
    async fn engine_that_ends_ends_what_never_began() {
        let (sender, receiver) = watch::channel(Status::default());
        let mut changes = StateChanges::new(receiver);
        drop(sender);
        let last = changes.next().await.unwrap();
        assert_eq!(last.state, TransmitterState::Closed);
        assert_eq!(last.reason, Some(StateReason::EngineClosed));
        assert_eq!(changes.next().await, None);
    }

    #[test]
    fn event_that_changes_no_state_is_no_change() {
        let mut status = Status::default();
        status.apply(PeerEvent::SsrcChanged(7));
        status.apply(PeerEvent::BitrateLimited(64_000));
        assert_eq!(status.changes.end(), 0);
    }
}
