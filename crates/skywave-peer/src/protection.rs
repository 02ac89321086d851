//! From the keys of a handshake to the contexts that use them (RFC 5764 §4.2).

use skywave_dtls::SrtpKeys;
use skywave_srtp::{HeaderEncryption, MasterKey, Profile, SrtcpReceiver, SrtcpSender, SrtpSender};

/// The contexts that one handshake's keys make.
pub(crate) struct Protection {
    pub(crate) profile: Profile,
    pub(crate) srtp: SrtpSender,
    pub(crate) srtcp: (SrtcpSender, SrtcpReceiver),
}

impl Protection {
    /// Fails where the keys are of a profile that is not ours (RFC 5764 §4.1.1).
    pub(crate) fn new(
        keys: &SrtpKeys,
        encryption: HeaderEncryption,
    ) -> Result<Self, skywave_dtls::Error> {
        let no_profile = || skywave_dtls::Error::NoSrtpProfile;
        let profile = Profile::from_iana(keys.profile).ok_or_else(no_profile)?;
        let master = |key, salt| MasterKey::new(profile, key, salt).map_err(|_| no_profile());
        let local = master(keys.local_key(), keys.local_salt())?;
        let remote = master(keys.remote_key(), keys.remote_salt())?;
        Ok(Self {
            profile,
            srtp: SrtpSender::with_header_encryption(&local, encryption),
            srtcp: (SrtcpSender::new(&local), SrtcpReceiver::new(&remote)),
        })
    }
}
