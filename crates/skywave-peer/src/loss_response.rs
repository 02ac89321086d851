//! How many earlier frames each packet repeats because of what the peer reports lost.

use std::time::{Duration, Instant};

/// Follows the loss that a peer reports (RFC 3550 §6.4.1): up at once, down slowly, so that a path
/// which loses now and then does not switch with every report, however often there is one.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LossResponse {
    frames: u8,
    /// Since when all reports would do with fewer.
    calm_since: Option<Instant>,
}

impl LossResponse {
    /// Takes the share lost since the report before, in 1/256. Gives how many frames to repeat
    /// from now on, if that changes.
    pub(crate) fn report(&mut self, fraction_lost: u8, now: Instant) -> Option<u8> {
        let before = self.frames;
        let wanted = ONSETS.iter().filter(|&&onset| fraction_lost >= onset);
        let wanted = wanted.count() as u8;
        let is_calm = wanted < before && fraction_lost < RELIEFS[usize::from(before - 1)];
        if !is_calm {
            self.calm_since = None;
            self.frames = before.max(wanted);
        } else if now.duration_since(*self.calm_since.get_or_insert(now)) >= PATIENCE {
            self.calm_since = None;
            self.frames -= 1;
        }
        (self.frames != before).then_some(self.frames)
    }
}

/// From this loss on one frame is repeated, or two: 2 % are heard with Opus's concealment alone,
/// and from 10 % on two packets in a row are lost often enough.
const ONSETS: [u8; 2] = [5, 26];

/// Below this loss one frame, or the second, is no longer worth its bits: 0.5 % and 5 %.
const RELIEFS: [u8; 2] = [2, 13];

/// How long reports must be calm, from the first that is to the last, until one frame fewer is
/// repeated: three of them, where one comes every 5 s.
const PATIENCE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    /// What was changed to by each of these shares, in per cent, reported once in so many seconds.
    fn respond(seconds: u64, percents: &[u32]) -> Vec<Option<u8>> {
        let mut response = LossResponse::default();
        let mut now = Instant::now();
        let fraction = |percent: u32| (percent * 256).div_ceil(100) as u8;
        let reports = percents.iter().copied().map(fraction);
        reports
            .map(|lost| {
                now += Duration::from_secs(seconds);
                response.report(lost, now)
            })
            .collect()
    }

    #[test]
    fn loss_is_answered_at_once_as_strongly_as_it_is() {
        assert_eq!(
            respond(5, &[0, 1, 2, 9, 10, 40]),
            [None, None, Some(1), None, Some(2), None]
        );
        assert_eq!(respond(5, &[30]), [Some(2)]);
    }

    #[test]
    fn calm_is_believed_after_ten_seconds_frame_by_frame() {
        let mut expected = vec![Some(2), None, None, Some(1), None, None, Some(0), None];
        assert_eq!(respond(5, &[20, 0, 0, 0, 0, 0, 0, 0]), expected);
        // One report in between begins the time anew.
        expected = vec![Some(1), None, None, None, None, None, Some(0)];
        assert_eq!(respond(5, &[3, 0, 0, 1, 0, 0, 0]), expected);
    }

    #[test]
    fn path_that_loses_now_and_then_does_not_switch_however_often_it_is_reported() {
        // Each of these shares for a second, over ten minutes.
        let percents = [4, 0, 0, 1, 0, 0, 3, 0].repeat(75);
        let changes = respond(1, &percents).into_iter().flatten().count();
        assert_eq!(changes, 1);
    }

    #[test]
    fn loss_between_onset_and_relief_changes_nothing() {
        assert_eq!(
            respond(5, &[2, 1, 1, 1, 1, 1]),
            [Some(1), None, None, None, None, None]
        );
        assert_eq!(
            respond(5, &[10, 7, 7, 7, 7, 7]),
            [Some(2), None, None, None, None, None]
        );
    }
}
