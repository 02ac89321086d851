//! What is sent while there is nothing to hear (silence suppression, RFC 3551 §4.1).

/// What is sent while a track is silent.
///
/// Time runs on whatever is sent: the packet after a pause has the timestamp of its own samples,
/// the next sequence number, and the marker bit (RFC 3551 §4.1). RTCP goes on too; as a sender
/// that has not sent for two intervals reports as a receiver (RFC 3550 §6.4), so does this one.
///
/// In a pause whoever joins hears nothing and sees no packet until it is over, and digits
/// ([RFC 4733](https://www.rfc-editor.org/rfc/rfc4733)), which take the place of packets, wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum SilencePolicy {
    /// Every packet: listeners cannot tell silence from anything else, and what lies between keeps
    /// its state.
    #[default]
    Continuous,
    /// Opus encoders go over to discontinuous transmission (RFC 6716 §2.1.9) when they hear
    /// nothing: of silence they send about one packet in 400 ms. So does G.711 to listeners that
    /// agreed to comfort noise (RFC 3389): of what is quieter than -60 dBov only the level, when
    /// it begins, changes, and every 400 ms. Other codecs send every packet, and so does libopus
    /// before 1.4 (feature `audiopus`) in music below a complexity of 7.
    Dtx,
    /// No packet of digital silence, in any codec, once it has lasted for a while: when there is
    /// no source, or one that gives zeros or nothing. Listeners of G.711 that agreed to comfort
    /// noise are told of it as above, and need not take it for loss.
    Stop,
}
