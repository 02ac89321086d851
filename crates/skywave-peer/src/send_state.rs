//! What sending one packet to one peer needs, and nothing else: these lie side by side in a slab.

use std::time::{Duration, Instant};

use skywave_ice::Path;
use skywave_rtp::{Departure, History, NtpTime, Packetizer, Packing};
use skywave_srtp::SrtpSender;

use crate::demands::Source;
use crate::event::Io;
use crate::outbox::Outbox;
use crate::send_options::SendOptions;

/// The hot state of one peer.
pub(crate) struct SendState {
    srtp: SrtpSender,
    packetizer: Packetizer,
    /// What only some peers use. A plain packet does not look at it.
    options: Box<SendOptions>,
    /// Packets need nothing of the options.
    plain: bool,
}

// What a packet touches of a listener, beside its counters and its address.
const _: () = assert!(size_of::<SendState>() <= 640);

/// The moment a packet leaves.
#[derive(Clone, Copy)]
pub(crate) struct Moment {
    pub(crate) now: Instant,
    pub(crate) ntp: NtpTime,
}

impl Moment {
    pub(crate) fn of(io: &Io<'_>) -> Self {
        Self {
            now: io.now,
            ntp: io.ntp,
        }
    }
}

impl SendState {
    pub(crate) fn new(packetizer: Packetizer, srtp: SrtpSender, options: SendOptions) -> Self {
        Self {
            srtp,
            packetizer,
            plain: options.are_idle(),
            options: Box::new(options),
        }
    }

    /// The wire timestamp of a media time.
    pub(crate) fn timestamp(&self, media: u32) -> u32 {
        self.packetizer.timestamp(media)
    }

    /// Changes the options.
    pub(crate) fn configure(&mut self, change: impl FnOnce(&mut SendOptions)) {
        change(&mut self.options);
        self.plain = self.options.are_idle();
    }

    /// Goes on as another source (RFC 3550 §8.2).
    pub(crate) fn change_source(&mut self, source: Source) {
        self.packetizer
            .change_source(source.ssrc, source.first_sequence_number);
        self.configure(SendOptions::change_source);
    }

    /// Writes and protects one packet in place. False if it could not be sent: the outbox is full,
    /// the frame too long, or the key used up.
    pub(crate) fn send(
        &mut self,
        history: &History,
        number: u32,
        moment: Moment,
        path: Path,
        outbox: &mut Outbox,
    ) -> bool {
        let Some(slot) = outbox.slot() else {
            return false;
        };
        let protected = if self.plain {
            let departure = Departure {
                time: moment.ntp,
                transport_number: 0,
            };
            self.packetizer
                .write(history, number, Packing::Plain, departure, slot)
                .ok()
                .and_then(|written| {
                    self.srtp
                        .protect(slot, written.header_len, written.len)
                        .ok()
                })
        } else {
            self.send_with_options(history, number, moment, slot)
        };
        let Some(len) = protected else {
            return false;
        };
        outbox.commit(len, path);
        true
    }

    fn send_with_options(
        &mut self,
        history: &History,
        number: u32,
        moment: Moment,
        slot: &mut [u8],
    ) -> Option<usize> {
        let frame = history.frame(number)?;
        let written =
            self.options
                .write(&mut self.packetizer, history, (number, frame), moment, slot)?;
        let len = self
            .options
            .protect(&mut self.srtp, slot, written.header_len, written.len)?;
        self.options.record(&written);
        self.plain = self.options.are_idle();
        Some(len)
    }

    /// Sends a packet once more that the peer misses. False if it is not: unknown, too often asked
    /// for, or the outbox is full.
    pub(crate) fn retransmit(
        &mut self,
        history: &History,
        lost: u16,
        moment: Moment,
        path: Path,
        outbox: &mut Outbox,
    ) -> bool {
        let round_trip_time: Option<Duration> = self.packetizer.counters().round_trip_time();
        let Some(slot) = outbox.slot() else {
            return false;
        };
        let Some(packet) = self.options.grant(lost, moment, round_trip_time) else {
            return false;
        };
        let retransmitted = self.options.retransmit(
            &self.packetizer,
            &mut self.srtp,
            history,
            &packet,
            moment,
            slot,
        );
        let Some(len) = retransmitted else {
            return false;
        };
        outbox.commit(len, path);
        true
    }
}
