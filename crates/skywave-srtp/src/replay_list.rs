//! Replay protection: RFC 3711 §3.3.2, with a window of 64 packets for each SSRC.

use crate::DropReason;

/// What was received so far, for each SSRC.
///
/// An SRTP stream is one SSRC (RFC 3711 §3.2.3), and peers number the SRTCP of each of their
/// SSRCs apart. Only genuine packets make an entry, and entries are bounded.
#[derive(Default)]
pub(crate) struct ReplayList {
    streams: Vec<(u32, Window)>,
}

impl ReplayList {
    /// The highest index received from `ssrc`.
    pub(crate) fn highest(&self, ssrc: u32) -> Option<u64> {
        self.window(ssrc).map(|window| window.highest)
    }

    /// Whether the packet `index` of `ssrc` may be new.
    pub(crate) fn check(&self, ssrc: u32, index: u64) -> Result<(), DropReason> {
        match self.window(ssrc) {
            Some(window) => window.check(index),
            None if self.streams.len() >= MAX_STREAMS => Err(DropReason::TooManySources),
            None => Ok(()),
        }
    }

    /// Notes the packet `index` of `ssrc`, which was checked and is genuine.
    pub(crate) fn insert(&mut self, ssrc: u32, index: u64) {
        match self.streams.iter_mut().find(|(known, _)| *known == ssrc) {
            Some((_, window)) => window.insert(index),
            None => self.streams.push((ssrc, Window::new(index))),
        }
    }

    fn window(&self, ssrc: u32) -> Option<&Window> {
        self.streams
            .iter()
            .find(|(known, _)| *known == ssrc)
            .map(|(_, window)| window)
    }
}

struct Window {
    highest: u64,
    /// Bit n stands for the packet `highest - n`.
    seen: u64,
}

impl Window {
    fn new(index: u64) -> Self {
        Self {
            highest: index,
            seen: 1,
        }
    }

    fn check(&self, index: u64) -> Result<(), DropReason> {
        let Some(age) = self.highest.checked_sub(index) else {
            return Ok(());
        };
        if age >= WINDOW {
            Err(DropReason::TooOld)
        } else if self.seen & 1 << age != 0 {
            Err(DropReason::Replayed)
        } else {
            Ok(())
        }
    }

    fn insert(&mut self, index: u64) {
        if let Some(age) = self.highest.checked_sub(index) {
            self.seen |= 1 << age;
            return;
        }
        let step = index - self.highest;
        self.seen = if step < WINDOW { self.seen << step } else { 0 } | 1;
        self.highest = index;
    }
}

/// Packets behind the newest that are told apart.
const WINDOW: u64 = 64;

/// SSRCs of one association; a peer that receives one audio stream uses one or two.
const MAX_STREAMS: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    fn receive(list: &mut ReplayList, ssrc: u32, index: u64) -> Result<(), DropReason> {
        list.check(ssrc, index)?;
        list.insert(ssrc, index);
        Ok(())
    }

    #[test]
    fn rfc3711_3_3_2_every_packet_within_a_window_of_64_is_taken_once() {
        let mut list = ReplayList::default();
        receive(&mut list, 1, 100).unwrap();
        for index in (37..100).rev() {
            assert_eq!(receive(&mut list, 1, index), Ok(()), "{index}");
            assert_eq!(
                receive(&mut list, 1, index),
                Err(DropReason::Replayed),
                "{index}"
            );
        }
        assert_eq!(receive(&mut list, 1, 100), Err(DropReason::Replayed));
        assert_eq!(receive(&mut list, 1, 36), Err(DropReason::TooOld));
    }

    #[test]
    fn window_moves_with_the_newest_packet() {
        let mut list = ReplayList::default();
        receive(&mut list, 1, 0).unwrap();
        receive(&mut list, 1, 63).unwrap();
        assert_eq!(receive(&mut list, 1, 0), Err(DropReason::Replayed));
        receive(&mut list, 1, 64).unwrap();
        assert_eq!(receive(&mut list, 1, 0), Err(DropReason::TooOld));
        assert_eq!(receive(&mut list, 1, 63), Err(DropReason::Replayed));
        receive(&mut list, 1, 128).unwrap();
        assert_eq!(receive(&mut list, 1, 65), Ok(()));
        assert_eq!(receive(&mut list, 1, 64), Err(DropReason::TooOld));
    }

    #[test]
    fn rfc3711_3_2_3_streams_do_not_share_a_window() {
        let mut list = ReplayList::default();
        receive(&mut list, 1, 5000).unwrap();
        assert_eq!(receive(&mut list, 2, 1), Ok(()));
        assert_eq!(list.highest(1), Some(5000));
        assert_eq!(list.highest(2), Some(1));
    }

    #[test]
    fn streams_are_bounded_and_known_ones_go_on() {
        let mut list = ReplayList::default();
        for ssrc in 0..32 {
            receive(&mut list, ssrc, 1).unwrap();
        }
        assert_eq!(receive(&mut list, 32, 1), Err(DropReason::TooManySources));
        assert_eq!(receive(&mut list, 0, 2), Ok(()));
    }
}
