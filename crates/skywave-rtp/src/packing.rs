//! How a frame is put into a packet.

/// How a frame of audio is put into a packet. One of comfort noise always goes as it is, under the
/// payload type that was agreed on for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Packing {
    /// The frame as it is, under the stream's payload type.
    #[default]
    Plain,
    /// The frame and those before it that the history holds (RFC 2198), as far as they can be
    /// expressed and fit into the buffer. Not those that the listener was not meant to hear: from
    /// before its first packet, replaced by a tone, before a pause that was filled with comfort
    /// noise, or before [`Packetizer::interrupt`](crate::Packetizer::interrupt).
    Red {
        /// The payload type of `red`; the blocks have the stream's. 0..=63 or 96..=127.
        payload_type: u8,
        /// How many frames are repeated at most, 0..=[`Packing::MAX_REDUNDANCY`].
        redundancy: u8,
    },
}

impl Packing {
    /// The most frames one packet repeats.
    pub const MAX_REDUNDANCY: u8 = 2;
}
