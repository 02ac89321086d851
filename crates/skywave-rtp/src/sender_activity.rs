//! Whether the next report is a sender's (RFC 3550 §6.4).

/// The `we_sent` of RFC 3550 §6.3: what had been sent at the last two reports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SenderActivity {
    at_last: u64,
    at_last_but_one: u64,
}

impl SenderActivity {
    /// Call once for each report; `packets_sent` is the total of this SSRC until now.
    ///
    /// True if the report is a sender report: RTP was sent since the last-but-one report (before
    /// there are two, ever). False if it is a receiver report.
    pub fn report(&mut self, packets_sent: u64) -> bool {
        let sent = packets_sent != self.at_last_but_one;
        self.at_last_but_one = self.at_last;
        self.at_last = packets_sent;
        sent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc3550_6_4_no_sender_report_before_the_first_packet() {
        let mut activity = SenderActivity::default();
        assert!(!activity.report(0));
        assert!(!activity.report(0));
        assert!(activity.report(1));
    }

    #[test]
    fn rfc3550_6_4_silence_over_two_intervals_makes_a_receiver() {
        let mut activity = SenderActivity::default();
        assert!(activity.report(50));
        assert!(
            activity.report(50),
            "the packets are younger than the last-but-one report"
        );
        assert!(!activity.report(50));
        assert!(!activity.report(50));
        assert!(activity.report(51));
    }
}
