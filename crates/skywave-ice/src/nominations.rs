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
//! from their NAT would cost them the call. One that appeared since the selected path was heard
//! last, as a NAT's new address does, is wanted as soon as the peer is late there.
//!
//! Silence is no decision: the path that was left for it is wanted again when it speaks, unless
//! the peer has nominated the new one meanwhile. Who sends a peer's checks again from elsewhere
//! would have to keep its own from arriving, and go on with it.

use std::time::{Duration, Instant};

use crate::Path;
use crate::valid_list::ValidList;

/// The valid paths of a controlled agent and the selected one.
#[derive(Default)]
pub(crate) struct Nominations {
    valid: ValidList,
    selected: Option<Selected>,
    /// The one selected before.
    previous: Option<Path>,
    last_check: Option<Instant>,
    /// The longest between two checks of the selected path, in milliseconds.
    longest_pause: u16,
    /// Over which the peer was seen to receive last.
    proven: Option<Path>,
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
        let known = self.valid.record(path, use_candidate, self.selected());
        let wanted = match self.selected {
            None => use_candidate,
            Some(selected) if selected.path == path => false,
            Some(selected) => {
                let decided = known.plain || selected.yields_to(path, priority);
                let settled = self.proven == Some(selected.path);
                let rebound = settled && known.recent && path.base == selected.path.base;
                (use_candidate && decided)
                    || self.silence(now) > MAX_SILENCE
                    || (rebound && self.silence(now) > self.patience())
                    || self.was_left_for_silence(path)
            }
        };
        match self.selected {
            None => self.last_check = Some(now),
            Some(selected) if selected.path == path => self.renew(now),
            Some(_) => {}
        }
        wanted
    }

    /// Notes that the peer was seen to receive over this path.
    pub(crate) fn prove(&mut self, path: Path) {
        self.proven = Some(path);
    }

    /// The path over which it was seen to receive last.
    pub(crate) fn proven(&self) -> Option<Path> {
        self.proven
    }

    /// Selects a path over which a check has just passed, or the answer to one of ours.
    pub(crate) fn select(&mut self, now: Instant, path: Path, priority: u32) {
        let replaced = self.selected.replace(Selected { path, priority });
        if let Some(replaced) = replaced.filter(|replaced| replaced.path != path) {
            self.previous = Some(replaced.path);
        }
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

    /// Takes note of a check on the selected path.
    fn renew(&mut self, now: Instant) {
        let pause = self.silence(now);
        // What is longer is an absence, not a habit.
        if pause <= LONGEST_INTERVAL {
            let millis = u16::try_from(pause.as_millis()).unwrap_or(u16::MAX);
            self.longest_pause = self.longest_pause.max(millis);
        }
        self.last_check = Some(now);
        self.valid.outdate();
    }

    fn silence(&self, now: Instant) -> Duration {
        self.last_check
            .map_or(Duration::MAX, |last| now.saturating_duration_since(last))
    }

    /// The silence after which the peer is late by its own habit.
    fn patience(&self) -> Duration {
        Duration::from_millis(self.longest_pause.into()).max(MIN_PATIENCE) + GRACE
    }

    fn was_left_for_silence(&self, path: Path) -> bool {
        let nominated = |selected: Selected| self.valid.nominated(selected.path);
        self.previous == Some(path) && !self.selected.is_some_and(nominated)
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

/// The longest interval between consent checks (RFC 7675 §5.1).
const LONGEST_INTERVAL: Duration = Duration::from_secs(6);

/// Two of them.
const MAX_SILENCE: Duration = Duration::from_secs(12);

/// libwebrtc's interval on a path that works, the longest of those that check oftener than
/// consent needs. Checks are quicker at first, which tells nothing of later.
const MIN_PATIENCE: Duration = Duration::from_millis(2_500);

/// For what a network delays.
const GRACE: Duration = Duration::from_millis(500);

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
            nominations.prove(path);
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
        follow(&mut nominations, start, path(2), LOW, false);
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

    /// The first path is selected, and proven.
    fn settled(now: Instant) -> Nominations {
        let mut nominations = Nominations::default();
        follow(&mut nominations, now, path(1), HIGH, true);
        nominations
    }

    /// The peer checks the first path ten times, which then falls silent; when the check of the
    /// second is followed, of those that come as often.
    fn followed_after(pause: Duration, known: bool) -> Duration {
        let mut now = Instant::now();
        let mut nominations = settled(now);
        for _ in 0..10 {
            if known {
                assert!(!follow(&mut nominations, now, path(2), LOW, false));
            }
            now += pause;
            assert!(!follow(&mut nominations, now, path(1), HIGH, false));
        }
        (1..)
            .map(|n| pause * n)
            .find(|silence| follow(&mut nominations, now + *silence, path(2), HIGH, false))
            .unwrap()
    }

    #[test]
    fn new_address_is_followed_without_a_nomination_once_the_peer_is_late_on_the_old_one() {
        let second = followed_after(2 * SECOND, false);
        assert_eq!(second, 4 * SECOND, "webrtc-rs and Pion check every 2 s");
        assert_eq!(followed_after(SECOND, false), 4 * SECOND);
        assert_eq!(followed_after(5 * SECOND, false), 10 * SECOND);
    }

    #[test]
    fn address_that_was_there_before_waits_for_the_longest_silence() {
        assert_eq!(followed_after(2 * SECOND, true), 14 * SECOND);
    }

    #[test]
    fn before_a_path_is_proven_a_new_address_is_none_of_a_nat() {
        let start = Instant::now();
        let mut nominations = Nominations::default();
        nominations.record(start, path(1), HIGH, true);
        nominations.select(start, path(1), HIGH);
        assert!(!nominations.record(start + 5 * SECOND, path(2), HIGH, false));
        nominations.prove(path(1));
        assert!(nominations.record(start + 5 * SECOND, path(2), HIGH, false));
    }

    #[test]
    fn new_address_on_another_base_is_no_rebinding() {
        let start = Instant::now();
        let mut nominations = settled(start);
        let other_base = Path { base: 1, ..path(2) };
        assert!(!nominations.record(start + 5 * SECOND, other_base, HIGH, false));
        assert!(nominations.record(start + 5 * SECOND, path(2), HIGH, false));
    }

    #[test]
    fn checks_of_a_peer_that_is_punctual_lead_nowhere_when_sent_again_from_new_addresses() {
        let start = Instant::now();
        let mut nominations = settled(start);
        for tenth in 1..1000 {
            let now = start + SECOND / 10 * tenth;
            if tenth % 25 == 0 {
                assert!(!follow(&mut nominations, now, path(1), HIGH, false));
            }
            let replay = path(1000 + u16::try_from(tenth).unwrap());
            assert!(!follow(&mut nominations, now, replay, HIGH, false));
        }
    }

    #[test]
    fn path_left_for_its_silence_is_wanted_again_when_it_speaks() {
        let start = Instant::now();
        let mut nominations = settled(start);
        let mut now = start + 4 * SECOND;
        assert!(follow(&mut nominations, now, path(2), HIGH, false));
        now += SECOND;
        assert!(follow(&mut nominations, now, path(1), HIGH, false));
        now += SECOND;
        assert!(!follow(&mut nominations, now, path(2), HIGH, false));
        assert_eq!(nominations.selected(), Some(path(1)));
    }

    #[test]
    fn path_left_for_its_silence_stays_left_after_a_nomination() {
        let start = Instant::now();
        let mut nominations = settled(start);
        let mut now = start + 4 * SECOND;
        assert!(follow(&mut nominations, now, path(2), HIGH, false));
        now += SECOND;
        follow(&mut nominations, now, path(2), HIGH, true);
        assert!(!follow(&mut nominations, now, path(1), HIGH, false));
        assert_eq!(nominations.selected(), Some(path(2)));
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
