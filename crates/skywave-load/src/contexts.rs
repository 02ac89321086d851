//! The SRTP and SRTCP contexts that a handshake's keys make (RFC 5764 §4.2).

use skywave_dtls::SrtpKeys;
use skywave_srtp::{MasterKey, Profile, SrtcpReceiver, SrtcpSender, SrtpReceiver};

use crate::Failure;

/// All a listener needs to hear and to report.
pub(crate) struct Contexts {
    pub(crate) rtp: SrtpReceiver,
    pub(crate) rtcp: SrtcpReceiver,
    pub(crate) reports: SrtcpSender,
}

impl Contexts {
    /// Derives the session keys.
    pub(crate) fn new(keys: &SrtpKeys) -> Result<Self, Failure> {
        let profile = Profile::from_iana(keys.profile);
        let profile = profile.ok_or_else(|| Failure::Dtls("unknown profile".to_owned()))?;
        let refused = |error: skywave_srtp::Error| Failure::Dtls(error.to_string());
        let master = |key, salt| MasterKey::new(profile, key, salt).map_err(refused);
        let remote = master(keys.remote_key(), keys.remote_salt())?;
        let local = master(keys.local_key(), keys.local_salt())?;
        Ok(Self {
            rtp: SrtpReceiver::new(&remote),
            rtcp: SrtcpReceiver::new(&remote),
            reports: SrtcpSender::new(&local),
        })
    }
}
