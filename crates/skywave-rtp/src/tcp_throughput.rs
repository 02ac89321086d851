//! What TCP would get through a path (RFC 8083 §4.3, RFC 5348 §3.1).

/// The equation for the throughput of TCP that the sending rate is compared with (§4.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TcpThroughput {
    /// RECOMMENDED. Judges loss alone: 50 packets a second pass at any loss if the round-trip
    /// time is below 245 ms.
    #[default]
    Simplified,
    /// Of RFC 5348 §3.1, with TCP's time-outs. MAY be used: trips sooner, at 50 packets a second
    /// and 200 ms from a loss of 15 % on.
    Full,
}

impl TcpThroughput {
    /// Of TCP at a loss event rate of 0 to 1 and a round-trip time in seconds. One packet is
    /// acknowledged at a time (`b` is 1), and the time-out is four round trips (RFC 5348 §3.1).
    pub(crate) fn packets_per_second(self, lost: f64, round_trip_time: f64) -> f64 {
        let simplified = round_trip_time * (2.0 * lost / 3.0).sqrt();
        let timeouts = match self {
            Self::Simplified => 0.0,
            Self::Full => {
                let timeout = 4.0 * round_trip_time;
                timeout * 3.0 * (3.0 * lost / 8.0).sqrt() * lost * (1.0 + 32.0 * lost * lost)
            }
        };
        // Without loss that is infinite.
        1.0 / (simplified + timeouts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc8083_4_3_equations() {
        let near = |value: f64, expected: f64| (value - expected).abs() < 1e-3 * expected;
        // 1 / (0.1 * sqrt(2 * 0.06 / 3)) and RFC 5348's equation worked by hand.
        assert!(near(
            TcpThroughput::Simplified.packets_per_second(0.06, 0.1),
            50.0
        ));
        assert!(near(
            TcpThroughput::Full.packets_per_second(0.06, 0.1),
            1.0 / (0.02 + 0.4 * 3.0 * 0.15 * 0.06 * 1.1152)
        ));
        assert_eq!(
            TcpThroughput::Full.packets_per_second(0.0, 0.1),
            f64::INFINITY
        );
        // What the variants say of themselves, at ten times TCP's rate.
        assert!(TcpThroughput::Simplified.packets_per_second(1.0, 0.244) > 5.0);
        assert!(TcpThroughput::Full.packets_per_second(0.14, 0.2) > 5.0);
        assert!(TcpThroughput::Full.packets_per_second(0.15, 0.2) < 5.0);
    }
}
