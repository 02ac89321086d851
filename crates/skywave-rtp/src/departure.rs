//! What a packet says about its way onto the network.

use crate::NtpTime;

/// What the header extensions of one packet say about its sending. Ignored by listeners that
/// negotiated none of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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

#[cfg(test)]
mod tests {
    use super::*;

    /// 1 s is 2^18 of 24 bits, so 64 s are none.
    #[test]
    fn abs_send_time_is_6_18_fixed_point_of_the_seconds_modulo_64() {
        let of = |ntp| {
            let time = NtpTime(ntp);
            Departure {
                time,
                transport_number: 0,
            }
            .abs_send_time()
        };
        assert_eq!(of(0x0000_0001_0000_0000), 1 << 18);
        assert_eq!(of(0x0000_003f_8000_0000), 0xfe_0000);
        assert_eq!(of(0x0000_0040_0000_0000), 0);
        assert_eq!(of(0xffff_ffff_ffff_ffff), 0xff_ffff);
        assert_eq!(
            of(0x0000_0000_0000_3fff),
            0,
            "what is below 2^-18 s is cut off"
        );
        assert_eq!(of(0x0000_0000_0000_4000), 1);
    }
}
