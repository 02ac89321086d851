//! An audience within the crowd: who is on the way, who listens, and what is measured of them.

use crate::Phase;
use crate::figures::Figures;
use crate::join_log::JoinLog;
use crate::seat::Seat;
use crate::whep::Ticket;

/// Which of two audiences a listener belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    /// Listens until the end.
    Steady = 0,
    /// Comes and goes.
    Passing = 1,
}

/// What the crowd knows of one group.
#[derive(Default)]
pub(crate) struct Members {
    pub(crate) log: JoinLog,
    /// Neither heard a packet nor failed yet.
    pub(crate) joining: usize,
    pub(crate) listening: usize,
    /// Those who have begun to listen, and those who have failed, until somebody asks.
    pub(crate) arrived: Vec<Ticket>,
    pub(crate) failed: Vec<Ticket>,
    /// What is measured, while it is.
    pub(crate) figures: Option<Figures>,
}

impl Members {
    /// Counts a listener of the group that has come further than it was `before`.
    pub(crate) fn follow(&mut self, before: Phase, seat: &Seat, ticket: Ticket) {
        let phase = seat.listener.phase();
        if before < Phase::Listening && phase >= Phase::Listening {
            self.joining -= 1;
        }
        if phase == Phase::Listening {
            self.listening += 1;
            self.log.connected(seat);
            self.arrived.push(ticket);
        }
        if phase == Phase::Over {
            self.listening -= usize::from(before == Phase::Listening);
            if let Some(failure) = seat.listener.failure() {
                self.log.failed(failure.to_string());
                self.failed.push(ticket);
            }
        }
    }
}
