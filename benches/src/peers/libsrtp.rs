//! libsrtp 2.3 with OpenSSL, of the crate srtp2-sys.

use skywave_srtp::Profile;
use srtp::{CryptoPolicy, StreamPolicy};

use crate::rtp_template::RtpTemplate;
use crate::{Frame, Listener, Session};

/// A session for one outbound stream.
pub struct Libsrtp {
    template: RtpTemplate,
    session: srtp::Session,
}

impl Session for Libsrtp {
    const NAME: &'static str = "libsrtp";

    fn new(listener: &Listener) -> Libsrtp {
        let crypto = match listener.profile {
            Profile::Aes128CmHmacSha1_80 => CryptoPolicy::aes_cm_128_hmac_sha1_80(),
            Profile::AeadAes128Gcm => CryptoPolicy::aes_gcm_128_16_auth(),
            Profile::AeadAes256Gcm => CryptoPolicy::aes_gcm_256_16_auth(),
            other => panic!("{} is not known to libsrtp", other.name()),
        };
        let policy = StreamPolicy {
            rtp: crypto,
            rtcp: crypto,
            key: &[listener.key(), listener.salt()].concat(),
            ..StreamPolicy::default()
        };
        let mut session = srtp::Session::new().expect("a session is made");
        session
            .add_stream(listener.ssrc, policy)
            .expect("the policy is valid");
        Libsrtp {
            template: RtpTemplate::new(listener),
            session,
        }
    }

    fn send(&mut self, frame: &Frame, buffer: &mut Vec<u8>) -> impl AsRef<[u8]> {
        self.template.write(&frame.payload, frame.timestamp, buffer);
        self.session.protect(buffer).expect("it is protected");
        &buffer[..]
    }
}
