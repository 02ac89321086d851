//! How many earlier frames each packet repeats because of what the peer reports lost.

/// Follows the loss that a peer reports (RFC 3550 §6.4.1): up at once, down slowly, so that a path
/// which loses now and then does not switch with every report.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LossResponse {
    frames: u8,
    /// Reports in a row that would do with fewer.
    calm: u8,
}

impl LossResponse {
    /// Takes the share lost since the report before, in 1/256. Gives how many frames to repeat
    /// from now on, if that changes.
    pub(crate) fn report(&mut self, fraction_lost: u8) -> Option<u8> {
        let before = self.frames;
        let wanted = ONSETS.iter().filter(|&&onset| fraction_lost >= onset);
        let wanted = wanted.count() as u8;
        let is_calm = wanted < before && fraction_lost < RELIEFS[usize::from(before - 1)];
        self.calm = if is_calm { self.calm + 1 } else { 0 };
        if wanted > before {
            self.frames = wanted;
        } else if self.calm == PATIENCE {
            self.frames -= 1;
            self.calm = 0;
        }
        (self.frames != before).then_some(self.frames)
    }
}

/// From this loss on one frame is repeated, or two: 2 % are heard with Opus's concealment alone,
/// and from 10 % on two packets in a row are lost often enough.
const ONSETS: [u8; 2] = [5, 26];

/// Below this loss one frame, or the second, is no longer worth its bits: 0.5 % and 5 %.
const RELIEFS: [u8; 2] = [2, 13];

/// Reports in a row, of usually 5 s, until one frame fewer is repeated.
const PATIENCE: u8 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    /// What was changed to by each of these shares, in per cent.
    fn respond(percents: &[u32]) -> Vec<Option<u8>> {
        let mut response = LossResponse::default();
        let fraction = |percent: u32| (percent * 256).div_ceil(100) as u8;
        let reports = percents.iter().copied().map(fraction);
        reports.map(|lost| response.report(lost)).collect()
    }

    #[test]
    fn loss_is_answered_at_once_as_strongly_as_it_is() {
        assert_eq!(
            respond(&[0, 1, 2, 9, 10, 40]),
            [None, None, Some(1), None, Some(2), None]
        );
        assert_eq!(respond(&[30]), [Some(2)]);
    }

    #[test]
    fn calm_is_believed_after_three_reports_frame_by_frame() {
        let mut expected = vec![Some(2), None, None, Some(1), None, None, Some(0), None];
        assert_eq!(respond(&[20, 0, 0, 0, 0, 0, 0, 0]), expected);
        // One report in between begins the count anew.
        expected = vec![Some(1), None, None, None, None, None, Some(0)];
        assert_eq!(respond(&[3, 0, 0, 1, 0, 0, 0]), expected);
    }

    #[test]
    fn loss_between_onset_and_relief_changes_nothing() {
        assert_eq!(
            respond(&[2, 1, 1, 1, 1, 1]),
            [Some(1), None, None, None, None, None]
        );
        assert_eq!(
            respond(&[10, 7, 7, 7, 7, 7]),
            [Some(2), None, None, None, None, None]
        );
    }
}
