//! What a packet says about its way onto the network.

use crate::NtpTime;

/// What the header extensions of one packet say about its sending. Ignored by listeners that
/// negotiated none of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Departure {
    /// When the packet is sent, for abs-send-time.
    pub time: NtpTime,
    /// The number of the packet among all packets of its transport, for transport-wide congestion
    /// control.
    pub transport_number: u16,
}

impl Departure {
    /// The middle of the NTP time: 24 bits, seconds modulo 64 in 6.18 fixed point.
    pub(crate) fn abs_send_time(self) -> u32 {
        (self.time.0 >> (32 - 18)) as u32 & 0x00ff_ffff
    }
}
