//! Whether the next report is a sender's (RFC 3550 §6.4), and whether there may be a BYE
//! (§6.3.7).

/// The `we_sent` of RFC 3550 §6.3: what had been sent at the last two reports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SenderActivity {
    at_last: u64,
    at_last_but_one: u64,
    reported: bool,
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
        self.reported = true;
        sent
    }

    /// Whether this participant may say BYE: who never sent RTP or RTCP must not (§6.3.7).
    ///
    /// To be asked before [`Self::report`] is called for the compound that has the BYE, which
    /// among fewer than 50 members goes out at once.
    pub fn may_say_bye(&self, packets_sent: u64) -> bool {
        self.reported || packets_sent > 0
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
    fn rfc3550_6_3_7_who_never_sent_must_not_say_bye() {
        let mut activity = SenderActivity::default();
        assert!(!activity.may_say_bye(0));
        assert!(activity.may_say_bye(1), "sent RTP");
        activity.report(0);
        assert!(activity.may_say_bye(0), "sent RTCP");
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
