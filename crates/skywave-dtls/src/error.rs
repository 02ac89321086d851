//! Why an association failed; every value is final for its [`Dtls`](crate::Dtls).

/// What ends an association, or what a call may not do yet.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The peer's certificate matches none of the signalled fingerprints
    /// (RFC 8122 §5), or none was given.
    #[error("the peer's certificate does not match the signalled fingerprint")]
    FingerprintMismatch,
    /// The handshake ended without a common SRTP protection profile (RFC 5764 §4.1.1).
    #[error("the peer shares no SRTP protection profile")]
    NoSrtpProfile,
    /// The keys were asked for before the handshake completed, or a second time.
    #[error("no completed handshake with unclaimed keys")]
    NotConnected,
    /// The peer did not complete the handshake in time.
    #[error("the handshake timed out")]
    TimedOut,
    /// The peer refused the handshake with this alert description (RFC 8446 §6).
    #[error("the peer refused the handshake with alert {0}")]
    PeerAlert(u8),
    /// The peer's certificate holds another key than its version and role allow: ECDSA,
    /// or RSA for a client of DTLS 1.2. Most such peers notice before, and show as
    /// [`PeerAlert`](Self::PeerAlert) 40 or [`NoPeerCertificate`](Self::NoPeerCertificate).
    #[error("the peer's certificate holds a key of an unsupported kind")]
    UnsupportedCertificateKey,
    /// The peer presented no certificate.
    #[error("the peer presented no certificate")]
    NoPeerCertificate,
    /// The handshake failed, for the reason in the engine's words.
    #[error("the handshake failed: {0}")]
    Handshake(String),
    /// The own certificate could not be made, for this reason.
    #[error("the certificate could not be made: {0}")]
    Certificate(String),
}
