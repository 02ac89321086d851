//! What this end writes about itself, and the lines that say it.

use std::net::IpAddr;

use crate::{Candidate, Fingerprint, IceCredentials, Setup};

/// What this end writes about itself into an offer or an answer.
///
/// The texts are written as they are: they must not contain blanks or line ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalDescription {
    /// Random number below 2^63 (RFC 9429 §5.2.1).
    pub session_id: u64,
    /// Goes up by one with every changed description of a session.
    pub session_version: u64,
    /// Credentials the peer's connectivity checks must use.
    pub ice: IceCredentials,
    /// Fingerprint of the DTLS certificate.
    pub fingerprint: Fingerprint,
    /// Addresses of this end. The first is the default one.
    pub candidates: Vec<Candidate>,
    /// Synchronisation source of the audio.
    pub ssrc: u32,
    /// Synchronisation source of retransmissions (RFC 4588 §5.3), announced in an answer that
    /// agrees to them. An offer is silent about it: Chromium (156) refuses one in which the audio
    /// has two sources, and RFC 8834 §4.8 has every peer accept sources that were not announced.
    pub rtx_ssrc: Option<u32>,
    /// Canonical name, new and random for each call (RFC 7022).
    pub cname: String,
    /// Identifier of the MediaStream the peer shall make.
    pub stream_id: String,
    /// Identifier of its track; written for old peers, RFC 9429 lets the receiver ignore it.
    pub track_id: String,
}

impl LocalDescription {
    /// The session level. It says `a=ice-lite`; `bundle` is the only member of the group.
    pub(crate) fn session_lines(&self, bundle: Option<&str>, ice_options: &str) -> Vec<String> {
        let mut lines = vec![
            "v=0".to_owned(),
            format!(
                "o=- {} {} IN IP4 0.0.0.0",
                self.session_id, self.session_version
            ),
            "s=-".to_owned(),
            "t=0 0".to_owned(),
            "a=ice-lite".to_owned(),
        ];
        lines.extend(bundle.map(|mid| format!("a=group:BUNDLE {mid}")));
        if !ice_options.is_empty() {
            lines.push(format!("a=ice-options:{ice_options}"));
        }
        lines
    }

    /// The `m=` and `c=` lines of the audio section, with the default candidate's address.
    pub(crate) fn media_lines(&self, proto: &str, formats: &str) -> Vec<String> {
        let default = self.candidates.first().map(|candidate| candidate.address);
        let port = default.map_or(DISCARD_PORT, |address| address.port());
        let connection = match default.map(|address| address.ip()) {
            Some(IpAddr::V6(ip)) => format!("c=IN IP6 {ip}"),
            Some(IpAddr::V4(ip)) => format!("c=IN IP4 {ip}"),
            None => UNSPECIFIED_CONNECTION.to_owned(),
        };
        vec![format!("m=audio {port} {proto} {formats}"), connection]
    }

    /// ICE credentials, fingerprint and DTLS role.
    pub(crate) fn transport_lines(&self, setup: Setup) -> Vec<String> {
        vec![
            format!("a=ice-ufrag:{}", self.ice.ufrag),
            format!("a=ice-pwd:{}", self.ice.pwd),
            format!("a=fingerprint:{}", self.fingerprint),
            format!("a=setup:{setup}"),
        ]
    }

    /// What is sent and from where: `a=msid`, `a=ssrc`, also of retransmissions if they are to be
    /// announced, and all candidates.
    pub(crate) fn source_lines(&self, announces_rtx: bool) -> Vec<String> {
        let Self { ssrc, cname, .. } = self;
        let mut lines = vec![format!("a=msid:{} {}", self.stream_id, self.track_id)];
        let rtx_ssrc = self.rtx_ssrc.filter(|_| announces_rtx);
        // RFC 5576 §4.2
        lines.extend(rtx_ssrc.map(|rtx| format!("a=ssrc-group:FID {ssrc} {rtx}")));
        lines.push(format!("a=ssrc:{ssrc} cname:{cname}"));
        lines.extend(rtx_ssrc.map(|rtx| format!("a=ssrc:{rtx} cname:{cname}")));
        lines.extend(
            self.candidates
                .iter()
                .map(|own| format!("a=candidate:{own}")),
        );
        lines.push("a=end-of-candidates".to_owned());
        lines
    }
}

/// The text of a description: every line ends in CRLF (RFC 8866 §5).
pub(crate) fn text_of(lines: &[String]) -> String {
    lines.iter().flat_map(|line| [line, "\r\n"]).collect()
}

/// The `c=` line where there is no address.
pub(crate) const UNSPECIFIED_CONNECTION: &str = "c=IN IP4 0.0.0.0";
/// RTCP shares RTP's transport, so its own line says nothing (RFC 9429 §5.2.1).
pub(crate) const RTCP_LINE: &str = "a=rtcp:9 IN IP4 0.0.0.0";
/// The port of a section without candidates (RFC 8840 §4.1.1).
const DISCARD_PORT: u16 = 9;
