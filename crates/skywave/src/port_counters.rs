//! What happened on a media port so far.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use crate::lateness::LatenessHistogram;
use crate::scheduling::Scheduling;
use crate::session_counters::SessionCounters;

/// Written by the media thread, read by anybody.
#[derive(Debug, Default)]
pub(crate) struct PortCounters {
    /// Datagrams that the kernel did not take.
    pub(crate) sends_refused: AtomicU64,
    /// Frames left out for all listeners because the frame before was not through.
    pub(crate) frames_dropped: AtomicU64,
    /// Times that packets came a slot or more too late.
    pub(crate) slots_late: AtomicU64,
    /// How long after their slot packets were handed to the kernel.
    pub(crate) lateness: LatenessHistogram,
    pub(crate) sessions: SessionCounters,
    realtime: AtomicBool,
}

impl PortCounters {
    pub(crate) fn note_scheduling(&self, scheduling: Scheduling) {
        self.realtime
            .store(scheduling == Scheduling::Realtime, Relaxed);
    }

    pub(crate) fn scheduling(&self) -> Scheduling {
        if self.realtime.load(Relaxed) {
            Scheduling::Realtime
        } else {
            Scheduling::Normal
        }
    }
}
