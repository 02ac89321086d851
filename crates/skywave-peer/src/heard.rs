//! What a datagram of RTCP says to the peer that it came to.

use skywave_rtp::Trip;

use crate::demands::Demands;

/// What was understood of it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Heard {
    /// Something was understood.
    pub(crate) anything: bool,
    /// Hang up.
    pub(crate) bye: bool,
    /// Take another SSRC: the peer uses ours (RFC 3550 §8.2).
    pub(crate) collision: bool,
    /// Stop sending (RFC 8083).
    pub(crate) trip: Option<Trip>,
    /// The share lost that it reports, in 1/256, if that is another than before.
    pub(crate) fraction_lost: Option<u8>,
    /// What it asks of the stream; not yet which source to go on as.
    pub(crate) demands: Demands,
}
