//! `a=rtcp-xr` (RFC 3611 §5.1), of which only `rcvr-rtt` is read: round-trip times measured by ends
//! that send no media.

use std::fmt;

/// Who answers a receiver's reference time with a DLRR block.
///
/// Either lets a peer that only receives measure, since this end is a sender of media.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RcvrRtt {
    /// Every end.
    All,
    /// Senders of media only.
    Sender,
}

impl RcvrRtt {
    /// Reads the value of `a=rtcp-xr`, a list of report formats; `None` if `rcvr-rtt` is not one.
    pub(crate) fn parse(value: &str) -> Option<Self> {
        let mut formats = value.split_ascii_whitespace();
        let mode = formats.find_map(|format| format.strip_prefix("rcvr-rtt="))?;
        // A limit on the size may follow.
        match mode.split(':').next()? {
            "all" => Some(Self::All),
            "sender" => Some(Self::Sender),
            _ => None,
        }
    }
}

/// The report format as in `a=rtcp-xr`.
impl fmt::Display for RcvrRtt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::All => "rcvr-rtt=all",
            Self::Sender => "rcvr-rtt=sender",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc3611_5_1_mode_is_found_among_the_formats() {
        for (text, mode) in [
            ("rcvr-rtt=all", Some(RcvrRtt::All)),
            ("rcvr-rtt=sender:1400", Some(RcvrRtt::Sender)),
            ("stat-summary=loss,dup rcvr-rtt=all:10", Some(RcvrRtt::All)),
            ("voip-metrics", None),
            ("rcvr-rtt", None),
            ("rcvr-rtt=", None),
            ("rcvr-rtt=nobody", None),
            ("", None),
        ] {
            assert_eq!(RcvrRtt::parse(text), mode, "{text}");
        }
        for mode in [RcvrRtt::All, RcvrRtt::Sender] {
            assert_eq!(RcvrRtt::parse(&mode.to_string()), Some(mode));
        }
    }
}
