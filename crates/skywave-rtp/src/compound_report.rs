//! Writes the compound a participant sends regularly and when it leaves (RFC 3550 §6.1): a
//! report, a source description with the CNAME, answers, and last of all a BYE.

use crate::rtcp_header::{HEADER_LEN, cleared, put, write_header};
use crate::source_description::padding_after;
use crate::{Error, Replies, SdesItem, SenderInfo, rtcp_packet};

/// What goes into one compound.
///
/// It begins with a report and carries the CNAME also when the BYE is all there is to say. A
/// BYE is not for those who never sent a packet (RFC 3550 §6.3.7): then send nothing at all
/// (see [`SenderActivity::may_say_bye`](crate::SenderActivity::may_say_bye)).
///
/// ```
/// use skywave_rtp::{CompoundReport, Replies};
///
/// let report = CompoundReport {
///     ssrc: 7,
///     sender: None,
///     cname: "c2l0",
///     mid: None,
///     rtx: None,
///     replies: Replies::default(),
///     bye: None,
/// };
/// let mut buffer = [0; 64];
/// let len = report.write(&mut buffer)?;
/// assert_eq!(&buffer[..len], b"\x80\xc9\0\x01\0\0\0\x07\x81\xca\0\x03\0\0\0\x07\x01\x04c2l0\0\0");
/// # Ok::<(), skywave_rtp::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompoundReport<'a> {
    /// The stream this participant sends.
    pub ssrc: u32,
    /// What was sent: makes a sender report. `None` makes an empty receiver report, for when
    /// nothing was sent since the last-but-one report (see
    /// [`SenderActivity`](crate::SenderActivity)).
    pub sender: Option<SenderInfo>,
    /// The canonical name, 1 to 255 octets: one, random, for a peer connection (RFC 7022).
    pub cname: &'a str,
    /// The media identification, 1 to 255 octets, when media sections are bundled (RFC 9143 §15.1).
    pub mid: Option<&'a str>,
    /// The retransmissions that this participant has sent under another SSRC: a source of its own
    /// (RFC 4588 §4), reported with the stream's (RFC 8108 §5.3.1) and named by the same CNAME
    /// (RFC 4588 §5.1).
    pub rtx: Option<RtxSource>,
    /// What the remote asked.
    pub replies: Replies<'a>,
    /// To leave, with all sources of this report: the reason, up to 255 octets, or the empty string
    /// for none.
    pub bye: Option<&'a str>,
}

/// The source of retransmissions (RFC 4588 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RtxSource {
    /// The SSRC of the RTX packets.
    pub ssrc: u32,
    /// What was sent under it, `None` if that was before the last-but-one report.
    pub sender: Option<SenderInfo>,
}

impl CompoundReport<'_> {
    /// Writes the compound to the front of `buffer`; gives its length.
    ///
    /// # Errors
    /// [`Error::CnameLength`], [`Error::MidLength`] and [`Error::ReasonLength`] if a text has a
    /// length it cannot have; [`Error::ReplyCount`] and [`Error::Overhead`] for answers that
    /// cannot be written; [`Error::BufferTooSmall`] if `buffer` does not hold all. Nothing is
    /// written then.
    pub fn write(&self, buffer: &mut [u8]) -> Result<usize, Error> {
        self.check()?;
        let (report, sdes) = (self.report_len(), self.sdes_len());
        let (replies, bye) = (self.replies.len(), self.bye_len());
        let needed = report + sdes + replies + bye;
        // What is not written below is padding.
        let compound = cleared(buffer, needed)?;
        let (report, rest) = compound.split_at_mut(report);
        let (sdes, rest) = rest.split_at_mut(sdes);
        let (replies, bye) = rest.split_at_mut(replies);
        self.write_reports(report);
        self.write_sdes(sdes);
        self.replies.write(self.ssrc, replies);
        if let Some(reason) = self.bye {
            self.write_bye(reason, bye);
        }
        Ok(needed)
    }

    fn check(&self) -> Result<(), Error> {
        if !TEXT_LEN.contains(&self.cname.len()) {
            return Err(Error::CnameLength(self.cname.len()));
        }
        match (self.mid, self.bye) {
            (Some(mid), _) if !TEXT_LEN.contains(&mid.len()) => Err(Error::MidLength(mid.len())),
            (_, Some(reason)) if reason.len() > 255 => Err(Error::ReasonLength(reason.len())),
            _ => self.replies.check(),
        }
    }

    /// Each SSRC of this participant, with what was sent under it.
    fn sources(&self) -> impl Iterator<Item = (u32, Option<SenderInfo>)> {
        let rtx = self.rtx.map(|rtx| (rtx.ssrc, rtx.sender));
        std::iter::once((self.ssrc, self.sender)).chain(rtx)
    }

    fn report_len(&self) -> usize {
        let info = |(_, sender): (u32, Option<SenderInfo>)| sender.map_or(0, |_| SenderInfo::LEN);
        let lens = self.sources().map(|source| HEADER_LEN + info(source));
        lens.sum()
    }

    fn sdes_len(&self) -> usize {
        COMMON_HEADER_LEN + self.sources().count() * (SSRC_LEN + self.items_len())
    }

    /// The items of one source with the padding behind them.
    fn items_len(&self) -> usize {
        let items = 2 + self.cname.len() + self.mid.map_or(0, |mid| 2 + mid.len());
        items + padding_after(items)
    }

    fn bye_len(&self) -> usize {
        let Some(reason) = self.bye else {
            return 0;
        };
        let sources = COMMON_HEADER_LEN + self.sources().count() * SSRC_LEN;
        match reason.len() {
            0 => sources,
            len => sources + (1 + len).next_multiple_of(4),
        }
    }

    fn write_reports(&self, mut place: &mut [u8]) {
        for (ssrc, sender) in self.sources() {
            let (packet_type, info) = match sender {
                Some(info) => (rtcp_packet::SENDER_REPORT, Some(info.to_octets())),
                None => (rtcp_packet::RECEIVER_REPORT, None),
            };
            let info = info.as_ref().map_or(&[][..], |octets| &octets[..]);
            let (packet, rest) = place.split_at_mut(HEADER_LEN + info.len());
            put(write_header(packet, 0, packet_type, ssrc), info);
            place = rest;
        }
    }

    fn write_sdes(&self, packet: &mut [u8]) {
        let chunks = self.sources().count() as u8;
        let rest = write_header(packet, chunks, rtcp_packet::SOURCE_DESCRIPTION, self.ssrc);
        let (items, rest) = rest.split_at_mut(self.items_len());
        self.write_items(items);
        if let Some(rtx) = self.rtx {
            self.write_items(put(rest, &rtx.ssrc.to_be_bytes()));
        }
    }

    fn write_items(&self, items: &mut [u8]) {
        let items = put_item(items, SdesItem::CNAME, self.cname);
        if let Some(mid) = self.mid {
            put_item(items, SdesItem::MID, mid);
        }
    }

    fn write_bye(&self, reason: &str, packet: &mut [u8]) {
        let count = self.sources().count() as u8;
        let mut body = write_header(packet, count, rtcp_packet::BYE, self.ssrc);
        if let Some(rtx) = self.rtx {
            body = put(body, &rtx.ssrc.to_be_bytes());
        }
        if !reason.is_empty() {
            let text = put(body, &[reason.len() as u8]);
            put(text, reason.as_bytes());
        }
    }
}

/// Writes an SDES item, whose text was checked to be 255 octets at most.
fn put_item<'p>(place: &'p mut [u8], item_type: u8, text: &str) -> &'p mut [u8] {
    let value = put(place, &[item_type, text.len() as u8]);
    put(value, text.as_bytes())
}

/// Of an RTCP packet, without the SSRC.
const COMMON_HEADER_LEN: usize = HEADER_LEN - SSRC_LEN;
const SSRC_LEN: usize = 4;
const TEXT_LEN: std::ops::RangeInclusive<usize> = 1..=255;

#[cfg(test)]
mod tests;
