//! What a listener needs of a server's answer: where to send, with which credentials, who starts
//! DTLS, and the clock of the stream.
//!
//! Read tolerantly, as any server shall do. Refused: no audio, no ICE credentials, and no
//! fingerprint by a function that can be trusted, without which nobody could be authenticated.

use std::net::{IpAddr, SocketAddr};

use skywave_dtls::{Fingerprint, HashAlgorithm, Role};
use skywave_sdp::{MediaSection, SessionDescription, Setup};

use crate::Failure;

/// A server's answer, as far as a listener is concerned.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The server's ICE user name fragment.
    pub ufrag: String,
    /// The server's ICE password.
    pub pwd: String,
    /// Of the server's certificate; at least one.
    pub fingerprints: Vec<Fingerprint>,
    /// The listener's own DTLS role: client unless the server says `active`.
    pub role: Role,
    /// UDP candidates of component 1, in the answer's order.
    pub candidates: Vec<SocketAddr>,
    /// The port of the `m=` line where there are no candidates.
    pub port: Option<u16>,
    /// Ticks a second of the first codec that is no telephone event.
    pub clock_rate: u32,
}

impl Answer {
    /// Reads an answer.
    ///
    /// # Errors
    /// [`Failure::Answer`] with the reason.
    pub fn read(text: &str) -> Result<Self, Failure> {
        let refused = |reason: &str| Failure::Answer(reason.to_owned());
        let description =
            SessionDescription::parse(text).map_err(|error| Failure::Answer(error.to_string()))?;
        let section = (description.media.iter())
            .find(|section| section.kind == "audio")
            .ok_or_else(|| refused("no audio section"))?;
        if section.is_rejected() {
            return Err(refused("the audio section is rejected"));
        }
        let fingerprints: Vec<_> = section.fingerprints.iter().filter_map(known).collect();
        if fingerprints.is_empty() {
            return Err(refused("no fingerprint of SHA-2"));
        }
        let (Some(ufrag), Some(pwd)) = (&section.ice_ufrag, &section.ice_pwd) else {
            return Err(refused("no ICE credentials"));
        };
        let role = match section.setup {
            Some(Setup::Active) => Role::Server,
            _ => Role::Client,
        };
        let candidates = section.candidates.iter();
        Ok(Self {
            ufrag: ufrag.clone(),
            pwd: pwd.clone(),
            fingerprints,
            role,
            candidates: candidates
                .filter(|candidate| candidate.component == 1)
                .map(|candidate| candidate.address)
                .collect(),
            // 9 is "discard": the port of those who trickle (RFC 8840 §4.1.1).
            port: Some(section.port).filter(|port| !matches!(port, 0 | 9)),
            clock_rate: clock_rate(section),
        })
    }

    /// Where to send: the candidate at `via` if that is given, else the one at the host that the
    /// answer came from, else one of loopback, else the first of IPv4.
    #[must_use]
    pub fn address(&self, via: Option<IpAddr>, host: IpAddr) -> Option<SocketAddr> {
        let at = |ip: IpAddr| self.candidates.iter().find(|address| address.ip() == ip);
        let chosen = match via {
            Some(via) => at(via),
            None => at(host)
                .or_else(|| self.candidates.iter().find(|a| a.ip().is_loopback()))
                .or_else(|| self.candidates.iter().find(|a| a.is_ipv4())),
        };
        let port = self.port.filter(|_| self.candidates.is_empty());
        let fallback = port.map(|port| SocketAddr::new(via.unwrap_or(host), port));
        chosen.copied().or(fallback)
    }
}

fn known(fingerprint: &skywave_sdp::Fingerprint) -> Option<Fingerprint> {
    Some(Fingerprint {
        algorithm: HashAlgorithm::from_name(&fingerprint.algorithm)?,
        value: fingerprint.value.clone(),
    })
}

/// Of the codec that is sent: the first, as the offer has nothing beside codecs.
fn clock_rate(section: &MediaSection) -> u32 {
    let numbers = section
        .formats
        .iter()
        .filter_map(|format| format.parse().ok());
    let mut rates = numbers.filter_map(|number| Some(section.rtpmap(number)?.clock_rate));
    rates.next().filter(|rate| *rate > 0).unwrap_or(OPUS_CLOCK)
}

const OPUS_CLOCK: u32 = 48_000;

#[cfg(test)]
mod tests {
    use super::*;

    const AIORTC: &str = include_str!("../../skywave-sdp/testdata/aiortc_answer.sdp");
    const CHROMIUM: &str = include_str!("../../skywave-sdp/testdata/chromium_answer.sdp");
    const LIBDATACHANNEL: &str =
        include_str!("../../skywave-sdp/testdata/libdatachannel_answer.sdp");
    const STR0M: &str = include_str!("../../skywave-sdp/testdata/str0m_full_answer.sdp");
    const PION_FAMILY: &str = include_str!("../../skywave-sdp/testdata/webrtc_rs_full_answer.sdp");

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn answers_of_all_servers_are_read() {
        for (text, ufrag, role) in [
            (AIORTC, "zm1X", Role::Server),
            (LIBDATACHANNEL, "e+EF", Role::Server),
            (STR0M, "PlaZlbghMm4sdEnt", Role::Client),
            (PION_FAMILY, "JnVMYsYGFtIkZuHp", Role::Client),
        ] {
            let answer = Answer::read(text).unwrap();
            assert_eq!((answer.ufrag.as_str(), answer.role), (ufrag, role));
            assert_eq!(answer.clock_rate, 48_000);
        }
        assert!(Answer::read(CHROMIUM).is_ok());
    }

    #[test]
    fn candidate_of_the_host_comes_first_and_via_overrules_it() {
        let answer = Answer::read(AIORTC).unwrap();
        let v4 = "192.0.2.2:37422".parse().ok();
        let v6 = "[fd00::2]:36665".parse().ok();
        assert_eq!(answer.address(None, ip("fd00::2")), v6);
        assert_eq!(answer.address(None, ip("203.0.113.1")), v4);
        assert_eq!(answer.address(Some(ip("192.0.2.2")), ip("fd00::2")), v4);
        assert_eq!(answer.address(Some(ip("192.0.2.3")), ip("fd00::2")), None);
    }

    #[test]
    fn loopback_comes_before_other_addresses() {
        let text = STR0M.replace(
            "a=ice-ufrag",
            "a=candidate:2 1 udp 1 127.0.0.1 6000 typ host\r\na=ice-ufrag",
        );
        let address = Answer::read(&text).unwrap().address(None, ip("::1"));
        assert_eq!(address, "127.0.0.1:6000".parse().ok());
    }

    #[test]
    fn without_candidates_the_port_of_the_section_is_taken() {
        let text = AIORTC.replace("a=candidate", "a=x-candidate");
        let answer = Answer::read(&text).unwrap();
        let expected = "198.51.100.1:37422".parse().ok();
        assert_eq!(answer.address(None, ip("198.51.100.1")), expected);
        let trickling = Answer::read(LIBDATACHANNEL).unwrap();
        assert_eq!(trickling.address(None, ip("198.51.100.1")), None);
    }

    #[test]
    fn what_cannot_be_authenticated_is_refused() {
        for missing in ["a=fingerprint", "a=ice-pwd", "m=audio"] {
            let text = AIORTC.replace(missing, "a=x");
            assert!(matches!(Answer::read(&text), Err(Failure::Answer(_))));
        }
        let rejected = AIORTC.replace("m=audio 37422", "m=audio 0");
        assert!(Answer::read(&rejected).is_err());
    }
}
