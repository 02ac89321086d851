//! What the handle and the source of a speech queue share.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};

use tokio::sync::Notify;

use super::intake::{Generation, Intake};
use super::position::SpeechPosition;

/// Atomics and what wakes those who wait; nothing here makes the source wait.
#[derive(Default)]
pub(super) struct Shared {
    /// An [`Intake`].
    intake: AtomicU64,
    /// What the intake was after the last clear, without `is_open`.
    cleared: AtomicU64,
    pub(super) paused: AtomicBool,
    /// No handle is left.
    pub(super) closed: AtomicBool,
    /// The source is gone.
    pub(super) abandoned: AtomicBool,
    /// Written by the source.
    sent: AtomicU64,
    /// Written by the source.
    discarded: AtomicU64,
    /// Everything up to here has left the machine.
    settled: AtomicU64,
    pub(super) missed_events: AtomicU64,
    /// Wake the push that waits for room when so many samples are sent or discarded.
    wake_at: AtomicU64,
    pub(super) room: Notify,
    pub(super) quiet: Notify,
    /// There is an event.
    pub(super) told: Notify,
}

/// That the queue was cleared meanwhile.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Superseded;

impl Shared {
    pub(super) fn intake(&self) -> Intake {
        Intake::unpack(self.intake.load(SeqCst))
    }

    pub(super) fn cleared(&self) -> Intake {
        Intake::unpack(self.cleared.load(SeqCst))
    }

    /// Adds samples to an utterance. Returns the position of the first.
    pub(super) fn accept(&self, generation: Generation, samples: u64) -> Result<u64, Superseded> {
        self.change(|intake| {
            let accepted = intake.accepted + samples;
            (intake.generation == generation).then_some(Intake {
                is_open: true,
                accepted,
                ..intake
            })
        })
    }

    /// Nothing more comes for the utterance.
    pub(super) fn end_utterance(&self, generation: Generation) -> Result<u64, Superseded> {
        let ended = self.change(|intake| {
            (intake.generation == generation).then_some(Intake {
                is_open: false,
                ..intake
            })
        });
        self.quiet.notify_waiters();
        ended
    }

    /// Ends the generation: everything accepted so far is to be discarded.
    pub(super) fn clear(&self) {
        let cleared = |word| {
            let intake = Intake::unpack(word);
            Intake {
                generation: intake.generation.next(),
                is_open: false,
                ..intake
            }
        };
        let update = |word| Some(cleared(word).pack());
        let (Ok(before) | Err(before)) = self.intake.fetch_update(SeqCst, SeqCst, update);
        let now = cleared(before);
        // Of two clears at a time the later one counts.
        let newer = |word| {
            let known = Intake::unpack(word).generation;
            known.is_before(now.generation).then_some(now.pack())
        };
        let _ = self.cleared.fetch_update(SeqCst, SeqCst, newer);
        // Last, lest the source goes on with what it was paused in.
        self.paused.store(false, SeqCst);
        self.room.notify_one();
        self.quiet.notify_waiters();
    }

    pub(super) fn position(&self) -> SpeechPosition {
        loop {
            let discarded = self.discarded.load(SeqCst);
            let sent = self.sent.load(SeqCst);
            let pushed = self.intake().accepted;
            // A clear between the two would show both before and after.
            if self.discarded.load(SeqCst) == discarded {
                return SpeechPosition {
                    pushed,
                    sent,
                    discarded,
                };
            }
        }
    }

    /// For the source: how far it has come.
    pub(super) fn set_position(&self, sent: u64, discarded: u64) {
        self.sent.store(sent, SeqCst);
        self.discarded.store(discarded, SeqCst);
        let wake_at = self.wake_at.load(SeqCst);
        if sent + discarded + 1 >= wake_at && wake_at != 0 {
            self.wake_at.store(0, SeqCst);
            self.room.notify_one();
        }
    }

    /// Wants [`room`](Self::room) notified when the source is at `position` or beyond. Look again
    /// after that: the source may have got there before.
    pub(super) fn wake_at(&self, position: u64) {
        self.wake_at.store(position + 1, SeqCst);
    }

    /// Samples that wait, those not counted that are cleared and will go with the next packet.
    pub(super) fn waiting(&self) -> u64 {
        let SpeechPosition {
            sent, discarded, ..
        } = self.position();
        let reached = (sent + discarded).max(self.cleared().accepted);
        self.intake().accepted.saturating_sub(reached)
    }

    /// For the source: everything up to there has left the machine.
    pub(super) fn settle(&self, position: u64) {
        if self.settled.swap(position, SeqCst) != position {
            self.quiet.notify_waiters();
        }
    }

    /// Whether everything has left the machine, and nothing more is to come.
    pub(super) fn is_settled(&self) -> bool {
        let intake = self.intake();
        !intake.is_open && self.settled.load(SeqCst) == intake.accepted
    }

    fn change(&self, change: impl Fn(Intake) -> Option<Intake>) -> Result<u64, Superseded> {
        let update = |word| change(Intake::unpack(word)).map(Intake::pack);
        let before = self.intake.fetch_update(SeqCst, SeqCst, update);
        before
            .map(|word| Intake::unpack(word).accepted)
            .map_err(|_| Superseded)
    }
}
