//! webrtc-srtp, of webrtc-rs until 0.17.

use skywave_srtp::Profile;
use webrtc_srtp::context::Context;
use webrtc_srtp::protection_profile::ProtectionProfile;

use crate::rtp_template::RtpTemplate;
use crate::{Frame, Listener, Session};

/// A context, fed as its own session type feeds it: with the octets of RTP.
pub struct WebrtcSrtp {
    template: RtpTemplate,
    context: Context,
}

impl Session for WebrtcSrtp {
    const NAME: &'static str = "webrtc-srtp";

    fn new(listener: &Listener) -> WebrtcSrtp {
        let profile = match listener.profile {
            Profile::Aes128CmHmacSha1_80 => ProtectionProfile::Aes128CmHmacSha1_80,
            Profile::AeadAes128Gcm => ProtectionProfile::AeadAes128Gcm,
            Profile::AeadAes256Gcm => ProtectionProfile::AeadAes256Gcm,
            other => panic!("{} is not known to webrtc-srtp", other.name()),
        };
        let context = Context::new(listener.key(), listener.salt(), profile, None, None);
        WebrtcSrtp {
            template: RtpTemplate::new(listener),
            context: context.expect("the keys are valid"),
        }
    }

    fn send(&mut self, frame: &Frame, buffer: &mut Vec<u8>) -> impl AsRef<[u8]> {
        self.template.write(&frame.payload, frame.timestamp, buffer);
        self.context.encrypt_rtp(buffer).expect("it is protected")
    }
}
