//! Where packets come from that somebody else has encoded.

use crate::EncodedPacket;

/// A source of packets that go out as they are. It is asked on a thread that serves many tracks:
/// it must not block.
pub trait EncodedSource: Send {
    /// The next packet. It is asked for when the one before is over.
    fn next(&mut self) -> EncodedSupply;
}

/// What an [`EncodedSource`] has.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum EncodedSupply {
    /// The next packet.
    Packet(EncodedPacket),
    /// Nothing at the moment. Time runs on without a packet, and it is asked again soon.
    Starved,
    /// Nothing any more.
    Ended {
        /// Why, if it was not the proper end.
        fault: Option<String>,
    },
}
