//! What both offers and answers must say about the transport: DTLS-SRTP, RTP and RTCP on one port,
//! ICE credentials, fingerprints (RFC 8842, RFC 8839, RFC 5761).

use crate::error::excerpt;
use crate::{Error, Fingerprint, IceCredentials, MediaSection, SessionDescription, Setup};

/// The transport of an audio section, checked.
pub(crate) struct Transport {
    pub(crate) ice: IceCredentials,
    pub(crate) fingerprints: Vec<Fingerprint>,
    pub(crate) setup: Option<Setup>,
}

impl Transport {
    /// Reads the transport of a section of a description.
    ///
    /// A section of a BUNDLE group may leave its transport to the group's first member
    /// (RFC 9143 §7.1.3).
    pub(crate) fn of(
        description: &SessionDescription,
        section: &MediaSection,
    ) -> Result<Self, Error> {
        if !is_dtls_srtp(&section.proto) {
            return Err(Error::UnprotectedMedia(excerpt(&section.proto)));
        }
        if description.ice_lite {
            return Err(Error::BothIceLite);
        }
        let carrier = carrier(description, section);
        if !(carrier.rtcp_mux || section.rtcp_mux) {
            return Err(Error::MissingRtcpMux);
        }
        Ok(Self {
            ice: credentials(carrier).ok_or(Error::MissingIceCredentials)?,
            fingerprints: supported_fingerprints(carrier)?,
            setup: carrier.setup,
        })
    }
}

/// The section whose transport attributes hold for `section`.
fn carrier<'a>(description: &'a SessionDescription, section: &'a MediaSection) -> &'a MediaSection {
    let bundled = is_bundled(description, section);
    if section.ice_ufrag.is_some() || !bundled {
        return section;
    }
    let tagged = description
        .media
        .iter()
        .find(|other| other.mid.is_some() && other.mid.as_ref() == description.bundle.first());
    tagged.unwrap_or(section)
}

/// Whether the section belongs to the BUNDLE group.
pub(crate) fn is_bundled(description: &SessionDescription, section: &MediaSection) -> bool {
    let mid = section.mid.as_ref();
    mid.is_some_and(|mid| description.bundle.contains(mid))
}

fn credentials(section: &MediaSection) -> Option<IceCredentials> {
    Some(IceCredentials {
        ufrag: section.ice_ufrag.clone()?,
        pwd: section.ice_pwd.clone()?,
    })
}

fn supported_fingerprints(section: &MediaSection) -> Result<Vec<Fingerprint>, Error> {
    if section.fingerprints.is_empty() {
        return Err(Error::MissingFingerprint);
    }
    let (supported, others): (Vec<_>, Vec<_>) = section
        .fingerprints
        .iter()
        .cloned()
        .partition(Fingerprint::is_supported);
    if supported.is_empty() {
        let names: Vec<_> = others.into_iter().map(|other| other.algorithm).collect();
        let offered = excerpt(&names.join(", "));
        return Err(Error::UnsupportedFingerprint { offered });
    }
    Ok(supported)
}

/// The names RFC 9429 §5.1.2 has for media over DTLS-SRTP. `RTP/SAVPF` and `RTP/SAVP` are what
/// older peers write for it; the fingerprint, which is required, tells it from SDES keys.
fn is_dtls_srtp(proto: &str) -> bool {
    matches!(
        proto,
        "UDP/TLS/RTP/SAVPF"
            | "UDP/TLS/RTP/SAVP"
            | "TCP/DTLS/RTP/SAVPF"
            | "TCP/DTLS/RTP/SAVP"
            | "RTP/SAVPF"
            | "RTP/SAVP"
    )
}
