//! What only some peers have agreed to or use at the moment: retransmission, redundancy, tones, a
//! limit of the bit rate. A plain packet looks at none of it.

use std::time::Duration;

use skywave_rtp::{
    Departure, History, OwnedFrame, Packetizer, Packing, RtxPacketizer, SentLog, SentPacket,
    ToneSender, Written,
};
use skywave_srtp::{MAX_RTP_OVERHEAD, SrtpSender, StreamIndex};

use crate::rtp_terms::{PACKET_OVERHEAD, RtpTerms};
use crate::send_state::Moment;

/// The options of one peer.
pub(crate) struct SendOptions {
    /// Of the media time, in Hz.
    clock_rate: u32,
    /// Packets sent, for those who may miss some.
    log: Option<SentLog>,
    rtx: Option<Rtx>,
    /// Payload type of redundant audio.
    red: Option<u8>,
    /// Earlier frames that each packet repeats, as far as the bit rate allows.
    redundancy: u8,
    /// The same because of what the peer reports lost.
    repair: u8,
    /// The peer's description allows so many bit/s.
    described_max_bitrate: Option<u64>,
    /// The peer's last request allows so many bit/s.
    requested_max_bitrate: Option<u64>,
    tones: Option<Tones>,
    /// Packets are numbered for transport-wide congestion control.
    numbered: bool,
    next_transport_number: u16,
    /// The stream under another SSRC than its first.
    renamed: Option<StreamIndex>,
}

/// Retransmission in a stream of its own.
struct Rtx {
    packetizer: RtxPacketizer,
    /// The payload type of what is sent again there (`apt`).
    original: u8,
    index: StreamIndex,
}

/// Telephone events.
struct Tones {
    payload_type: u8,
    sender: ToneSender,
}

impl SendOptions {
    pub(crate) fn new(terms: &RtpTerms, clock_rate: u32, rtx: Option<RtxPacketizer>) -> Self {
        Self {
            clock_rate,
            log: terms.nack.then(SentLog::default),
            rtx: rtx.map(|packetizer| Rtx {
                packetizer,
                original: terms.payload_type,
                index: StreamIndex::new(),
            }),
            red: terms.red,
            redundancy: 0,
            repair: 0,
            described_max_bitrate: terms.max_bitrate,
            requested_max_bitrate: None,
            tones: terms.telephone_event.map(|event| Tones {
                payload_type: event.payload_type,
                sender: ToneSender::new(event.events),
            }),
            numbered: terms.extensions.transport_cc.is_some(),
            next_transport_number: 0,
            renamed: None,
        }
    }

    /// Whether a packet can do without them.
    pub(crate) fn are_idle(&self) -> bool {
        self.log.is_none()
            && self.redundancy == 0
            && self.repair == 0
            && !self.numbered
            && self.renamed.is_none()
            && self
                .tones
                .as_ref()
                .is_none_or(|tones| tones.sender.is_idle())
    }

    /// Repeats so many earlier frames from now on; nothing if RED was not agreed to.
    pub(crate) fn set_redundancy(&mut self, frames: u8) {
        self.redundancy = frames.min(Packing::MAX_REDUNDANCY);
        if self.red.is_none() {
            self.redundancy = 0;
        }
    }

    /// Repeats so many because of loss, even if fewer were asked for.
    pub(crate) fn repair(&mut self, frames: u8) {
        self.repair = frames;
    }

    /// The peer asks for no more than so many bit/s.
    pub(crate) fn request_max_bitrate(&mut self, bits: u64) {
        self.requested_max_bitrate = Some(bits);
    }

    /// Replaces the digits that have not begun. The caller has checked them.
    pub(crate) fn insert_dtmf(&mut self, digits: &str, duration: Duration, gap: Duration) {
        if let Some(tones) = &mut self.tones {
            // What cannot be sent changes nothing.
            let _ = tones.sender.insert(digits, duration, gap);
        }
    }

    /// From now on the stream has another SSRC, with a packet index of its own.
    pub(crate) fn change_source(&mut self) {
        self.renamed = Some(StreamIndex::new());
        // What was sent under the old name cannot be sent again.
        if let Some(log) = &mut self.log {
            *log = SentLog::default();
        }
    }

    /// Writes the frame, or the tone that takes its place.
    pub(crate) fn write(
        &mut self,
        packetizer: &mut Packetizer,
        history: &History,
        (number, frame): (u32, &OwnedFrame),
        moment: Moment,
        slot: &mut [u8],
    ) -> Option<Written> {
        let departure = self.departure(moment);
        let clock_rate = self.clock_rate;
        // Digits wait for the end of a pause: of one in which there are few packets, few would come.
        let tones = self.tones.as_mut().filter(|_| !frame.comfort_noise);
        let tone = tones.and_then(|tones| {
            let tone = tones
                .sender
                .poll(frame.timestamp, frame.duration, clock_rate)?;
            Some((tone, tones.payload_type))
        });
        // Redundancy takes what room there is.
        let room = slot.len().saturating_sub(ROOM_BEHIND);
        let slot = &mut slot[..room];
        let written = match tone {
            Some((tone, payload_type)) => {
                packetizer.write_tone(tone, payload_type, departure, slot)
            }
            None => {
                let packing = self.packing(frame);
                packetizer.write(history, number, packing, departure, slot)
            }
        };
        let written = written.ok()?;
        self.count_departure();
        Some(written)
    }

    fn packing(&self, frame: &OwnedFrame) -> Packing {
        match (self.red, self.allowed_redundancy(frame)) {
            (Some(payload_type), redundancy @ 1..) => Packing::Red {
                payload_type,
                redundancy,
            },
            _ => Packing::Plain,
        }
    }

    /// As many repetitions as were asked for and as the bit rate and any path allow, taking the
    /// frames before for as long as this one.
    fn allowed_redundancy(&self, frame: &OwnedFrame) -> u8 {
        let allowed = self.octets_allowed(frame.duration);
        let allowed = allowed.min(MAX_REDUNDANT_PACKET);
        let fits = |&frames: &u8| {
            let octets = frame.payload.len() * (usize::from(frames) + 1);
            octets as u64 + u64::from(PACKET_OVERHEAD) <= allowed
        };
        (0..=self.redundancy.max(self.repair))
            .rev()
            .find(fits)
            .unwrap_or(0)
    }

    /// How long a packet of so many ticks may be, headers of the network included, by the limits of
    /// the bit rate. A request may lower what the description allows, not raise it.
    fn octets_allowed(&self, ticks: u32) -> u64 {
        let limits = [self.described_max_bitrate, self.requested_max_bitrate];
        limits
            .into_iter()
            .flatten()
            .min()
            .map_or(u64::MAX, |limit| {
                limit.saturating_mul(ticks.into()) / (8 * u64::from(self.clock_rate.max(1)))
            })
    }

    pub(crate) fn protect(
        &mut self,
        srtp: &mut SrtpSender,
        slot: &mut [u8],
        header_len: usize,
        len: usize,
    ) -> Option<usize> {
        let protected = match &mut self.renamed {
            None => srtp.protect(slot, header_len, len),
            Some(index) => srtp.protect_stream(index, slot, header_len, len),
        };
        protected.ok()
    }

    /// Remembers a packet that may be asked for again.
    pub(crate) fn record(&mut self, written: &Written) {
        if let Some(log) = &mut self.log {
            log.record(written);
        }
    }

    /// The packet to send again, if there is reason to.
    pub(crate) fn grant(
        &mut self,
        lost: u16,
        moment: Moment,
        round_trip_time: Option<Duration>,
    ) -> Option<SentPacket> {
        let log = self.log.as_mut()?;
        log.retransmission(lost, moment.now, round_trip_time).ok()
    }

    /// Sends a packet again: in a stream of its own if that was agreed to for its payload type,
    /// which redundancy and tones have not; else octet by octet as it was.
    pub(crate) fn retransmit(
        &mut self,
        packetizer: &Packetizer,
        srtp: &mut SrtpSender,
        history: &History,
        packet: &SentPacket,
        moment: Moment,
        slot: &mut [u8],
    ) -> Option<usize> {
        let is_for_rtx = |rtx: &Rtx| rtx.original == packet.payload_type();
        if !self.rtx.as_ref().is_some_and(is_for_rtx) {
            let written = packetizer.retransmit(history, packet, slot).ok()?;
            return self.protect(srtp, slot, written.header_len, written.len);
        }
        let departure = self.departure(moment);
        let rtx = self.rtx.as_mut()?;
        let written = rtx
            .packetizer
            .write(packetizer, history, packet, departure, slot)
            .ok()?;
        let protected = srtp.protect_stream(&mut rtx.index, slot, written.header_len, written.len);
        self.count_departure();
        protected.ok()
    }

    fn departure(&self, moment: Moment) -> Departure {
        Departure {
            time: moment.ntp,
            transport_number: self.next_transport_number,
        }
    }

    /// A packet was written: a number without one would be reported as a loss.
    fn count_departure(&mut self) {
        if self.numbered {
            self.next_transport_number = self.next_transport_number.wrapping_add(1);
        }
    }
}

/// Octets left free behind a packet: SRTP's tag, and the original number if it is sent once more
/// as RTX (RFC 4588 §4).
const ROOM_BEHIND: usize = MAX_RTP_OVERHEAD + 2;
/// What every path carries whole (RFC 8200 §5), headers of the network included: a repetition is
/// not worth a fragment.
const MAX_REDUNDANT_PACKET: u64 = 1280;
