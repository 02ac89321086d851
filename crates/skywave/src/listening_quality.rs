//! How a listener would rate what it hears, estimated from its reports by the E-model
//! (ITU-T G.107), with defaults for everything that is not measured.
//!
//! It is an estimate for speech on the scale of narrowband telephony, where 4.4 is the best:
//! good for telling listeners and times apart, not a verdict on music.

use std::time::Duration;

use skywave_audio::AudioCodec;

/// What is known of the way to a listener.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Conditions {
    /// Share of packets lost of late, 0 to 1. Repaired by redundancy or not: that is not told.
    pub(crate) loss: f64,
    /// Interarrival jitter.
    pub(crate) jitter: Duration,
    /// There and back; zero where it was not measured.
    pub(crate) round_trip_time: Duration,
    /// How much audio a packet carries.
    pub(crate) ptime: Duration,
}

/// The mean opinion score, 1 (bad) to 4.4 (very good).
pub(crate) fn estimated_mos(codec: AudioCodec, conditions: Conditions) -> f64 {
    let loss = Robustness::of(codec).impairment(conditions.loss);
    mos(BEST - delay_impairment(one_way_delay(conditions)) - loss)
}

/// From mouth to ear: a packet is filled, travels, and waits in the jitter buffer, which holds
/// one packet and twice the jitter, about what arrives late one time in twenty.
fn one_way_delay(conditions: Conditions) -> Duration {
    let buffer = conditions.ptime + 2 * conditions.jitter;
    conditions.ptime + conditions.round_trip_time / 2 + buffer
}

/// `Idd` of G.107 §7.4: nobody minds less than 100 ms.
fn delay_impairment(delay: Duration) -> f64 {
    let x = (delay.as_secs_f64() / 0.1).log2();
    if x <= 0.0 {
        return 0.0;
    }
    let bend = |x: f64| (1.0 + x.powi(6)).powf(1.0 / 6.0);
    25.0 * (bend(x) - 3.0 * bend(x / 3.0) + 2.0)
}

/// How a codec bears losses that come at random (G.107 §7.5).
struct Robustness {
    /// `Ie`: what it spoils without any.
    impairment: f64,
    /// `Bpl`: the percentage lost that costs half of everything.
    half_loss: f64,
}

impl Robustness {
    fn of(codec: AudioCodec) -> Self {
        match codec {
            // The ITU has no values for Opus. It spoils nothing that telephony would have left;
            // for losses this is a cautious choice between G.711 with and without concealment.
            AudioCodec::Opus => Self {
                impairment: 0.0,
                half_loss: 10.0,
            },
            // G.113 Appendix I, table I.3: G.711 with concealment, as browsers have it. G.722 and
            // L16 are waveforms too.
            _ => Self {
                impairment: 0.0,
                half_loss: 25.1,
            },
        }
    }

    /// `Ie-eff`, for a share lost from 0 to 1.
    fn impairment(&self, loss: f64) -> f64 {
        let percent = 100.0 * loss.clamp(0.0, 1.0);
        self.impairment + (95.0 - self.impairment) * percent / (percent + self.half_loss)
    }
}

/// G.107 Annex B.
fn mos(rating: f64) -> f64 {
    let r = rating.clamp(0.0, 100.0);
    let mos = 1.0 + 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7e-6;
    mos.max(1.0)
}

/// `R` of G.107 with all defaults: no delay, no loss.
const BEST: f64 = 93.2;

#[cfg(test)]
mod tests {
    use super::*;

    fn conditions(loss: f64, jitter: u64, round_trip_time: u64) -> Conditions {
        Conditions {
            loss,
            jitter: Duration::from_millis(jitter),
            round_trip_time: Duration::from_millis(round_trip_time),
            ptime: Duration::from_millis(20),
        }
    }

    #[test]
    fn g107_annex_b_ratings_become_the_published_scores() {
        // G.109 table 1 has the ratings at which users are satisfied, by these scores.
        for (rating, published) in [
            (93.2, 4.41),
            (90.0, 4.34),
            (80.0, 4.03),
            (70.0, 3.60),
            (60.0, 3.10),
            (50.0, 2.58),
            (0.0, 1.0),
            (-20.0, 1.0),
            (3.0, 1.0),
        ] {
            assert!(
                (mos(rating) - published).abs() < 0.01,
                "{rating}: {}",
                mos(rating)
            );
        }
    }

    #[test]
    fn g113_appendix_1_losses_of_g711_with_concealment_impair_as_published() {
        let g711 = Robustness::of(AudioCodec::Pcmu);
        for (percent, published) in [(0, 0.0), (1, 5.0), (2, 7.0), (3, 10.0), (5, 15.0)] {
            let impairment = g711.impairment(f64::from(percent) / 100.0);
            assert!(
                (impairment - published).abs() < 1.5,
                "{percent} %: {impairment}"
            );
        }
    }

    #[test]
    fn g107_7_4_delays_impair_from_100_ms_on() {
        for (millis, expected) in [(0, 0.0), (100, 0.0), (150, 0.16), (200, 3.04), (400, 24.07)] {
            let impairment = delay_impairment(Duration::from_millis(millis));
            assert!(
                (impairment - expected).abs() < 0.01,
                "{millis} ms: {impairment}"
            );
        }
    }

    #[test]
    fn the_better_the_way_the_better_the_score() {
        let opus =
            |loss, jitter, time| estimated_mos(AudioCodec::Opus, conditions(loss, jitter, time));
        let best = opus(0.0, 0, 0);
        assert!((best - 4.41).abs() < 0.01, "{best}");
        assert!(opus(0.0, 5, 50) > 4.3);
        assert!(opus(0.05, 5, 50) < opus(0.01, 5, 50));
        assert!(opus(0.0, 80, 50) < opus(0.0, 20, 50));
        assert!(opus(0.0, 5, 800) < 3.5);
        assert!(opus(1.0, 5, 50) < 1.2);
        let g711 = estimated_mos(AudioCodec::Pcma, conditions(0.05, 5, 50));
        assert!(g711 > opus(0.05, 5, 50), "concealment is known to help");
    }
}
