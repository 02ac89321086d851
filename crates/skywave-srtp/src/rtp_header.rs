//! The part of an RTP header that SRTP needs: RFC 3550 §5.1 and §5.3.1.

use crate::DropReason;
use crate::packet::{EXTENSION_HEADER_LEN, RTP_HEADER_LEN, VERSION, read_u32};

/// Where the payload of an RTP packet begins, and to which stream it belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RtpHeader {
    pub(crate) sequence_number: u16,
    pub(crate) ssrc: u32,
    /// Bytes of the CSRCs, which lie behind the fixed header.
    pub(crate) csrc_len: usize,
    /// The number "defined by profile" of the extension, which lies behind the CSRCs.
    pub(crate) extension: Option<u16>,
    /// Bytes of fixed header, CSRCs and extension.
    pub(crate) len: usize,
}

impl RtpHeader {
    /// Reads the header of a packet; the header lies within the packet.
    pub(crate) fn parse(packet: &[u8]) -> Result<Self, DropReason> {
        let Some(fixed) = packet.first_chunk::<RTP_HEADER_LEN>() else {
            return Err(DropReason::TooShort);
        };
        if fixed[0] >> 6 != VERSION {
            return Err(DropReason::BadVersion);
        }
        let csrc_len = 4 * usize::from(fixed[0] & 0x0f);
        let mut len = RTP_HEADER_LEN + csrc_len;
        let mut extension = None;
        if fixed[0] & EXTENSION_BIT != 0 {
            let Some([first, second, high, low]) =
                packet.get(len..).and_then(|rest| rest.first_chunk())
            else {
                return Err(DropReason::TooShort);
            };
            extension = Some(u16::from_be_bytes([*first, *second]));
            len += EXTENSION_HEADER_LEN + 4 * usize::from(u16::from_be_bytes([*high, *low]));
        }
        if len > packet.len() {
            return Err(DropReason::TooShort);
        }
        Ok(Self {
            sequence_number: u16::from_be_bytes([fixed[2], fixed[3]]),
            ssrc: read_u32(&fixed[8..]),
            csrc_len,
            extension,
            len,
        })
    }
}

/// The X bit, in the first byte: there is an extension.
pub(crate) const EXTENSION_BIT: u8 = 0x10;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::hex;

    #[test]
    fn header_ends_behind_csrcs_and_extension() {
        let packet =
            hex("9200b76aa1d1adf516a05902 d9d2e244 4d4b8277 bede0002 103920cf 315e0100 95");
        assert_eq!(
            RtpHeader::parse(&packet),
            Ok(RtpHeader {
                sequence_number: 0xb76a,
                ssrc: 0x16a0_5902,
                csrc_len: 8,
                extension: Some(0xbede),
                len: 32
            })
        );
    }

    #[test]
    fn header_cut_short_is_refused_at_every_byte() {
        let packet = hex("9200b76aa1d1adf516a05902 d9d2e244 4d4b8277 bede0002 103920cf 315e0100");
        assert!(RtpHeader::parse(&packet).is_ok());
        for len in 0..packet.len() {
            assert_eq!(
                RtpHeader::parse(&packet[..len]),
                Err(DropReason::TooShort),
                "{len} bytes"
            );
        }
    }

    #[test]
    fn versions_other_than_2_are_refused() {
        for version in [0x00, 0x40, 0xc0] {
            let packet = [version, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
            assert_eq!(RtpHeader::parse(&packet), Err(DropReason::BadVersion));
        }
    }
}
