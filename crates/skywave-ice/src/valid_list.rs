//! The valid list (RFC 8445 §4): the paths that passed a check.

use crate::Path;

/// The paths that passed a check, the latest checked first.
#[derive(Default)]
pub(crate) struct ValidList {
    entries: [Option<ValidPath>; MAX_VALID_PATHS],
}

#[derive(Clone, Copy)]
struct ValidPath {
    path: Path,
    /// Checked at least once without USE-CANDIDATE.
    plain: bool,
}

impl ValidList {
    pub(crate) fn contains(&self, path: Path) -> bool {
        self.entries.iter().any(|entry| is_of(entry, path))
    }

    /// Notes a check and returns whether the path was ever checked without USE-CANDIDATE. A full
    /// list loses the path that was checked longest ago, but never `keep`.
    pub(crate) fn record(&mut self, path: Path, use_candidate: bool, keep: Option<Path>) -> bool {
        let known = self.entries.iter().position(|entry| is_of(entry, path));
        let entry = known.and_then(|index| self.entries[index]);
        let plain = !use_candidate || entry.is_some_and(|entry| entry.plain);
        let index = known.unwrap_or_else(|| self.replaceable(keep));
        self.entries[..=index].rotate_right(1);
        self.entries[0] = Some(ValidPath { path, plain });
        plain
    }

    fn replaceable(&self, keep: Option<Path>) -> usize {
        let free = self.entries.iter().position(Option::is_none);
        let kept = |entry: &Option<ValidPath>| keep.is_some_and(|path| is_of(entry, path));
        free.or_else(|| self.entries.iter().rposition(|entry| !kept(entry)))
            .unwrap_or(0)
    }
}

fn is_of(entry: &Option<ValidPath>, path: Path) -> bool {
    entry.is_some_and(|entry| entry.path == path)
}

/// How many valid paths are remembered for one peer.
pub const MAX_VALID_PATHS: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::SocketAddr;

    fn path(port: u16) -> Path {
        Path {
            base: 0,
            remote: SocketAddr::from(([192, 0, 2, 1], port)),
        }
    }

    #[test]
    fn the_path_checked_longest_ago_makes_room() {
        let mut list = ValidList::default();
        for port in 0..8 {
            list.record(path(port), false, None);
        }
        list.record(path(0), false, None);
        list.record(path(8), false, None);
        assert!(list.contains(path(0)) && list.contains(path(8)));
        assert!(!list.contains(path(1)));
        assert!((2..8).all(|port| list.contains(path(port))));
    }

    #[test]
    fn the_kept_path_outlives_any_number_of_others() {
        let mut list = ValidList::default();
        list.record(path(9), true, None);
        for port in 100..200 {
            list.record(path(port), false, Some(path(9)));
        }
        assert!(list.contains(path(9)));
        assert!((193..200).all(|port| list.contains(path(port))));
        assert!(!list.contains(path(192)));
    }

    #[test]
    fn a_plain_check_is_remembered() {
        let mut list = ValidList::default();
        assert!(!list.record(path(1), true, None));
        assert!(list.record(path(2), false, None));
        assert!(!list.record(path(1), true, None));
        assert!(list.record(path(1), false, None));
        assert!(list.record(path(1), true, None));
    }

    #[test]
    fn the_same_address_on_another_base_is_another_path() {
        let mut list = ValidList::default();
        list.record(path(1), false, None);
        assert!(!list.contains(Path { base: 1, ..path(1) }));
    }
}
