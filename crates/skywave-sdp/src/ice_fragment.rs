//! `application/trickle-ice-sdpfrag` (RFC 8840 §9): the ICE part of a description, for trickled
//! candidates and ICE restarts (RFC 9725 §4.3).
//!
//! Of a peer's fragment the credentials are read. Its candidates are skipped: a lite agent learns
//! addresses from checks.

use crate::ice_credentials::{is_pwd, is_ufrag};
use crate::local_description::text_of;
use crate::session_description::{malformed, split_line};
use crate::{Candidate, Error, IceCredentials, MAX_SDP_BYTES, Negotiated};

/// Our fragment in answer to an ICE restart. What `head` says is as in our answer, as RFC 9725
/// §4.3.3 wants; it comes from [`Negotiated::fragment_head`].
#[must_use]
pub fn ice_fragment(head: &str, ice: &IceCredentials, candidates: &[Candidate]) -> String {
    let mut lines = vec![
        format!("a=ice-ufrag:{}", ice.ufrag),
        format!("a=ice-pwd:{}", ice.pwd),
    ];
    lines.extend(candidates.iter().map(|own| format!("a=candidate:{own}")));
    lines.push("a=end-of-candidates".to_owned());
    head.to_owned() + &text_of(&lines)
}

impl Negotiated {
    /// What all fragments of this end say in this session: all but credentials and candidates.
    #[must_use]
    pub fn fragment_head(&self) -> String {
        let mut lines = vec!["a=ice-lite".to_owned()];
        if !self.ice_options.is_empty() {
            lines.push(format!("a=ice-options:{}", self.ice_options));
        }
        let mid = self.mid.as_ref();
        if let Some(mid) = mid.filter(|_| self.bundled) {
            lines.push(format!("a=group:BUNDLE {mid}"));
        }
        let payload_type = self.payload_type;
        lines.push(format!("m=audio 9 UDP/TLS/RTP/SAVPF {payload_type}"));
        lines.extend(mid.map(|mid| format!("a=mid:{mid}")));
        text_of(&lines)
    }
}

impl IceCredentials {
    /// The credentials of a peer's fragment, of its first section that has any.
    ///
    /// # Errors
    /// [`Error::TooLarge`], [`Error::Malformed`], [`Error::MissingIceCredentials`]: RFC 8840 §4.4
    /// wants them in every fragment.
    pub fn from_fragment(text: &str) -> Result<Self, Error> {
        if text.len() > MAX_SDP_BYTES {
            return Err(Error::TooLarge { bytes: text.len() });
        }
        let (mut ufrag, mut pwd) = (None, None);
        for (index, line) in text.lines().enumerate() {
            let line = line.trim_end();
            if line.is_empty() {
                continue;
            }
            let ('a', value) = split_line(index + 1, line)? else {
                continue;
            };
            let (place, is_sound, what): (_, fn(&str) -> bool, _) = match value.split_once(':') {
                Some(("ice-ufrag", _)) => {
                    (&mut ufrag, is_ufrag, "a=ice-ufrag has 4 to 256 characters")
                }
                Some(("ice-pwd", _)) => (&mut pwd, is_pwd, "a=ice-pwd has 22 to 256 characters"),
                _ => continue,
            };
            let text = value.split_once(':').map_or("", |(_, text)| text.trim());
            if !is_sound(text) {
                return Err(malformed(index + 1, what));
            }
            place.get_or_insert_with(|| text.to_owned());
        }
        let (ufrag, pwd) = ufrag.zip(pwd).ok_or(Error::MissingIceCredentials)?;
        Ok(Self { ufrag, pwd })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9725 §4.3.2's example.
    const TRICKLED: &str = "a=group:BUNDLE 0 1\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\n\
        a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\n\
        a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host generation 0 ufrag EsAw\r\n\
        a=candidate:473322822 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active\r\n\
        a=end-of-candidates\r\n";

    #[test]
    fn rfc9725_4_3_2_fragment_is_read_and_candidates_of_any_transport_do_no_harm() {
        let ice = IceCredentials::from_fragment(TRICKLED).unwrap();
        assert_eq!(ice.ufrag, "EsAw");
        assert_eq!(ice.pwd, "P2uYro0UCOQ4zxjKXaWCBui1");
    }

    #[test]
    fn rfc8840_4_4_credentials_stand_at_either_level() {
        let at_session_level =
            "a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\na=ice-ufrag:EsAw\nm=audio 9 RTP/AVP 0\na=mid:0\n";
        let ice = IceCredentials::from_fragment(at_session_level).unwrap();
        assert_eq!(ice.ufrag, "EsAw");
    }

    #[test]
    fn what_is_no_fragment_is_refused() {
        let missing = Err(Error::MissingIceCredentials);
        for text in [
            "",
            "a=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n",
            "a=ice-ufrag:EsAw\r\n",
        ] {
            assert_eq!(IceCredentials::from_fragment(text), missing, "{text}");
        }
        for text in [
            "hello",
            "a=ice-ufrag:EsA\r\n",
            "a=ice-pwd:short\r\n",
            "a=ice-ufrag:a:b:c\n",
        ] {
            let refused = IceCredentials::from_fragment(text);
            assert!(
                matches!(refused, Err(Error::Malformed { line: 1, .. })),
                "{text}"
            );
        }
        let long = "a=x\n".repeat(MAX_SDP_BYTES);
        let refused = IceCredentials::from_fragment(&long);
        assert!(matches!(refused, Err(Error::TooLarge { .. })));
    }

    #[test]
    fn own_fragment_is_one_that_is_read() {
        let ice = IceCredentials {
            ufrag: "s0me".to_owned(),
            pwd: "0123456789abcdefghijkl".to_owned(),
        };
        let candidates = ["1 1 udp 2130706431 192.0.2.7 5004 typ host"
            .parse()
            .unwrap()];
        let text = ice_fragment("a=ice-lite\r\n", &ice, &candidates);
        assert_eq!(
            text,
            "a=ice-lite\r\na=ice-ufrag:s0me\r\na=ice-pwd:0123456789abcdefghijkl\r\n\
             a=candidate:1 1 udp 2130706431 192.0.2.7 5004 typ host\r\na=end-of-candidates\r\n"
        );
        assert_eq!(IceCredentials::from_fragment(&text), Ok(ice));
    }
}
