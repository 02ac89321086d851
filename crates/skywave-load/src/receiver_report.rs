//! The compound a listener sends (RFC 3550 §6.1, §6.4.2): a receiver report with one block, its
//! CNAME, and at the end a BYE.

use skywave_rtp::ReportBlock;

/// What goes into one compound.
pub(crate) struct ReceiverReport<'a> {
    /// The listener's own.
    pub(crate) ssrc: u32,
    /// On the stream, once there is one.
    pub(crate) block: Option<ReportBlock>,
    /// 1 to 64 octets.
    pub(crate) cname: &'a str,
    pub(crate) bye: bool,
}

impl ReceiverReport<'_> {
    /// Writes the compound to the front of `buffer`; gives its length, or `None` if it is longer
    /// than the buffer.
    pub(crate) fn write(&self, buffer: &mut [u8]) -> Option<usize> {
        let mut rest = &mut buffer[..];
        let available = rest.len();
        self.write_report(&mut rest)?;
        self.write_cname(&mut rest)?;
        if self.bye {
            header(&mut rest, 1, BYE, 1, self.ssrc)?;
        }
        Some(available - rest.len())
    }

    fn write_report(&self, rest: &mut &mut [u8]) -> Option<()> {
        let Some(block) = &self.block else {
            return header(rest, 0, RECEIVER_REPORT, 1, self.ssrc);
        };
        header(rest, 1, RECEIVER_REPORT, 7, self.ssrc)?;
        let lost = block.cumulative_lost.clamp(-0x80_0000, 0x7f_ffff) as u32 & 0x00ff_ffff;
        for word in [
            block.ssrc,
            u32::from(block.fraction_lost) << 24 | lost,
            block.highest_sequence,
            block.jitter,
            block.last_sr,
            block.delay_since_last_sr,
        ] {
            put(rest, &word.to_be_bytes())?;
        }
        Some(())
    }

    fn write_cname(&self, rest: &mut &mut [u8]) -> Option<()> {
        let item = 2 + self.cname.len();
        // At least one null octet ends the list, up to the next 32 bits (§6.5).
        let padding = 4 - item % 4;
        let words = 1 + (item + padding) / 4;
        header(rest, 1, SOURCE_DESCRIPTION, words as u16, self.ssrc)?;
        put(rest, &[CNAME, self.cname.len() as u8])?;
        put(rest, self.cname.as_bytes())?;
        put(rest, &[0; 4][..padding])
    }
}

/// `words` of 32 bits follow the header's first word, the SSRC included.
fn header(rest: &mut &mut [u8], count: u8, kind: u8, words: u16, ssrc: u32) -> Option<()> {
    put(rest, &[VERSION | count, kind])?;
    put(rest, &words.to_be_bytes())?;
    put(rest, &ssrc.to_be_bytes())
}

fn put(rest: &mut &mut [u8], octets: &[u8]) -> Option<()> {
    let place = rest.split_off_mut(..octets.len())?;
    place.copy_from_slice(octets);
    Some(())
}

const VERSION: u8 = 2 << 6;
const RECEIVER_REPORT: u8 = 201;
const SOURCE_DESCRIPTION: u8 = 202;
const BYE: u8 = 203;
const CNAME: u8 = 1;

#[cfg(test)]
mod tests {
    use super::*;
    use skywave_rtp::{RtcpPacket, RtcpReader};

    #[test]
    fn compound_reads_as_it_was_written() {
        let block = ReportBlock {
            ssrc: 9,
            fraction_lost: 12,
            cumulative_lost: -3,
            highest_sequence: 70_000,
            jitter: 5,
            last_sr: 6,
            delay_since_last_sr: 7,
        };
        for cname in ["a", "ab", "abc", "abcd"] {
            let report = ReceiverReport {
                ssrc: 1,
                block: Some(block),
                cname,
                bye: true,
            };
            let mut buffer = [0xff; 128];
            let len = report.write(&mut buffer).unwrap();
            let mut reader = RtcpReader::new(&buffer[..len]);
            let Some(RtcpPacket::ReceiverReport { ssrc: 1, reports }) = reader.next() else {
                panic!("no receiver report");
            };
            assert_eq!(reports.collect::<Vec<_>>(), [block]);
            let Some(RtcpPacket::SourceDescription(sdes)) = reader.next() else {
                panic!("no source description");
            };
            let chunk = sdes.chunks().next().unwrap();
            assert_eq!(chunk.cname(), Some(cname.as_bytes()));
            assert!(matches!(reader.next(), Some(RtcpPacket::Bye(_))));
            assert!(reader.next().is_none() && reader.malformed().is_none());
        }
    }

    #[test]
    fn short_buffers_are_refused() {
        let report = ReceiverReport {
            ssrc: 1,
            block: None,
            cname: "abc",
            bye: false,
        };
        assert_eq!(report.write(&mut [0; 23]), None);
        assert_eq!(report.write(&mut [0; 24]), Some(24));
    }
}
