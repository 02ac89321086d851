//! How long a peer may take, and when it is given up.

use std::time::Duration;

/// The patience of this end with a peer. All of it can be configured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// From our offer to its answer. Default: 2 min.
    pub answer_timeout: Duration,
    /// From the remote description to the first connectivity check. Default: 30 s.
    pub connect_timeout: Duration,
    /// From the first check, or a datagram of the handshake, to the next or its end; a handshake
    /// takes three times as long at most. Default: 10 s, for clients that repeat a lost flight
    /// after 1, 2, 4 and 8 s.
    pub handshake_timeout: Duration,
    /// Without a check or RTCP for so long, the peer counts as disconnected; half a second more
    /// than its longest pause until then, if that is more and a pause as RFC 7675 §5.1 has it (up
    /// to 6 s). Default: 5 s.
    pub disconnected_timeout: Duration,
    /// Without a check for so long, there is no consent to send any more and the peer is
    /// forgotten. Default: 30 s (RFC 7675 §5.1).
    pub consent_timeout: Duration,
    /// Whether a call ends for which nothing speaks any more: no RTCP from the peer for three
    /// report intervals (15 s or more), reports that say that nothing arrives, or loss at which
    /// TCP would send a tenth (RFC 8083). Default: true. For peers that send no RTCP at all,
    /// as Pion and webrtc-rs without their interceptors, it has to be false. A peer that is
    /// disconnected is not judged, nor one that reports from another address than media goes to,
    /// for the first 20 s of that.
    pub circuit_breaker: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            answer_timeout: Duration::from_secs(120),
            connect_timeout: Duration::from_secs(30),
            handshake_timeout: Duration::from_secs(10),
            disconnected_timeout: Duration::from_secs(5),
            consent_timeout: Duration::from_secs(30),
            circuit_breaker: true,
        }
    }
}
