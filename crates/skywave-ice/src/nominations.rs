//! What the peer's checks say of the paths: which are valid, which is selected, and since when it
//! is silent (RFC 8445 §7.3.1.5, §8; RFC 7675).
//!
//! Which nomination is followed: a peer that nominates a path it had checked before has decided,
//! and is followed whatever the priority, as when it leaves Wi-Fi for a mobile network. A peer
//! that puts USE-CANDIDATE on its first check of every path ("aggressive", RFC 5245; Firefox
//! does) leaves the choice to the priorities, and the highest wins (RFC 8445 §8.1.1).
//!
//! When the selected path falls silent, the next path that passes a check is wanted without a
//! nomination, which goes beyond RFC 8445 §8.2: some peers nominate only once, and a new address
//! from their NAT would cost them the call.

use std::time::{Duration, Instant};

use crate::Path;
use crate::valid_list::ValidList;

/// The valid paths of a controlled agent and the selected one.
#[derive(Default)]
pub(crate) struct Nominations {
    valid: ValidList,
    selected: Option<Selected>,
    last_check: Option<Instant>,
}

#[derive(Clone, Copy)]
struct Selected {
    path: Path,
    priority: u32,
}

impl Nominations {
    /// Notes a check that passed; returns whether the peer wants another path selected.
    pub(crate) fn record(
        &mut self,
        now: Instant,
        path: Path,
        priority: u32,
        use_candidate: bool,
    ) -> bool {
        let plain = self.valid.record(path, use_candidate, self.selected());
        let wanted = match self.selected {
            None => use_candidate,
            Some(selected) if selected.path == path => false,
            Some(selected) => {
                let decided = plain || selected.yields_to(path, priority);
                (use_candidate && decided) || self.is_silent(now)
            }
        };
        if self.selected.is_none_or(|selected| selected.path == path) {
            self.last_check = Some(now);
        }
        wanted
    }

    /// Selects a path over which a check has just passed, or the answer to one of ours.
    pub(crate) fn select(&mut self, now: Instant, path: Path, priority: u32) {
        self.selected = Some(Selected { path, priority });
        self.last_check = Some(now);
    }

    pub(crate) fn selected(&self) -> Option<Path> {
        self.selected.map(|selected| selected.path)
    }

    /// The priority of the check that got the selected path selected.
    pub(crate) fn selected_priority(&self) -> Option<u32> {
        self.selected.map(|selected| selected.priority)
    }

    pub(crate) fn validated(&self, path: Path) -> bool {
        self.valid.contains(path)
    }

    /// When the last check passed on the selected path, or on any before a nomination.
    pub(crate) fn last_check(&self) -> Option<Instant> {
        self.last_check
    }

    fn is_silent(&self, now: Instant) -> bool {
        self.last_check
            .is_none_or(|last| now.saturating_duration_since(last) > MAX_SILENCE)
    }
}

impl Selected {
    /// Whether an aggressive nomination of that path replaces this one.
    fn yields_to(&self, path: Path, priority: u32) -> bool {
        // Priorities are unique (RFC 8445 §5.1.2): an equal one is the same candidate, to which
        // its NAT has given a new address.
        let rebound = priority == self.priority && path.base == self.path.base;
        priority > self.priority || rebound
    }
}

/// Two of the longest intervals between consent checks (RFC 7675 §5.1).
const MAX_SILENCE: Duration = Duration::from_secs(12);

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::SocketAddr;

    const HIGH: u32 = 0x6e7f_ffff;
    const LOW: u32 = 0x6e00_1eff;
    const SECOND: Duration = Duration::from_secs(1);

    fn path(port: u16) -> Path {
        Path {
            base: 0,
            remote: SocketAddr::from(([192, 0, 2, 1], port)),
        }
    }

    /// A check whose wish is followed at once.
    fn follow(
        nominations: &mut Nominations,
        now: Instant,
        path: Path,
        priority: u32,
        use_candidate: bool,
    ) -> bool {
        let wanted = nominations.record(now, path, priority, use_candidate);
        if wanted {
            nominations.select(now, path, priority);
        }
        wanted
    }

    #[test]
    fn a_path_that_is_wanted_and_not_selected_renews_no_consent() {
        let start = Instant::now();
        let mut nominations = Nominations::default();
        follow(&mut nominations, start, path(1), LOW, true);
        assert!(nominations.record(start + SECOND, path(2), HIGH, true));
        assert_eq!(nominations.selected(), Some(path(1)));
        assert_eq!(nominations.last_check(), Some(start));
        assert!(nominations.record(start + 2 * SECOND, path(2), HIGH, true));
    }

    #[test]
    fn a_check_without_use_candidate_selects_nothing() {
        let mut nominations = Nominations::default();
        assert!(!follow(
            &mut nominations,
            Instant::now(),
            path(1),
            HIGH,
            false
        ));
        assert_eq!(nominations.selected(), None);
        assert!(nominations.validated(path(1)));
    }

    #[test]
    fn a_nomination_after_a_check_is_followed_to_a_lower_priority() {
        let now = Instant::now();
        let mut nominations = Nominations::default();
        follow(&mut nominations, now, path(1), HIGH, false);
        assert!(follow(&mut nominations, now, path(1), HIGH, true));
        assert!(!follow(&mut nominations, now, path(1), HIGH, true));
        follow(&mut nominations, now, path(2), LOW, false);
        assert_eq!(nominations.selected(), Some(path(1)));
        assert!(follow(&mut nominations, now, path(2), LOW, true));
        assert_eq!(nominations.selected(), Some(path(2)));
    }

    #[test]
    fn of_aggressive_nominations_the_highest_priority_wins() {
        let now = Instant::now();
        for order in [[1, 2, 3], [3, 2, 1], [2, 3, 1]] {
            let mut nominations = Nominations::default();
            for port in order {
                follow(&mut nominations, now, path(port), u32::from(port), true);
            }
            follow(&mut nominations, now, path(1), 1, true);
            assert_eq!(nominations.selected(), Some(path(3)), "{order:?}");
        }
    }

    #[test]
    fn a_peer_behind_a_rebound_nat_is_followed_at_once() {
        let now = Instant::now();
        let mut nominations = Nominations::default();
        follow(&mut nominations, now, path(1), LOW, true);
        assert!(follow(&mut nominations, now, path(2), LOW, true));
        let other_base = Path { base: 1, ..path(1) };
        assert!(!follow(&mut nominations, now, other_base, LOW, true));
        assert_eq!(nominations.selected(), Some(path(2)));
    }

    #[test]
    fn a_silent_path_gives_way_to_any_that_is_checked() {
        let start = Instant::now();
        let mut nominations = Nominations::default();
        follow(&mut nominations, start, path(1), HIGH, true);
        assert!(!follow(
            &mut nominations,
            start + MAX_SILENCE,
            path(2),
            LOW,
            false
        ));
        let later = start + MAX_SILENCE + SECOND;
        assert!(follow(&mut nominations, later, path(2), LOW, false));
        assert_eq!(nominations.selected(), Some(path(2)));
        assert_eq!(nominations.last_check(), Some(later));
    }

    #[test]
    fn only_checks_of_the_selected_path_renew_consent() {
        let start = Instant::now();
        let mut nominations = Nominations::default();
        assert_eq!(nominations.last_check(), None);
        follow(&mut nominations, start, path(1), HIGH, false);
        follow(&mut nominations, start + SECOND, path(2), HIGH, false);
        assert_eq!(nominations.last_check(), Some(start + SECOND));
        follow(&mut nominations, start + SECOND, path(1), HIGH, true);
        follow(&mut nominations, start + 2 * SECOND, path(2), HIGH, false);
        assert_eq!(nominations.last_check(), Some(start + SECOND));
        follow(&mut nominations, start + 3 * SECOND, path(1), HIGH, false);
        assert_eq!(nominations.last_check(), Some(start + 3 * SECOND));
    }

    #[test]
    fn the_selected_path_stays_valid_among_many() {
        let now = Instant::now();
        let mut nominations = Nominations::default();
        follow(&mut nominations, now, path(1), HIGH, true);
        for port in 2..100 {
            follow(&mut nominations, now, path(port), LOW, false);
        }
        assert!(nominations.validated(path(1)));
        assert!(!nominations.validated(path(2)));
    }
}
