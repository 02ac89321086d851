//! The offer of a listener (RFC 9429 §5.2.1, WHEP): one `recvonly` audio section.
//!
//! It offers Opus, PCMU and PCMA, RTP and RTCP on one port, BUNDLE, and DTLS in either role. No
//! header extensions, no feedback, no `maxptime` and no `stereo`: the server does as it does by
//! default.

use std::fmt;
use std::net::SocketAddr;

use skywave_dtls::Fingerprint;
use skywave_ice::{Credentials, host_foundation, host_priority};

/// What one listener offers; `Display` writes the SDP text.
#[derive(Clone, Copy, Debug)]
pub struct Offer<'a> {
    /// The listener's own fragment and password.
    pub credentials: &'a Credentials,
    /// Of the listener's certificate.
    pub fingerprint: &'a Fingerprint,
    /// Where the listener receives: its only candidate.
    pub address: SocketAddr,
    /// A number for `o=`, below 2^63.
    pub session_id: u64,
}

impl fmt::Display for Offer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (ip, port) = (self.address.ip(), self.address.port());
        let family = if ip.is_ipv4() { "IP4" } else { "IP6" };
        let (ufrag, pwd) = (self.credentials.ufrag(), self.credentials.pwd());
        let (foundation, priority) = (host_foundation(0), host_priority(u16::MAX));
        let session_id = self.session_id;
        write!(
            f,
            "v=0\r\n\
             o=- {session_id} 1 IN {family} {ip}\r\n\
             s=-\r\n\
             t=0 0\r\n\
             a=group:BUNDLE 0\r\n\
             m=audio {port} UDP/TLS/RTP/SAVPF 111 0 8\r\n\
             c=IN {family} {ip}\r\n\
             a=ice-ufrag:{ufrag}\r\n\
             a=ice-pwd:{pwd}\r\n\
             a=fingerprint:{} ",
            self.fingerprint.algorithm.name(),
        )?;
        for (index, byte) in self.fingerprint.value.iter().enumerate() {
            let colon = if index == 0 { "" } else { ":" };
            write!(f, "{colon}{byte:02X}")?;
        }
        write!(
            f,
            "\r\n\
             a=setup:actpass\r\n\
             a=mid:0\r\n\
             a=recvonly\r\n\
             a=rtcp-mux\r\n\
             a=rtpmap:111 opus/48000/2\r\n\
             a=fmtp:111 minptime=10;useinbandfec=1\r\n\
             a=rtpmap:0 PCMU/8000\r\n\
             a=rtpmap:8 PCMA/8000\r\n\
             a=candidate:{foundation} 1 udp {priority} {ip} {port} typ host\r\n\
             a=end-of-candidates\r\n"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use skywave_dtls::HashAlgorithm;
    use skywave_sdp::{Direction, SessionDescription, Setup};

    #[test]
    fn offer_reads_as_it_was_meant() {
        let credentials = Credentials::from_random([7; 24]);
        let fingerprint = Fingerprint::of(HashAlgorithm::Sha256, b"certificate");
        let address = "127.0.0.1:40000".parse().unwrap();
        let offer = Offer {
            credentials: &credentials,
            fingerprint: &fingerprint,
            address,
            session_id: 5,
        };
        let read = SessionDescription::parse(&offer.to_string()).unwrap();
        assert_eq!((read.bundle, read.session_id), (vec!["0".to_owned()], 5));
        let section = &read.media[0];
        assert_eq!(section.direction, Direction::RecvOnly);
        assert_eq!(section.setup, Some(Setup::ActPass));
        assert_eq!(section.ice_pwd.as_deref(), Some(credentials.pwd()));
        assert_eq!(section.fingerprints[0].value, fingerprint.value);
        assert_eq!(section.candidates[0].address, address);
        assert_eq!(section.formats, ["111", "0", "8"]);
        assert_eq!(section.maxptime, None);
    }
}
