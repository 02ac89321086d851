//! What is said in answer to the remote: TMMBN to its TMMBR (RFC 5104 §4.2.2), DLRR to its
//! reference times (RFC 3611 §4.5).

use crate::extended_report::DLRR;
use crate::rtcp_header::{HEADER_LEN, cleared, put, write_header};
use crate::rtcp_packet::{EXTENDED_REPORT, TMMBN, TRANSPORT_FEEDBACK};
use crate::tmmb::MAX_OVERHEAD;
use crate::{Dlrr, Error, TmmbEntry};

/// Answers, to send with the next [`CompoundReport`](crate::CompoundReport) or at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Replies<'a> {
    /// Answers to reference times, [`Self::MAX_COUNT`] at most: one for each receiver that sent
    /// one since the last report, if `a=rtcp-xr:rcvr-rtt` was negotiated.
    pub dlrr: &'a [Dlrr],
    /// The limits in force, [`Self::MAX_COUNT`] at most: to be sent after every TMMBR, if
    /// `a=rtcp-fb: ccm tmmbr` was negotiated. `Some(&[])` says that there are none.
    pub tmmbn: Option<&'a [TmmbEntry]>,
}

impl Replies<'_> {
    /// Most entries of one kind.
    pub const MAX_COUNT: usize = 31;

    /// Writes the answers of `ssrc` without report and source description (RFC 5506); gives the
    /// length, 0 if there is nothing to say.
    ///
    /// Only if `a=rtcp-rsize` was negotiated (RFC 8834 §4.6), and beside the regular compounds,
    /// not in place of them (RFC 5506 §3.4.2).
    ///
    /// # Errors
    /// [`Error::ReplyCount`] and [`Error::Overhead`] for what cannot be written;
    /// [`Error::BufferTooSmall`] if `buffer` does not hold all. Nothing is written then.
    pub fn write_reduced(&self, ssrc: u32, buffer: &mut [u8]) -> Result<usize, Error> {
        self.check()?;
        let needed = self.len();
        self.write(ssrc, cleared(buffer, needed)?);
        Ok(needed)
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        let limits = self.tmmbn.unwrap_or_default();
        let count = self.dlrr.len().max(limits.len());
        if count > Self::MAX_COUNT {
            return Err(Error::ReplyCount(count));
        }
        let too_large = limits.iter().find(|entry| entry.overhead > MAX_OVERHEAD);
        too_large.map_or(Ok(()), |entry| Err(Error::Overhead(entry.overhead)))
    }

    pub(crate) fn len(&self) -> usize {
        self.dlrr_len() + self.tmmbn_len()
    }

    /// Fills `place`, which has the length given above and is all zero.
    pub(crate) fn write(&self, ssrc: u32, place: &mut [u8]) {
        let (dlrr, tmmbn) = place.split_at_mut(self.dlrr_len());
        if !dlrr.is_empty() {
            let body = write_header(dlrr, 0, EXTENDED_REPORT, ssrc);
            // 32-bit words behind the block's own header.
            let words = (self.dlrr.len() * Dlrr::LEN / 4) as u8;
            let blocks = put(body, &[DLRR, 0, 0, words]);
            (self.dlrr.iter()).fold(blocks, |place, block| put(place, &block.to_octets()));
        }
        if let Some(limits) = self.tmmbn {
            let body = write_header(tmmbn, TMMBN, TRANSPORT_FEEDBACK, ssrc);
            // The media source stays 0 (RFC 5104 §4.2.2.2).
            let entries = &mut body[MEDIA_SSRC_LEN..];
            (limits.iter()).fold(entries, |place, entry| put(place, &entry.to_octets()));
        }
    }

    fn dlrr_len(&self) -> usize {
        match self.dlrr.len() {
            0 => 0,
            count => HEADER_LEN + BLOCK_HEADER_LEN + count * Dlrr::LEN,
        }
    }

    fn tmmbn_len(&self) -> usize {
        self.tmmbn.map_or(0, |limits| {
            HEADER_LEN + MEDIA_SSRC_LEN + limits.len() * TmmbEntry::LEN
        })
    }
}

const BLOCK_HEADER_LEN: usize = 4;
const MEDIA_SSRC_LEN: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{RtcpPacket, RtcpReader};

    const DLRR: Dlrr = Dlrr {
        ssrc: 1,
        last_rr: 2,
        delay: 3,
    };
    const LIMIT: TmmbEntry = TmmbEntry {
        ssrc: 4,
        max_bitrate: 64_000,
        overhead: 40,
    };

    #[test]
    fn rfc5506_reduced_size_does_not_begin_with_a_report() {
        let replies = Replies {
            dlrr: &[DLRR],
            tmmbn: Some(&[LIMIT]),
        };
        let mut buffer = [0xee; 64];
        let len = replies.write_reduced(9, &mut buffer).unwrap();
        assert_eq!(
            buffer[..len],
            b"\x80\xcf\0\x05\0\0\0\x09\x05\0\0\x03\0\0\0\x01\0\0\0\x02\0\0\0\x03\
               \x84\xcd\0\x04\0\0\0\x09\0\0\0\0\0\0\0\x04\x01\xf4\x00\x28"[..]
        );
        assert!(buffer[len..].iter().all(|&octet| octet == 0xee));
    }

    #[test]
    fn rfc5104_4_2_2_notification_of_no_limit_is_written() {
        let replies = Replies {
            tmmbn: Some(&[]),
            ..Replies::default()
        };
        let mut buffer = [0; 12];
        assert_eq!(replies.write_reduced(9, &mut buffer), Ok(12));
        assert_eq!(buffer, *b"\x84\xcd\0\x02\0\0\0\x09\0\0\0\0");
    }

    #[test]
    fn nothing_to_say_takes_no_octet() {
        assert_eq!(Replies::default().write_reduced(9, &mut []), Ok(0));
    }

    #[test]
    fn replies_are_read_back() {
        let (dlrr, limits) = ([DLRR; Replies::MAX_COUNT], [LIMIT; Replies::MAX_COUNT]);
        let replies = Replies {
            dlrr: &dlrr,
            tmmbn: Some(&limits),
        };
        let mut buffer = [0; 1000];
        let len = replies.write_reduced(9, &mut buffer).unwrap();
        let packets: Vec<_> = RtcpReader::new(&buffer[..len]).collect();
        let [RtcpPacket::ExtendedReport(report), RtcpPacket::Tmmbn(tmmbn)] = &packets[..] else {
            panic!("{packets:?}");
        };
        assert!(report.dlrr().eq(dlrr) && report.ssrc() == 9);
        assert!(tmmbn.entries().eq(limits) && tmmbn.sender_ssrc() == 9);
    }

    #[test]
    fn impossible_replies_are_refused() {
        let refused = |replies: Replies<'_>| replies.write_reduced(9, &mut [0; 2000]).unwrap_err();
        let dlrr = [DLRR; 32];
        let many = Replies {
            dlrr: &dlrr,
            tmmbn: None,
        };
        assert_eq!(refused(many), Error::ReplyCount(32));
        let limits = [TmmbEntry {
            overhead: 512,
            ..LIMIT
        }];
        let large = Replies {
            dlrr: &[],
            tmmbn: Some(&limits),
        };
        assert_eq!(refused(large), Error::Overhead(512));
    }

    #[test]
    fn buffer_too_small_is_left_as_it_was() {
        let replies = Replies {
            dlrr: &[DLRR],
            tmmbn: None,
        };
        let mut buffer = [0xee; 23];
        let error = replies.write_reduced(9, &mut buffer).unwrap_err();
        let (needed, available) = (24, 23);
        assert_eq!(error, Error::BufferTooSmall { needed, available });
        assert_eq!(buffer, [0xee; 23]);
    }
}
