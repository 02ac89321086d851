//! What a datagram of RTCP says to the peer that it came to.

use skywave_rtp::Trip;

use crate::demands::Lost;

/// What was understood of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Heard {
    /// Something was understood.
    pub(crate) anything: bool,
    /// Hang up.
    pub(crate) bye: bool,
    /// Take another SSRC: the peer uses ours (RFC 3550 §8.2).
    pub(crate) collision: bool,
    /// Stop sending (RFC 8083).
    pub(crate) trip: Option<Trip>,
    /// Send no more than so many bit/s (RFC 5104).
    pub(crate) max_bitrate: Option<u64>,
    /// Send these once more.
    pub(crate) lost: Lost,
}
