//! What every listener offers: PCMU, and the header extensions that browsers ask for.

use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime};

use skywave_dtls::Identity;
use skywave_load::{Listener, Settings};
use skywave_srtp::Profile;

/// Makes listeners with one certificate.
pub(crate) struct Listeners {
    settings: Settings,
}

impl Listeners {
    /// Makes the certificate.
    pub(crate) fn new() -> Listeners {
        let identity = Identity::generate(SystemTime::now());
        Listeners {
            settings: Settings {
                identity: identity.expect("a certificate can be made"),
                sample: 1,
                patience: Duration::from_secs(60),
            },
        }
    }

    /// A listener that receives at `address`, and its offer.
    pub(crate) fn listener(&self, address: SocketAddr, now: Instant) -> (Listener, String) {
        let mut listener = Listener::new(&self.settings, rand::random(), now);
        let offer = listener.offer(address);
        let with_extensions = offer.replacen("a=rtcp-mux\r\n", EXTENSIONS, 1);
        assert_ne!(offer, with_extensions, "the offer has a=rtcp-mux");
        (listener, with_extensions)
    }
}

/// As Chromium numbers them.
const EXTENSIONS: &str = "a=rtcp-mux\r\n\
    a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n\
    a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\n";

/// Octets of a packet on its way: RTP, extension header, audio level and mid, 20 ms of PCMU, tag.
pub(crate) const DATAGRAM_OCTETS: usize = skywave_benches::HEADER_OCTETS + PAYLOAD_OCTETS + 16;

/// What two ends with our DTLS engine agree on: the client's order counts, and that of the engine
/// begins with the strongest. Browsers prefer others.
pub(crate) const PROFILE: Profile = Profile::AeadAes256Gcm;

/// 20 ms of PCMU.
pub(crate) const PAYLOAD_OCTETS: usize = 160;

/// From one frame to the next.
pub(crate) const FRAME: Duration = Duration::from_millis(20);
