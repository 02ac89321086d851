//! The RTP clock read at any instant (RFC 3550 §6.4.1).

use std::time::Instant;

/// Media time at `now`, given that the media clock showed `timestamp` at `reference`.
///
/// What a sender report needs: its RTP timestamp stands for the same instant as its NTP time, so
/// it is computed rather than copied from the last packet, and goes on rising in silence. Add
/// the listener's offset with [`Packetizer::timestamp`](crate::Packetizer::timestamp). A `now`
/// before `reference` counts backwards; the result wraps.
pub fn rtp_timestamp_at(timestamp: u32, reference: Instant, clock_rate: u32, now: Instant) -> u32 {
    let ticks = |from: Instant, to: Instant| {
        let nanos = to.saturating_duration_since(from).as_nanos();
        // Truncation is the wrap of the RTP clock.
        (nanos * u128::from(clock_rate) / 1_000_000_000) as u32
    };
    timestamp
        .wrapping_add(ticks(reference, now))
        .wrapping_sub(ticks(now, reference))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn clock_goes_on_while_nothing_is_sent() {
        let reference = Instant::now();
        let now = reference + Duration::from_micros(2_500_500);
        assert_eq!(rtp_timestamp_at(1000, reference, 48_000, now), 121_024);
        assert_eq!(rtp_timestamp_at(1000, reference, 8000, now), 21_004);
    }

    #[test]
    fn instant_before_the_reference_counts_backwards() {
        let now = Instant::now();
        let reference = now + Duration::from_millis(20);
        assert_eq!(
            rtp_timestamp_at(100, reference, 48_000, now),
            100_u32.wrapping_sub(960)
        );
    }

    #[test]
    fn clock_wraps_after_a_day() {
        let reference = Instant::now();
        // 2^32 ticks of 48 kHz are 89,478.485 s; 90,000 s are 25,032,704 ticks more.
        let now = reference + Duration::from_secs(90_000);
        assert_eq!(rtp_timestamp_at(0, reference, 48_000, now), 25_032_704);
    }
}
