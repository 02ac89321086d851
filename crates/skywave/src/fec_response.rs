//! How much loss a track's in-band error correction is set to.

use skywave_audio::SAMPLE_RATE;

/// Follows the loss that the worst tenth of a track's listeners report: up at once, down slowly, so
/// that the encoder does not turn with every report of a path which loses now and then.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FecResponse {
    /// What is corrected, in per cent.
    loss: u8,
    calm: Option<Calm>,
}

/// A time in which less would do.
#[derive(Clone, Copy, Debug)]
struct Calm {
    /// Its first sample.
    since: u64,
    /// The most that was reported in it.
    loss: u8,
}

impl FecResponse {
    /// Takes the loss, in per cent, that holds at that sample of the track. Gives what to correct.
    pub(crate) fn follow(&mut self, loss: u8, position: u64) -> u8 {
        if loss >= self.loss {
            (self.loss, self.calm) = (loss, None);
            return loss;
        }
        let since = position;
        let calm = self.calm.get_or_insert(Calm { since, loss });
        calm.loss = calm.loss.max(loss);
        if position.saturating_sub(calm.since) >= PATIENCE {
            (self.loss, self.calm) = (calm.loss, None);
        }
        self.loss
    }
}

/// For how many samples less must do until less is corrected: 10 s, as with redundant audio.
const PATIENCE: u64 = 10 * SAMPLE_RATE as u64;

#[cfg(test)]
mod tests {
    use super::*;

    /// What is corrected second by second while these losses hold, each for so long.
    fn follow(seconds: u64, losses: &[u8]) -> Vec<u8> {
        let mut response = FecResponse::default();
        let mut corrected = Vec::new();
        let each = losses
            .iter()
            .flat_map(|&loss| (0..seconds).map(move |_| loss));
        for (loss, second) in each.zip(0..) {
            corrected.push(response.follow(loss, second * u64::from(SAMPLE_RATE)));
        }
        corrected
    }

    #[test]
    fn loss_is_corrected_at_once_as_strongly_as_it_is() {
        assert_eq!(follow(1, &[0, 1, 5, 30]), [0, 1, 5, 30]);
    }

    #[test]
    fn loss_that_comes_and_goes_turns_nothing() {
        for seconds in [1, 5] {
            let corrected = follow(seconds, &[5, 0].repeat(100));
            assert!(corrected.iter().all(|&loss| loss == 5), "{seconds}");
        }
    }

    #[test]
    fn calm_of_ten_seconds_is_believed_as_far_as_it_went() {
        let corrected = follow(1, &[&[10][..], &[0, 3].repeat(5), &[0; 12]].concat());
        assert_eq!(corrected[..11], [10; 11]);
        assert_eq!(corrected[11..22], [3; 11]);
        assert_eq!(corrected[22..], [0]);
    }
}
