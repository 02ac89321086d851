//! `a=candidate` (RFC 8839 §5.1): UDP with a literal IP address. TCP candidates and host names,
//! mDNS names among them, are refused.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use crate::Error;
use crate::error::excerpt;

/// An address one end may be reached at.
///
/// This end writes host candidates only. Of a peer's candidate the type is not kept: to whom sends
/// to it, reflexive and relayed addresses are addresses like any other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Groups candidates of the same base; 1 to 32 letters, digits, `+` and `/`.
    pub foundation: String,
    /// 1 for RTP, and for RTCP multiplexed with it.
    pub component: u8,
    /// Higher is preferred (RFC 8445 §5.1.2).
    pub priority: u32,
    /// Where to send to.
    pub address: SocketAddr,
}

/// The value of `a=candidate`, as a host candidate.
impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            foundation,
            component,
            priority,
            address,
        } = self;
        let (ip, port) = (address.ip(), address.port());
        write!(
            f,
            "{foundation} {component} udp {priority} {ip} {port} typ host"
        )
    }
}

/// Reads the value of `a=candidate`, also with the `candidate:` that browsers put before it.
impl FromStr for Candidate {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        parse(text).ok_or_else(|| Error::InvalidCandidate(excerpt(text)))
    }
}

fn parse(text: &str) -> Option<Candidate> {
    let text = text.strip_prefix("candidate:").unwrap_or(text);
    let mut words = text.split_ascii_whitespace();
    let foundation = words.next().filter(|word| word.len() <= 32)?.to_owned();
    let component = words.next()?.parse().ok()?;
    words
        .next()
        .filter(|word| word.eq_ignore_ascii_case("udp"))?;
    let priority = words.next()?.parse().ok()?;
    let ip: IpAddr = words.next()?.parse().ok()?;
    let port: u16 = words.next()?.parse().ok().filter(|port| *port != 0)?;
    words.next().filter(|word| *word == "typ")?;
    words.next()?;
    Some(Candidate {
        foundation,
        component,
        priority,
        address: SocketAddr::new(ip, port),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn candidates_of_both_families_and_any_type_are_read() {
        for (text, address) in [
            // RFC 8839 §5.1
            (
                "2 1 UDP 1694498815 192.0.2.3 45664 typ srflx raddr 203.0.113.141 rport 8998",
                "192.0.2.3:45664",
            ),
            // Chromium
            (
                "candidate:1467250027 1 udp 2122260223 192.168.0.196 46243 typ host generation 0",
                "192.168.0.196:46243",
            ),
            (
                "0 1 UDP 2122252543 2001:db8::1 5004 typ host",
                "[2001:db8::1]:5004",
            ),
        ] {
            let candidate: Candidate = text.parse().unwrap();
            assert_eq!(candidate.address.to_string(), address);
        }
    }

    #[test]
    fn own_candidate_is_written_and_read_back() {
        for address in ["192.0.2.1:5004", "[2001:db8::7]:9000"] {
            let candidate = Candidate {
                foundation: "a+/1".to_owned(),
                component: 1,
                priority: 2_130_706_431,
                address: address.parse().unwrap(),
            };
            assert_eq!(candidate.to_string().parse(), Ok(candidate));
        }
        let text = "1 1 udp 2130706431 2001:db8::7 9000 typ host";
        assert_eq!(text.parse::<Candidate>().unwrap().to_string(), text);
    }

    #[test]
    fn tcp_names_and_broken_lines_are_refused() {
        for bad in [
            "",
            "1 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active",
            "1 1 udp 2113937151 06d1f1a0-3c33-4a52-9b8c-8a2a4c0c4c5e.local 51820 typ host",
            "1 1 udp 2113937151 fe80::1%eth0 51820 typ host",
            "1 1 udp 2113937151 192.0.2.1 0 typ host",
            "1 1 udp 2113937151 192.0.2.1 70000 typ host",
            "1 999 udp 2113937151 192.0.2.1 5004 typ host",
            "1 1 udp 99999999999 192.0.2.1 5004 typ host",
            "1 1 udp 2113937151 192.0.2.1 5004 typ",
        ] {
            let error = bad.parse::<Candidate>().unwrap_err();
            assert_eq!(error, Error::InvalidCandidate(bad.to_owned()));
        }
    }
}
