//! rtc-srtp, of webrtc-rs since 0.20, with its default cryptography: ring.

use rtc_srtp::context::Context;
use rtc_srtp::crypto::default_provider;
use rtc_srtp::protection_profile::ProtectionProfile;
use skywave_srtp::Profile;

use crate::rtp_template::RtpTemplate;
use crate::{Frame, Listener, Session};

/// A context, fed with the octets of RTP.
pub struct RtcSrtp {
    template: RtpTemplate,
    context: Context,
}

impl Session for RtcSrtp {
    const NAME: &'static str = "rtc-srtp";

    fn new(listener: &Listener) -> RtcSrtp {
        let profile = match listener.profile {
            Profile::Aes128CmHmacSha1_80 => ProtectionProfile::Aes128CmHmacSha1_80,
            Profile::AeadAes128Gcm => ProtectionProfile::AeadAes128Gcm,
            Profile::AeadAes256Gcm => ProtectionProfile::AeadAes256Gcm,
            other => panic!("{} is not known to rtc-srtp", other.name()),
        };
        let provider = default_provider().expect("ring is its default");
        let context = Context::new(
            listener.key(),
            listener.salt(),
            profile,
            None,
            None,
            provider.crypto(),
        );
        RtcSrtp {
            template: RtpTemplate::new(listener),
            context: context.expect("the keys are valid"),
        }
    }

    fn send(&mut self, frame: &Frame, buffer: &mut Vec<u8>) -> impl AsRef<[u8]> {
        self.template.write(&frame.payload, frame.timestamp, buffer);
        self.context.encrypt_rtp(buffer).expect("it is protected")
    }
}
