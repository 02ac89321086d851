//! What both ends of a call agreed on.

use std::time::Duration;

use skywave_audio::{AudioCodec, Packetization};
use skywave_rtp::CountersSnapshot;
use skywave_sdp::Negotiated;

use crate::listening_quality::{Conditions, estimated_mos};
use crate::negotiation;

/// What both ends agreed on.
#[derive(Clone)]
pub(super) struct Agreed {
    pub(super) codec: AudioCodec,
    pub(super) payload_type: u8,
    pub(super) mid: Option<String>,
    /// Redundant audio may be sent.
    pub(super) red: bool,
    /// The telephone events that the peer takes, a bit each.
    pub(super) telephone_events: Option<u16>,
    /// Of the description that was accepted.
    pub(super) remote_ufrag: String,
    /// How our fragments begin.
    pub(super) fragment_head: String,
    /// The peer's format parameters.
    pub(super) fmtp: String,
    /// Retransmissions have a stream of their own.
    pub(super) rtx: bool,
    pub(super) packetization: Packetization,
}

impl Agreed {
    pub(super) fn new(negotiated: &Negotiated, packetization: Packetization) -> Self {
        Self {
            codec: packetization.encoding.codec(),
            payload_type: negotiated.payload_type,
            mid: negotiated.mid.clone(),
            red: negotiated.red.is_some(),
            telephone_events: negotiated.telephone_event.map(|event| event.events),
            remote_ufrag: negotiated.remote_ice.ufrag.clone(),
            fragment_head: negotiated.fragment_head(),
            fmtp: negotiation::fmtp_line(&negotiated.remote_fmtp),
            rtx: negotiated.rtx.is_some(),
            packetization,
        }
    }

    /// None before the first report.
    pub(super) fn estimated_mos(&self, counters: &CountersSnapshot) -> Option<f64> {
        counters.last_report?;
        let conditions = Conditions {
            loss: counters.fraction_lost,
            jitter: Duration::from_secs_f64(counters.jitter_seconds(self.codec.clock_rate())),
            round_trip_time: counters.round_trip_time.unwrap_or_default(),
            ptime: self.packetization.ptime.duration(),
        };
        Some(estimated_mos(self.codec, conditions))
    }
}
