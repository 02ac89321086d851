//! A media section, from its `m=` line to the next (RFC 8866 §5.14), with the attributes of WebRTC.
//! Attributes of no use to a sender of audio are skipped, known ones that cannot be read too,
//! except those on which security or addressing rest: `mid`, `setup`, `fingerprint` and ICE's.

use crate::ice_credentials::{is_pwd, is_ufrag};
use crate::payload_type::parse_payload_type;
use crate::{
    Candidate, Direction, Error, Extmap, FeedbackKind, Fingerprint, Fmtp, RcvrRtt, RtcpFeedback,
    Rtpmap, Setup,
};

/// One media section. Of an attribute that may occur once, the last occurrence counts; of a
/// session that announces several sources, the first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MediaSection {
    /// `audio`, `video`, `application` ...
    pub kind: String,
    /// 0 in a rejected section, and in one that is `bundle_only`.
    pub port: u16,
    /// Such as `UDP/TLS/RTP/SAVPF`.
    pub proto: String,
    /// Payload types or other formats, in the order of preference; at least one.
    pub formats: Vec<String>,
    /// Identification tag, a token without blanks.
    pub mid: Option<String>,
    /// As seen by the end that wrote the description.
    pub direction: Direction,
    /// Meaning of the payload types.
    pub rtpmaps: Vec<Rtpmap>,
    /// Parameters by payload type.
    pub fmtps: Vec<(u8, Fmtp)>,
    /// Header extensions.
    pub extmaps: Vec<Extmap>,
    /// `a=extmap-allow-mixed`, here or at session level.
    pub extmap_allow_mixed: bool,
    /// Feedback the writer may send, as far as a sender of audio has a use for it.
    pub rtcp_feedback: Vec<RtcpFeedback>,
    /// Round-trip times are measured by receivers (RFC 3611 §5.1).
    pub rcvr_rtt: Option<RcvrRtt>,
    /// Header extensions may be encrypted all together (RFC 9335 §4).
    pub cryptex: bool,
    /// RTP and RTCP may share a port.
    pub rtcp_mux: bool,
    /// RTP and RTCP can only share a port (RFC 8858).
    pub rtcp_mux_only: bool,
    /// Reduced-size RTCP (RFC 5506).
    pub rtcp_rsize: bool,
    /// Port 0 is no rejection: the section lives only in its BUNDLE group (RFC 9143 §6).
    pub bundle_only: bool,
    /// ICE user name fragment.
    pub ice_ufrag: Option<String>,
    /// ICE password.
    pub ice_pwd: Option<String>,
    /// ICE options such as `trickle` and `ice2`.
    pub ice_options: Vec<String>,
    /// Fingerprints of the peer's certificate, by any algorithm.
    pub fingerprints: Vec<Fingerprint>,
    /// DTLS role.
    pub setup: Option<Setup>,
    /// Candidates over UDP with an IP address; others are skipped.
    pub candidates: Vec<Candidate>,
    /// Preferred length of a packet in milliseconds.
    pub ptime: Option<u32>,
    /// Greatest length of a packet in milliseconds.
    pub maxptime: Option<u32>,
    /// The least of `b=TIAS`, `b=AS` and `b=CT` here and at session level, in bits per second.
    pub bandwidth: Option<u64>,
    /// First synchronisation source announced.
    pub ssrc: Option<u32>,
    /// First canonical name announced.
    pub cname: Option<String>,
    /// Stream and track identifiers, as written.
    pub msid: Option<String>,
}

impl MediaSection {
    /// Whether the section is refused or disabled.
    #[must_use]
    pub fn is_rejected(&self) -> bool {
        self.port == 0 && !self.bundle_only
    }

    /// What a payload type stands for: by `a=rtpmap`, or by RFC 3551 if that needs none.
    #[must_use]
    pub fn rtpmap(&self, payload_type: u8) -> Option<Rtpmap> {
        self.rtpmaps
            .iter()
            .find(|rtpmap| rtpmap.payload_type == payload_type)
            .cloned()
            .or_else(|| Rtpmap::from_static(payload_type))
    }

    /// The parameters of a payload type; empty if none were written.
    #[must_use]
    pub fn fmtp(&self, payload_type: u8) -> Fmtp {
        self.fmtps
            .iter()
            .find(|(number, _)| *number == payload_type)
            .map(|(_, fmtp)| fmtp.clone())
            .unwrap_or_default()
    }

    /// Whether a receiver of that payload type may send the feedback.
    #[must_use]
    pub fn feeds_back(&self, payload_type: u8, kind: FeedbackKind) -> bool {
        self.rtcp_feedback
            .iter()
            .any(|feedback| feedback.kind == kind && feedback.is_for(payload_type))
    }

    /// The codecs listed, in their order, for a person to read.
    pub(crate) fn codec_names(&self) -> String {
        let names: Vec<String> = self
            .formats
            .iter()
            .map(|format| {
                let rtpmap = parse_payload_type(format).and_then(|number| self.rtpmap(number));
                rtpmap.map_or_else(|| format.clone(), |rtpmap| rtpmap.to_string())
            })
            .collect();
        crate::error::excerpt(&names.join(", "))
    }

    /// Reads an `m=` line. Attributes valid for all sections are taken over from the session
    /// level, which is a section without an `m=` line.
    pub(crate) fn from_media_line(value: &str, session: &Self) -> Option<Self> {
        let mut words = value.split_ascii_whitespace();
        let kind = words.next()?.to_owned();
        let port = words.next()?.split('/').next()?.parse().ok()?;
        let proto = words.next()?.to_owned();
        let formats: Vec<String> = words.take(MAX_ATTRIBUTES).map(str::to_owned).collect();
        (!formats.is_empty()).then(|| Self {
            kind,
            port,
            proto,
            formats,
            direction: session.direction,
            extmap_allow_mixed: session.extmap_allow_mixed,
            rcvr_rtt: session.rcvr_rtt,
            cryptex: session.cryptex,
            ice_ufrag: session.ice_ufrag.clone(),
            ice_pwd: session.ice_pwd.clone(),
            setup: session.setup,
            bandwidth: session.bandwidth,
            ..Self::default()
        })
    }

    /// Takes over the session level's lists where the section has none of its own.
    pub(crate) fn inherit_lists(&mut self, session: &Self) {
        if self.fingerprints.is_empty() {
            self.fingerprints.clone_from(&session.fingerprints);
        }
        if self.extmaps.is_empty() {
            self.extmaps.clone_from(&session.extmaps);
        }
        if self.ice_options.is_empty() {
            self.ice_options.clone_from(&session.ice_options);
        }
    }

    /// Reads the value of a `b=` line. Zero is no limit: peers write it for "not known".
    ///
    /// `CT` limits all media together (RFC 8866 §5.8), of which one stream of audio is all there
    /// is.
    pub(crate) fn read_bandwidth(&mut self, value: &str) {
        let bits = match value.split_once(':') {
            Some(("AS" | "CT", kilobits)) => {
                kilobits.parse::<u32>().ok().map(|kb| u64::from(kb) * 1000)
            }
            Some(("TIAS", bits)) => bits.parse::<u64>().ok(),
            _ => None,
        };
        let limits = [self.bandwidth, bits.filter(|bits| *bits > 0)];
        self.bandwidth = limits.into_iter().flatten().min();
    }

    /// Reads an `a=` line; `value` is empty where there is no colon.
    pub(crate) fn read_attribute(
        &mut self,
        line: usize,
        name: &str,
        value: &str,
    ) -> Result<(), Error> {
        match name {
            "mid" => self.mid = Some(checked(value, line, is_token, "a=mid needs a token")?),
            "rtcp-mux" => self.rtcp_mux = true,
            "rtcp-mux-only" => self.rtcp_mux_only = true,
            "rtcp-rsize" => self.rtcp_rsize = true,
            "bundle-only" => self.bundle_only = true,
            "extmap-allow-mixed" => self.extmap_allow_mixed = true,
            "cryptex" => self.cryptex = true,
            "setup" => self.setup = Some(value.parse()?),
            "fingerprint" => keep(&mut self.fingerprints, Some(value.parse()?)),
            "ice-ufrag" => self.ice_ufrag = Some(checked(value, line, is_ufrag, UFRAG_RULE)?),
            "ice-pwd" => self.ice_pwd = Some(checked(value, line, is_pwd, PWD_RULE)?),
            _ => self.read_lenient_attribute(name, value),
        }
        Ok(())
    }

    /// Reads an attribute that may be missing, so one that cannot be read is skipped.
    fn read_lenient_attribute(&mut self, name: &str, value: &str) {
        match name {
            "rtpmap" => keep(&mut self.rtpmaps, Rtpmap::parse(value)),
            "fmtp" => keep(&mut self.fmtps, parse_fmtp(value)),
            "extmap" => keep(&mut self.extmaps, Extmap::parse(value)),
            "rtcp-fb" => self.read_feedback(value),
            "rtcp-xr" => self.rcvr_rtt = RcvrRtt::parse(value),
            "candidate" => keep(&mut self.candidates, value.parse().ok()),
            "ice-options" => {
                // Blanks separate them (RFC 8839 §5.6), commas in libdatachannel.
                let options = value.split([' ', ',']).filter(|option| !option.is_empty());
                self.ice_options = options.take(MAX_ATTRIBUTES).map(str::to_owned).collect();
            }
            "ptime" => self.ptime = milliseconds(value).or(self.ptime),
            "maxptime" => self.maxptime = milliseconds(value).or(self.maxptime),
            "ssrc" => self.read_ssrc(value),
            "msid" => self.msid = Some(value.to_owned()),
            _ => self.direction = Direction::from_name(name).unwrap_or(self.direction),
        }
    }

    /// Keeps a line once, so that one written often takes no room from others.
    fn read_feedback(&mut self, value: &str) {
        let feedback = RtcpFeedback::parse(value);
        let new = feedback.filter(|feedback| !self.rtcp_feedback.contains(feedback));
        keep(&mut self.rtcp_feedback, new);
    }

    fn read_ssrc(&mut self, value: &str) {
        let Some((ssrc, attribute)) = value.split_once(' ') else {
            return;
        };
        self.ssrc = self.ssrc.or(ssrc.parse().ok());
        if let (None, Some(cname)) = (&self.cname, attribute.strip_prefix("cname:")) {
            self.cname = Some(cname.to_owned());
        }
    }
}

fn checked(
    value: &str,
    line: usize,
    rule: fn(&str) -> bool,
    what: &'static str,
) -> Result<String, Error> {
    if rule(value) {
        Ok(value.to_owned())
    } else {
        Err(Error::Malformed { line, what })
    }
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn keep<T>(list: &mut Vec<T>, item: Option<T>) {
    if list.len() < MAX_ATTRIBUTES {
        list.extend(item);
    }
}

fn parse_fmtp(value: &str) -> Option<(u8, Fmtp)> {
    let (payload_type, parameters) = value.split_once(' ')?;
    Some((parse_payload_type(payload_type)?, Fmtp::parse(parameters)))
}

/// RFC 8866 §6.4 writes whole numbers; some peers write fractions, which are cut.
fn milliseconds(value: &str) -> Option<u32> {
    value.split('.').next()?.parse().ok().filter(|ms| *ms > 0)
}

/// How many attributes of one name, and how many formats, are kept of a section; more are skipped.
/// There are no more than 128 payload types.
pub const MAX_ATTRIBUTES: usize = 128;
const UFRAG_RULE: &str = "a=ice-ufrag needs 4 to 256 visible characters";
const PWD_RULE: &str = "a=ice-pwd needs 22 to 256 visible characters";
