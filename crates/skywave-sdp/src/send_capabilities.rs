//! What this end is able and willing to send, as offers say it and answers pick from it.

use crate::CodecDescription;

/// What this end is able and willing to send.
///
/// Temporary maximum bit rate requests (RFC 5104) and the round-trip reports of receivers
/// (RFC 3611) are always offered: obeying them costs the sender nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SendCapabilities<'a> {
    /// The codecs in the order of preference.
    pub codecs: &'a [CodecDescription],
    /// The header extension with the time a packet left, in 24 bits.
    pub abs_send_time: bool,
    /// The header extension with the time the audio was captured.
    pub abs_capture_time: bool,
    /// The transport-wide sequence number as a header extension, and the feedback on it.
    pub transport_cc: bool,
    /// Single header extensions may be encrypted (RFC 6904), if the peer offers it.
    pub encrypted_extensions: bool,
    /// An offer asks for it too, where `encrypted_extensions` is set. aiortc (1.16) cannot read
    /// such an offer at all; `cryptex`, which does no harm there, protects more.
    pub offer_encrypted_extensions: bool,
    /// All header extensions may be encrypted together (RFC 9335).
    pub cryptex: bool,
    /// Generic NACK is understood (RFC 4585 §6.2.1).
    pub nack: bool,
    /// Retransmission in a stream of its own (RFC 4588); nothing without `nack`.
    pub rtx: bool,
    /// How long a packet can be retransmitted, in milliseconds: `rtx-time` of RFC 4588 §8.
    pub rtx_time: u32,
    /// Redundant audio (RFC 2198). Offered for Opus only: it would double G.711's 64 kbit/s.
    pub red: bool,
    /// The sixteen events of DTMF (RFC 4733).
    pub telephone_event: bool,
    /// Comfort noise beside codecs of 8000 Hz (RFC 3389).
    pub comfort_noise: bool,
}

impl<'a> SendCapabilities<'a> {
    /// Everything the [default](Self::default) has, with these codecs.
    #[must_use]
    pub fn new(codecs: &'a [CodecDescription]) -> Self {
        Self {
            codecs,
            ..Self::default()
        }
    }
}

/// No codec; of the header extensions the mid and the audio level only, encrypted one by one only
/// if the peer offers it; all else, with a second for retransmission.
impl Default for SendCapabilities<'_> {
    fn default() -> Self {
        Self {
            codecs: &[],
            abs_send_time: false,
            abs_capture_time: false,
            transport_cc: false,
            encrypted_extensions: true,
            offer_encrypted_extensions: false,
            cryptex: true,
            nack: true,
            rtx: true,
            rtx_time: 1000,
            red: true,
            telephone_event: true,
            comfort_noise: true,
        }
    }
}
